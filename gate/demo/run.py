"""Prepare the demo's folder if need be, and ask for the verdicts."""

from __future__ import annotations

import os
from importlib.util import find_spec

from gate.demo.pilots import Pilot
from gate.demo.workspace import Workspace
from gate.domain.candidate import ModelRef
from gate.errors import MissingExtraError
from gate.flow.keep import Outcome
from gate.flow.ports import Observer
from gate.flow.request import Request
from gate.wiring.build import run_check
from gate.wiring.settings import Settings, load_settings


def prepare(workspace: Workspace, observer: Observer) -> None:
    """Train, register and write pilot data and policies, unless all that is there already."""
    if workspace.is_current:
        observer.phase("use the models and data of the last demo", str(workspace.folder))
        return
    observer.phase("create an MLflow registry", workspace.tracking_uri)
    make(workspace, observer)


def make(workspace: Workspace, observer: Observer) -> None:
    """Train, register and write pilot data and policies, in the place of whatever the demo left there."""
    for module in ("sklearn", "mlflow", "pandas"):
        if find_spec(module) is None:
            raise MissingExtraError("demo", module)
    workspace.begin()
    observer.phase("import scikit-learn and MLflow")
    from threadpoolctl import threadpool_limits

    from gate.demo import bike, income
    from gate.demo.shipped import write_policies
    from gate.demo.training import create_tables, embedded_registry

    # One thread: on a machine that is busy otherwise, threads that wait for each other cost more than they bring.
    with embedded_registry(workspace), threadpool_limits(1):
        create_tables()
        observer.phase("train and register two income models", "on 16,280 people of the census of 1994")
        income.prepare(workspace)
        observer.phase("train and register two bike-demand models", "on the hours of 2011")
        bike.prepare(workspace)
    write_policies(workspace.policies)
    workspace.finish()


def ask(pilot: Pilot, workspace: Workspace, observer: Observer) -> Outcome:
    """Ask for the verdict on a pilot as `gate check --report` does."""
    current = str(workspace.data / pilot.current) if pilot.current else None
    request = Request(ModelRef.parse(pilot.model), workspace.policies, current=current, report=True)
    return run_check(request, demo_settings(workspace), observer)


def demo_settings(workspace: Workspace) -> Settings:
    """Settings of the demo alone: nothing of the user's registry, verdicts or `gate.yaml`."""
    environment = {
        "GATE_HOME": str(workspace.home),
        "MLFLOW_TRACKING_URI": workspace.tracking_uri,
        "HOME": os.environ.get("HOME", ""),
    }
    return load_settings(environment, folder=workspace.folder)
