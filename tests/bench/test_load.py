"""The load test runs, and counts what it says. How fast anything is, is not for a test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "load.py"
PROMISED = ("errors_5xx", "submit_p50_ms", "submit_p99_ms", "evaluation_p50_s")


@pytest.mark.slow
def test_a_short_rush_breaks_nothing_and_writes_its_figures(tmp_path: Path):
    command = [sys.executable, str(BENCH), "--clients", "20", "--seconds", "4", "--database", "sqlite",
               "--folder", str(tmp_path)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "load.json").read_text(encoding="utf-8"))
    assert {f"sqlite_{name}" for name in PROMISED} <= set(figures)
    assert figures["sqlite_errors_5xx"] == figures["sqlite_errors_connection"] == figures["sqlite_errors_4xx"] == 0
    assert figures["sqlite_submits"] >= 20
    assert all(isinstance(value, int | float) and value >= 0 for value in figures.values())
    assert "submit_p50_ms" in done.stdout
