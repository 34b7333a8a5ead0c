"""Drawings: well-formed, finite, inside their frame; and the sentence about since when."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.domain.picture import Distribution, Trail
from gate.publish.svg import draw_distribution, draw_limit, draw_trail, since

FINITE = st.floats(-1e12, 1e12)
SHARE = st.floats(0, 1)
DAYS = tuple(f"2026-11-{day:02}" for day in range(1, 8))


def days(*distances: float | None, limit: float | None = 0.1) -> Trail:
    return Trail("temp", "psi", "day", DAYS[: len(distances)], distances, (100,) * len(distances), limit)


def parsed(drawing: str) -> ET.Element:
    """Parse a drawing, and see that every number in it is one."""
    root = ET.fromstring(drawing)
    for element in root.iter():
        for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
            if name in element.attrib:
                assert math.isfinite(float(element.attrib[name]))
                assert name not in ("width", "height") or float(element.attrib[name]) >= 0
        for point in element.attrib.get("points", "").split():
            assert all(math.isfinite(float(part)) for part in point.split(","))
    return root


@pytest.mark.parametrize(
    ("trail", "sentence"),
    [
        (days(0.05, 0.06), ""),
        (days(0.05, 0.1), ""),
        (days(0.05, 0.11), "over the limit since 2 November 2026"),
        (days(0.2, 0.05, 0.2, 0.3), "over the limit since 3 November 2026"),
        (days(0.05, 0.2, None, 0.3, None), "over the limit since 2 November 2026"),
        (days(0.2, 0.2), "over the limit since 1 November 2026"),
        (days(0.2, 0.3, 0.05), "over the limit on 2 of 3 days, last on 2 November 2026"),
        (days(0.05, None, 0.3, 0.05), "over the limit on 1 of 3 days, on 3 November 2026"),
        (days(None, None), "no day has enough rows to follow it (100 at most)"),
        (days(0.9, limit=None), ""),
    ],
)
def test_since_when(trail, sentence):
    assert since(trail) == sentence


def test_a_day_without_enough_rows_is_a_gap():
    lines = parsed(draw_trail(days(0.1, 0.2, None, 0.3, 0.4, None, 0.5))).findall("polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [2, 2]


def test_only_days_over_the_limit_are_marked():
    dots = [dot.attrib["class"] for dot in parsed(draw_trail(days(0.05, 0.1, 0.11))).findall("circle")]
    assert dots == ["dot", "dot", "dot over"]


@given(st.lists(st.none() | st.floats(0, 1e9), max_size=6), st.floats(0, 1e9), st.none() | st.floats(0, 1e9))
def test_any_trail_can_be_drawn(distances, measured, limit):
    parsed(draw_trail(days(*distances, measured, limit=limit)))


def test_a_trail_without_a_measured_day_is_not_drawn():
    assert not draw_trail(days(None, None))


@given(FINITE, st.none() | st.tuples(FINITE, FINITE).map(sorted), st.none() | FINITE, st.none() | FINITE)
def test_any_number_can_be_drawn_against_any_limit(value, interval, low, high):
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    parsed(draw_limit(value, interval, low, high))


@given(st.lists(st.tuples(st.floats(allow_nan=True), SHARE, SHARE), min_size=1, max_size=30))
def test_any_histogram_can_be_drawn(bins):
    edges = (*sorted(edge for edge, _, _ in bins), math.inf)
    labels = tuple(map(str, edges))
    shares = tuple(r for _, r, _ in bins), tuple(c for _, _, c in bins)
    parsed(draw_distribution(Distribution("x", True, labels, *shares, edges)))
    parsed(draw_distribution(Distribution("x", True, labels, *shares)))


@given(st.lists(st.tuples(st.text(), SHARE, SHARE), min_size=1, max_size=30))
def test_any_categories_can_be_drawn(rows):
    labels, reference, current = zip(*rows, strict=True)
    root = parsed(draw_distribution(Distribution("x", False, labels, reference, current)))
    assert len(root.findall("rect")) == 2 * min(len(rows), 13)


def test_equal_shares_of_unequal_bins_are_drawn_with_equal_areas():
    edges = (0.0, 1.0, 4.0)
    root = parsed(draw_distribution(Distribution("x", True, ("0", "1", "4"), (0.5, 0.5), (0.5, 0.5), edges)))
    polygon = root.find("polygon[@class='reference']")
    assert polygon is not None
    points = [tuple(map(float, point.split(","))) for point in polygon.attrib["points"].split()]
    floor = points[0][1]
    first = (points[2][0] - points[1][0]) * (floor - points[1][1])
    second = (points[4][0] - points[3][0]) * (floor - points[3][1])
    assert first == pytest.approx(second, rel=0.01)


def test_what_does_not_fit_is_summed_up_as_others():
    labels = tuple(f"c{index:02}" for index in range(20))
    drawing = draw_distribution(Distribution("x", False, labels, (0.05,) * 20, (0.05,) * 20))
    assert "8 others" in drawing
    assert "40 %" in drawing


def test_a_long_name_is_shortened_in_the_drawing_and_whole_on_hover():
    name = "a-category-with-a-very-long-name"
    root = parsed(draw_distribution(Distribution("x", False, (name,), (1.0,), (1.0,))))
    text = root.find("text[@class='label']")
    assert text is not None
    assert text.text == "a-category-with-a…"
    assert text[0].text == name
