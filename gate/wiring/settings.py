"""Settings: `GATE_*` from the environment, else `gate.yaml`, else a default; MLflow's own variables for the registry.

`gate.yaml` lies in the working directory (or where GATE_CONFIG points), holds the same settings under their names
in lower case without the prefix, and never a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from gate.errors import PolicyError, Problem, UsageError
from gate.policy.document import read_document


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its value; `origins` says where each comes from."""

    home: Path
    policies: Path
    data_hosts: frozenset[str]
    memory_limit: str
    threads: int
    registry_seconds: float
    tracking_uri: str | None
    registry_uri: str | None
    url: str | None  # of the server that `gate check` asks
    database: str | None  # SQLAlchemy URL; None is the SQLite file under `home`
    public_url: str | None  # the address under which people reach the server
    host: str
    port: int
    data_roots: tuple[Path, ...]  # the folders that a server reads data from
    client_policies: Literal["refuse", "tighten"]
    workers: int  # evaluations at once in one process; 0: it only answers
    worker_name: str
    evaluation_seconds: float
    queue_seconds: float
    poll_seconds: float
    keep_days: int
    metrics_state: bool
    config: Path | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        """Where verdicts and evaluations are kept."""
        return self.database or f"sqlite:///{self.home / 'gate.db'}"

    @property
    def engine_url(self) -> str:
        """Where the line of work is kept: with the record on PostgreSQL, in a file beside it on SQLite.

        It follows from the record's file alone, so that all who share that share the line, and the lock on it.
        """
        url = self.database_url
        if not url.startswith("sqlite"):
            return url
        path = url.partition(":///")[2].partition("?")[0]
        record = Path(unquote(urlsplit(path).path) if path.startswith("file:") else path).resolve()
        return f"sqlite:///{record.with_name('engine.db' if record.name == 'gate.db' else f'{record.name}.engine.db')}"

    @property
    def data_folder(self) -> Path | None:
        """Where relative URIs of a policy begin: the folder of `gate.yaml`, else (None) that of the policy."""
        return self.config.parent if self.config else None


@dataclass(frozen=True, slots=True)
class _Setting:
    """How one setting is read: its variable, its default as text, and how text becomes its value."""

    variable: str
    default: str | None
    parse: Callable[[str], Any]


def _size(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]*(\.[0-9]+)? ?(MB|GB|MiB|GiB)", text):
        raise ValueError("a size such as 2GB or 800MiB")
    return text


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        raise ValueError("a whole number from 1 to 9999")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) or not 0 < float(text) <= 86_400:
        raise ValueError("a number of seconds, at most 86400")
    return float(text)


def _whole(most: int, least: int = 0) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"0|[1-9][0-9]{0,5}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address such as https://gate.example.com")
    return text.rstrip("/")


