"""A real Prometheus and a real Alertmanager for tests, run from the very files that are shipped.

What differs is written over them: loopback addresses in the place of container names, a scrape each second, and spans
of `for` that a test can wait for.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

SHIPPED = Path(__file__).parents[2] / "dashboards"
RULES = SHIPPED / "prometheus" / "rules.yml"
_SECONDS = 60.0
_PACKAGES = {
    "prometheus": "prometheus", "promtool": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
}  # fmt: skip
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def require(program: str) -> str:
    """Find a program; without it the test is skipped, or fails where REQUIRE_PROMETHEUS says that it must be there."""
    found = shutil.which(program)
    if found is None:
        package = _PACKAGES[program]
        reason = f"needs {program}, which is not installed: apt-get install --no-install-recommends {package}"
        if os.environ.get("REQUIRE_PROMETHEUS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def run(program: str, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run promtool or amtool to its end."""
    command = [require(program), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=_SECONDS, check=False)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], Any], what: str, seconds: float = _SECONDS) -> Any:
    """The first answer that is true; the test fails if there is none in time. No connection, or a 503, is no answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if answer := true():
                return answer
        time.sleep(0.2)
    return pytest.fail(f"{what}: not within {seconds:.0f} s")


@contextmanager
def process(command: Sequence[str | Path], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server while the block lasts; then end it, and all that it started, by their own group."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            [str(word) for word in command], stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            start_new_session=True, **options,
        )  # fmt: skip
        try:
            yield started
        finally:
            for signal in (15, 9):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(started.pid, signal)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    started.wait(timeout=20)
                    break


def ready(url: str, started: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers 200, or say what its log says."""

    def answers() -> bool:
        if started.poll() is not None:
            pytest.fail(f"{started.args!r} ended: {log.read_text(errors='replace')[-3000:]}")
        with contextlib.suppress(urllib.error.HTTPError), _DIRECT.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    wait_until(answers, f"{url} did not become ready, its log says {log.read_text(errors='replace')[-3000:]!r}", 180)


def fetch(url: str) -> bytes:
    """Ask for a page; an answer that is no success is an HTTPError."""
    with _DIRECT.open(url, timeout=20) as answer:
        return bytes(answer.read())


def get(url: str, **query: str | float) -> Any:
    """Ask for JSON."""
    return json.loads(fetch(f"{url}?{urllib.parse.urlencode(query)}" if query else url))


class QueryError(Exception):
    """Prometheus could not make anything of a query."""


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    address: str

    def api(self, path: str, **query: str | float) -> Any:
        """Ask `/api/v1/...`; the data, or QueryError with what Prometheus says."""
        try:
            return get(f"{self.address}/api/v1/{path}", **query)["data"]
        except urllib.error.HTTPError as wrong:
            raise QueryError(json.load(wrong)["error"]) from None

    def instant(self, query: str) -> list[tuple[dict[str, str], float]]:
        """The series and values of a query, now."""
        return [(each["metric"], float(each["value"][1])) for each in self.api("query", query=query)["result"]]

    def over(self, query: str, seconds: float) -> list[tuple[dict[str, str], list[float]]]:
        """The series and their values in the last so many seconds, one for each second, up to the last scrape."""
        now = time.time()
        found = self.api("query_range", query=query, start=now - seconds, end=now + 1, step=1)["result"]
        return [(each["metric"], [float(value) for _, value in each["values"]]) for each in found]

    def label_values(self, label: str, selector: str) -> list[str]:
        """The values of a label among some series."""
        found = self.api(f"label/{label}/values", **{"match[]": selector} if selector else {})
        return [str(value) for value in found]

    def names(self) -> set[str]:
        """The names of all metrics that were ever scraped."""
        return set(self.label_values("__name__", ""))

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        return {each["labels"]["alertname"] for each in self.api("alerts")["alerts"] if each["state"] == "firing"}


@contextmanager
def prometheus(
    folder: Path, targets: Mapping[str, str], *, alertmanager: str | None = None, longest_for: str = "1s"
) -> Iterator[Prometheus]:
    """Run Prometheus by the shipped configuration and rules, scraping one `host:port` for each job of `targets`.

    No alert waits longer than `longest_for` before it fires. Jobs without a target are left out.
    """
    program, port = require("prometheus"), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = longest_for
    (folder / "rules.yml").write_text(yaml.safe_dump(rules, sort_keys=False))
    config = yaml.safe_load((SHIPPED / "prometheus" / "prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    jobs = []
    for job in config["scrape_configs"]:
        if job["job_name"] in targets:
            job.pop("dns_sd_configs", None)
            jobs.append(job | {"static_configs": [{"targets": [targets[job["job_name"]]]}]})
    config["scrape_configs"] = jobs
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [
        program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage",
    ]  # fmt: skip
    log = folder / "prometheus.log"
    with process(command, log) as started:
        ready(f"http://127.0.0.1:{port}/-/ready", started, log)
        yield Prometheus(f"http://127.0.0.1:{port}")


@dataclass
class Mailbox:
    """What Alertmanager sent, by receiver."""

    address: str = ""
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def alerts(self, receiver: str) -> set[str]:
        """The names of the alerts that a receiver was told of."""
        return {
            alert["labels"]["alertname"]
            for to, message in self.received
            if to == receiver
            for alert in message["alerts"]
        }


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Listen on loopback for what Alertmanager posts to `/RECEIVER`."""
    box = Mailbox()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.received.append((self.path.strip("/"), json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    box.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def alertmanager(folder: Path, box: Mailbox) -> Iterator[str]:
    """Run Alertmanager by the shipped routes, posting to `box`, without its patience; gives its `host:port`."""
    program, port = require("prometheus-alertmanager"), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((SHIPPED / "alertmanager.yml").read_text())
    for receiver in config["receivers"]:
        receiver["webhook_configs"] = [{"url": f"{box.address}/{receiver['name']}", "send_resolved": False}]
    for route in (config["route"], *config["route"]["routes"]):
        route["group_wait"] = route["group_interval"] = "2s"
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [
        program, f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'state'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    log = folder / "alertmanager.log"
    with process(command, log) as started:
        ready(f"http://127.0.0.1:{port}/-/ready", started, log)
        yield f"127.0.0.1:{port}"
