"""One verdict: how it stands by dimension, and the command that asks the same again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gate.publish.findings import Shown
from gate.server.view.standing import Document

_ORDER = ("business", "technical", "organisation", "risk")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of readiness: how many findings that decide let it through, and how many stand in the way."""

    name: str
    deciding: int
    in_the_way: int


def sides_of(findings: Iterable[Shown]) -> tuple[Side, ...]:
    """Count findings by dimension; what only informs does not count."""
    deciding: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for shown in findings:
        if shown.finding["severity"] != "info":
            deciding[shown.finding["dimension"]] += 1
            held[shown.finding["dimension"]] += shown.stands_in_the_way
    names = [name for name in _ORDER if deciding[name]] + sorted(set(deciding) - set(_ORDER))
    return tuple(Side(name, deciding[name], held[name]) for name in names)


def command_of(document: Document) -> str:
    """The command that asks the same again: the findings' own if they have one, else the plain question."""
    commands = Counter(finding["reproduce"] for finding in document["findings"] if finding["reproduce"])
    return commands.most_common(1)[0][0] if commands else f"gate check {document['model']['uri']}"
