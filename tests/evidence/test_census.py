from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Measured, Missing
from gate.domain.need import (
    ANY,
    Distinct,
    DuplicateShare,
    LabelledShare,
    MissingShare,
    NewCategories,
    OutsideRange,
    Overlap,
    PatternShare,
    Rows,
)

REFERENCE = pd.DataFrame({
    "x": [1.0, 2.0, 3.0, 4.0, np.nan],
    "c": ["a", "b", "a", "b", None],
    "one": [7, 7, 7, 7, 7],
    "empty": [None] * 5,
    "gone": [1.0] * 5,
    "y": [0.0, 1.0, 0.0, 1.0, 0.0],
}).astype({"empty": "string"})  # fmt: skip
CURRENT = pd.DataFrame({
    "x": [1.0, 9.0, np.inf, np.nan],
    "c": ["a", "new", "new", None],
    "one": [7, 7, 7, 7],
    "empty": [None] * 4,
    "added": ["p@q.org", "p@q.org", "-", "p@q.org"],
    "y": [0.0, np.nan, 1.0, np.nan],
}).astype({"empty": "string"})  # fmt: skip


@pytest.fixture(scope="module")
def pair(pair_of):
    return pair_of(REFERENCE, CURRENT, target="y")


def share(count, rows, **details):
    return Measured(count / rows, rows, "count", details={"count": count, **details})


def test_counts_of_the_delivered_batch(pair):
    expected = {
        Rows(ANY, Side.CURRENT): Measured(4.0, 4, "count"),
        Rows(ANY, Side.REFERENCE): Measured(5.0, 5, "count"),
        LabelledShare(ANY): share(2, 4, labelled=2, total=4),
        MissingShare(ANY, "x"): share(1, 4),
        MissingShare(ANY, "x", Side.REFERENCE): share(1, 5),
        MissingShare(ANY, "c"): share(1, 4),
        MissingShare(ANY, "empty"): share(4, 4),
        MissingShare(ANY, "added"): share(0, 4),  # the reference is not needed to count nulls
        DuplicateShare(ANY, ("added",)): share(2, 4),
        DuplicateShare(ANY, ()): share(0, 4),
        OutsideRange(ANY, "x", 1.0, 8.0): share(2, 3, smallest=1.0, largest="inf"),
        OutsideRange(ANY, "one", 7.0, None): share(0, 4, smallest=7.0, largest=7.0),
        NewCategories(ANY, "c"): share(2, 3, values=["new"]),
        Distinct(ANY, "one"): Measured(1.0, 4, "count", details={"reference": 1, "value": 7.0}),
        Distinct(ANY, "c"): Measured(2.0, 3, "count", details={"reference": 2, "value": None}),
        Distinct(ANY, "x"): Measured(2.0, 3, "count", details={"reference": 2, "value": None}),
        Distinct(ANY, "empty"): Measured(0.0, 0, "count", details={"reference": 0, "value": None}),
        Distinct(ANY, "added"): Measured(2.0, 4, "count", details={"reference": None, "value": None}),
        Overlap(ANY, ("one",)): share(4, 4),
        PatternShare(ANY, "added", "@"): share(3, 4),
        PatternShare(ANY, "empty", "@"): Measured(0.0, 0, "count", details={"count": 0}),
    }
    read = pair.gather(*expected).evidence
    for need, answer in expected.items():
        assert read[need] == answer, need


def test_what_cannot_be_counted_says_why_and_names_column_and_side(pair):
    expected = {
        MissingShare(ANY, "gone"): "gone is absent in current",
        MissingShare(ANY, "added", Side.REFERENCE): "added is absent in reference",
        DuplicateShare(ANY, ("x", "gone")): "gone is absent in current",
        OutsideRange(ANY, "gone", 0, 1): "gone is absent in current",
        OutsideRange(ANY, "c", 0, 1): "c is categorical, and only numeric columns can be measured so",
        NewCategories(ANY, "added"): "added is absent in reference",
        NewCategories(ANY, "x"): "x is numeric, and only categorical columns can be measured so",
        NewCategories(ANY, "empty"): "empty is null in all 5 rows of reference",
        Distinct(ANY, "gone"): "gone is absent in current",
        Overlap(ANY, ("gone", "added")): "gone is absent in current",
        PatternShare(ANY, "nowhere", "a"): "nowhere is absent in current",
    }
    read = pair.gather(*expected).evidence
    assert read == {need: Missing(reason) for need, reason in expected.items()}


def test_an_empty_side_has_no_shares_and_has_zero_rows(pair_of):
    pair = pair_of(REFERENCE, CURRENT.head(0), target="y")
    needs = [MissingShare(ANY, "x"), DuplicateShare(ANY, ()), LabelledShare(ANY), NewCategories(ANY, "c"),
             Distinct(ANY, "x"), PatternShare(ANY, "c", "a"), Overlap(ANY, ("one",))]  # fmt: skip
    read = pair.gather(Rows(ANY, Side.CURRENT), *needs).evidence
    assert read.pop(Rows(ANY, Side.CURRENT)) == Measured(0.0, 0, "count")
    assert set(read.values()) == {Missing("current has no rows")}


def test_labelled_share_without_a_target_says_where_to_name_one(pair_of):
    assert pair_of(REFERENCE, CURRENT).read(LabelledShare(ANY)) == Missing(
        "the policy names no target column (data.columns.target), so no row is labelled"
    )


def test_a_category_beyond_the_cap_of_the_reference_is_rare_and_not_new(pair_of):
    many = pd.DataFrame({"c": ["common"] * 10 + [f"v{i:04}" for i in range(1500)]})
    current = pd.DataFrame({"c": ["common", "v1499", "v0001", "never"]})
    read = pair_of(many, current).read(NewCategories(ANY, "c"))
    assert (read.value, read.details) == (0.25, {"count": 1, "values": ["never"]})


def test_a_cut_list_of_current_leaves_the_share_unknown(pair_of):
    many = pd.DataFrame({"c": [f"v{i:04}" for i in range(1500)]})
    assert pair_of(many.head(10), many).read(NewCategories(ANY, "c")) == Missing(
        "c has 1,500 distinct values in current, more than the 1,000 that are counted; leave it out of this check, "
        "group its rare values, or list it under data.columns.ignore",
        rows=1500,
    )


def test_a_column_pinned_numeric_and_stored_as_text_is_not_measured_as_a_number(pair_of):
    pair = pair_of(pd.DataFrame({"x": [1.0, 2.0]}), pd.DataFrame({"x": ["1", None]}))
    outside, missing = pair.gather(OutsideRange(ANY, "x", 0, 1), MissingShare(ANY, "x")).evidence.values()
    assert outside == Missing("x is numeric, but stored as VARCHAR in current")
    assert missing.value == 0.5


def test_a_number_pinned_as_a_category_is_counted_by_its_text(pair_of):
    pair = pair_of(pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"x": [2, 3]}), kinds={"x": Kind.CATEGORICAL})
    assert pair.read(NewCategories(ANY, "x")).details == {"count": 1, "values": ["3"]}
