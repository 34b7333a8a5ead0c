"""A demo prepared once for all tests of a process: training takes longer than everything that is asked of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gate.demo.run import prepare
from gate.demo.workspace import Workspace
from gate.flow.ports import Silent

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"


class Heard(Silent):
    """An observer that remembers the phases."""

    def __init__(self):
        self.phases: list[str] = []

    def phase(self, name, detail=""):
        self.phases.append(name)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("prepared") / "demo")
    prepare(workspace, Heard())
    return workspace


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "demo")
