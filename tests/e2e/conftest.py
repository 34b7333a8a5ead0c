"""A real registry with one small model, and a pilot on disk that may be broken in any way."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from toy import Pilot
from toys import make_toys, register_toys


@pytest.fixture(scope="session")
def registry_uri(tmp_path_factory) -> str:
    """One registered model `toy`, version 1, in a SQLite registry."""
    return register_toys(tmp_path_factory.mktemp("registry"), ["toy"])


@pytest.fixture
def pilot(tmp_path: Path, registry_uri: str) -> Pilot:
    """A pilot that is promoted as it stands."""
    toys = make_toys(tmp_path, registry_uri)
    return Pilot(tmp_path, toys.environment)


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it wrote."""

    exit_code: int
    out: str
    err: str


@pytest.fixture
def gate(pilot: Pilot, monkeypatch, capfd):
    """Run `gate WORDS...` in this process, in the pilot's folder and environment."""
    from gate.cli.app import main

    def run(*words: str) -> Answer:
        for name in [name for name in os.environ if name.startswith(("GATE_", "MLFLOW_", "CI", "GITHUB_"))]:
            monkeypatch.delenv(name)
        for name, value in pilot.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(pilot.folder)
        monkeypatch.setattr("sys.argv", ["gate", *words])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        code = end.value.code
        return Answer(code if isinstance(code, int) else int(code is not None), out, err)

    return run
