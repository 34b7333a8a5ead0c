"""How questions get their parts: all of them at once, each part computed a single time.

A question is a generator. It yields the parts that it wants next and is sent them when they are there, so that the
way from a need to its answer reads from top to bottom, refinement included. Questions advance in step: what they
ask for in one round is one call to each side.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from gate.domain.dataset import Side
from gate.domain.evidence import Missing
from gate.domain.part import GridOf, PartRequest
from gate.errors import GateError
from gate.flow.ports import Dataset
from gate.statistics.parts import Part

_log = logging.getLogger(__name__)

NEVER_CAUGHT = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""Somebody wants this process to stop: no evidence is worth more. Caught nowhere, where all else is."""

T = TypeVar("T")
P = TypeVar("P")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Ask:
    """A part of one side."""

    side: Side
    request: PartRequest


Asking = Generator[tuple[Ask, ...], tuple[Part, ...], T]


class Unanswerable(Exception):  # noqa: N818  # the name of a case, which ends as Missing; nothing went wrong
    """The data cannot answer a question; raised inside one to end it with `missing`."""

    def __init__(self, reason: str, *, rows: int = 0, broken: bool = False) -> None:
        self.missing = Missing(reason, broken=broken, rows=rows)
        super().__init__(reason)


def ask(kind: type[P], side: Side, request: PartRequest) -> Asking[P]:
    """Ask one side for one part."""
    (part,) = yield (Ask(side, request),)
    return _of(kind, part)


def ask_both(kind: type[P], request: PartRequest) -> Asking[tuple[P, P]]:
    """Ask both sides for the same part: reference, current."""
    reference, current = yield (Ask(Side.REFERENCE, request), Ask(Side.CURRENT, request))
    return _of(kind, reference), _of(kind, current)


def ask_many(kind: type[P], asks: Iterable[Ask]) -> Asking[tuple[P, ...]]:
    """Ask for several parts of one kind in one round."""
    parts = yield tuple(asks)
    return tuple(_of(kind, part) for part in parts)


def _of(kind: type[P], part: Part) -> P:
    if not isinstance(part, kind):
        raise TypeError(f"expected {kind.__name__} from the dataset, got {type(part).__name__}")
    return part


def _on_side(part: Part | Missing, side: Side) -> Part | Missing:
    """A dataset knows columns and rows, not which side it is; whoever reads the reason must."""
    return replace(part, reason=f"{side}: {part.reason}") if isinstance(part, Missing) else part


class Sides:
    """Both datasets and every part that they have been asked for."""

    def __init__(self, reference: Dataset, current: Dataset) -> None:
        self._datasets = {Side.REFERENCE: reference, Side.CURRENT: current}
        self._parts: dict[Ask, Part | Missing] = {}

    def settle(self, questions: Mapping[K, Asking[T]]) -> dict[K, T | Missing]:
        """Run all questions to their ends, in the order given.

        A question that asks for a part which is Missing ends as that Missing: no number is made without its parts.
        A crash ends the question that crashed as a broken Missing, and no other. Errors of the datasets pass through:
        without data there is nothing to decide.
        """
        answers: dict[K, T | Missing] = dict.fromkeys(questions, Missing("not asked", broken=True))
        waiting: dict[K, tuple[Ask, ...]] = {}
        for key, question in questions.items():
            self._advance(key, question, None, answers, waiting)
        while waiting:
            # Grids decide what the bins are, so whoever waits for something else lets them go first: then all
            # further parts are one call to each side.
            first = {k: asks for k, asks in waiting.items() if any(isinstance(a.request, GridOf) for a in asks)}
            batch = first or waiting
            self._fetch(a for asks in batch.values() for a in asks)
            for key, asks in list(batch.items()):
                del waiting[key]
                parts = [self._parts[a] for a in asks]
                missing = next((p for p in parts if isinstance(p, Missing)), None)
                if missing is not None:
                    questions[key].close()
                    answers[key] = missing
                    continue
                sent = tuple(p for p in parts if not isinstance(p, Missing))
                self._advance(key, questions[key], sent, answers, waiting)
        return answers

    def _fetch(self, asks: Iterable[Ask]) -> None:
        wanted = dict.fromkeys(a for a in asks if a not in self._parts)
        for side, dataset in self._datasets.items():
            requests = [a.request for a in wanted if a.side is side]
            if requests:
                found = dataset.parts(requests)
                for request in requests:
                    part = found.get(request, Missing(f"no answer to {request}", broken=True))
                    self._parts[Ask(side, request)] = _on_side(part, side)

    @staticmethod
    def _advance(
        key: K, question: Asking[T], sent: tuple[Part, ...] | None, answers: dict[K, T | Missing],
        waiting: dict[K, tuple[Ask, ...]],
    ) -> None:  # fmt: skip
        """Let one question go on until it asks again (into `waiting`) or ends (into `answers`)."""
        try:
            asks = next(question) if sent is None else question.send(sent)
        except StopIteration as end:
            answers[key] = end.value
        except Unanswerable as end:
            answers[key] = end.missing
        except GateError:
            raise
        except Exception as crash:  # noqa: BLE001  # a bug in one question must not silence the others
            _log.exception("no evidence for %s", key)
            answers[key] = Missing(f"{type(crash).__name__}: {crash}; this is a bug in gate", broken=True)
        else:
            waiting[key] = asks
