"""The benchmark runs, and measures what it says. How fast anything is, is not for a test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.slow
def test_the_benchmark_judges_every_column_and_writes_its_figures(tmp_path: Path):
    command = [sys.executable, str(BENCH / "speed.py"), "--rows", "20000", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert (figures["rows"], figures["columns"], figures["columns_judged_for_drift"]) == (20_000, 25, 24)
    assert all(isinstance(value, int | float) and value > 0 for value in figures.values())
    assert {"speedup_vs_evidently_cold", "rss_mib", "wall_seconds"} <= set(figures)
    assert "times as fast" in done.stdout


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sides of the same seed and one that moved, written by another process: `bench` is no package."""
    folder = tmp_path_factory.mktemp("sides")
    code = """
import sys, pathlib, generate
folder = pathlib.Path(sys.argv[1])
generate.write_side(folder / "a.parquet", 30_000, seed=1)
generate.write_side(folder / "again.parquet", 30_000, seed=1)
generate.write_side(folder / "moved.parquet", 30_000, seed=1, moved=0.3)
"""
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=BENCH, check=True)
    return folder


def test_the_same_seed_gives_the_same_rows(generated: Path):
    assert pq.read_table(generated / "a.parquet").equals(pq.read_table(generated / "again.parquet"))


def test_a_side_has_the_columns_that_the_benchmark_promises(generated: Path):
    table = pq.read_table(generated / "a.parquet")
    kinds = [field.type for field in table.schema]
    assert (kinds.count(pa.float64()), kinds.count(pa.string()), kinds.count(pa.timestamp("us"))) == (20, 4, 1)
    nulls = [table[name].null_count / table.num_rows for name in table.schema.names if name != "at"]
    assert min(nulls) > 0.01
    assert max(nulls) < 0.025


def test_two_columns_move_by_what_is_asked(generated: Path):
    before, after = (pq.read_table(generated / f"{name}.parquet").to_pandas() for name in ("a", "moved"))
    shift = (after.mean(numeric_only=True) - before.mean(numeric_only=True)) / before.std(numeric_only=True)
    assert shift[shift.abs() > 0.01].round(2).to_dict() == {"normal_0": 0.3, "price": 0.3}
