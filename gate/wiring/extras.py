"""The optional parts of gate: which modules come with which extra, and how to say that one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType

from gate.errors import MissingExtraError

_EVALUATE = (
    *("mlflow", "duckdb", "evidently", "sqlalchemy", "numpy", "pyarrow", "sqlglot", "jinja2"),
    *("alembic", "pandas", "scipy"),
)
_SERVER = ("dbos", "fastapi", "prometheus_client", "psycopg", "starlette", "uvicorn")

EXTRA_OF: Mapping[str, str] = MappingProxyType(
    {**dict.fromkeys(_EVALUATE, "evaluate"), **dict.fromkeys(_SERVER, "server"), "sklearn": "demo"}
)
"""The extra that brings a module."""


def require_evaluate() -> None:
    """Raise MissingExtraError with the command to run if the evaluation libraries are not installed."""
    _require(_EVALUATE)


def require_server() -> None:
    """Raise MissingExtraError with the command to run if the server's libraries are not installed."""
    _require(_SERVER)
    _require(_EVALUATE)  # which come with the server's extra


def _require(modules: tuple[str, ...]) -> None:
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError(EXTRA_OF[module], module)
