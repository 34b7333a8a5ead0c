"""What the tests of the engine let a child do. A child imports its target by name, so it is not in a test file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import gate.errors
from gate.errors import MissingExtraError, PolicyError, Problem, TooBusyError


def echo(job, send):
    for number in range(job["times"]):
        send({"number": number})
    return {"echo": job["text"]}


def describe(job, send):
    with tempfile.NamedTemporaryFile(delete=False) as left:
        left.write(b"left behind")
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "session": os.getsid(0),
        "group": os.getpgid(0),
        "threads": threading.active_count(),
        "file": left.name,
        "fds": sorted(str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()),
        "signals": {
            name: signal.getsignal(getattr(signal, name)) == signal.SIG_DFL for name in ("SIGINT", "SIGTERM", "SIGCHLD")
        },
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "modules": [name for name in job["modules"] if name in sys.modules],
        "environment": os.environ.get(job["variable"]),
    }


_cache = {"filled": False}


def fill():
    _cache["filled"] = True


def look(job, send):
    return _cache


def judge_and_look(order, send):
    """Judge, as a server's child does; what was imported for it, and how many threads the fork server has."""
    from gate.wiring.work import judge

    before = set(sys.modules)
    answer = judge(order, send)
    return {
        "decision": answer["decision"],
        "imported": sorted(set(sys.modules) - before),
        "threads": len(list(Path(f"/proc/{os.getppid()}/task").iterdir())),
    }


def sleep(job, send):
    grandchild = subprocess.Popen(["sleep", "600"])
    send({"pid": os.getpid(), "parent": os.getppid(), "grandchild": grandchild.pid})
    time.sleep(job["seconds"])
    return {}


def leave_a_grandchild(job, send):
    return {"pid": subprocess.Popen(["sleep", "600"]).pid}


def count_in_duckdb(job, send):
    """Be busy in native code for minutes."""
    import duckdb

    send({"pid": os.getpid()})
    duckdb.execute("SET threads = 1")
    duckdb.sql("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7").fetchall()
    return {}


def spin_with_the_interpreter(job, send):
    """Be busy in native code that never lets another thread of Python run."""
    send({"pid": os.getpid()})
    return {"digits": len(str(3 ** (10**9)))}


def die(job, send):
    sys.stderr.write("these are my last words\n")
    sys.stderr.flush()
    if job["signal"]:
        os.kill(os.getpid(), job["signal"])
    os._exit(job["code"])


def crash(job, send):
    import ctypes

    ctypes.string_at(0)
    return {}


def raise_named(job, send):
    """Raise an error of gate by the name of its class."""
    match job["kind"]:
        case "PolicyError":
            raise PolicyError([Problem("b.yaml", 3, "two"), Problem("a.yaml", None, "one")])
        case "MissingExtraError":
            raise MissingExtraError("evaluate", "duckdb")
        case "TooBusyError":
            raise TooBusyError(3, 30)
        case kind:
            raise getattr(gate.errors, kind)(job["message"])


def divide(job, send):
    return {"quotient": 1 / job["by"]}


def answer_nonsense(job, send):
    return {"value": float("nan")} if job["nan"] else {"value": Path("/")}


def work(job, send):
    """Be at work, for as long as the record wants it."""
    send({"pid": os.getpid()})
    while job["held"] and not Path(job["released"]).exists():
        time.sleep(0.02)
    return {"worked": True}
