"""Many clients at once on a gate server: how long it takes to accept, and whether anything breaks.

`python bench/load.py [--clients 100] [--seconds 60] [--database sqlite|postgres|both] [--folder build]` prints a table
and writes FOLDER/load.json; figures that begin with `sqlite_` are of the default, the others of PostgreSQL.

On SQLite one `gate serve` answers and works; on PostgreSQL (durable, as in production) one answers and a `gate worker`
works. First a small evaluation is measured alone, on the warm and otherwise idle server, from its start to its end by
the server's own record. Then each client submits, reads the record until the evaluation is over or two seconds have
passed, reads the verdict if there is one, and submits again: a burst that the workers cannot keep up with, on purpose.
A latency runs from the first byte written to the last one read. Client, server and workers share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from postgres import postgres_server
from server import GateServer, make_pilot, running, seed_registry

_MODELS = 20
_WARM_UP, _ALONE = 4, 15
_WAIT_SECONDS = 2
_OVER = ("done", "error", "cancelled")
_READ_SECONDS = 60.0


class Connection:
    """One kept-alive HTTP/1.1 connection, with as little work of its own as possible."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._place = parts.hostname, parts.port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes, float]:
        """Ask once: the status, the body, the seconds."""
        content = b"" if body is None else json.dumps(body).encode()
        stated = {"Host": "127.0.0.1", "Content-Length": str(len(content)), "Accept": "application/json", **headers}
        stated |= {"Content-Type": "application/json"} if content else {}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in stated.items())
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._place)
        reader, writer = self._streams
        began = time.perf_counter()
        try:
            async with asyncio.timeout(_READ_SECONDS):
                writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content)
                status, answer, is_kept = await _read(reader)
        except BaseException:
            self.close()
            raise
        if not is_kept:
            self.close()
        return status, answer, time.perf_counter() - began

    def close(self) -> None:
        """Close the connection; the next question opens another one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return int(first.split(" ")[1]), body, headers.get("connection", "keep-alive").lower() != "close"


@dataclass
class Seen:
    """What all clients saw together."""

    statuses: Counter[int] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    submits: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    finished: int = 0

    async def ask(self, connection: Connection, into: list[float] | None, *words: Any, **headers: str) -> Any:
        """Ask and count; the answer's JSON, or None if there is no good one."""
        try:
            status, body, seconds = await connection.ask(*words, **headers)
        except (OSError, EOFError, TimeoutError, ValueError, KeyError) as wrong:
            self.broken[type(wrong).__name__] += 1
            return None
        self.statuses[status] += 1
        if into is not None and status < 300:
            into.append(seconds)
        return json.loads(body) if status < 300 else None


async def client(url: str, models: Sequence[str], until: float, seen: Seen, chance: random.Random) -> None:
    """Submit, wait a little, read, and again."""
    connection = Connection(url)
    await asyncio.sleep(chance.random())  # they do not all begin in the same instant
    while time.monotonic() < until:
        body = {"model": f"models:/{chance.choice(models)}/1", "trigger": "ci"}
        made = await seen.ask(
            connection, seen.submits, "POST", "/v1/evaluations", body, Idempotency_Key=uuid.uuid4().hex
        )
        if made is None:
            await asyncio.sleep(0.5)
            continue
        path = f"/v1/evaluations/{made['id']}"
        found = await seen.ask(connection, None, "GET", f"{path}?wait={_WAIT_SECONDS}")
        if found and found["state"] in _OVER:
            seen.finished += 1
        if found and found["verdict_id"]:
            await seen.ask(connection, seen.reads, "GET", f"/v1/verdicts/{found['verdict_id']}")
        elif chance.random() < 0.1:
            await seen.ask(connection, seen.reads, "GET", "/v1/evaluations?limit=20")
    connection.close()


async def watcher(url: str, until: float, seen: Seen) -> None:
    """Prometheus, and somebody who looks whether the server is ready."""
    connection = Connection(url)
    while time.monotonic() < until:
        for path in ("/metrics", "/readyz", "/v1/models"):
            try:
                status, _, _ = await connection.ask("GET", path)
                seen.statuses[status] += 1
            except (OSError, EOFError, TimeoutError, ValueError, KeyError) as wrong:
                seen.broken[type(wrong).__name__] += 1
        await asyncio.sleep(min(5.0, max(0.0, until - time.monotonic())))
    connection.close()


async def rush(url: str, models: Sequence[str], clients: int, seconds: float) -> Seen:
    """Let so many clients at the server for so long."""
    seen, until = Seen(), time.monotonic() + seconds
    crowd = [client(url, models, until, seen, random.Random(number)) for number in range(clients)]
    await asyncio.gather(*crowd, watcher(url, until, seen))
    return seen


