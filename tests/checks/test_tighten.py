"""What a policy that extends another one may do to a field."""

from __future__ import annotations

import pytest

from gate.checks.catalog import check_kinds
from gate.checks.contract import Check
from gate.checks.tighten import FIXED, HIGHER, LOWER, OFF, RANK, SUBSET, SUPERSET, Order
from gate.domain.evidence import Missing
from gate.domain.finding import Severity, Status
from gate.testing import a_check, a_number, a_scope, judge_one


def order_of(kind, *path):
    model = check_kinds()[kind]
    for name in path[:-1]:
        (model,) = [one for one in model.model_fields[name].annotation.__args__ if isinstance(one, type)][:1]
    return next(entry for entry in model.model_fields[path[-1]].metadata if isinstance(entry, Order))


@pytest.mark.parametrize(
    ("order", "base", "override", "allowed"),
    [
        (LOWER, 5, 5, True), (LOWER, 5, 4, True), (LOWER, 5, 6, False), (LOWER, 5, None, False), (LOWER, None, 9, True),
        (HIGHER, 5, 6, True), (HIGHER, 5, 4, False), (HIGHER, 5, None, False), (HIGHER, None, 0, True),
        (OFF, True, False, True), (OFF, False, True, False),
        (SUPERSET, ("a",), ("b", "a"), True), (SUPERSET, ("a", "b"), ("a",), False), (SUPERSET, None, ("a",), False),
        (SUPERSET, (), ("a",), True), (SUPERSET, ("a",), None, False), (SUPERSET, None, None, True),
        (SUPERSET, {"a": 1}, {"a": 1, "b": 2}, True), (SUPERSET, {"a": 1}, {"a": 2}, False),
        (SUBSET, ("a", "b"), ("a",), True), (SUBSET, ("a",), ("a", "b"), False), (SUBSET, None, ("a",), False),
        (SUBSET, ("a",), None, False), (SUBSET, None, None, True),
        (FIXED, None, None, True), (FIXED, None, "a", False), (FIXED, "a", None, False), (FIXED, "a", "a", True),
        (RANK, Severity.MAJOR, Severity.BLOCKER, True), (RANK, Severity.MAJOR, Severity.INFO, False),
        (RANK, Severity.MAJOR, None, False), (RANK, None, Severity.INFO, True),
    ],
)  # fmt: skip
def test_orders(order, base, override, allowed):
    assert order.allows(base, override) is allowed


@pytest.mark.parametrize(
    ("base", "override", "allowed"),
    [("2%", "1%", True), ("2%", "2%", True), ("2%", "3%", False), (2, 1.5, True), (2, 2.5, False), ("2%", 0.01, False),
     (0.02, "1%", False), ("2%", None, False), (None, "9%", True), ("2%", "-1%", True)],
)  # fmt: skip
def test_a_margin_is_lowered_in_its_own_unit(base, override, allowed):
    margin = check_kinds()["metric"].model_fields["versus"].annotation.__args__[0].model_fields["champion"].annotation
    order = next(entry for entry in margin.model_fields["max_increase"].metadata if isinstance(entry, Order))
    assert order.allows(base, override) is allowed


@pytest.mark.parametrize(
    ("field", "base", "override", "allowed"),
    [("max", 80, 70, True), ("max", 80, 90, False), ("max", None, 70, False), ("max", None, None, True),
     ("max", 80, None, False), ("min_rows", 200, 300, True), ("min_rows", None, 300, False), ("min", 0.5, 0.6, True)],
)  # fmt: skip
def test_what_a_segment_inherits_cannot_be_compared(field, base, override, allowed):
    assert order_of("metric", "segments", field).allows(base, override) is allowed


@pytest.mark.parametrize(
    ("base", "override", "allowed"),
    [(0.3, 0.2, True), (0.3, None, True), (None, None, True), (None, 0.3, False), (0.3, 0.4, False)],
)
def test_without_a_share_every_column_fails_which_is_strictest(base, override, allowed):
    assert order_of("feature_drift", "max_drifted_share").allows(base, override) is allowed


@pytest.mark.parametrize(
    ("override", "allowed"),
    [
        ({"a": {"min": 0, "max": 1}}, True),
        ({"a": {"min": 0.1, "max": 0.9}, "b": {"min": 0}}, True),
        ({"a": {"min": 0}}, False),
        ({"a": {"max": 1}}, False),
        ({"a": {"min": -1, "max": 1}}, False),
        ({"b": {"min": 0}}, False),
    ],
)
def test_ranges_are_narrowed_and_more_of_them(override, allowed):
    base = a_check("value_range", {"ranges": {"a": {"min": 0, "max": 1}}})
    other = a_check("value_range", {"ranges": override})
    assert order_of("value_range", "ranges").allows(base.ranges, other.ranges) is allowed


@pytest.mark.parametrize(
    ("override", "allowed"),
    [({"risk": None}, True), ({"risk": "low"}, True), ({}, False), ({"risk": None, "pii": None}, True)],
)
def test_a_tag_may_be_given_a_pattern(override, allowed):
    assert order_of("registry_record", "tags").allows({"risk": None}, override) is allowed


def test_a_pattern_of_a_tag_stays():
    order = order_of("registry_record", "tags")
    assert order.allows({"risk": "low"}, {"risk": "low"})
    assert not order.allows({"risk": "low"}, {"risk": None})
    assert not order.allows({"risk": "low"}, {"risk": ".*"})


def test_adding_columns_to_a_share_of_drifted_ones_would_dilute_it():
    scope = a_scope({"a": "DOUBLE", "b": "DOUBLE", "c": "DOUBLE"})
    answers = {"a": a_number(9), "b": a_number(0), "c": Missing("gone")}

    def share(columns):
        fields = {"max": 0.1, "max_drifted_share": 0.5, "columns": columns}
        return judge_one("feature_drift", fields, lambda need: answers[need.column], scope)[0].status

    assert share(["a"]) is Status.FAIL
    assert share(["a", "b"]) is Status.PASS
    assert not order_of("feature_drift", "columns").allows(("a",), ("a", "b"))


@pytest.mark.parametrize("kind", check_kinds())
def test_every_field_with_a_meaning_of_none_has_an_order(kind):
    """A base that leaves a field at None has set nothing there, unless its order says otherwise."""
    for name, info in check_kinds()[kind].model_fields.items():
        if name in Check.model_fields or info.default is not None:
            continue
        has_order = any(isinstance(entry, Order) for entry in info.metadata)
        assert has_order or name in {"versus", "segments"}, f"{kind}.{name}"
