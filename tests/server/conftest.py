"""A real server on a free port, over a real store."""

from __future__ import annotations

import contextlib
import itertools
import time
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from serving import ServedService, a_service

from gate.server.app import create_app
from gate.server.run import in_background

_NAMES = (f"toy-{number}" for number in itertools.count())


@dataclass
class Gate:
    """The service, and a client of the server in front of it."""

    service: ServedService
    client: httpx.Client
    app: Any

    def new(self, model: str | None = None, **fields: Any) -> dict[str, Any]:
        """Ask for a verdict; the evaluation."""
        answer = self.client.post("/v1/evaluations", json={"model": f"models:/{model or a_name()}/1", **fields})
        assert answer.status_code == 202, answer.text
        return answer.json()

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(path, **options)


def a_name() -> str:
    """A model name that no other test uses."""
    return next(_NAMES)


@pytest.fixture(scope="session")
def name():
    """Make a model name that no other test uses."""
    return a_name


@pytest.fixture(scope="session")
def gate(tmp_path_factory):
    """One server for all tests that do not change what it is."""
    with a_service(tmp_path_factory.mktemp("gate")) as service, _running(service) as running:
        yield running


@pytest.fixture
def another_gate(tmp_path):
    """Make a server with other settings, alone in its database."""

    with contextlib.ExitStack() as stack:

        def make(url: str | None = None, change=lambda _service: None, **environment: str) -> Gate:
            service = stack.enter_context(a_service(tmp_path, url, **environment))
            change(service)
            return stack.enter_context(_running(service))

        yield make


@pytest.fixture(scope="session")
def eventually():
    """Wait until something holds."""

    def wait(holds) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, "it never came to be"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def problem():
    """Compare an answer with a problem document, in full."""

    def compare(answer: httpx.Response, word: str, status: int, title: str, detail: str, **extras: Any) -> None:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() == {
            "type": f"urn:gate:problem:{word}",
            "title": title,
            "status": status,
            "detail": detail,
            "instance": answer.request.url.raw_path.decode().partition("?")[0],
            "request_id": answer.headers["x-request-id"],
            **extras,
        }
        assert answer.status_code == status

    return compare


def _running(service: ServedService):

    @contextlib.contextmanager
    def run():
        app = create_app(service)
        with in_background(app) as url, httpx.Client(base_url=url, timeout=30) as client:
            yield Gate(service, client, app)

    return run()
