"""`python -m gate.demo.seed`: the demonstration beside an MLflow server and a gate server, as in docker-compose.yml.

`prepare FOLDER` trains the demo's models, registers them in the MLflow server of MLFLOW_TRACKING_URI, and writes their
data and policies into a folder that gate's server and workers read as well. `ask FOLDER` asks the server of GATE_URL
for a verdict on each pilot, with `gate check` as a pipeline does. Both may run again and again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from gate.demo.pilots import PILOTS, Pilot
from gate.demo.workspace import Workspace
from gate.errors import GateError, ServerError, UsageError
from gate.flow.ports import Observer
from gate.telemetry.progress import Progress, is_live

MODELS = ("bike-demand", "income")
_DECIDED = (0, 1, 3)  # the exit codes of a promotion and of a hold; another one is no verdict
_PLACE = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@dataclass(frozen=True, slots=True)
class SharedWorkspace(Workspace):
    """The demo's folder beside a registry that is served, and keeps the files of models itself."""

    address: str

    @property
    def tracking_uri(self) -> str:
        """The MLflow server."""
        return self.address

    def artifact_location(self, name: str) -> str | None:  # noqa: ARG002 - the server chooses for every model
        """The server's own choice."""
        return None


def prepare(workspace: SharedWorkspace, observer: Observer) -> None:
    """Fill registry and folder, unless both are filled; UsageError if only the registry is: it is not ours to empty."""
    there = _registered(workspace)
    complete = workspace.policies.is_dir() and any(workspace.policies.glob("*.yaml"))
    if not there:
        observer.phase("fill the MLflow registry", workspace.tracking_uri)
        from gate.demo.run import make

        make(workspace, observer)
    elif complete and set(there) == set(MODELS):
        observer.phase("use the models and data that are there", str(workspace.folder))
    else:
        raise UsageError(
            f"{workspace.tracking_uri} has {' and '.join(there)} already, but {workspace.folder} lacks what belongs to "
            "it; delete the models in MLflow (or all volumes: docker compose down --volumes) and start again"
        )


def ask(
    folder: Path, url: str, environment: Mapping[str, str],
    run: Callable[[Sequence[str], Mapping[str, str]], int] | None = None,
) -> None:  # fmt: skip
    """Ask for a verdict on each pilot, whatever it is; ServerError if there is none on one of them."""
    undecided = [
        pilot.key for pilot in PILOTS if (run or _run)(_question(pilot, folder, url), environment) not in _DECIDED
    ]
    if undecided:
        raise ServerError(f"{url}: gave no verdict on {', '.join(undecided)}; the lines above say why")


def _question(pilot: Pilot, folder: Path, url: str) -> list[str]:
    current = ["--current", str(Workspace(folder).data / pilot.current)] if pilot.current else []
    return ["check", pilot.model, "--server", url, *current]


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    return subprocess.run([sys.executable, "-m", "gate", *arguments], env=environment, check=False).returncode  # noqa: S603


def _registered(workspace: SharedWorkspace) -> list[str]:
    """The demo's models that the server has."""
    from gate.demo.training import embedded_registry

    with embedded_registry(workspace):
        import mlflow

        found = {model.name for model in mlflow.MlflowClient().search_registered_models()}
    return sorted(found & set(MODELS))


def _address(variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value.startswith(("http://", "https://")):
        raise UsageError(f"{variable} must be the address of a server, such as http://127.0.0.1:5000; got {value!r}")
    return value.rstrip("/")


@click.group()
def main() -> None:
    """Fill an MLflow server and a gate server with the demonstration."""


@main.command("prepare")
@_PLACE
def _prepare(folder: Path) -> None:
    """Register the models, and write data and policies into FOLDER."""
    with Progress(sys.stderr, live=is_live(sys.stderr)) as progress:
        prepare(SharedWorkspace(folder.absolute(), _address("MLFLOW_TRACKING_URI")), progress)


@main.command("ask")
@_PLACE
def _ask(folder: Path) -> None:
    """Ask for the verdicts; the data is in FOLDER."""
    ask(folder.absolute(), _address("GATE_URL"), os.environ)


if __name__ == "__main__":
    try:
        main()
    except GateError as wrong:
        sys.stderr.write(f"{wrong}\n")
        sys.exit(wrong.exit_code)
