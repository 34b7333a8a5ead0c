"""Which way a field is stricter: what `extends` may do to a value that a base policy set.

A field names its order as an annotation: `max: Annotated[float, LOWER]`. A field without one is fixed once a base
sets it. A base that leaves a field out (None) has set nothing, so any value there is stricter, unless the order
says that None already means everything (SUPERSET of columns).
"""

from __future__ import annotations

from collections.abc import Callable
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
    """None is everything for a list of columns: it contains every list and only itself contains it."""
    if override is None or base is None:
        return override is None
    return set(base) <= set(override)


LOWER = Order("lowered", lambda base, override: base is None or (override is not None and override <= base))
HIGHER = Order("raised", lambda base, override: base is None or (override is not None and override >= base))
SHORTER = Order("shortened", LOWER.allows)
SUPERSET = Order("extended", _within)
RANK = Order("raised", lambda base, override: base is None or _RANK[override] >= _RANK[base])
"""The order of severities: info, major, blocker."""
