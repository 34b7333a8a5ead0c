"""The demonstration beside servers. A whole one, with real servers, is in tests/dashboards/test_live.py."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gate.demo.pilots import PILOTS
from gate.demo.seed import SharedWorkspace, ask, prepare
from gate.demo.workspace import Workspace
from gate.errors import ServerError, UsageError


@dataclass
class Heard:
    phases: list[str] = field(default_factory=list)

    def phase(self, name: str, detail: str = "") -> None:
        self.phases.append(name)


def test_what_is_filled_is_left_as_it_is(prepared: Workspace):
    """A registry behind a file answers `prepare` as one behind a server does."""
    before = {file: file.stat().st_mtime_ns for file in prepared.folder.rglob("*.parquet")}
    heard = Heard()
    prepare(SharedWorkspace(prepared.folder, prepared.tracking_uri), heard)
    assert heard.phases == ["use the models and data that are there"]
    assert {file: file.stat().st_mtime_ns for file in prepared.folder.rglob("*.parquet")} == before


def test_a_registry_that_is_filled_is_not_emptied_for_a_folder_that_is_not(prepared: Workspace, tmp_path: Path):
    folder = tmp_path / "other"
    with pytest.raises(UsageError) as refused:
        prepare(SharedWorkspace(folder, prepared.tracking_uri), Heard())
    assert str(refused.value) == (
        f"{prepared.tracking_uri} has bike-demand and income already, but {folder} lacks what belongs to it; delete "
        "the models in MLflow (or all volumes: docker compose down --volumes) and start again"
    )
    assert not folder.exists()


def test_the_server_chooses_where_models_lie():
    assert SharedWorkspace(Path("/srv/gate"), "http://mlflow:5000").artifact_location("income") is None
    assert SharedWorkspace(Path("/srv/gate"), "http://mlflow:5000").tracking_uri == "http://mlflow:5000"


def test_each_pilot_is_asked_about_as_a_pipeline_does(tmp_path: Path):
    asked = []

    def run(arguments, environment) -> int:
        asked.append(arguments)
        return (0, 1, 1, 3, 3)[len(asked) - 1]

    ask(tmp_path, "http://gate:8484", {}, run)
    assert [arguments[:4] for arguments in asked] == [
        ["check", pilot.model, "--server", "http://gate:8484"] for pilot in PILOTS
    ]
    assert [arguments[4:] for arguments in asked if len(arguments) > 4] == [
        ["--current", str(tmp_path / "data" / "income" / "faulty-feed-v1.parquet")]
    ]


@pytest.mark.parametrize("code", [2, 4, 5])
def test_no_verdict_is_no_success(tmp_path: Path, code: int):
    """All are asked about, and those without a verdict are named."""
    codes = iter([0, code, 1, code, 3])
    with pytest.raises(ServerError) as failed:
        ask(tmp_path, "http://gate:8484", {}, lambda *_: next(codes))
    assert str(failed.value) == (
        "http://gate:8484: gave no verdict on income-faulty-feed, bike-full-year; the lines above say why"
    )


@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [("prepare", "MLFLOW_TRACKING_URI", "sqlite:///here.db"), ("ask", "GATE_URL", "")],
)
def test_it_says_which_address_it_needs(tmp_path: Path, command: str, variable: str, value: str):
    environment = {"PATH": os.environ["PATH"], variable: value}
    done = subprocess.run(
        [sys.executable, "-m", "gate.demo.seed", command, str(tmp_path)], env=environment, cwd=tmp_path,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == f"{variable} must be the address of a server, such as http://127.0.0.1:5000; got {value!r}\n"
    assert list(tmp_path.iterdir()) == []
