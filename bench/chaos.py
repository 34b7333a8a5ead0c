"""Kill a server at random moments while it works, and count what it lost, recorded twice or left stuck.

python bench/chaos.py [--evaluations 200] [--kills 50] [--seed 1] [--database sqlite|postgres|both]

On SQLite one `gate serve` works by itself; on PostgreSQL one answers and two `gate worker` processes work. Each kill is
a kill -9 of one of them, or of a process that it started, and what was killed is started again under the same name.
A client hands in evaluations meanwhile, each under a key of its own, until it is told that they are accepted: those
count.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from toys import Toys, make_toys, register_toys  # noqa: E402  # found by the line above

MODELS = [f"toy-{number}" for number in range(8)]
_READY_SECONDS = 60.0
_END_SECONDS = 300.0


@dataclass
class Member:
    """One process of the server, started again whenever it is killed."""

    command: list[str]
    port: int
    folder: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, with its words appended to a file."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=dict(self.environment), stdout=log, stderr=log
            )

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def wait_ready(self) -> None:
        """Wait until it answers; a process that ended by itself is a finding."""
        give_up = time.monotonic() + _READY_SECONDS
        while not self.is_ready():
            if self.process is None or self.process.poll() is not None or time.monotonic() > give_up:
                code = self.process.poll() if self.process else None
                raise SystemExit(f"{self.command[-1]} did not become ready (exit code {code}); see {self.folder}")
            time.sleep(0.1)

    def kill(self, chance: random.Random) -> str:
        """Kill it, or one of the processes below it; what was killed."""
        assert self.process is not None
        below = list(descendants(self.process.pid))
        if below and chance.random() < 0.3:
            pid, what = chance.choice(below), "child"
        else:
            pid, what = self.process.pid, "main"
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return "gone"
        if what == "main":
            self.process.wait()
            self.start()
        return what

    def stop(self) -> None:
        """End it for good."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def descendants(pid: int) -> Iterator[int]:
    """The processes below a process, as /proc knows them."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from descendants(child)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def cluster(toys: Toys, database: str | None) -> Iterator[list[Member]]:
    """Start the server's processes: the first one answers."""

    def member(words: list[str], **settings: str) -> Member:
        port = free_port()
        environment = toys.environment | settings | {"GATE_PORT": str(port), "GATE_POLL_SECONDS": "3600"}
        return Member([sys.executable, "-m", "gate", *words], port, toys.folder, environment)

    if database is None:
        members = [member(["serve"], GATE_WORKERS="2")]
    else:
        members = [
            member(["serve"], GATE_DATABASE=database, GATE_WORKERS="0"),
            *(member(["worker", "--name", name], GATE_DATABASE=database, GATE_WORKERS="1",
                     GATE_HOME=str(toys.folder / name)) for name in ("w1", "w2")),
        ]  # fmt: skip
    try:
        for one in members:
            one.start()
        for one in members:
            one.wait_ready()
        yield members
    finally:
        for one in members:
            one.stop()


