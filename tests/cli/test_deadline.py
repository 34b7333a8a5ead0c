from __future__ import annotations

import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest

from gate.cli.deadline import deadline
from gate.errors import OutOfTimeError


def busy() -> None:
    while True:
        pass


def test_no_limit_is_no_limit():
    with deadline(None):
        pass


def test_the_body_is_interrupted():
    with pytest.raises(OutOfTimeError) as raised, deadline(0.05):
        busy()
    assert str(raised.value) == "timed out: no verdict within 0.05 s (--timeout)"


def test_code_that_survives_crashes_does_not_survive_the_deadline():
    with pytest.raises(OutOfTimeError), deadline(0.05), suppress(Exception):
        busy()


def test_a_body_that_is_in_time_is_left_alone():
    with deadline(0.1):
        done = True
    with deadline(5):
        for _ in range(1000):
            done = not done


def test_native_code_that_does_not_come_back_ends_with_the_process():
    code = """
        import ctypes, gate.cli.deadline as d
        d._GRACE_SECONDS = 0.2
        with d.deadline(0.1):
            libc = ctypes.CDLL(None)
            end = __import__("time").monotonic() + 20
            while __import__("time").monotonic() < end:
                try:
                    libc.sleep(20)
                except BaseException:
                    pass
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    assert ended.returncode == 5
    assert ended.stderr == "gate: timed out: no verdict within 0.1 s (--timeout)\n"
