"""Serving: a port that is taken, a line once connections are taken, and an end in good order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import httpx
import pytest
from serving import a_service

from gate.errors import UsageError
from gate.server.run import address_of, bind, serve

SUPPORT = Path(__file__).parents[1] / "support"
SERVER = textwrap.dedent(
    """
    import sys, tempfile
    from pathlib import Path
    sys.path.insert(0, sys.argv[1])
    from serving import a_service
    from gate.server.run import serve
    with a_service(Path(sys.argv[2])) as service:
        serve(service, "127.0.0.1", 0, note="for a test")
    print("closed", flush=True)
    """
)


def test_a_port_that_is_taken_is_said_in_words():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError) as raised:
            bind("127.0.0.1", port)
    assert str(raised.value) == (
        f"127.0.0.1:{port}: cannot be served on: Address already in use; another process may hold the port, "
        f"GATE_PORT or --port names another"
    )


def test_an_address_of_another_machine_is_said_in_words():
    with pytest.raises(UsageError) as raised:
        bind("192.0.2.1", 8484)
    assert str(raised.value).startswith("192.0.2.1:8484: cannot be served on: Cannot assign requested address; ")
    with pytest.raises(UsageError) as raised:
        bind("no.such.host.invalid", 8484)
    assert str(raised.value).startswith("GATE_HOST: no.such.host.invalid is no address of this machine: ")


def test_the_loopback_of_version_6_is_written_in_brackets():
    try:
        with bind("::1", 0) as bound:
            assert address_of(bound) == f"http://[::1]:{bound.getsockname()[1]}"
    except UsageError:
        pytest.skip("this machine has no IPv6")


def test_metrics_of_several_processes_in_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    with a_service(tmp_path) as service, pytest.raises(UsageError) as raised:
        serve(service, "127.0.0.1", 0)
    assert str(raised.value) == (
        "PROMETHEUS_MULTIPROC_DIR: is set, and metrics of several processes in files lose half of what gate says; "
        "unset it, and scale out by more `gate serve` with one port each"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_says_when_it_is_up_and_ends_in_good_order_while_somebody_listens(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(SUPPORT), str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "GATE_HOME": str(tmp_path)},
    )  # fmt: skip
    try:
        line = process.stderr.readline()
        assert line.startswith("gate serves on http://127.0.0.1:")
        assert line.endswith(" for a test\n")
        url = line.split()[3]
        with httpx.Client(base_url=url, timeout=30) as client:
            made = client.post("/v1/evaluations", json={"model": "models:/toy/1"}).json()["id"]
            with client.stream("GET", f"/v1/evaluations/{made}/events") as answer:
                lines = answer.iter_lines()
                assert next(lines) == "retry: 2000"
                process.send_signal(number)
                assert "event: queued" in list(lines)  # and the stream ends
        assert process.wait(30) == 0
        assert process.stdout.read() == "closed\n"  # whoever called could clean up
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.communicate()
