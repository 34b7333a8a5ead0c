"""Where a model stands by its newest verdict, today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from gate.publish.findings import CAUSES, in_the_way
from gate.publish.markup import moment

Document = Mapping[str, Any]


class Answer(StrEnum):
    """What a verdict says to whoever asks today. Only `promote` lets a model through."""

    HOLD = "hold"
    STALE = "stale"
    REPORT_ONLY = "report only"
    PROMOTE = "promote"
    NONE = "none"


def answer_of(document: Document, now: datetime) -> Answer:
    """Say what a verdict is worth today: a promotion ends with its validity, and report-only never was one."""
    given = answer_when_made(document)
    return Answer.STALE if given is Answer.PROMOTE and has_ended(document, now) else given


def answer_when_made(document: Document) -> Answer:
    """Say what a verdict was worth on its day."""
    if not document["enforced"]:
        return Answer.REPORT_ONLY
    return Answer.PROMOTE if document["decision"] == "promote" else Answer.HOLD


def has_ended(document: Document, now: datetime) -> bool:
    """Whether the validity of a verdict is over; a time that cannot be read is over."""
    try:
        return datetime.fromisoformat(document["valid_until"]) <= now
    except ValueError:
        return True


@dataclass(frozen=True, slots=True)
class Position:
    """A verdict with what it means today and what to do about it.

    Attributes:
        in_the_way: the findings that hold, the most urgent first.
        because: why, in a few words; empty for a promotion.
        step: what to do next, a sentence.
        command: what to run next; empty where the work is elsewhere.
        owner: who does it; empty if nobody is named.
    """

    document: Document
    answer: Answer
    in_the_way: tuple[Mapping[str, Any], ...]
    because: str
    step: str
    command: str
    owner: str

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.document["model"]["name"])


def position_of(document: Document, now: datetime, owner: str = "") -> Position:
    """Work out what a verdict means today; `owner` answers where no finding names anybody."""
    answer = answer_of(document, now)
    held = tuple(in_the_way(document))
    first = held[0] if held else None
    again = f"gate check {document['model']['uri']}"
    if document["stage"]:
        again += f" --stage {document['stage']}"
    command = ""
    match answer:
        case Answer.PROMOTE:
            step = f"Go on with version {document['model']['version']}, before {moment(document['valid_until'])}."
            because = ""
        case Answer.STALE:
            step, command = "Judge it again.", again
            because = f"The promotion ended on {moment(document['valid_until'])}."
        case Answer.REPORT_ONLY:
            step, command = "Ask for a verdict that counts.", again
            because = "The newest verdict was report-only: it enforces nothing."
        case _ if document["cause"] == "error":
            step, command = str(first["remedy"]) if first and first["remedy"] else "Try again.", again
            because = CAUSES["error"]
        case _:
            step = _first_step(document, first)
            because = CAUSES.get(str(document["cause"]), "")
    return Position(document, answer, held, because, step, command, (first and first["owner"]) or owner)


def _first_step(document: Document, first: Mapping[str, Any] | None) -> str:
    if first and first["remedy"]:
        return str(first["remedy"])
    return str(document["flip"][0]) if document["flip"] else "See the findings."
