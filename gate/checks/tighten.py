"""Which way a field is stricter: what `extends` may do to a value that a base policy set.

A field names its order as an annotation: `max: Annotated[float, LOWER]`. A field without one is fixed once a base
sets it. A base that leaves a field out (None) has set nothing, so any value there is stricter, unless the order
says that None has a meaning of its own (SUPERSET of columns, where it is all that there are).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gate.domain.finding import Severity


@dataclass(frozen=True, slots=True)
class Order:
    """A strictness order: `allows(base, override)` says whether the override is at least as strict."""

    words: str  # completes "may only be ..."
    allows: Callable[[Any, Any], bool]


_RANK = {Severity.INFO: 0, Severity.MAJOR: 1, Severity.BLOCKER: 2}


def _within(base: Any, override: Any) -> bool:
    """None is a default that only the data knows: it can be compared with itself alone."""
    if override is None or base is None:
        return override is base
    if isinstance(base, Mapping):
        return all(key in override and override[key] == value for key, value in base.items())
    return set(base) <= set(override)


def _inside(base: Any, override: Any) -> bool:
    """None is a list that only the data knows: it can be compared with itself alone."""
    return bool(base == override or (base and override and set(override) <= set(base)))


def _at_least_as_sure(base: Any, override: Any) -> bool:
    """A wider interval is harder to fit inside a limit; "point" has no width at all."""
    width = {"point": 0.0}
    return base is None or (override is not None and width.get(override, override) >= width.get(base, base))


LOWER = Order("lowered", lambda base, override: base is None or (override is not None and override <= base))
HIGHER = Order("raised", lambda base, override: base is None or (override is not None and override >= base))
SHORTER = Order("shortened", LOWER.allows)
SUPERSET = Order("extended", _within)
SUBSET = Order("narrowed", _inside)
"""For columns that rows are compared on: with fewer of them more rows are alike."""
OFF = Order("turned off", LOWER.allows)
FIXED = Order("left as it is", lambda base, override: bool(base == override))
"""For a field whose None has a meaning of its own; a field without any order is fixed too, once a base sets it."""
CONFIDENCE = Order("raised", _at_least_as_sure)
FREE = Order("changed", lambda base, override: True)  # noqa: ARG005  # says who and what for; no requirement depends on it
RANK = Order("raised", lambda base, override: base is None or (override is not None and _RANK[override] >= _RANK[base]))
"""The order of severities: info, major, blocker."""


def one_way(*steps: str) -> Order:
    """The order of a few words from loose to strict."""
    rank = {step: place for place, step in enumerate(steps)}
    return Order(f"changed from {' to '.join(steps)}", lambda base, override: rank[override] >= rank[base])