def _word(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return text

    return read


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", text):
        raise ValueError("a name of letters, digits, dots, dashes and underscores")
    return text


def _roots(text: str) -> tuple[Path, ...]:
    return tuple(Path(root.strip()).expanduser().resolve() for root in text.split(",") if root.strip())


def _hosts(text: str) -> frozenset[str]:
    return frozenset(host.strip().lower() for host in text.split(",") if host.strip())


_SETTINGS: Mapping[str, _Setting] = {
    "home": _Setting("GATE_HOME", None, lambda text: Path(text).expanduser()),
    "policies": _Setting("GATE_POLICIES", "policies", lambda text: Path(text).expanduser()),
    "data_hosts": _Setting("GATE_DATA_HOSTS", "", _hosts),
    "memory_limit": _Setting("GATE_MEMORY_LIMIT", "2GB", _size),
    "threads": _Setting("GATE_THREADS", str(os.cpu_count() or 1), _count),
    "registry_seconds": _Setting("GATE_REGISTRY_SECONDS", "15", _seconds),
    "tracking_uri": _Setting("MLFLOW_TRACKING_URI", None, str),
    "registry_uri": _Setting("MLFLOW_REGISTRY_URI", None, str),
    "url": _Setting("GATE_URL", None, _address),
    "database": _Setting("GATE_DATABASE", None, str),
    "public_url": _Setting("GATE_PUBLIC_URL", None, _address),
    "host": _Setting("GATE_HOST", "127.0.0.1", str),
    "port": _Setting("GATE_PORT", "8484", _whole(65_535)),
    "data_roots": _Setting("GATE_DATA_ROOTS", ".", _roots),
    "client_policies": _Setting("GATE_CLIENT_POLICIES", "refuse", _word("refuse", "tighten")),
    "workers": _Setting("GATE_WORKERS", str(os.cpu_count() or 1), _whole(256)),
    "worker_name": _Setting("GATE_WORKER_NAME", "gate", _name),
    "evaluation_seconds": _Setting("GATE_EVALUATION_SECONDS", "1800", _seconds),
    "queue_seconds": _Setting("GATE_QUEUE_SECONDS", "86400", _seconds),
    "poll_seconds": _Setting("GATE_POLL_SECONDS", "60", _seconds),
    "keep_days": _Setting("GATE_KEEP_DAYS", "365", _whole(36_500, 1)),
    "metrics_state": _Setting("GATE_METRICS_STATE", "on", lambda text: _word("on", "off")(text) == "on"),
}
_NOT_IN_A_FILE = frozenset({"tracking_uri", "registry_uri", "database"})  # they may hold a password


_FROM_A_FILE = frozenset({"database"})  # secrets, which container engines hand over as files


def _secret(path: str, variable: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as wrong:
        raise UsageError(f"{variable}: {path} cannot be read: {wrong}") from wrong


def load_settings(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> Settings:
    """Read all settings; UsageError names the variable or the line that is wrong, and what is allowed."""
    config = _config_file(environment, folder or Path.cwd())
    stated = _from_file(config) if config else {}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, setting in _SETTINGS.items():
        if environment.get(setting.variable):
            text: str | None = environment[setting.variable]
            origin = setting.variable
        elif name in _FROM_A_FILE and environment.get(f"{setting.variable}_FILE"):
            origin = f"{setting.variable}_FILE"
            text = _secret(environment[origin], origin)
        elif name in stated:
            text, origin = stated[name], str(config)
        else:
            text, origin = _default(name, setting, environment), "default"
        try:
            values[name] = None if text is None else setting.parse(text)
        except ValueError as wrong:
            raise UsageError(f"{origin}: {name} must be {wrong}, got {text!r}") from wrong
        origins[name] = origin if text is not None else "not set"
    return Settings(**values, config=config, origins=origins)


def _default(name: str, setting: _Setting, environment: Mapping[str, str]) -> str | None:
    if name != "home":
        return setting.default
    state = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return str(Path(state) / "gate")


def _config_file(environment: Mapping[str, str], folder: Path) -> Path | None:
    named = environment.get("GATE_CONFIG")
    path = Path(named).expanduser() if named else folder / "gate.yaml"
    if path.is_file():
        return path.absolute()
    if named:
        raise UsageError(f"GATE_CONFIG: no such file: {named}")
    return None


def _from_file(path: Path) -> dict[str, str]:
    """Read `gate.yaml` as text values by name; a list becomes its comma-separated form."""
    document = read_document(path.read_bytes(), str(path))
    allowed = sorted(set(_SETTINGS) - _NOT_IN_A_FILE)
    problems = list(document.problems)
    values: dict[str, str] = {}
    content = document.value if isinstance(document.value, dict) else {}
    for key, value in content.items():
        if key not in allowed:
            text = f"unknown setting {key!r}; allowed are {', '.join(allowed)}"
            problems.append(Problem(str(path), document.line_of((key,)), text))
        values[key] = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    if problems:
        raise PolicyError(problems)
    return values
