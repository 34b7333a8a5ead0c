"""Runs a PostgreSQL server while the process that asked for it is there: `postgres_guard.py FOLDER USER COMMAND...`.

Standard library only, and a process of its own, so that nothing that happens to the tests leaves a server behind.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading


def guard(folder: str, user: str, *command: str) -> None:
    """Run the server until standard input says `stop` or the parent is gone; an orphan's folder goes with it.

    The end of standard input alone would not do: a child that the parent forked holds its other end too.
    """
    parent = os.getppid()
    asked, orphan, over = threading.Event(), threading.Event(), threading.Event()

    def die_with_the_guard() -> None:
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG; runs after the change of user, which resets it

    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, cwd="/", **_as(user),
        preexec_fn=die_with_the_guard,  # noqa: PLW1509  # there is one thread yet
    )  # fmt: skip

    def listen() -> None:
        (asked if os.read(0, 4) == b"stop" else orphan).set()
        over.set()

    threading.Thread(target=listen, daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    while not over.wait(0.2) and os.getppid() == parent and server.poll() is None:
        pass
    if server.poll() is None:
        server.send_signal(signal.SIGQUIT)  # at once, as a loss of power would
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    if not asked.is_set() and (orphan.is_set() or os.getppid() != parent):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # the listener may still read


def _as(user: str) -> dict[str, object]:
    """Arguments of `subprocess` that run a command as a user; `-` is whoever runs this."""
    return {} if user == "-" else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


if __name__ == "__main__":
    guard(*sys.argv[1:])
