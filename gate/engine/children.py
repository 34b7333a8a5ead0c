"""Killable work: each job runs in a child of its own, forked from a process that has the heavy imports ready."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import gate.errors
from gate.errors import EngineError, GateError, PolicyError, Problem

J = TypeVar("J")
Send = Callable[[Mapping[str, Any]], None]

_START = (
    "import json, sys; start = json.load(sys.stdin); sys.path[:] = start.pop('path'); "
    "from gate.engine.nursery import main; main(**start)"
)
_LARGEST_MESSAGE = 16 * 2**20
_LAST_WORDS = 4_000
_GRACE_SECONDS = 5.0  # to see a killed child dead


class ChildStopped(EngineError):  # noqa: N818  # says what happened to the child
    """The child was killed because the caller wanted no answer any more."""


class ChildLate(EngineError):  # noqa: N818  # says what happened to the child
    """The child was killed because its time was over."""


class ChildDied(EngineError):  # noqa: N818  # says what happened to the child
    """The child ended without an answer: killed by somebody else, out of memory, or crashed in native code."""


class ChildFailed(EngineError):  # noqa: N818  # says what happened to the child
    """The target raised something that is no GateError; `traceback` is for the log only."""

    def __init__(self, error: str, traceback: str) -> None:
        super().__init__(error)
        self.traceback = traceback


class LeftForLater(BaseException):  # not an error: nothing on the way may take it for one
    """This process ends: work that was begun stays as it is, to be begun again by the next one.

    It is no Exception so that it passes through whatever records failures.
    """


class Children:
    """Runs jobs in children of a fork server, which is started when it is first needed, or found dead.

    Safe to use from many threads. A job and its target travel to the child as a pickle (so the target is a function of
    an importable module), and everything comes back as JSON: a child reads strangers' data, and what it says is
    parsed, never unpickled. In the child, `tempfile` works in a folder that is removed when it ends, however it ends.

    Args:
        preload: what the fork server imports before it forks: `module`, or `module:function`, which is then called and
            fills caches. Neither may start a thread. What fails is reported on stderr and left to the child.
    """

    def __init__(self, preload: Sequence[str] = ()) -> None:
        self._preload = tuple(preload)
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._closed = False

    def warm(self) -> None:
        """Start the fork server and its imports, and do not wait for them."""
        with self._lock:
            self._started()

    def run(
        self, target: Callable[[J, Send], Mapping[str, Any]], job: J, *, on_message: Send,
        should_stop: Callable[[], bool], seconds: float, poll: float = 0.2,
    ) -> Mapping[str, Any]:  # fmt: skip
        """Run `target(job, send)` in a fresh child and return what it returned.

        What the target sends goes to `on_message`; `should_stop` is asked every `poll` seconds. Both are called in this
        thread. When this returns or raises, the child and all that it started are dead or about to be.

        Raises:
            ChildStopped: `should_stop` said so.
            ChildLate: it took longer than `seconds`.
            ChildDied: the child ended without an answer.
            ChildFailed: the target raised something unexpected.
            GateError: what the target raised, class and message.
            LeftForLater: this was closed meanwhile.
        """
        give_up = time.monotonic() + seconds
        with tempfile.TemporaryFile() as task, tempfile.TemporaryFile() as words:
            pickle.dump((target, job), task)
            task.seek(0)
            with self._fork(task, words) as child:
                due = time.monotonic() + poll
                while True:
                    answer = self._heard(child, max(0.0, min(due, give_up) - time.monotonic()))
                    if answer is not None and "message" in answer:
                        on_message(answer["message"])
                    elif answer is not None:
                        return _result(answer)
                    now = time.monotonic()
                    if now >= give_up:
                        child.end()
                        raise ChildLate(f"the evaluation took longer than {seconds:g} seconds and was stopped")
                    if now >= due:
                        due = now + poll
                        if should_stop():
                            child.end()
                            raise ChildStopped("the evaluation was stopped")

    def close(self) -> None:
        """Kill all children and end the fork server; `run` raises LeftForLater from now on, where it waits too."""
        self._closed = True
        with self._lock:
            self._stop_server()

    def __enter__(self) -> Self:
        self.warm()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _heard(self, child: _Child, seconds: float) -> dict[str, Any] | None:
        try:
            return child.hear(seconds)
        except ChildDied:
            if self._closed:
                raise LeftForLater from None
            raise

    def _fork(self, task: BinaryIO, words: BinaryIO) -> _Child:
        """Ask the fork server for a child; a new one, if the fork server has died."""
        try:
            ours, theirs = Pipe()
            line, their_line = Pipe()
            with theirs, their_line:
                self._ask([theirs.fileno(), their_line.fileno(), task.fileno(), words.fileno()])
        except OSError as wrong:
            raise EngineError(f"cannot start the process that evaluates: {wrong}") from wrong
        return _Child(ours, line, words)

    def _ask(self, fds: Sequence[int]) -> None:
        with self._lock:
            try:
                socket.send_fds(self._started(), [b"."], fds)
            except (BrokenPipeError, ConnectionResetError):
                socket.send_fds(self._restarted(), [b"."], fds)

    def _started(self) -> socket.socket:
        if self._control is not None and self._server is not None and self._server.poll() is None:
            return self._control
        return self._restarted()

    def _restarted(self) -> socket.socket:
        self._stop_server()
        if self._closed:
            raise LeftForLater
        ours, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(  # noqa: S603  # this interpreter, nothing of a stranger
                [sys.executable, "-P", "-c", _START],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True,
                env=os.environ | _ONE_THREAD,
            )  # fmt: skip
            self._control = ours
            start = {"path": sys.path, "control_fd": theirs.fileno(), "preload": self._preload}
        assert self._server.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._server.stdin as stdin:
            stdin.write(json.dumps(start).encode())
        return ours

    def _stop_server(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(_GRACE_SECONDS)
            self._server.kill()
            self._server.wait()
        self._control = self._server = None


# A thread of the fork server would not live on in a child, and might hold a lock at the fork. What evaluates much
# is DuckDB, which starts its threads when it is opened: in the child.
_ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # of the allocator in pyarrow
}


class _Child:
    """A child as the server sees it: `ours` leads to the child, `line` to the fork server, which alone may kill it."""

    def __init__(self, ours: Connection, line: Connection, words: BinaryIO) -> None:
        self._ours = ours
        self._line = line
        self._words = words
        self._pid: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._line.close()  # hanging up is the order to kill
        self._ours.close()

    def hear(self, seconds: float) -> dict[str, Any] | None:
        """The next thing the child says, None if it says nothing for so long; ChildDied if it is dead."""
        ready = wait([self._ours, self._line], seconds)
        if self._ours in ready:
            try:
                heard: dict[str, Any] = json.loads(self._ours.recv_bytes(_LARGEST_MESSAGE))
            except (EOFError, OSError, ValueError):
                raise self._death() from None
            return heard
        if self._line in ready:
            news = self._news()
            if news is None or "pid" not in news:
                raise _death(news, self._last_words())
            self._pid = news["pid"]
        return None

    def end(self) -> None:
        """Have the child killed and see it dead: its model's next evaluation begins after this."""
        if self._pid is None:
            return  # not forked yet: it will be killed at once
        with contextlib.suppress(OSError):
            self._line.send_bytes(b"end")
        self._death()

    def _death(self) -> ChildDied:
        """Wait for the news of its death."""
        give_up = time.monotonic() + _GRACE_SECONDS
        while self._line.poll(max(0.0, give_up - time.monotonic())):
            news = self._news()
            if news is None or "pid" not in news:
                return _death(news, self._last_words())
        return ChildDied("the process that evaluates has closed its line and is stuck")

    def _news(self) -> dict[str, Any] | None:
        """What the fork server says of this child; None if it is dead itself."""
        try:
            news: dict[str, Any] = json.loads(self._line.recv_bytes(_LARGEST_MESSAGE))
        except (EOFError, OSError):
            return None
        return news

    def _last_words(self) -> str:
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - _LAST_WORDS))
        return self._words.read().decode(errors="replace").strip()


