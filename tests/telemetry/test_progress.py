from __future__ import annotations

import io
from contextlib import suppress
from itertools import count

import pytest

from gate.telemetry.progress import Progress, is_live


def progress(stream: io.StringIO, *, live: bool = False) -> Progress:
    ticks = count(0.0, 0.5)
    return Progress(stream, live=live, clock=lambda: next(ticks))


def test_elsewhere_each_phase_is_one_plain_line():
    stream = io.StringIO()
    with progress(stream) as observer:
        observer.phase("registry", "models:/bike/2")
        observer.phase("judge")
    assert stream.getvalue() == "  registry: models:/bike/2 (0.5 s)\n  judge (0.5 s)\n"


def test_on_a_terminal_the_running_phase_is_rewritten():
    stream = io.StringIO()
    with progress(stream, live=True) as observer:
        observer.phase("registry")
    assert stream.getvalue() == "  registry ...\r\x1b[2K  registry (0.5 s)\n"


def test_a_phase_that_did_not_end_well_says_so():
    stream = io.StringIO()
    observer = progress(stream)
    with suppress(ValueError), observer:
        observer.phase("data")
        raise ValueError("boom")
    assert stream.getvalue() == "  data (0.5 s, stopped)\n"


def test_nothing_begun_says_nothing():
    stream = io.StringIO()
    with progress(stream):
        pass
    assert stream.getvalue() == ""


def test_hostile_details_stay_text():
    stream = io.StringIO()
    with progress(stream) as observer:
        observer.phase("registry", "models:/\x1b[31m\n::error::x")
    assert stream.getvalue() == "  registry: models:/\\x1b[31m\\n::error::x (0.5 s)\n"


def test_a_closed_stream_costs_nothing_but_progress():
    stream = io.StringIO()
    stream.close()
    with progress(stream, live=True) as observer:
        observer.phase("registry")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "live"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"CI": "true"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_lines_are_rewritten_only_where_they_can_be(stream, environment, live):
    assert is_live(stream, environment) is live
