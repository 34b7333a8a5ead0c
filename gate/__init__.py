"""A production-readiness gate for machine-learning pilots."""

__version__ = "0.1.0"
