"""A measurement: one number to be taken from parts, and the Evidently metric that takes and shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gate.domain.evidence import Measured, Missing
from gate.evidence.asking import Asking


def _nothing() -> Sequence[Any]:
    return ()


@dataclass(frozen=True, eq=False)
class Measurement:
    """One number.

    Attributes:
        metric: the name of the class in `gate.evidence.metrics` that shows it.
        parameters: the fields of that class, JSON values; they tell this measurement from all others.
        take: a pure function of parts that are already there; raises Undefined where the number does not exist.
        widgets: Evidently widgets to show below the number.
    """

    metric: str
    parameters: dict[str, Any]
    take: Callable[[], Measured] = field(repr=False)
    widgets: Callable[[], Sequence[Any]] = field(default=_nothing, repr=False)

    @cached_property
    def measured(self) -> Measured:
        """The number, taken once, whoever looks first."""
        return self.take()


@dataclass(frozen=True, eq=False)
class Groups:
    """One measurement for each group, in a stable order."""

    members: tuple[tuple[str, Measurement | Missing], ...]


Answer = Measurement | Groups | Missing
Answering = Asking[Answer]
