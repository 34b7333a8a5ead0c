"""Hypothesis and schemathesis make up requests from the OpenAPI document; a real server on a real store answers them.

python bench/fuzz.py                    2,000 requests to each operation
python bench/fuzz.py --cases 50         fewer
python bench/fuzz.py --only listModels  one operation

Half of the requests are what the document allows, half are not. Each answer must be one that the document describes:
its status, its headers, its body. What is allowed must be accepted, what is not must be refused, and nothing may end in
a 5xx. The figures go to build/fuzz.json; the exit code is 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import requests  # noqa: E402
import schemathesis.openapi  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from hypothesis.errors import Unsatisfiable  # noqa: E402
from schemathesis import Case, GenerationMode  # noqa: E402
from schemathesis.core.failures import Failure, FailureGroup  # noqa: E402
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance  # noqa: E402
from serving import ServedService, a_service  # noqa: E402

from gate.errors import GateError  # noqa: E402
from gate.server.app import OPENAPI_PATH, create_app  # noqa: E402
from gate.server.run import in_background  # noqa: E402

RESULT = ROOT / "build" / "fuzz.json"
_SHOWN = 3  # failures of an operation
_SECONDS = 60.0  # no answer takes so long: waiting ends after 30 s


@dataclass
class Finding:
    """What one operation did."""

    operation: str
    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Answers of 5xx."""
        return sum(count for status, count in self.statuses.items() if status >= 500)


class Worker(threading.Thread):
    """Ends what is asked for, so that no request waits for long: with a verdict, in error, or begun and forgotten."""

    def __init__(self, service: ServedService) -> None:
        super().__init__(daemon=True)
        self._service = service
        self._over = threading.Event()
        self._done = 0

    def run(self) -> None:
        """Work until told to stop."""
        while not self._over.wait(0.02):
            waiting = self._service.line.submitted
            while self._done < len(waiting) and not self._over.is_set():
                name, model = waiting[self._done]
                self._done += 1
                with contextlib.suppress(GateError, AssertionError):  # it was cancelled meanwhile
                    self._service.begin(name)
                    if self._done % 2:
                        self._service.judge(name, name=model)
                    else:
                        self._service.fail(name)

    def stop(self) -> None:
        """End."""
        self._over.set()
        self.join()


@dataclass
class Known:
    """What is there to be found, so that not every request ends with 404."""

    evaluations: list[str]
    verdicts: list[str]
    tags: list[str]
    models: list[tuple[str, str]]

    def lead(self, case: Case, chance: Random) -> None:
        """Point a request at something that exists, two times out of three."""
        if chance.random() < 1 / 3:
            return
        if case.query is not None:
            case.query.pop("before", None)  # no schema says which text is a cursor: mostly there is none
        path = case.path_parameters or {}
        if "evaluation_id" in path:
            case.path_parameters = {**path, "evaluation_id": chance.choice(self.evaluations)}
        if "verdict_id" in path:
            name = chance.choice(self.verdicts)
            case.path_parameters = {**path, "verdict_id": name if chance.random() < 0.5 else name[:13]}
            if "name" in path and chance.random() < 0.5:
                case.path_parameters["name"] = "index.html"
        elif "name" in path:
            name, version = chance.choice(self.models)
            case.path_parameters = {**path, "name": name, "version": version}
        if case.headers is not None and "If-None-Match" in case.headers and chance.random() < 0.5:
            case.headers["If-None-Match"] = chance.choice(self.tags)


def fuzz(cases: int, only: str | None = None) -> Iterator[Finding]:
    """Send so many requests to each operation, and judge the answers; what each did, as soon as it is done."""
    logging.disable(logging.CRITICAL)  # a refusal is no news here
    with (
        tempfile.TemporaryDirectory(prefix="gate-fuzz-") as folder,
        a_service(Path(folder), GATE_CLIENT_POLICIES="tighten") as service,
        in_background(create_app(service)) as url,
        requests.Session() as session,
    ):
        worker = Worker(service)
        worker.start()
        try:
            known = _seed(service, url, session)
            schema = schemathesis.openapi.from_url(url + OPENAPI_PATH)
            found = [result.ok() for result in schema.get_all_operations()]
            for operation in found:
                if only in (None, operation.definition.raw["operationId"]):
                    yield _operation(operation, cases, known, url, session)
        finally:
            worker.stop()
            logging.disable(logging.NOTSET)


