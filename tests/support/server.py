"""A real gate server as a process of its own, with toy models that it promotes as they stand.

    def test_it(gate_server): ... gate_server.url, gate_server.gate("check", "models:/toy/1")

The server lives as long as the tests of the process. `running(...)` starts one of one's own.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from toy import POLICY, ROWS
from toys import write_pilot

_SECONDS = 120.0  # to start, on a machine that does much else


@dataclass(frozen=True)
class GateServer:
    """A running server: its address, its folder (policies, data, home), its process and the file that it logs to."""

    url: str
    folder: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    def gate(self, *words: str, timeout: float = 120, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `gate WORDS...` as somebody who knows only the server's address."""
        return subprocess.run(
            [sys.executable, "-m", "gate", *words], env=clean() | {"GATE_URL": self.url} | variables,
            cwd=self.folder.parent, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip


def clean() -> dict[str, str]:
    """The environment without anything that gate, MLflow or a CI system would read."""
    foreign = ("GATE_", "MLFLOW_", "CI", "GITHUB_", "GITLAB_", "OTEL_", "DBOS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "NO_COLOR": "1"}


def seed_registry(folder: Path, names: Sequence[str] = ("toy",)) -> str:
    """A SQLite registry in `folder` with version 1 of each model, alias challenger: one logged model under all names.

    A process of its own makes it, so that nothing of MLflow stays behind in this one. Returns its URI.
    """
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from toys import register_toys\n"
        "register_toys(Path(sys.argv[2]), sys.argv[3:], alias='challenger')\n"
    )
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(folder), *names]
    done = subprocess.run(command, env=clean(), capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"the registry was not seeded:\n{done.stderr}")
    return f"sqlite:///{folder / 'mlflow.db'}"


def make_pilot(folder: Path) -> None:
    """A folder with the toy data and two policies: one that promotes `toy*`, and one that nothing in it can meet."""
    write_pilot(folder)
    held = POLICY.replace("name: toy", "name: held").replace('["toy*"]', '["held*"]')
    (folder / "policies" / "held.yaml").write_text(held.replace("row_count, min: 500", f"row_count, min: {2 * ROWS}"))


@contextmanager
def running(
    folder: Path, registry: str, *, command: Sequence[str] = ("serve",), stop_seconds: float = 30.0, **variables: str
) -> Iterator[GateServer]:
    """Run `gate serve` (or `gate worker`) in `folder` until the block is left; ready when it is entered."""
    port = free_port()
    environment = clean() | {
        "MLFLOW_TRACKING_URI": registry,
        "GATE_HOME": str(folder / "home"),
        "GATE_PORT": str(port),
        "GATE_DATA_ROOTS": str(folder),
        "GATE_WORKERS": "2",
        "GATE_THREADS": "1",
        **variables,
    }
    url, log = f"http://127.0.0.1:{port}", folder / f"{command[0]}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gate", *command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        _await(f"{url}/readyz" if command[0] == "serve" else f"{url}/livez", process, log)
        yield GateServer(url, folder, environment, process, log)
    finally:
        stop(process, stop_seconds)


def stop(process: subprocess.Popen[bytes], seconds: float = 30.0) -> int:
    """End a server as its supervisor would: SIGTERM, and SIGKILL for it and its children if it does not listen."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait(30)


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    give_up = time.monotonic() + _SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        with suppress(urllib.error.URLError, OSError), opener.open(url, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    state = "ended" if process.poll() is not None else "is not ready"
    raise RuntimeError(f"gate {state}:\n{log.read_text(errors='replace')[-4_000:]}")


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def toy_registry(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry with `toy` and `held`, made once for all processes that run tests together. Nobody changes it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "toy-registry"
    with (shared / "toy-registry.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            seed_registry(folder, ("toy", "held"))
            (folder / "complete").touch()
    return f"sqlite:///{folder / 'mlflow.db'}"


@pytest.fixture(scope="session")
def gate_server(tmp_path_factory: pytest.TempPathFactory, toy_registry: str) -> Iterator[GateServer]:
    """The server that all tests of this process share: SQLite, two workers; it promotes `toy` and holds `held`."""
    folder = tmp_path_factory.mktemp("server") / "served"
    make_pilot(folder)
    with running(folder, toy_registry) as server:
        yield server
