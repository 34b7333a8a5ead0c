"""What `gate serve` and `gate worker` need installed."""

from __future__ import annotations

from importlib.util import find_spec

from gate.errors import MissingExtraError

SERVER = ("dbos", "fastapi", "prometheus_client", "psycopg", "uvicorn")


def require_server() -> None:
    """Raise MissingExtraError with the command to run if the libraries of the server are not installed."""
    for module in SERVER:
        if find_spec(module) is None:
            raise MissingExtraError("server", module)
