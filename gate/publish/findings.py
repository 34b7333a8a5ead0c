"""Findings of a verdict document as people read them: in order, with their numbers in words and their drawings.

The page in a report and the pages of a server show findings from here, so that they say the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from gate.checks.judging import number
from gate.domain.picture import Distribution, Pictures, Trail
from gate.publish.svg import draw_distribution, draw_limit, draw_share, draw_trail, since

CAUSES = {
    "failed": "A check failed.",
    "error": "A check could not be made.",
    "awaiting": "People are awaited.",
    "insufficient": "There is not enough evidence.",
}
_ORDER = {"fail": 0, "error": 1, "insufficient": 2, "warn": 3, "pass": 4}
_SHOWN_APART = ("moved",)  # details that have a table of their own


@dataclass(frozen=True, slots=True)
class Segment:
    """One group of a trail over a segment column: how far it moved."""

    name: str
    rows: int
    distance: float | None
    is_over: bool
    bar: Markup  # its share of the largest distance


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with what is drawn for it."""

    finding: Mapping[str, Any]
    title: str
    stands_in_the_way: bool
    gauge: Markup | None
    distribution: Markup | None
    moved: tuple[tuple[str, float, float], ...]
    days: tuple[tuple[Markup, str], ...]
    segments: tuple[tuple[Trail, tuple[Segment, ...]], ...]
    facts: tuple[tuple[str, str], ...]

    @property
    def is_pass(self) -> bool:
        """Whether there is nothing to do about it."""
        return bool(self.finding["status"] == "pass")


def show_findings(document: Mapping[str, Any], pictures: Pictures | None = None) -> list[Shown]:
    """Show the findings of a verdict: what stands in the way first, then the worst, else in the policy's order."""
    drawn = _Drawn(pictures or Pictures())
    return sorted((drawn.show(finding) for finding in document["findings"]), key=_urgency)


def in_the_way(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The findings that hold a verdict, the worst first, not drawn."""
    held = (finding for finding in document["findings"] if stands_in_the_way(finding))
    return sorted(held, key=lambda finding: _ORDER.get(finding["status"], 0))


def title(finding: Mapping[str, Any]) -> str:
    """Name what was judged: `feature_drift, temp`."""
    return ", ".join([finding["check"], *finding["subject"].values()])


def stands_in_the_way(finding: Mapping[str, Any]) -> bool:
    """Whether a finding takes part in a hold: it decides, and neither its status nor a waiver lets it through."""
    return finding["severity"] != "info" and finding["status"] not in ("pass", "warn") and not finding["waived"]


def _urgency(shown: Shown) -> tuple[bool, int]:
    return not shown.stands_in_the_way, _ORDER.get(shown.finding["status"], 0)


class _Drawn:
    """The pictures by column, and findings with their share of them."""

    def __init__(self, pictures: Pictures) -> None:
        self._distributions: dict[str, Distribution] = {d.column: d for d in pictures.distributions}
        self._trails: dict[str, list[Trail]] = defaultdict(list)
        for trail in pictures.trails:
            self._trails[trail.column].append(trail)

    def show(self, finding: Mapping[str, Any]) -> Shown:
        """Gather what belongs to a finding. The distances over time belong to drift findings only."""
        column = str(finding["subject"].get("column", ""))
        distribution = self._distributions.get(column)
        trails = self._trails.get(column, []) if str(finding["kind"]).endswith("drift") else []
        return Shown(
            finding=finding,
            title=title(finding),
            stands_in_the_way=stands_in_the_way(finding),
            gauge=_gauge(finding),
            distribution=draw_distribution(distribution) if distribution and distribution.reference else None,
            moved=_moved(finding, distribution),
            days=tuple((draw_trail(trail), since(trail)) for trail in trails if trail.over == "day" and trail.labels),
            segments=tuple((trail, _segments(trail)) for trail in trails if trail.over != "day" and trail.labels),
            facts=_facts(finding),
        )


def _gauge(finding: Mapping[str, Any]) -> Markup | None:
    if finding["measured"] is None or not finding["limit"]:
        return None
    limit = finding["limit"]
    return draw_limit(finding["measured"], finding["interval"], limit.get("min"), limit.get("max"))


def _moved(finding: Mapping[str, Any], distribution: Distribution | None) -> tuple[tuple[str, float, float], ...]:
    """The categories that moved most, from the drawing or from the finding; for drift findings only."""
    if not str(finding["kind"]).endswith("drift"):
        return ()
    if distribution is not None and distribution.moved:
        return distribution.moved
    rows = finding["details"].get("moved") or []
    return tuple((str(row[0]), float(row[1]), float(row[2])) for row in rows if isinstance(row, list) and len(row) == 3)


def _segments(trail: Trail) -> tuple[Segment, ...]:
    largest = max((distance for distance in trail.distances if distance is not None), default=0.0)
    return tuple(
        Segment(name, rows, distance, trail.limit is not None and distance is not None and distance > trail.limit,
                draw_share((distance or 0.0) / largest if largest > 0 else 0.0))
        for name, distance, rows in zip(trail.labels, trail.distances, trail.rows, strict=True)
    )  # fmt: skip


def _facts(finding: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the numbers rest on, as name and text; whatever a check added comes last."""
    interval, limit = finding["interval"], finding["limit"] or {}
    rows = finding["rows"]
    known = (
        ("value", number(finding["measured"]) if finding["measured"] is not None else ""),
        ("interval", f"{number(interval[0])} to {number(interval[1])}" if interval else ""),
        ("binning error", "" if finding["exact"] or not finding["bound"] else f"at most {number(finding['bound'])}"),
        ("limit", " and ".join(f"{_LIMIT_WORDS[side]} {number(edge)}" for side, edge in limit.items())),
        ("method", finding["method"] or ""),
        ("rows", f"{rows:,}" if rows is not None else ""),
    )
    details = ((key.replace("_", " "), _detail(value)) for key, value in finding["details"].items()
               if key not in _SHOWN_APART)  # fmt: skip
    return tuple((name, text) for name, text in (*known, *details) if text)


_LIMIT_WORDS = {"min": "at least", "max": "at most"}


def _detail(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return number(value)
        case list():
            return ", ".join(map(_detail, value))
        case Mapping():
            return ", ".join(f"{key}: {_detail(item)}" for key, item in value.items())
        case _:
            return str(value)
