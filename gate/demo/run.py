"""Prepare the demo's folder if need be, and ask for the verdicts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gate.demo.pilots import PILOTS, Pilot
from gate.demo.workspace import Workspace
from gate.domain.candidate import ModelRef
from gate.errors import MissingExtraError
from gate.flow.request import Request
from gate.wiring.build import run_check
from gate.wiring.settings import Settings, load_settings

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A pilot and its verdict document, with the folder of its report."""

    pilot: Pilot
    document: dict[str, Any]
    report: Path


def prepare(workspace: Workspace, tell: Tell) -> None:
    """Train, register and write pilot data and policies, unless all that is there already."""
    if workspace.is_current:
        tell(f"{workspace.folder} is as the last demo left it; its models and data are used again")
        return
    for module in ("sklearn", "mlflow", "pandas"):
        if find_spec(module) is None:
            raise MissingExtraError("demo", module)
    workspace.begin()
    tell("importing scikit-learn and MLflow")
    from gate.demo import bike, income
    from gate.demo.policies import write_policies
    from gate.demo.training import embedded_registry

    tell(f"creating an MLflow registry in {workspace.folder / 'registry'}")
    with embedded_registry(workspace):
        tell("training two income models on 16,280 people, and writing what they said in their pilots")
        income.prepare(workspace)
        tell("training two bike-demand models, and writing what they said in their pilots")
        bike.prepare(workspace)
    write_policies(workspace.policies)
    workspace.finish()


def ask(workspace: Workspace, tell: Tell) -> Iterator[Answer]:
    """Ask for each verdict as `gate check` does, and write its report."""
    settings = demo_settings(workspace)
    for pilot in PILOTS:
        tell(f"checking {pilot.title}")
        current = str(workspace.data / pilot.current) if pilot.current else None
        request = Request(ModelRef.parse(pilot.model), workspace.policies, current=current, report=True)
        outcome = run_check(request, settings)
        folder = workspace.reports / pilot.key
        yield Answer(pilot, outcome.document, folder)


def demo_settings(workspace: Workspace) -> Settings:
    """Settings of the demo alone: nothing of the user's registry, verdicts or `gate.yaml`."""
    environment = {
        "GATE_HOME": str(workspace.home),
        "MLFLOW_TRACKING_URI": workspace.tracking_uri,
        "HOME": os.environ.get("HOME", ""),
    }
    return load_settings(environment, folder=workspace.folder)
