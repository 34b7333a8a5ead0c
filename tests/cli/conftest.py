from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

DOCUMENTS = Path(__file__).parent / "documents"
NAMES = sorted(path.stem for path in DOCUMENTS.glob("*.json"))


settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")


@pytest.fixture
def document() -> Callable[[str], dict]:
    """A verdict document by name."""
    return lambda name: json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def run(tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """Run `gate` as a process of its own, with a home and a working directory of its own."""

    def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GATE_", "MLFLOW_", "GITHUB_", "CI"))}
        environment = inherited | {"GATE_HOME": str(tmp_path / "home")} | variables
        command = [sys.executable, "-m", "gate", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return start
