"""Progress of an evaluation elsewhere: phases, rows, signs of life."""

from __future__ import annotations

import io

from wire import FakeTime

from gate.cli.following import Following


def followed(*, live: bool) -> tuple[Following, io.StringIO, FakeTime]:
    stream, time = io.StringIO(), FakeTime()
    return Following(stream, live=live, clock=time.now), stream, time


def test_a_terminal_counts_the_rows_of_the_running_phase():
    progress, stream, _ = followed(live=True)
    with progress:
        progress.phase("evidence", "2 rows")
        progress.scanned(1_500)
        progress.scanned(0)
        progress.scanned(500)
        progress.note("asking again\x1b")
    assert stream.getvalue() == (
        "  evidence: 2 rows ..."
        "\r\x1b[2K  evidence: 2 rows ... 1,500 rows read"
        "\r\x1b[2K  evidence: 2 rows ... 2,000 rows read"
        "\r\x1b[2K  asking again\\x1b\n  evidence: 2 rows ..."
        "\r\x1b[2K  evidence: 2 rows (0.0 s)\n"
    )


def test_elsewhere_a_line_says_every_half_minute_that_it_goes_on():
    progress, stream, time = followed(live=False)
    progress.scanned(0)
    with progress:
        progress.phase("queued")
        for _ in range(7):
            time.moment += 10
            progress.scanned(0)
        progress.scanned(1_000)
        time.moment += 20
        progress.scanned(1_000)
        progress.note("asking again")
    assert stream.getvalue() == (
        "  queued goes on (30 s)\n  queued goes on (60 s)\n  queued goes on (90 s, 2,000 rows read)\n"
        "  asking again\n  queued (90.0 s)\n"
    )
