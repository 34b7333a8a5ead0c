"""Distances of categorical columns, complete and cut lists."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.statistics.distances import Distance, category_distance
from gate.statistics.divergences import BOUNDED, DIVERGENCES
from gate.statistics.errors import Undefined

ALLOWED = "jensenshannon, psi, kl, hellinger, tvd, cramers_v"

letters = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60)


def test_null_is_no_category(parts):
    with_nulls = parts.values(["a", "b", None, None])
    for method in DIVERGENCES:
        assert category_distance(method, parts.values(["a", "b"]), with_nulls) == Distance(0.0)


def test_a_new_and_a_vanished_category_count(parts):
    assert category_distance("tvd", parts.values("aab"), parts.values("aac")).value == pytest.approx(1 / 3)


@settings(max_examples=80)
@given(letters, letters, st.integers(1, 8), st.integers(1, 8))
def test_the_distance_of_complete_lists_lies_within_the_bound_of_cut_ones(parts, reference, current, ours, theirs):
    for method in BOUNDED:
        whole = category_distance(method, parts.values(reference), parts.values(current))
        assert whole.bound == 0
        cut = category_distance(method, parts.values(reference, cap=ours), parts.values(current, cap=theirs))
        assert abs(whole.value - cut.value) <= cut.bound + 1e-7


@settings(max_examples=30)
@given(letters, letters, st.data())
def test_row_order_changes_nothing(parts, reference, current, data):
    shuffled = data.draw(st.permutations(current))
    for method in DIVERGENCES:
        first = category_distance(method, parts.values(reference), parts.values(current))
        assert first == category_distance(method, parts.values(reference), parts.values(shuffled))


def test_a_cut_list_without_an_upper_bound_says_what_to_do(parts):
    reference = parts.values([f"user {i}" for i in range(1200)], cap=1000)
    for method in ("psi", "kl"):
        with pytest.raises(Undefined) as raised:
            category_distance(method, reference, reference)
        assert str(raised.value) == (
            "1,200 categories, of which only the 1,000 most frequent are counted, and then "
            f"{method} has no upper bound; use one of cramers_v, hellinger, jensenshannon, tvd, or leave the column out"
        )


def test_a_column_of_identifiers_is_too_close_to_call_and_not_green(parts):
    reference, current = (parts.values([f"{side} {i}" for i in range(1200)], cap=1000) for side in "rc")
    distance = category_distance("tvd", reference, current)
    assert distance.value + distance.bound == pytest.approx(1)


def test_a_list_cut_on_one_side_is_exact_when_the_other_lists_all_it_has(parts):
    reference, current = parts.values("aaabbc", cap=2), parts.values("aab")
    assert reference.is_cut
    for method in DIVERGENCES:
        assert category_distance(method, reference, current) == category_distance(
            method, parts.values("aaabbc"), current
        )


@pytest.mark.parametrize(
    ("method", "reference", "current", "reason"),
    [
        ("wasserstein", "ab", "ab", f"wasserstein is not defined for a categorical column; use one of {ALLOWED}"),
        ("ks", "ab", "ab", f"ks is not defined for a categorical column; use one of {ALLOWED}"),
        ("psi", [], "ab", "no rows in reference"),
        ("psi", "ab", [None] * 4, "no value in any of the 4 rows of current"),
    ],
)  # fmt: skip
def test_says_why_there_is_no_distance(method, reference, current, reason, parts):
    with pytest.raises(Undefined) as raised:
        category_distance(method, parts.values(list(reference)), parts.values(list(current)))
    assert str(raised.value) == reason
