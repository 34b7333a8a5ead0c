"""From nothing to a verdict over HTTP, with the README's own lines."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from server import GateServer, clean, free_port, make_pilot, stop

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def shell_blocks() -> list[str]:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## As a service")[2].partition("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(tmp_path: Path, toy_registry: str) -> Path:
    """A checkout after `make demo`, as far as these lines see it: `gate` on the path, and a folder `demo`."""
    make_pilot(tmp_path / "demo")
    (tmp_path / "demo" / "registry").mkdir()
    source = Path(toy_registry.removeprefix("sqlite:///"))
    (tmp_path / "demo" / "registry" / "mlflow.db").symlink_to(source)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gate").write_text(f'#!/bin/sh\nexec {sys.executable} -m gate "$@"\n')
    (tmp_path / "bin" / "gate").chmod(0o755)
    return tmp_path


def test_from_nothing_to_a_verdict_with_curl(place: Path):
    start, ask = shell_blocks()
    port = str(free_port())
    environment = clean() | {"PATH": f"{place / 'bin'}:/usr/local/bin:/usr/bin:/bin", "GATE_PORT": port}
    with (place / "log").open("wb") as log:
        serving = subprocess.Popen(
            ["bash", "-ec", start.replace("gate serve", "exec gate serve")], cwd=place, env=environment, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        script = ask.replace("8484", port).replace("bike-demand", "toy").replace("curl ", "curl --noproxy '*' ")
        ready = (
            f"until curl -fsS --noproxy '*' -o /dev/null http://127.0.0.1:{port}/readyz 2>/dev/null; do sleep 0.2; done"
        )
        for _ in range(5):  # on a busy machine the first evaluation may take longer than curl waits
            asked = subprocess.run(
                ["bash", "-ec", f"{ready}\n{script}"], cwd=place, env=environment, capture_output=True, text=True,
                timeout=150, check=False,
            )  # fmt: skip
            assert asked.returncode == 0, asked.stderr + (place / "log").read_text()
            decoder = json.JSONDecoder()
            evaluation, end = decoder.raw_decode(asked.stdout)
            document, _ = decoder.raw_decode(asked.stdout[end:].lstrip())
            if evaluation["state"] in ("done", "error", "cancelled"):
                break
        assert evaluation["state"] == "done"
        assert (document["decision"], document["id"]) == ("promote", evaluation["verdict_id"])
    finally:
        assert stop(serving) == 0, (place / "log").read_text()


def test_giving_up_and_waiting_later_for_the_same_evaluation(gate_server: GateServer):
    asked = subprocess.Popen(
        [sys.executable, "-m", "gate", "check", "models:/held/1", "--timeout", "600"], text=True,
        env=clean() | {"GATE_URL": gate_server.url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=gate_server.folder.parent,
    )  # fmt: skip
    first = asked.stderr.readline()
    evaluation = re.fullmatch(r"  evaluation (\S+): \S+\n", first)[1]
    os.kill(asked.pid, signal.SIGINT)
    asked.communicate(timeout=60)
    assert asked.returncode in (130, 1)  # 1: the verdict was there before the interrupt was
    waited = gate_server.gate("wait", evaluation, "--format", "json")
    assert waited.returncode == 1
    document = json.loads(waited.stdout)
    assert (document["model"]["name"], document["store"]) == ("held", "server")
    assert {finding["reproduce"] for finding in document["findings"]} == {"gate check models:/held/1"}
    shown = gate_server.gate("show", document["id"][:8], "--format", "json")
    assert (shown.returncode, json.loads(shown.stdout)) == (0, document)
    assert gate_server.gate("diff", document["id"][:12], document["id"][:12]).returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("models:/nobody/1",), 2, "nobody"),
        (("models:/toy/1", "--stage", "moon"), 2, "there is no stage 'moon'"),
        (
            ("models:/toy/1", "--current", "/etc/passwd"),
            2,
            "/etc/passwd: lies outside the folders that this server reads",
        ),
        (("models:/toy/1", "--policy", "mine.yaml"), 2, "policy"),
        (("models:/held/1", "--report-only"), 0, "REPORT ONLY"),
        (("models:/toy/1", "--server", "http://127.0.0.1:9", "--timeout", "1"), 5, "timed out"),
    ],
)
def test_a_server_says_no_as_gate_check_does(gate_server: GateServer, words, code: int, said: str):
    (gate_server.folder.parent / "mine.yaml").write_text("policy: gate/v1\n")
    ended = gate_server.gate("check", *words)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr


def test_the_doctor_finds_the_server_well(gate_server: GateServer):
    looked = gate_server.gate("doctor")
    assert looked.returncode == 0, looked.stdout
    assert f"{gate_server.url} is ready, gate " in looked.stdout


def test_a_server_ends_when_it_is_told_to(tmp_path: Path, toy_registry: str):
    from server import running

    make_pilot(tmp_path / "served")
    with running(tmp_path / "served", toy_registry) as server:
        began = time.monotonic()
        assert stop(server.process) == 0, server.log.read_text()
        assert time.monotonic() - began < 30
    assert "Traceback" not in server.log.read_text()
