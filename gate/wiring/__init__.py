"""Settings, and the one place that picks adapters."""
