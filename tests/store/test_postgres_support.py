"""The PostgreSQL that the tests start: it must never outlive them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from postgres import PostgresServer

SUPPORT = Path(__file__).parents[1] / "support"


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), connect_timeout=10)


def test_what_was_committed_survives_a_sudden_stop_and_the_port_stays():
    with PostgresServer() as server:
        url, port = server.new_database(), server.port
        with connect(url) as connection:
            connection.execute("CREATE TABLE kept (x integer)")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            connect(url)
        server.start()
        assert server.port == port
        with connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_server_whose_owner_was_killed_goes_and_takes_its_folder_along():
    code = (
        f"import sys, time; sys.path.insert(0, {str(SUPPORT)!r}); from postgres import PostgresServer\n"
        "server = PostgresServer().__enter__(); print(server._folder, server.url(), flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    folder, url = owner.stdout.readline().split()
    connect(url).close()
    owner.kill()
    owner.communicate()
    give_up = time.monotonic() + 30
    while Path(folder).exists() and time.monotonic() < give_up:
        time.sleep(0.1)
    assert not Path(folder).exists()
    with pytest.raises(psycopg.OperationalError):
        connect(url)
