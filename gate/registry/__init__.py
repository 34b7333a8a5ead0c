"""The MLflow model registry, read only."""
