"""Time and memory of `gate check`, beside Evidently's presets on the same two files in the same run.

`python bench/speed.py [--rows 1000000] [--folder build]` prints a table and writes FOLDER/bench.json. Every contender
is a process of its own, started cold, with its imports counted; gate goes first and so is the one that finds the
libraries' files outside the page cache. This process imports nothing large and leaves the making of data to another
one: what a parent holds when it starts a child counts as the child's peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from gate.demo.workspace import Workspace

_HERE = Path(__file__).parent
EVIDENTLY = """\
import sys
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset, DataSummaryPreset
reference, current = (pd.read_parquet(path) for path in sys.argv[1:3])
snapshot = Report([DataDriftPreset(), DataSummaryPreset()]).run(current, reference)
print(len(snapshot.json()))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: how long it took, the work of all its threads, the most memory it held, what it printed."""

    seconds: float
    cpu_seconds: float
    rss_mib: float
    exit_code: int
    stdout: str


def run(command: list[str], environment: dict[str, str]) -> Run:
    """Run a process; its peak memory is what the kernel reports when it ends."""
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        stdout = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, process.returncode, stdout)


def check(workspace: Workspace) -> Run:
    """One `gate check`; anything but a verdict ends the benchmark."""
    environment = os.environ | {
        "GATE_HOME": str(workspace.home),
        "MLFLOW_TRACKING_URI": workspace.tracking_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    arguments = ["check", "models:/bench/1", "--policy", str(workspace.policies), "--format", "json"]
    done = run([sys.executable, "-m", "gate", *arguments], environment)
    if done.exit_code not in (0, 1):
        raise SystemExit(f"gate check exited with {done.exit_code}; a benchmark needs a verdict")
    return done


def measure(rows: int, folder: Path) -> dict[str, float]:
    """Run everything once and give back the figures, flat."""
    workspace = Workspace((folder / "bench").absolute())
    subprocess.run([sys.executable, str(_HERE / "generate.py"), str(workspace.folder), str(rows)], check=True)
    cold = check(workspace)
    again = check(workspace)  # the same state: the reference is not read again
    findings = json.loads(cold.stdout)["findings"]
    drifted = sum(finding["kind"] == "feature_drift" for finding in findings)
    files = [str(workspace.data / f"{side}.parquet") for side in ("reference", "current")]
    evidently = run([sys.executable, "-c", EVIDENTLY, *files], os.environ | {"DO_NOT_TRACK": "true"})
    if evidently.exit_code != 0:
        raise SystemExit(f"Evidently's presets exited with {evidently.exit_code}")
    return {
        "rows": rows,
        "columns": 25,
        "columns_judged_for_drift": drifted,
        "findings": len(findings),
        "wall_seconds": round(cold.seconds, 2),
        "cpu_seconds": round(cold.cpu_seconds, 2),
        "rss_mib": round(cold.rss_mib),
        "recheck_seconds": round(again.seconds, 2),
        "evidently_seconds": round(evidently.seconds, 2),
        "evidently_cpu_seconds": round(evidently.cpu_seconds, 2),
        "evidently_rss_mib": round(evidently.rss_mib),
        "speedup_vs_evidently_cold": round(evidently.seconds / cold.seconds, 1),
    }


def show(figures: dict[str, float]) -> None:
    """Print the table."""
    print(f"{figures['rows']:,} rows x {figures['columns']} columns a side, each process cold, imports counted\n")
    lines = (
        ("", "seconds", "of CPU", "peak MiB"),
        ("gate check (schema, quality, drift)", *(figures[k] for k in ("wall_seconds", "cpu_seconds", "rss_mib"))),
        ("gate check again (same reference)", figures["recheck_seconds"], "", ""),
        ("Evidently, drift and summary presets",
         *(figures[f"evidently_{k}"] for k in ("seconds", "cpu_seconds", "rss_mib"))),
    )  # fmt: skip
    for what, seconds, cpu, memory in lines:
        print(f"{what:40}{seconds:>10}{cpu:>10}{memory:>10}")
    print(f"\n{figures['speedup_vs_evidently_cold']} times as fast")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("build"))
    asked = parser.parse_args()
    result = measure(asked.rows, asked.folder)
    (asked.folder / "bench.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    show(result)
    print(f"written: {asked.folder / 'bench.json'}")
