"""`gate doctor`: what is wrong with a setup, and what to do about it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

import gate
from gate.cli.output import emit, terminal_width, wants_colour
from gate.cli.render.table import Page
from gate.domain.candidate import ModelRef
from gate.domain.plain import plain
from gate.errors import CandidateError, GateError, PolicyError, RegistryError

if TYPE_CHECKING:
    from gate.wiring.settings import Settings

Mark = Literal["ok", "warn", "fail"]
_COLOUR_OF: Mapping[Mark, str] = {"ok": "pass", "warn": "warn", "fail": "fail"}

_OLDEST_PYTHON = (3, 11)
_EXTRAS: Mapping[str, tuple[str, ...]] = {
    "evaluate": ("alembic", "duckdb", "evidently", "jinja2", "mlflow-skinny", "numpy", "pandas", "pyarrow", "scipy",
                 "sqlalchemy", "sqlglot"),
    "server": ("dbos", "fastapi", "prometheus-client", "psycopg", "uvicorn"),
    "demo": ("scikit-learn",),
}  # fmt: skip
_PASSWORD = re.compile(r"(?<=://)\S*@|(?<=password=)[^&\s]*", re.IGNORECASE)
_SERVER_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at: how it is, and what to do if it is not well. `exit_code` is what a failure stands for."""

    mark: Mark
    subject: str
    text: str
    remedy: str = ""
    exit_code: int = 2


@click.command("doctor")
def command() -> None:
    """Say what is wrong with a setup: installation, settings and where they come from, registry, policies, store.

    Where GATE_URL names a gate server, that is looked at instead: it has the registry, the policies and the store.

    Exit codes: 0 nothing stands in the way of a verdict; 2 something has to be set up; 4 the setup is right, but the
    server, the registry or the store cannot be reached.
    """
    lines = list(examine())
    page = Page(width=terminal_width(), colour=wants_colour())
    emit("".join(f"{text}\n" for line in lines for text in _shown(line, page)))
    codes = {line.exit_code for line in lines if line.mark == "fail"}
    raise click.exceptions.Exit(min(codes, default=0))


def examine() -> Iterator[Line]:
    """Look at everything, the cheapest first."""
    settings = _settings()
    asks_a_server = not isinstance(settings, Line) and settings.url is not None
    yield from _installation(needed=() if asks_a_server else ("evaluate",))
    yield from _telemetry(os.environ)
    if isinstance(settings, Line):
        yield settings
        return
    yield from _values(settings)
    for look in (_server,) if asks_a_server else (_store, _registry, _policy_files):
        yield _survive(look, settings)


def _survive(look: Callable[[Settings], Line], settings: Settings) -> Line:
    """A doctor that dies says nothing: whatever goes wrong is the line."""
    subject = look.__name__.strip("_").replace("_", " ")
    try:
        return look(settings)
    except ModuleNotFoundError as missing:
        return Line("fail", subject, f"no module named {missing.name!r}", _install("evaluate"))
    except GateError as wrong:
        return Line("fail", subject, str(wrong), exit_code=wrong.exit_code)
    except Exception as bug:  # noqa: BLE001  # as the docstring says
        return Line("fail", subject, f"{type(bug).__name__}: {bug}", "this is a bug in gate: report it", exit_code=4)


def _installation(needed: Collection[str] = ("evaluate",)) -> Iterator[Line]:
    running = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= _OLDEST_PYTHON:
        yield Line("ok", "python", f"{running}, gate {gate.__version__}")
    else:
        yield Line("fail", "python", f"{running} is too old", "use Python 3.11 or newer")
    for extra, names in _EXTRAS.items():
        found = {name: _version(name) for name in names}
        missing = [name for name, installed in found.items() if installed is None]
        if missing:
            mark: Mark = "fail" if extra in needed else "warn"
            yield Line(mark, f"extra {extra}", f"not installed: {', '.join(missing)}", _install(extra))
        else:
            yield Line("ok", f"extra {extra}", ", ".join(f"{name} {installed}" for name, installed in found.items()))


def _telemetry(environment: Mapping[str, str]) -> Iterator[Line]:
    """MLflow and Evidently may report their use to their makers."""
    for variable, allowed, whose in (
        ("MLFLOW_DISABLE_TELEMETRY", ("true",), "MLflow"),
        ("DO_NOT_TRACK", ("true", "1"), "Evidently"),
    ):
        value = environment.get(variable, "")
        if value.lower() in allowed:
            yield Line("ok", "telemetry", f"{whose}: off ({variable}={value})")
        else:
            yield Line("warn", "telemetry", f"{whose}: may be on ({variable} is {value or 'not set'})",
                       f"set {variable}=true")  # fmt: skip