async def alone(url: str, model: str) -> list[float]:
    """Evaluate one after the other on an idle server: the seconds from start to end, as the server records them."""
    connection, took = Connection(url), list[float]()
    for number in range(_WARM_UP + _ALONE):
        _, body, _ = await connection.ask("POST", "/v1/evaluations", {"model": f"models:/{model}/1"})
        evaluation = json.loads(body)
        while evaluation["state"] not in _OVER:
            _, body, _ = await connection.ask("GET", f"/v1/evaluations/{evaluation['id']}?wait=20")
            evaluation = json.loads(body)
        if evaluation["state"] != "done" or evaluation["decision"] != "promote":
            raise SystemExit(f"the evaluation that is measured was not promoted: {evaluation}")
        if number >= _WARM_UP:
            started, finished = (datetime.fromisoformat(evaluation[name]) for name in ("started_at", "finished_at"))
            took.append((finished - started).total_seconds())
    connection.close()
    return took


@contextmanager
def served(folder: Path, registry: str, database: str | None) -> Iterator[GateServer]:
    """A server with the toy policy: all in one process on SQLite, or one that answers and one that works."""
    make_pilot(folder)
    if database is None:
        with running(folder, registry) as server:
            yield server
        return
    with (
        running(folder, registry, GATE_DATABASE=database, GATE_WORKERS="0") as server,
        running(folder, registry, command=("worker",), GATE_DATABASE=database, GATE_HOME=str(folder / "worker")),
    ):
        yield server


def measure(
    folder: Path, registry: str, models: Sequence[str], database: str | None, clients: int, seconds: float
) -> dict[str, float]:
    """All figures of one database."""
    with served(folder, registry, database) as server:
        took = asyncio.run(alone(server.url, models[0]))
        seen = asyncio.run(rush(server.url, models, clients, seconds))
    submits = seen.submits or [float("nan")]
    errors = {status: count for status, count in sorted(seen.statuses.items()) if status >= 400}
    if errors or seen.broken:
        print(f"not answered well: {errors} {dict(seen.broken)}", file=sys.stderr)
    return {
        "errors_5xx": sum(count for status, count in seen.statuses.items() if status >= 500),
        "errors_4xx": sum(count for status, count in seen.statuses.items() if 400 <= status < 500),
        "errors_connection": sum(seen.broken.values()),
        "requests": sum(seen.statuses.values()),
        "submits": len(seen.submits),
        "submits_per_s": round(len(seen.submits) / seconds, 1),
        "submit_p50_ms": _quantile(submits, 0.5),
        "submit_p99_ms": _quantile(submits, 0.99),
        "read_p50_ms": _quantile(seen.reads or [float("nan")], 0.5),
        "evaluation_p50_s": round(statistics.median(took), 3),
        "evaluation_p95_s": round(sorted(took)[int(0.95 * len(took))], 3),
    }


def _quantile(seconds: Sequence[float], share: float) -> float:
    ordered = sorted(seconds)
    return round(1_000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1)


def table(figures: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """The figures side by side."""
    yield f"{'':<22}" + "".join(f"{name:>14}" for name in figures)
    for key in next(iter(figures.values())):
        yield f"{key:<22}" + "".join(f"{values[key]:>14,g}" for values in figures.values())


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--folder", type=Path, default=Path("build"))
    asked = parser.parse_args()
    models = [f"toy-{number:02}" for number in range(1, _MODELS + 1)]
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="gate-load-") as place:
        folder = Path(place)
        registry = seed_registry(folder / "registry", models)
        if asked.database != "postgres":
            figures["sqlite"] = measure(folder / "sqlite", registry, models, None, asked.clients, asked.seconds)
        if asked.database != "sqlite":
            with postgres_server(durable=True) as url:
                figures["postgres"] = measure(folder / "postgres", registry, models, url, asked.clients, asked.seconds)
    print(f"{asked.clients} clients for {asked.seconds:g} s, {_MODELS} models")
    print("\n".join(table(figures)))
    flat: dict[str, float] = {"clients": asked.clients, "seconds": asked.seconds}
    for name, values in figures.items():
        flat |= {key if name == "postgres" else f"{name}_{key}": value for key, value in values.items()}
    asked.folder.mkdir(parents=True, exist_ok=True)
    (asked.folder / "load.json").write_text(json.dumps(flat, indent=2) + "\n", encoding="utf-8")
    if any(values["errors_5xx"] or values["errors_connection"] for values in figures.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
