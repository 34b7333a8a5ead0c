"""A model over time: its versions and their attempts, and what changed since the last one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gate.checks.judging import number
from gate.flow.diff import diff
from gate.publish.findings import title
from gate.publish.markup import moment
from gate.server.view.standing import Answer, Document, answer_when_made

_RANK = {"pass": 0, "warn": 1, "insufficient": 2, "error": 3, "fail": 4}
_CAUSES = {"failed": "a check failed", "error": "a check could not be made", "awaiting": "people are awaited",
           "insufficient": "not enough evidence"}  # fmt: skip
_SHORT = len("sha256:") + 12  # of a digest, enough to tell two apart


@dataclass(frozen=True, slots=True)
class Attempt:
    """One verdict in the history."""

    document: Document
    answer: Answer

    @property
    def cause(self) -> str:
        """Why it held, in a few words; empty for a promotion."""
        return _CAUSES.get(str(self.document["cause"]), "")

    @property
    def mark(self) -> str:
        """The word whose icon and colour stand for it: the answer, or the cause of a hold that nothing failed."""
        cause = self.document["cause"]
        return str(cause) if self.answer is Answer.HOLD and cause in ("error", "insufficient") else str(self.answer)


@dataclass(frozen=True, slots=True)
class Version:
    """A version with its attempts, oldest first."""

    name: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """Something that a verdict rests on, and how it changed."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that changed: what it was, what it is, and whether that is `better`, `worse` or `other`."""

    title: str
    words: str
    tone: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed between two verdicts: findings that got better or worse, and others that decide as before."""

    before: Document
    after: Document
    inputs: tuple[Input, ...]
    findings: tuple[Change, ...]
    others: tuple[Change, ...]


def attempts_of(documents: Sequence[Document]) -> tuple[Attempt, ...]:
    """The verdicts of a model, newest first as they came."""
    return tuple(Attempt(document, answer_when_made(document)) for document in documents)


def versions_of(attempts: Sequence[Attempt]) -> tuple[Version, ...]:
    """Group attempts by version: the version judged last comes first, each one's attempts in the order of time."""
    by_version: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_version.setdefault(attempt.document["model"]["version"], []).append(attempt)
    return tuple(Version(name, tuple(reversed(found))) for name, found in by_version.items())


def changes_between(before: Document, after: Document) -> Changes:
    """Compare two verdicts, in words."""
    difference = diff(before, after)
    inputs = (Input(change["what"], _value(change["before"]), _value(change["after"]))
              for change in difference["inputs"])  # fmt: skip
    changes = tuple(_changes(difference))
    telling = tuple(change for change in changes if change.tone != "other")
    return Changes(before, after, tuple(inputs), telling, tuple(change for change in changes if change.tone == "other"))


def latest_changes(documents: Sequence[Document]) -> tuple[Changes, ...]:
    """For each stage, what changed between its two newest verdicts; `documents` come newest first."""
    by_stage: dict[str, list[Document]] = {}
    for document in documents:
        by_stage.setdefault(document["stage"], []).append(document)
    return tuple(changes_between(found[1], found[0]) for found in by_stage.values() if len(found) > 1)


def _changes(difference: Mapping[str, Any]) -> Iterator[Change]:
    for change in difference["findings"]:
        ended = change["after"] or change["before"]
        yield Change(title(change), _transition(change), _tone(change), ended["status"], ended["reason"])


def _transition(change: Mapping[str, Any]) -> str:
    was, now = change["before"], change["after"]
    match change["change"]:
        case "appeared":
            return f"new: {_standing(now)}"
        case "vanished":
            return f"gone, was {_standing(was)}"
        case "status":
            return f"{_standing(was)} → {_standing(now)}{_numbers(was, now)}"
        case "limit":
            return f"limit {_limit(was['limit'])} → {_limit(now['limit'])}{_numbers(was, now)}"
        case _:
            return f"{_value(was['measured'])} → {_value(now['measured'])}"


def _standing(state: Mapping[str, Any]) -> str:
    status = str(state["status"])
    if status == "pass":
        return status
    return status + (", waived" if state["waived"] else ", info" if state["severity"] == "info" else "")


def _tone(change: Mapping[str, Any]) -> str:
    """Whether things got better or worse. What is waived or only informs ranks as a pass."""
    before, after = (_weight(change[side]) for side in ("before", "after"))
    return "worse" if after > before else "better" if after < before else "other"


def _weight(state: Mapping[str, Any] | None) -> int:
    if state is None or state["waived"] or state["severity"] == "info":
        return 0
    return _RANK.get(state["status"], 4)


def _numbers(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    old, new = was["measured"], now["measured"]
    return "" if old == new else f" ({_value(old)} → {_value(new)})"


def _limit(limit: Mapping[str, float] | None) -> str:
    words = {"min": "at least", "max": "at most"}
    return " and ".join(f"{words.get(side, side)} {number(value)}" for side, value in (limit or {}).items()) or "none"


def _value(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return number(value)
        case str() if value.startswith("sha256:"):
            return value[:_SHORT] + "…"
        case str() if value.endswith("Z") and len(value) == len("2026-11-22T12:00:00Z"):
            return moment(value)
        case _:
            return str(value)