def _death(news: Mapping[str, Any] | None, last_words: str) -> ChildDied:
    if news is None:
        return ChildDied("the process that evaluates was lost: its fork server has died")
    if "failed" in news:
        return ChildDied(str(news["failed"]))
    code = os.waitstatus_to_exitcode(news["status"])
    how = f"exited with code {code}" if code >= 0 else f"was killed by {_signal_name(-code)}"
    return ChildDied(f"the process that evaluates {how}" + (f"; its last words: {last_words}" if last_words else ""))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _result(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    if "error" in answer:
        raise _rebuilt(answer["error"])
    if "failed" in answer:
        raise ChildFailed(**answer["failed"])
    result: Mapping[str, Any] = answer["result"]
    return result


def _rebuilt(described: Mapping[str, Any]) -> GateError:
    """The error that the target raised: same class, same message, same problems."""
    kind = vars(gate.errors).get(described["kind"])
    if not (isinstance(kind, type) and issubclass(kind, GateError)):
        return EngineError(f"{described['kind']}: {described['message']}")
    error = kind.__new__(kind, described["message"])  # without __init__, which may want more than the message
    vars(error).update(described["facts"])
    if isinstance(error, PolicyError):
        error.problems = [Problem(*problem) for problem in described["problems"]]
    return error
