"""A verdict is numbered, written down as a document, and stored, before anybody hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gate.domain.verdict import Cause, Verdict
from gate.errors import AttemptTakenError
from gate.flow.document import document_of
from gate.flow.ports import Gathered, Ports
from gate.flow.request import Request

_MOST_TRIES = 20  # each try loses only against another verdict on the same model that was stored in between


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored verdict, its document, what reports are made of, and the report's files if one was asked for."""

    verdict: Verdict
    document: dict[str, Any]
    gathered: Gathered
    report: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """The exit code of the command that asked."""
        return self.verdict.exit_code


def keep(verdict: Verdict, gathered: Gathered, request: Request, ports: Ports) -> Outcome:
    """Store a verdict under the number of its attempt.

    Numbering and storing are two steps, so that the document, which holds the number, can be digested and drawn in
    between; the store refuses a number that was taken meanwhile.
    """
    for _ in range(_MOST_TRIES):
        numbered = replace(verdict, attempt=_attempt(verdict, ports))
        document = document_of(numbered)
        report = ports.render(document, gathered) if request.report and ports.render else {}
        try:
            ports.store.save(
                numbered, document, evaluation=request.evaluation, trigger=request.trigger,
                report=report if request.evaluation else None,
            )  # fmt: skip
        except AttemptTakenError:
            continue
        return Outcome(numbered, document, gathered, report)
    raise AttemptTakenError(f"{verdict.model.uri}: other verdicts on it are stored faster than this one; ask again")


def _attempt(verdict: Verdict, ports: Ports) -> int:
    """The number of the attempt. A verdict that could not decide uses none."""
    if verdict.cause is Cause.ERROR:
        return 0
    return ports.store.attempt(verdict.model.digest, verdict.stage, verdict.inputs_digest)
