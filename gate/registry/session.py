"""MLflow, loaded late, quiet and impatient; and clients of registries that exist."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sqlite3
import warnings
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from gate.errors import MissingExtraError, RegistryError, UsageError
from gate.registry.address import is_http, shown

# MLflow's defaults wait 4 to 20 minutes for a server that is down. A user who wants less patience than this keeps it.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": 2,
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": 1,
    "MLFLOW_HTTP_REQUEST_TIMEOUT": 5,  # seconds, of one connect or read
}

_DATABASE_MODULES = ("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store")


@dataclass(frozen=True, slots=True)
class Mlflow:
    """The parts of MLflow that gate reads with."""

    client: Callable[[str, str], Any]  # (tracking_uri, registry_uri) -> MlflowClient
    artifacts: Callable[..., Any]  # artifact URI -> ArtifactRepository


def prepare(environment: MutableMapping[str, str]) -> None:
    """Set MLflow's own variables: no telemetry, little patience, no thread pools for downloads."""
    environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
    for name, ours in _PATIENCE.items():
        text = environment.get(name) or str(ours)
        if not text.isascii() or not text.isdigit():
            raise UsageError(f"{name} must be a whole number, got {text!r}")
        environment[name] = str(min(int(text), ours))
    # The pool that fetches chunks in parallel would be waited for at exit, past every deadline.
    environment["MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD"] = "false"


def load_mlflow(*, databases: bool) -> Mlflow:
    """Import MLflow and silence it: stdout and stderr belong to gate.

    `databases` also loads what opens an SQLite registry. MLflow would on first use, but importing takes seconds on a
    busy machine, and the deadline of the registry is not meant for that.
    """
    prepare(os.environ)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Imported when a registry is read: two seconds that `gate --help` must not pay.
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
            from mlflow.tracking.client import MlflowClient
            from mlflow.utils.logging_utils import disable_logging

            for module in _DATABASE_MODULES if databases else ():
                importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError("evaluate", error.name or "mlflow") from error
    disable_logging()
    warnings.filterwarnings("ignore", module=r"mlflow(\.|$)")
    retries = logging.getLogger("urllib3.connectionpool")
    if retries.level == logging.NOTSET:  # without a handler, Python prints its warnings on stderr
        retries.setLevel(logging.ERROR)
    return Mlflow(MlflowClient, get_artifact_repository)


def open_client(mlflow: Mlflow, tracking_uri: str, registry_uri: str) -> Any:
    """Connect to a registry. Nothing is created: an SQLite file must be there and hold MLflow's tables."""
    for uri in {tracking_uri, registry_uri}:
        if not is_http(uri):
            _require_registry_file(uri)
    return mlflow.client(tracking_uri, registry_uri)


def _require_registry_file(uri: str) -> None:
    """Refuse a file that MLflow would fill with fresh tables or migrate: gate reads, it does not write."""
    # Known only once SQLAlchemy is there, like the registry itself.
    from mlflow.store.db.utils import Base

    path, place = sqlite_path(uri), shown(uri)
    if not path.is_file():
        raise RegistryError(f"{place}: there is no such file")
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise RegistryError(f"{place}: cannot be read as an SQLite database ({error})") from error
    if "registered_models" not in tables:
        raise RegistryError(f"{place}: this database holds no MLflow registry")
    if missing := set(Base.metadata.tables) - tables:
        raise RegistryError(
            f"{place}: it was written by an older release of MLflow (no table {min(missing)!r}); "
            f"run `mlflow db upgrade {place}` once its owner agrees, for gate does not change a registry"
        )


def sqlite_path(uri: str) -> Path:
    """Read the file's path from `sqlite:///relative` or `sqlite:////absolute`; memory has no registry in it."""
    parts = urlsplit(uri)
    path = uri.removeprefix("sqlite:///")
    if path == uri or parts.query or path in ("", ":memory:"):
        raise UsageError(f"the registry address {shown(uri)!r} names no file; write sqlite:////ABSOLUTE/PATH/mlflow.db")
    return Path(path).absolute()
