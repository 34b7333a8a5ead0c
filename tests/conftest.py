"""What holds for every test."""

import os

from hypothesis import settings

pytest_plugins = ["postgres"]  # tests/support/postgres.py: `postgres_url` is an empty database of a real server

# Before any library reads them: no test reports anything to anybody.
os.environ |= {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}

# How long an example takes depends on what else the machine does: no test is about that.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
