"""The burst that decides whether SQLite will do as the default: nothing is lost, nothing stalls, nothing is locked."""

from __future__ import annotations

import multiprocessing
from collections import Counter

import engine_adoption
import pytest

STALLED_SECONDS = 60.0  # far beyond what a burst takes, and within what an HTTP client waits


@pytest.mark.slow
def test_a_burst_of_requests_on_sqlite_is_accepted_and_each_is_judged_once(tmp_path):
    forks = multiprocessing.get_context("forkserver")
    line, theirs = forks.Pipe()
    server = forks.Process(target=engine_adoption.main, args=(theirs, tmp_path))
    server.start()
    theirs.close()
    assert line.poll(engine_adoption.PATIENCE + 120)
    told = line.recv()
    server.join(60)
    assert server.exitcode == 0
    assert told["logged"] == []
    assert told["failed"] == []
    assert told["accepted"] == 360
    assert told["longest"] < STALLED_SECONDS
    assert told["states"] == Counter(done=360)
    assert told["own_verdicts"] == told["verdicts"] == 360
    assert told["begun"] == Counter({1: 360})
    assert told["events"] == Counter({("queued", "started", "phase", "done"): 360})
    assert told["abandoned"] == []
