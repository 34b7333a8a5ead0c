"""Real registries: an SQLite file, the same one behind a real `mlflow server`, and a server that misbehaves."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gate.registry.deadline import Deadline
from gate.registry.mlflow import MlflowRegistry

HERE = Path(__file__).parent
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


@dataclass(frozen=True)
class Seeded:
    """The registry that seed.py filled."""

    root: Path
    ids: dict[str, dict[str, str]]

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.root}/mlflow.db"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory) -> Seeded:
    root = tmp_path_factory.mktemp("seeded registry")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")} | QUIET
    subprocess.run(
        [sys.executable, str(HERE / "seed.py"), str(root)], check=True, capture_output=True, env=environment, cwd=root
    )
    return Seeded(root, json.loads((root / "ids.json").read_text()))


@pytest.fixture(scope="session")
def registry(seeded) -> MlflowRegistry:
    """The SQLite registry, opened once. The deadline is generous: here, it is not the subject."""
    return MlflowRegistry(seeded.uri, deadline_seconds=120)


@pytest.fixture
def altered(seeded, tmp_path) -> Callable[..., str]:
    """A copy of the SQLite registry on which some SQL was run; gives its address."""

    def alter(*statements: str) -> str:
        shutil.copy(seeded.root / "mlflow.db", tmp_path / "altered.db")
        execute(tmp_path / "altered.db", *statements)
        return f"sqlite:///{tmp_path}/altered.db"

    return alter


def execute(database: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def plenty() -> Deadline:
    return Deadline(600, "late")


@pytest.fixture(scope="session")
def served_root(seeded, tmp_path_factory) -> Path:
    """A copy of the registry as a server keeps it, its files behind `mlflow-artifacts:/`."""
    root = tmp_path_factory.mktemp("served")
    shutil.copytree(seeded.root / "artifacts", root / "artifacts")
    shutil.copy(seeded.root / "mlflow.db", root / "mlflow.db")
    local, proxied = (seeded.root / "artifacts").as_uri(), "mlflow-artifacts:"
    execute(
        root / "mlflow.db",
        *(
            f"UPDATE {table} SET {column} = replace({column}, '{local}', '{proxied}')"
            for table, column in (
                ("experiments", "artifact_location"),
                ("runs", "artifact_uri"),
                ("logged_models", "artifact_location"),
                ("model_versions", "storage_location"),
            )
        ),
    )
    return root


@pytest.fixture(scope="session")
def served(served_root) -> Iterator[str]:
    """A real `mlflow server` over that copy; gives its address."""
    root = served_root
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{root}/mlflow.db", "--artifacts-destination", str(root / "artifacts")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment |= QUIET | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (root / "log").open("wb") as log:
        server = subprocess.Popen(
            command + stores, stdout=log, stderr=log, env=environment, cwd=root, start_new_session=True
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", server, root / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, 15)  # the server and its worker, which this fixture started in a session of their own
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, 9)
                server.wait()


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(1500):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    pytest.fail(f"mlflow server did not start: {log.read_text(errors='replace')[-2000:]}")


class Misbehaving(BaseHTTPRequestHandler):
    """Misbehaves as the first part of the path says: `/trickle/api/2.0/...`."""

    server: MisbehavingServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        behaviour, _, rest = self.path.lstrip("/").partition("/")
        self.server.seen.append((behaviour, dict(self.headers)))
        getattr(self, behaviour.replace("-", "_"))(rest)

    do_POST = do_GET  # noqa: N815 - the names that http.server looks for

    def reply(self, status: int, body: str, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(body.encode()))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body.encode())

    def slow(self, rest: str) -> None:
        self.server.closing.wait(120)
        self.close_connection = True

    def trickle(self, rest: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.server.closing.wait(0.05):
                self.wfile.write(b" ")
                self.wfile.flush()
        self.close_connection = True

    def busy(self, rest: str) -> None:
        self.reply(503, "busy", "text/plain")

    def too_many(self, rest: str) -> None:
        self.reply(429, "slow down", "text/plain")

    def retry_in_an_hour(self, rest: str) -> None:
        self.reply(503, "busy", "text/plain", Retry_After="3600")

    def unauthenticated(self, rest: str) -> None:
        self.reply(401, "You are not authenticated.", "text/plain")

    def unauthenticated_json(self, rest: str) -> None:
        self.reply(401, '{"detail": "Not authenticated"}')

    def forbidden(self, rest: str) -> None:
        self.reply(403, '{"error_code": "PERMISSION_DENIED", "message": "Permission denied"}')

    def page(self, rest: str) -> None:
        self.reply(200, "<html>Welcome</html>", "text/html")

    def missing(self, rest: str) -> None:
        self.reply(404, "<html>no</html>", "text/html")

    def empty(self, rest: str) -> None:
        self.reply(200, "{}")

    def garbage(self, rest: str) -> None:
        self.reply(200, '{"registered_model": {"name": ["churn"], "aliases": 7}}')

    def other(self, rest: str) -> None:
        self.reply(200, '{"registered_model": {"name": "somebody-else"}}')

    def circle(self, rest: str) -> None:
        self.reply(302, "", Location=f"/circle/{rest}")

    def elsewhere(self, rest: str) -> None:
        port = self.server.server_address[1]
        self.reply(302, "", Location=f"http://localhost:{port}/landed/{rest}")

    def landed(self, rest: str) -> None:
        self.reply(200, "{}")

    def workspaces(self, rest: str) -> None:
        if "server-info" in rest:
            self.reply(200, '{"workspaces_enabled": true}')
        else:
            self.reply(404, '{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Registered Model not found"}')

    def hangs_up(self, rest: str) -> None:
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class MisbehavingServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Misbehaving)
        self.closing = threading.Event()
        self.seen: list[tuple[str, dict[str, str]]] = []

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *args: object) -> None:
        """A client that gave up is what these tests are about."""


@pytest.fixture(scope="session")
def misbehaving() -> Iterator[MisbehavingServer]:
    server = MisbehavingServer()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.closing.set()
    server.shutdown()
    server.server_close()
