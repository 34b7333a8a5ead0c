"""What a PromQL expression names: metrics, their labels, and what is made of them. No parser: Prometheus is that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_METRIC = re.compile(r"(?<![\w:])((?:gate|process)_\w+)(?![\w:])(\{[^}]*\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_AGGREGATOR = re.compile(
    r"\b(sum|max|min|avg|count|topk|bottomk)\s*(?:by\s*\(([^)]*)\)\s*)?$|\b(rate|irate|increase)\s*$"
)
_FUNCTION = re.compile(r"\b(rate|irate|increase)\s*\($")


@dataclass(frozen=True)
class Use:
    """One use of a metric in an expression.

    Attributes:
        matchers: label, operator and value of each.
        window: what stands in the brackets behind it, if anything.
        function: rate, irate or increase, if one is applied.
        aggregator: what it is put together with first, and by which labels.
    """

    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    window: str | None
    function: str | None
    aggregator: str | None
    by: tuple[str, ...]


def uses(expression: str) -> Iterator[Use]:
    """Each use of a metric of gate, or of its process."""
    for found in _METRIC.finditer(expression):
        before = expression[: found.start()]
        function = _FUNCTION.search(before)
        window = re.match(r"\[([^\]:]+)", expression[found.end() :])
        aggregator, by = _aggregated(before)
        yield Use(
            found[1], tuple(_MATCHER.findall(found[2] or "")), window and window[1], function and function[1],
            aggregator, by,
        )  # fmt: skip


def _aggregated(before: str) -> tuple[str | None, tuple[str, ...]]:
    """The innermost aggregation around the end of `before`."""
    depth = 0
    for place in range(len(before) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(before[place], 0)
        if depth < 0:
            depth = 0
            found = _AGGREGATOR.search(before[:place])
            if found and found[1]:
                return found[1], tuple(label.strip() for label in (found[2] or "").split(",") if label.strip())
    return None, ()