def _settings() -> Settings | Line:
    try:
        from gate.wiring.settings import load_settings

        return load_settings()
    except GateError as wrong:
        return Line("fail", "settings", str(wrong), "correct it, then run gate doctor again")
    except ModuleNotFoundError as missing:
        return Line("fail", "settings", f"no module named {missing.name!r}", "install gate again")


def _values(settings: Settings) -> Iterator[Line]:
    """Every setting with its value and where that comes from. Passwords in URIs are left out."""
    yield Line("ok", "gate.yaml", str(settings.config) if settings.config else "none (it is optional)")
    for name, origin in settings.origins.items():
        yield Line("ok", name, f"{_value(getattr(settings, name))} ({origin})")


def _value(value: object) -> str:
    match value:
        case None | "" | frozenset() | tuple() if not value:
            return "not set"
        case frozenset() | tuple():
            return ", ".join(sorted(_without_password(str(item)) for item in value))
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case _:
            return _without_password(str(value))


def _store(settings: Settings) -> Line:
    from gate.wiring.build import build_store

    settings.home.mkdir(parents=True, exist_ok=True)
    build_store(settings).find("00000000-no-such-verdict")
    place = _without_password(settings.database) if settings.database else settings.home / "gate.db"
    return Line("ok", "store", f"{place} can be read and written")


def _server(settings: Settings) -> Line:
    """Ask whether the server can do its work, and which gate it runs."""
    from gate.cli.deadline import deadline
    from gate.client.client import Client
    from gate.client.patience import TimeLimit

    with deadline(_SERVER_SECONDS), Client(settings.url or "", TimeLimit(_SERVER_SECONDS)) as client:
        ready = client.readiness()
        version = client.version()
    wrong = [f"{name}: {check.detail}" for name, check in ready.checks.items() if not check.ok]
    if not ready.ready:
        return Line("fail", "server", f"{client.name} is not ready: {'; '.join(wrong)}", "see its log", exit_code=4)
    if wrong:
        return Line("warn", "server", f"{client.name} answers, gate {version}; {'; '.join(wrong)}", "see its log")
    if version != gate.__version__:
        return Line("warn", "server", f"{client.name} is ready, but runs gate {version}", "run the same version here")
    return Line("ok", "server", f"{client.name} is ready, gate {version}")


def _registry(settings: Settings) -> Line:
    """Ask for a model that does not exist: an answer of any kind shows that somebody answers."""
    if not settings.tracking_uri:
        return Line("fail", "registry", "no registry is named", "set MLFLOW_TRACKING_URI to your MLflow server")
    from gate.wiring.build import build_registry

    shown = _without_password(settings.registry_uri or settings.tracking_uri)
    try:
        build_registry(settings).find(ModelRef("gate-doctor-asks-for-no-such-model", version="1"))
    except CandidateError:
        return Line("ok", "registry", f"{shown} answers")
    except RegistryError as wrong:
        remedy = "is the address right, is the server up, does it want a login (MLFLOW_TRACKING_TOKEN)?"
        return Line("fail", "registry", _without_password(str(wrong)), remedy, exit_code=4)
    return Line("ok", "registry", f"{shown} answers")


def _policy_files(settings: Settings) -> Line:
    from gate.policy.load import load
    from gate.policy.match import policies_in

    folder, first = settings.policies, "write one: gate init models:/NAME/VERSION"
    if not folder.exists():
        return Line("warn", "policy files", f"{folder} does not exist", first)
    files = [folder] if folder.is_file() else list(policies_in(folder))
    if not files:
        return Line("warn", "policy files", f"{folder} holds none", first)
    wrong = {path: problems for path in files if (problems := _problems(load, path))}
    if wrong:
        text = "; ".join(
            f"{path} has {count} {'problem' if count == 1 else 'problems'}" for path, count in wrong.items()
        )
        return Line("fail", "policy files", text, f"gate policy lint {folder}")
    return Line("ok", "policy files", f"{folder}: {len(files)} {'file' if len(files) == 1 else 'files'}, all right")


def _problems(load: Callable[[Path], object], path: Path) -> int:
    try:
        load(path)
    except PolicyError as wrong:
        return len(wrong.problems)
    return 0


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _install(extra: str) -> str:
    return f"pip install 'readiness-gate[{extra}]'"


def _without_password(text: str) -> str:
    return _PASSWORD.sub("***@", text)


def _shown(line: Line, page: Page) -> Iterator[str]:
    indent = 24
    texts = page.wrapped(plain(line.text), indent)
    texts += page.wrapped(f"-> {plain(line.remedy)}", indent) if line.remedy else []
    for number, text in enumerate(texts):
        mark = page.ink(line.mark.ljust(4), _COLOUR_OF[line.mark], bold=line.mark == "fail")
        head = f"{mark}  {line.subject.ljust(indent - 7)} " if number == 0 else " " * indent
        yield f"{head}{text}".rstrip()