def _seed(service: ServedService, url: str, session: requests.Session) -> Known:
    """Leave a few evaluations of each kind and their verdicts."""
    names = []
    for number in range(30):
        body = {"model": f"models:/toy-{number % 5}/{number + 1}"}
        names.append(session.post(f"{url}/v1/evaluations", json=body, timeout=_SECONDS).json()["id"])
    for name in names:
        session.get(f"{url}/v1/evaluations/{name}?wait=30", timeout=_SECONDS)
    session.delete(f"{url}/v1/evaluations/{names[0]}", timeout=_SECONDS)
    documents, _ = service.archive.page(limit=200)
    return Known(
        names,
        [str(document["id"]) for document in documents],
        [f'"{document["digest"]}"' for document in documents],
        [(document["model"]["name"], document["model"]["version"]) for document in documents],
    )


def _operation(operation: Any, cases: int, known: Known, url: str, session: requests.Session) -> Finding:
    """Send requests of both kinds. An operation with little to choose gets the same ones again."""
    finding = Finding(operation.definition.raw["operationId"])
    if not any((operation.path_parameters, operation.query, operation.headers, operation.body)):
        for _ in range(cases):
            _send(operation.Case(), finding, url, session)
    for mode, until in ((GenerationMode.NEGATIVE, cases // 2), (GenerationMode.POSITIVE, cases)):
        before, number = -1, 0
        while before < finding.cases < until:  # nothing of a kind can be made where anything is allowed
            before, number = finding.cases, number + 1
            _round(operation, mode, until - finding.cases, number, finding, known, url, session)
    return finding


def _round(
    operation: Any, mode: GenerationMode, most: int, number: int, finding: Finding, known: Known, url: str,
    session: requests.Session,
) -> None:  # fmt: skip
    chance = Random(number)

    @seed(number)
    @settings(
        max_examples=most, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        if mode is GenerationMode.POSITIVE:
            known.lead(case, chance)
        _send(case, finding, url, session)

    with contextlib.suppress(Unsatisfiable):
        send()


def _send(case: Case, finding: Finding, url: str, session: requests.Session) -> None:
    """Send one request and judge its answer."""
    finding.cases += 1
    try:
        answer = case.call(base_url=url, session=session, timeout=_SECONDS)
    except requests.RequestException as wrong:
        finding.failures.append(f"{type(wrong).__name__}: {wrong}")
        return
    finding.statuses[answer.status_code] += 1
    try:
        case.validate_response(answer, excluded_checks=list(_not_asked(answer)))
    except (Failure, FailureGroup) as wrong:
        parts = wrong.exceptions if isinstance(wrong, FailureGroup) else [wrong]
        told = "; ".join(f"{part.title}: {part.message}" for part in parts)
        finding.failures.append(f"{answer.status_code} {case.as_curl_command()[:600]}\n    {told[:1500]}")


def _not_asked(answer: Any) -> Iterator[Any]:
    """The checks that an answer of this kind is not held against."""
    if _is_beyond(answer):
        yield positive_data_acceptance
    if answer.status_code == 413:  # a refusal, which schemathesis does not count as one
        yield negative_data_rejection


def _is_beyond(answer: Any) -> bool:
    """Whether a request was refused for what no schema can say: a policy's own rules, or a cursor of another list."""
    if answer.status_code not in (400, 422):
        return False
    problem = answer.json()
    word = str(problem["type"]).rpartition(":")[2]
    places = {error["place"] for error in problem.get("errors") or ()}
    is_cursor = "cursor" in problem["detail"] and places <= {"request", "query.before"}
    return is_cursor or word in ("client-policy-refused", "policy-error")


def _show(one: Finding) -> None:
    told = ", ".join(f"{status} x {count}" for status, count in sorted(one.statuses.items()))
    print(f"{one.operation:<22}{one.cases:>7}  {len(one.failures):>8}  {told}", flush=True)
    for failure in one.failures[:_SHOWN]:
        print(f"  {failure}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz, print the table, write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=2_000, help="requests to each operation")
    parser.add_argument("--only", help="an operationId")
    parser.add_argument("--result", type=Path, default=RESULT, help="where the figures go")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    print(f"{'operation':<22}{'cases':>7}  {'failures':>8}  statuses", flush=True)
    findings: list[Finding] = []
    for finding in fuzz(options.cases, options.only):
        findings.append(finding)
        _show(finding)
    seconds = time.monotonic() - began
    print(f"{sum(one.cases for one in findings):,} requests in {seconds:.0f} s")
    figures = {
        "operations": len(findings),
        "cases": sum(one.cases for one in findings),
        "cases_per_operation": min((one.cases for one in findings), default=0),
        "failures": sum(len(one.failures) for one in findings),
        "errors_5xx": sum(one.errors for one in findings),
        "seconds": round(seconds, 1),
    }
    options.result.parent.mkdir(exist_ok=True)
    options.result.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if findings and not figures["failures"] and not figures["errors_5xx"] else 1


if __name__ == "__main__":
    sys.exit(main())
