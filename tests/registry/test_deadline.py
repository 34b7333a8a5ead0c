"""Deadlines: what a thread returns, raises, or never does."""

from __future__ import annotations

import contextvars
import threading

import pytest

from gate.errors import RegistryError
from gate.registry.deadline import Deadline, within

WORKSPACE = contextvars.ContextVar("WORKSPACE", default="none")


def test_an_answer_in_time_is_returned():
    assert within(60, "late", lambda deadline: 0 < deadline.remaining <= 60) is True


def test_an_exception_in_time_is_raised_as_it_was():
    def work(deadline):
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        within(60, "late", work)


def test_work_that_never_ends_is_abandoned_on_a_daemon_thread():
    never, threads = threading.Event(), []

    def work(deadline):
        threads.append(threading.current_thread())
        never.wait(100)

    with pytest.raises(RegistryError, match=r"^late$"):
        within(0.05, "late", work)
    assert [thread.daemon for thread in threads] == [True]
    never.set()


def test_the_callers_context_goes_with_the_work():
    WORKSPACE.set("team-a")
    assert within(60, "late", lambda deadline: WORKSPACE.get()) == "team-a"


def test_long_work_hears_that_its_time_is_over():
    with pytest.raises(RegistryError, match=r"^late$"):
        Deadline(0, "late").check()
    Deadline(60, "late").check()
