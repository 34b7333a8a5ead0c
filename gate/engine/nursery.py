"""The fork server: a process that has imported what evaluations need, and forks a child for each.

It is started by `gate.engine.children` and talks with nobody else. It has one thread, so that a fork copies no lock
that somebody holds. It outlives the server, if only for a moment: when the server hangs up, whether it meant to or was
killed, every child is killed with all that it started, its folder is removed, and this process ends.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import json
import os
import pickle
import resource
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NoReturn

import gate.errors
from gate.errors import GateError, PolicyError

_CHILD_NICENESS = 10  # answering comes before evaluating, where both want the same core
_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGPIPE,
    signal.SIGCHLD,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


@dataclass(frozen=True, slots=True)
class _Child:
    """A child that was forked and not yet reaped. `line` leads to the server; when that hangs up, the child dies."""

    pid: int
    line: Connection
    folder: str


def main(control_fd: int, preload: Sequence[str]) -> None:
    """Import the preloads, then fork a child for each request on the control socket, until it is closed.

    Args:
        control_fd: the control socket.
        preload: `module`, or `module:function` for a function that fills caches; it must start no thread.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a terminal's or a supervisor's; the server decides
        signal.signal(ignored, signal.SIG_IGN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for entry in preload:
            _prepare(entry)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every object that was imported here
    _Nursery(socket.socket(fileno=control_fd)).serve()
    os._exit(0)  # libraries have things to say at an orderly end that nobody wants to read


def _prepare(entry: str) -> None:
    module, _, function = entry.partition(":")
    try:
        imported = importlib.import_module(module)
        if function:
            getattr(imported, function)()
    except Exception:  # noqa: BLE001  # the evaluation that needs it will say what is missing, in its own words
        traceback.print_exc()


class _Nursery:
    """The loop. It never blocks but in `select`, and does nothing but fork, kill and reap."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing would be written to the pipe
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self._selector.register(control, selectors.EVENT_READ, self._accept)
        self._selector.register(self._woken, selectors.EVENT_READ, self._drain)

    def serve(self) -> None:
        """Serve until the control socket is closed; then no child is left."""
        while self._control.fileno() >= 0:
            for key, _ in self._selector.select():
                key.data()
            self._reap()
        for child in list(self._children.values()):
            _kill(child.pid)
            os.waitpid(child.pid, 0)
            self._forget(child)

    def _accept(self) -> None:
        """Fork a child for a request: a byte with the child's line, the line about it, its task, and its last words."""
        try:
            word, fds, _, _ = socket.recv_fds(self._control, 1, 4)
        except OSError:
            word, fds = b"", []
        if not word:
            self._selector.unregister(self._control)
            self._control.close()
            return
        if len(fds) == 4:
            self._fork(*fds)
        else:  # out of file descriptors: hanging up says that there is no child
            for fd in fds:
                os.close(fd)

    def _fork(self, child_fd: int, line_fd: int, task_fd: int, words_fd: int) -> None:
        line = Connection(line_fd)
        folder, pid = "", -1
        try:
            folder = tempfile.mkdtemp(prefix="gate-")
            pid = os.fork()
        except OSError as wrong:
            shutil.rmtree(folder, ignore_errors=True)
            _tell(line, {"failed": f"the process that evaluates cannot be started: {wrong}"})
            line.close()
        if pid == 0:
            self._be_child(line, child_fd, task_fd, words_fd, folder)
        for fd in (child_fd, task_fd, words_fd):
            os.close(fd)
        if pid > 0:
            self._children[pid] = child = _Child(pid, line, folder)
            self._selector.register(line, selectors.EVENT_READ, lambda: self._hung_up(child))
            _tell(line, {"pid": pid})

    def _be_child(self, line: Connection, child_fd: int, task_fd: int, words_fd: int, folder: str) -> NoReturn:
        """Be a child, and leave without the interpreter's farewells, whatever happens."""
        code = 70
        try:
            self._let_go(line)
            _settle(words_fd, folder)
            code = _run(Connection(child_fd), task_fd)
        except BaseException:  # noqa: BLE001  # its last words are all that is left to say
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _let_go(self, line: Connection) -> None:
        """Close everything that is the fork server's, first of all its signal handling."""
        signal.set_wakeup_fd(-1)
        self._selector.close()
        for other in self._children.values():
            other.line.close()
        line.close()
        self._control.close()
        os.close(self._woken)
        os.close(self._wake)

    def _hung_up(self, child: _Child) -> None:
        """The server wants this child no more, or is dead itself. It says nothing on this line but that."""
        self._selector.unregister(child.line)
        _kill(child.pid)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._woken, 4096):
                pass

    def _reap(self) -> None:
        for child in list(self._children.values()):
            # Look before reaping: while the child is a zombie its number cannot be another process's, so what it
            # started and left behind can be killed safely.
            if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            _kill(child.pid)
            _, status = os.waitpid(child.pid, 0)
            _tell(child.line, {"status": status})
            self._forget(child)

    def _forget(self, child: _Child) -> None:
        with contextlib.suppress(KeyError):  # it has hung up already
            self._selector.unregister(child.line)
        child.line.close()
        del self._children[child.pid]
        shutil.rmtree(child.folder, ignore_errors=True)


def _kill(pid: int) -> None:
    """Kill a child that was not reaped, and its process group if it has come so far as to make one."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            kill(pid, signal.SIGKILL)


def _tell(line: Connection, message: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError):  # the server hung up; the loop sees that by itself
        line.send_bytes(json.dumps(message).encode())


def _settle(words_fd: int, folder: str) -> None:
    """Make the process the child's own: session, signals, output, folder for temporary files."""
    os.setsid()
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_CHILD_NICENESS)
    os.dup2(words_fd, 1)
    os.dup2(words_fd, 2)
    os.close(words_fd)
    faulthandler.enable(2)
    tempfile.tempdir = os.environ["TMPDIR"] = folder


def _run(line: Connection, task_fd: int) -> int:
    """Run the task and tell its result, or what it raised, as JSON; the exit code."""
    lock = threading.Lock()

    def say(word: str, value: object) -> None:
        text = json.dumps({word: value}, allow_nan=False).encode()
        try:
            with lock:
                line.send_bytes(text)
        except OSError:
            os._exit(1)  # the server hung up: nobody listens

    threading.Thread(target=_die_with_server, args=(line.fileno(),), daemon=True).start()
    try:
        with open(task_fd, "rb") as task:
            target, job = pickle.load(task)  # noqa: S301  # written by the server that started us
        say("result", target(job, lambda message: say("message", message)))
    except GateError as error:
        say("error", _described(error))
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is told
        say("failed", {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()})
    return 0


def _die_with_server(fd: int) -> None:
    """Kill this child and what it started when the server hangs up: the fork server may be dead too."""
    with contextlib.suppress(OSError):
        while os.read(fd, 1):
            pass
    os.killpg(0, signal.SIGKILL)


def _described(error: GateError) -> dict[str, Any]:
    """An error of gate as JSON: its class (the nearest one that `gate.errors` has), its message, what else it holds."""
    known = next(kind for kind in type(error).__mro__ if vars(gate.errors).get(kind.__name__) is kind)
    facts = dict(vars(error))
    facts.pop("problems", None)
    facts.pop("__notes__", None)
    problems = error.problems if isinstance(error, PolicyError) else []
    return {
        "kind": known.__name__,
        "message": str(error),
        "facts": {name: value for name, value in facts.items() if isinstance(value, str | int | list)},
        "problems": [[problem.file, problem.line, problem.message] for problem in problems],
    }
