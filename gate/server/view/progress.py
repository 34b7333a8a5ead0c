"""An evaluation on its way: the steps so far, how much was read, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gate.domain.evaluation import Evaluation, Event, State

_WORDS = {"queued": "in line", "started": "work begins", "done": "verdict stored", "error": "ended in error",
          "cancelled": "cancelled"}  # fmt: skip
_NOW = {
    State.QUEUED: "It waits in line. Evaluations of one model are made one after the other.",
    State.RUNNING: "It is being judged.",
    State.DONE: "It is judged.",
    State.ERROR: "It ended without a verdict. Nothing was decided, so nothing may go on because of it.",
    State.CANCELLED: "It was cancelled. Nothing was decided, so nothing may go on because of it.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, in words."""

    at: datetime
    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Progress:
    """An evaluation with its steps. `last` is the sequence of the newest event that is shown."""

    evaluation: Evaluation
    now: str
    steps: tuple[Step, ...]
    rows: int
    last: int


def progress_of(evaluation: Evaluation, events: Sequence[Event]) -> Progress:
    """Tell events as steps; counts of rows are added up, not told one by one."""
    steps = []
    rows = 0
    for event in events:
        if event.kind == "rows":
            rows = max(rows, _count(event.data.get("scanned")))
            continue
        name, detail = event.data.get("name"), event.data.get("detail")
        known = _WORDS.get(event.kind, event.kind)
        steps.append(Step(event.at, str(name) if name else known, str(detail) if detail else ""))
    last = events[-1].sequence if events else 0
    return Progress(evaluation, _NOW[evaluation.state], tuple(steps), rows, last)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
