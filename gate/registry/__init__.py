"""The MLflow model registry, read only. The adapter is `gate.registry.mlflow.MlflowRegistry`."""
