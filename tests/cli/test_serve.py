"""`gate serve` and `gate worker` hand the settings over; what they run is tested where it lives."""

from __future__ import annotations

import os

import pytest
from click.testing import CliRunner

from gate.cli.app import cli
from gate.server import processes
from gate.wiring import extras


@pytest.fixture
def started(tmp_path, monkeypatch):
    """What was started, instead of starting it: (what, settings)."""
    for name in [name for name in os.environ if name.startswith("GATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    calls = []
    for name in ("run_server", "run_worker"):
        monkeypatch.setattr(processes, name, lambda settings, name=name: calls.append((name, settings)))
    return calls


def gate(*words: str) -> tuple[int, str]:
    ended = CliRunner().invoke(cli, words, prog_name="gate")
    return ended.exit_code, ended.stderr


def test_the_command_line_wins_over_the_settings(started, monkeypatch):
    monkeypatch.setenv("GATE_PORT", "9000")
    assert gate("serve", "--host", "0.0.0.0") == (0, "")
    ((name, settings),) = started
    assert (name, settings.host, settings.port) == ("run_server", "0.0.0.0", 9000)
    assert (settings.origins["host"], settings.origins["port"]) == ("--host", "GATE_PORT")


def test_a_worker_has_a_name(started):
    assert gate("worker", "--name", "blue-1") == (0, "")
    ((name, settings),) = started
    assert (name, settings.worker_name, settings.origins["worker_name"]) == ("run_worker", "blue-1", "--name")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("serve", "--port", "70000"),
         "gate: invalid value for '--port': 70000 is not in the range 0<=x<=65535 (see gate serve --help)\n"),
        (("worker", "--name", "a b"),
         "gate: --name: it must be a name of letters, digits, dots, dashes and underscores, got 'a b'\n"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_before_anything_starts(started, words, text):
    assert gate(*words) == (2, text)
    assert started == []


def test_without_the_extra_the_command_that_installs_it_is_named(started, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "fastapi" else name)
    for command in ("serve", "worker"):
        code, text = gate(command)
        assert code == 2
        assert text == (
            "gate: this needs the 'server' extra of gate (no module named 'fastapi'); "
            "install it with: pip install 'readiness-gate[server]'\n"
        )
    assert started == []
