"""A worker in a process of its own, over a folder of files as its record.

An evaluation is described by `jobs/ID.json`; it is over when `over/ID` exists, which happens once. What is begun,
worked on, ended and told is appended to `begun`, `pids`, `ended` and `told`. The worker ends when it is told to, or
when the test is gone.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import engine_jobs

import gate.engine.slot
import gate.engine.worker
from gate.engine.children import Children, ChildStopped
from gate.engine.durable import load_dbos
from gate.errors import DamagedError, StoreError, UsageError

PATIENCE = 60.0


def becomes(what):
    """Whether it becomes true in time."""
    give_up = time.monotonic() + PATIENCE
    while not what() and time.monotonic() < give_up:
        time.sleep(0.02)
    return what()


def alive(pid):
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Record:
    """The folder, seen by tests and workers alike."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("jobs", "over", "released"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def ask(self, name: str, **job) -> str:
        """Describe an evaluation; one that is `held` lasts until it is released."""
        facts = {"held": False, "released": str(self.folder / "released" / name), **job}
        (self.folder / "jobs" / f"{name}.json").write_text(json.dumps(facts))
        return name

    def release(self, name: str) -> None:
        (self.folder / "released" / name).touch()

    def note(self, kind: str, *words: object) -> None:
        with (self.folder / kind).open("a") as log:
            log.write(" ".join(map(str, words)) + "\n")

    def noted(self, kind: str) -> list[list[str]]:
        path = self.folder / kind
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def is_over(self, name: str) -> bool:
        return (self.folder / "over" / name).exists()

    def end(self, name: str, how: str) -> bool:
        """End an evaluation, once."""
        try:
            with (self.folder / "over" / name).open("x") as over:
                over.write(how)
        except FileExistsError:
            return False
        self.note("ended", name, how)
        return True


def main(line: Connection, url: str, name: str, folder: Path, stderr: Path, settings: dict[str, float]) -> None:
    """Be a worker; the target of a process that was forked from one with this module imported."""
    with stderr.open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", force=True)
    gate.engine.worker._MOST_DEATHS = settings.get("deaths", 5)
    gate.engine.worker._PATIENCE_SECONDS = settings.get("patience", 60)
    gate.engine.worker._WATCH_SECONDS = 0.05
    gate.engine.worker._COPY_SECONDS = settings.get("copy", 1)
    gate.engine.slot._RETAKE_SECONDS = settings.get("retake", 20)
    record = Record(folder)
    children = Children()

    def perform(evaluation_id: str) -> None:
        record.note("begun", evaluation_id, name)
        if record.is_over(evaluation_id):
            return
        job = json.loads((folder / "jobs" / f"{evaluation_id}.json").read_text())
        if job.get("deadly"):
            os.kill(os.getpid(), signal.SIGKILL)
        if len([found for found in record.noted("failures") if found == [evaluation_id]]) < job.get("fails", 0):
            record.note("failures", evaluation_id)
            raise (DamagedError if job.get("damaged") else StoreError)("the database is away")
        try:
            children.run(
                engine_jobs.work, job, on_message=lambda heard: record.note("pids", evaluation_id, heard["pid"]),
                should_stop=lambda: record.is_over(evaluation_id), seconds=60,
            )  # fmt: skip
        except ChildStopped:
            return
        record.end(evaluation_id, "done")

    def publish(evaluation_id: str) -> None:
        if json.loads((folder / "jobs" / f"{evaluation_id}.json").read_text()).get("untellable"):
            raise StoreError("nobody listens")
        if record.noted("ended") and [evaluation_id, "done"] in record.noted("ended"):
            record.note("told", evaluation_id)

    worker = gate.engine.worker.Worker(url, name, perform, publish, int(settings.get("concurrency", 2)))
    try:
        with children:
            worker.start()
            line.send("ready")
            with contextlib.suppress(EOFError):
                line.recv()
            worker.stop(settings.get("grace", 0.2))
    except UsageError as wrong:
        sys.exit(str(wrong))


load_dbos()  # once, in the process that the workers are forked from