@dataclass
class Client:
    """Hands in evaluations until they are accepted, whatever happens to the server."""

    port: int
    accepted: list[str] = field(default_factory=list)

    def submit(self, number: int) -> None:
        """Ask until there is an answer, always under the same key."""
        body = {"model": f"models:/{MODELS[number % len(MODELS)]}/1", "trigger": "ci"}
        give_up = time.monotonic() + _READY_SECONDS
        while time.monotonic() < give_up:
            try:
                answer = httpx.post(f"http://127.0.0.1:{self.port}/v1/evaluations", json=body,
                                    headers={"Idempotency-Key": f"chaos-{number}"}, timeout=10)  # fmt: skip
            except httpx.HTTPError:
                time.sleep(0.2)
                continue
            if answer.status_code in (200, 202):
                self.accepted.append(answer.json()["id"])
                return
            if answer.status_code < 500:
                raise SystemExit(f"refused: {answer.status_code} {answer.text}")
            time.sleep(0.2)
        raise SystemExit(f"evaluation {number} was not accepted within {_READY_SECONDS:g} s")

    def states(self) -> dict[str, dict[str, Any]]:
        """What the server says of all that it accepted."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30) as http:
            return {one: http.get(f"/v1/evaluations/{one}").json() for one in self.accepted}


def run(toys: Toys, database: str | None, evaluations: int, kills: int, seed: int) -> dict[str, int]:
    """Kill and count."""
    chance = random.Random(seed)  # chaos that can be repeated
    killed: dict[str, int] = {}
    with cluster(toys, database) as members:
        client = Client(members[0].port)
        begun = 0
        for kill in range(1, kills + 1):
            until = round(evaluations * kill / kills)
            for number in range(begun, until):
                client.submit(number)
            begun = until
            time.sleep(chance.uniform(0, 3))
            victim = chance.choice(members)
            what = victim.kill(chance)
            killed[what] = killed.get(what, 0) + 1
            # Most kills hit a server at work, every fourth one that is still starting.
            if what == "main" and chance.random() < 0.75:
                victim.wait_ready()
        for one in members:
            one.wait_ready()
        give_up = time.monotonic() + _END_SECONDS
        states = client.states()
        while any(s["state"] in ("queued", "running") for s in states.values()) and time.monotonic() < give_up:
            time.sleep(1)
            states = client.states()
    verdicts = stored(toys, database)
    ended = {name: state for name, state in states.items() if state["state"] not in ("queued", "running")}
    without = [name for name, state in ended.items() if state["state"] == "done" and verdicts.get(name, 0) == 0]
    wrong = [state for state in ended.values() if state["state"] != "done"]
    for state in wrong[:5]:
        print(f"  ended as {state['state']}: {(state.get('trouble') or {}).get('detail')}", flush=True)
    return {
        "kills": sum(killed.values()) - killed.get("gone", 0),
        "kills_of_children": killed.get("child", 0),
        "evaluations": len(set(client.accepted)),
        "lost": len(without) + evaluations - len(set(client.accepted)),
        "duplicated": sum(count - 1 for count in verdicts.values() if count > 1),
        "stuck": len(states) - len(ended),
        "errors": len(wrong),
    }


def stored(toys: Toys, database: str | None) -> dict[str, int]:
    """How many verdicts the database has of each evaluation; one that was told to have ended twice counts twice."""
    import sqlalchemy as sa

    engine = sa.create_engine(database or f"sqlite:///{toys.folder / 'home' / 'gate.db'}")
    with engine.connect() as connection:
        verdicts = connection.execute(sa.text("SELECT evaluation_id, COUNT(*) FROM verdicts GROUP BY evaluation_id"))
        found = {name: int(count) for name, count in verdicts}
        ends = connection.execute(
            sa.text("SELECT evaluation_id, COUNT(*) FROM events WHERE kind = 'done' GROUP BY evaluation_id")
        )
        for name, count in ends:
            found[name] = max(found.get(name, 0), int(count))
    engine.dispose()
    return found


def main() -> None:
    """Run on the databases that are asked for, print the table, write the figures."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--evaluations", type=int, default=200)
    words.add_argument("--kills", type=int, default=50)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    words.add_argument("--output", type=Path, default=ROOT / "build" / "chaos.json")
    asked = words.parse_args()
    figures: dict[str, int] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gate-chaos-")))
        registry = register_toys(folder, MODELS)
        for name in ("sqlite", "postgres") if asked.database == "both" else (asked.database,):
            database = None
            if name == "postgres":
                from postgres import postgres_server

                database = stack.enter_context(postgres_server())
            print(f"{name}: {asked.kills} kills during {asked.evaluations} evaluations", flush=True)
            found = run(make_toys(folder / name, registry), database, asked.evaluations, asked.kills, asked.seed)
            print("\n".join(f"  {word:<18} {count:>5}" for word, count in found.items()), flush=True)
            figures |= {f"{name}_{word}": count for word, count in found.items()}
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(json.dumps(figures, indent=2) + "\n")
    harm = [word for word, count in figures.items() if word.endswith(("lost", "duplicated", "stuck")) and count]
    if harm:
        raise SystemExit(f"harm done: {', '.join(harm)}")


if __name__ == "__main__":
    main()
