"""Drawings as SVG text: distributions, distances over days, and a number against its limit.

Pure functions from numbers to markup. Every text is escaped here; colours come from the page's style sheet through
classes, so that light, dark and print agree. Each drawing has a title and a description for those who cannot see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from markupsafe import Markup, escape

from gate.checks.judging import number, percent
from gate.domain.picture import Distribution, Trail
from gate.domain.plain import plain

_WIDTH = 480  # of the drawing's own units; the page scales it
_MOST_CATEGORIES = 12
_LONGEST_LABEL = 18  # characters, which fit beside the bars


def draw_distribution(distribution: Distribution) -> Markup:
    """Draw both sides of one column: a histogram of a numeric column, paired bars of a categorical one."""
    return _histogram(distribution) if distribution.numeric else _paired_bars(distribution)


def draw_trail(trail: Trail) -> Markup:
    """Draw a distance over days as a line, with its limit; a day with too few rows is a gap. Without any: nothing."""
    height, left, right, top, bottom = 160, 46, 12, 16, 26
    measured = [distance for distance in trail.distances if distance is not None]
    if not measured:
        return Markup("")
    ceiling = max([*measured, trail.limit or 0.0, 1e-9]) * 1.12
    count = len(trail.labels)
    step = (_WIDTH - left - right) / max(count - 1, 1)

    def at(index: int, distance: float) -> tuple[float, float]:
        return left + step * index, height - bottom - distance / ceiling * (height - top - bottom)

    points = [None if d is None else at(i, d) for i, d in enumerate(trail.distances)]
    body = [*_scale(ceiling, height, left, right, top, bottom)]
    if trail.limit is not None:
        _, y = at(0, trail.limit)
        body.append(f'<line class="limit" x1="{left}" x2="{_WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        body.append(_text(_WIDTH - right, y - 4, f"limit {number(trail.limit)}", "limit-text", "end"))
    body += (f'<polyline class="line" points="{_path(run)}"/>' for run in _runs(points))
    for index, point in enumerate(points):
        distance = trail.distances[index]
        if point is None or distance is None:
            continue
        over = trail.limit is not None and distance > trail.limit
        hint = f"{trail.labels[index]}: {number(distance)} on {trail.rows[index]:,} rows"
        body.append(f'<circle class="{"dot over" if over else "dot"}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="3">'
                    f"<title>{_safe(hint)}</title></circle>")  # fmt: skip
    for index in sorted({0, count // 2, count - 1} & set(range(count))):
        anchor = "start" if index == 0 else "end" if index == count - 1 else "middle"
        body.append(_text(left + step * index, height - 8, trail.labels[index], "tick", anchor))
    title = f"{trail.column}: {trail.method} by {trail.over}"
    return _drawing(height, title, f"{count} points, highest {number(max(measured))}", body)


def draw_limit(
    value: float, interval: Sequence[float] | None, limit_min: float | None, limit_max: float | None
) -> Markup:
    """Draw one number, the interval around it and the range that its limit forbids, on a line."""
    height, width, inset, middle = 54, _WIDTH * 0.6, 12, 26
    marks = [value, *(interval or ()), *(edge for edge in (limit_min, limit_max) if edge is not None)]
    if all(mark >= 0 for mark in marks):
        marks.append(0.0)
    low, high = min(marks), max(marks)
    margin = (high - low) * 0.12 or max(abs(high), 1.0) * 0.1
    low, high = low - (margin if low != 0 else 0), high + margin

    def at(mark: float) -> float:
        return inset + (mark - low) / (high - low) * (width - 2 * inset)

    body = [f'<line class="axis" x1="{inset}" x2="{width - inset:g}" y1="{middle}" y2="{middle}"/>']
    for edge, start, end in ((limit_max, limit_max, high), (limit_min, low, limit_min)):
        if edge is not None and start is not None and end is not None:
            left, right = at(start), at(end)
            body.append(
                f'<rect class="forbidden" x="{left:.1f}" y="{middle - 8}" width="{right - left:.1f}" height="16"/>'
            )
            body.append(
                f'<line class="edge" x1="{at(edge):.1f}" x2="{at(edge):.1f}" y1="{middle - 8}" y2="{middle + 8}"/>'
            )
            body.append(_text(at(edge), height - 5, f"limit {number(edge)}", "limit-text", _anchor(at(edge), width)))
    if interval:
        start, end = at(interval[0]), at(interval[1])
        body.append(
            f'<rect class="interval" x="{start:.1f}" y="{middle - 4}" width="{max(end - start, 1):.1f}" height="8"/>'
        )
    body.append(f'<circle class="value" cx="{at(value):.1f}" cy="{middle}" r="5"/>')
    body.append(_text(at(value), 13, number(value), "label", _anchor(at(value), width)))
    between = f", interval {number(interval[0])} to {number(interval[1])}" if interval else ""
    edges = [
        f"{word} {number(edge)}" for word, edge in (("at least", limit_min), ("at most", limit_max)) if edge is not None
    ]
    return _drawing(height, f"{number(value)}{between}", f"the limit is {' and '.join(edges)}", body, width=width)


def draw_share(share: float) -> Markup:
    """Draw a bar of this share of its room, 0 to 1. It only repeats a number beside it, so it is silent."""
    return Markup(  # noqa: S704  # a number
        f'<svg class="bar" aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none">'
        f'<rect class="current" width="{share * 100:.1f}" height="10"/></svg>'
    )


def since(trail: Trail) -> str:
    """Say since when the distance has been over its limit: `over the limit since 3 November 2026`; empty if never.

    Days without enough rows neither begin nor end a stretch.
    """
    if all(distance is None for distance in trail.distances):
        return f"no day has enough rows to follow it ({max(trail.rows, default=0):,} at most)"
    if trail.limit is None:
        return ""
    days = [
        (label, distance) for label, distance in zip(trail.labels, trail.distances, strict=True) if distance is not None
    ]
    over = [label for label, distance in days if distance > trail.limit]
    if not over:
        return ""
    if days[-1][1] > trail.limit:
        first = days[-1][0]
        for label, distance in reversed(days):
            if distance <= trail.limit:
                break
            first = label
        return f"over the limit since {_day(first)}"
    one = len(over) == 1
    return f"over the limit on {len(over)} of {len(days)} days, {'on' if one else 'last on'} {_day(over[-1])}"


# --- the two kinds of distributions -----------------------------------------------------------------------------------


def _histogram(distribution: Distribution) -> Markup:
    height, left, right, top, bottom = 170, 10, 10, 8, 26
    positions, reference, current = _bars_to_scale(distribution)
    span = positions[-1] - positions[0]
    tallest = max([*reference, *current, 1e-12])
    width = _WIDTH - left - right

    def x(position: float) -> float:
        return left + (position - positions[0]) / span * width

    def outline(heights: Sequence[float]) -> str:
        floor = height - bottom
        points = [(x(positions[0]), float(floor))]
        for index, share in enumerate(heights):
            y = floor - share / tallest * (floor - top)
            points += [(x(positions[index]), y), (x(positions[index + 1]), y)]
        return _path([*points, (x(positions[-1]), float(floor))])

    body = [
        f'<polygon class="reference" points="{outline(reference)}"/>',
        f'<polygon class="current" points="{outline(current)}"/>',
        f'<line class="axis" x1="{left}" x2="{_WIDTH - right}" y1="{height - bottom}" y2="{height - bottom}"/>',
    ]
    ends = len(distribution.labels) - 1
    for index, anchor in ((0, "start"), (ends // 2, "middle"), (ends, "end")):
        body.append(_text(x(positions[index]), height - 8, _short(distribution.labels[index]), "tick", anchor))
    return _drawing(height, f"{distribution.column}: reference and current", _busiest(distribution), body)


def _bars_to_scale(distribution: Distribution) -> tuple[list[float], list[float], list[float]]:
    """Bin positions and heights: to scale, the area as the share, or side by side where the bins are too unequal."""
    reference, current = list(distribution.reference), list(distribution.current)
    edges = list(distribution.edges)
    widths = [after - before for before, after in pairwise(edges)]
    is_drawable = (
        len(widths) == len(reference)
        and all(math.isfinite(edge) for edge in edges)
        and min(widths, default=0) > 0
        and max(widths, default=0) / min(widths, default=1) < 60
    )
    if not is_drawable:
        return [float(index) for index in range(len(reference) + 1)], reference, current
    return (
        edges,
        [share / width for share, width in zip(reference, widths, strict=True)],
        [share / width for share, width in zip(current, widths, strict=True)],
    )


def _busiest(distribution: Distribution) -> str:
    """Where each side has most of its rows, in words."""
    if not distribution.reference or not distribution.current:
        return "no rows to draw"
    sides = (("reference", distribution.reference), ("current", distribution.current))
    labels = distribution.labels
    said = []
    for name, shares in sides:
        top = max(range(len(shares)), key=lambda index, shares=shares: shares[index])  # type: ignore[misc]
        said.append(f"{name} is highest from {labels[top]} to {labels[top + 1]} with {percent(shares[top])}")
    return "; ".join(said)


def _paired_bars(distribution: Distribution) -> Markup:
    rows = sorted(
        zip(distribution.labels, distribution.reference, distribution.current, strict=True),
        key=lambda row: -max(row[1], row[2]),
    )
    shown, rest = rows[:_MOST_CATEGORIES], rows[_MOST_CATEGORIES:]
    if rest:
        shown.append((f"{len(rest)} others", sum(row[1] for row in rest), sum(row[2] for row in rest)))
    left, line, room = 150, 32, _WIDTH - 150 - 66
    longest = max((max(row[1], row[2]) for row in shown), default=0) or 1.0
    body = []
    for index, (label, reference, current) in enumerate(shown):
        y = 6 + index * line
        body.append(_text(left - 8, y + 15, _short(label), "label", "end", plain(label)))
        for offset, share, side in ((0, reference, "reference"), (11, current, "current")):
            length = share / longest * room
            body.append(
                f'<rect class="{side}" x="{left}" y="{y + offset}" width="{max(length, 0.5):.1f}" height="10"/>'
            )
            body.append(_text(left + max(length, 0.5) + 5, y + offset + 9, percent(share), "tick", "start"))
    description = "; ".join(f"{row[0]}: {percent(row[1])}, then {percent(row[2])}" for row in shown[:5])
    return _drawing(12 + len(shown) * line, f"{distribution.column}: reference and current", description, body)


# --- strokes ----------------------------------------------------------------------------------------------------------


def _scale(ceiling: float, height: int, left: int, right: int, top: int, bottom: int) -> Iterator[str]:
    """Three faint lines with their values."""
    for part in (0.0, 0.5, 1.0):
        y = height - bottom - part * (height - top - bottom)
        yield f'<line class="grid" x1="{left}" x2="{_WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(left - 6, y + 4, f"{part * ceiling:.2g}", "tick", "end")


def _anchor(x: float, width: float) -> str:
    """Keep a text inside the drawing: at the edges it hangs inwards."""
    return "start" if x < width * 0.15 else "end" if x > width * 0.85 else "middle"


def _runs(points: Iterable[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    """Unbroken stretches of at least two points."""
    run: list[tuple[float, float]] = []
    for point in [*points, None]:
        if point is not None:
            run.append(point)
            continue
        if len(run) > 1:
            yield run
        run = []


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _text(x: float, y: float, text: str, kind: str, anchor: str, hint: str | None = None) -> str:
    title = f"<title>{_safe(hint)}</title>" if hint is not None else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_safe(text)}{title}</text>'


def _drawing(height: float, title: str, description: str, body: Iterable[str], *, width: float = _WIDTH) -> Markup:
    return Markup(  # noqa: S704  # every text in it went through _safe
        f'<svg role="img" viewBox="0 0 {width:g} {height:g}" aria-label="{_safe(title)}">'
        f"<title>{_safe(title)}</title><desc>{_safe(description)}</desc>{''.join(body)}</svg>"
    )


def _safe(text: object) -> str:
    return str(escape(plain(text)))


def _short(label: str) -> str:
    shown = plain(label)
    return shown if len(shown) <= _LONGEST_LABEL else shown[: _LONGEST_LABEL - 1] + "…"


def _day(label: str) -> str:
    try:
        day = date.fromisoformat(label)
    except ValueError:
        return plain(label)
    return f"{day.day} {day:%B %Y}"
