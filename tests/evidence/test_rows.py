from __future__ import annotations

import pandas as pd
import pytest

from gate.domain.evidence import Missing
from gate.domain.need import ANY, RowShare
from gate.statistics.intervals import wilson

FRAME = pd.DataFrame({"thumb": ["up"] * 30 + ["down"] * 10 + [None] * 10, "override": [True] * 5 + [False] * 45,
                      "code": [3] * 50, "none": [None] * 50}).astype({"none": "string"})  # fmt: skip


@pytest.fixture(scope="module")
def pair(pair_of):
    return pair_of(FRAME, FRAME)


def test_a_share_of_rows_has_wilsons_interval(pair):
    read = pair.read(RowShare(ANY, "thumb", "up", confidence=0.9))
    assert (read.value, read.rows, read.method) == (0.75, 40, "wilson")
    assert read.interval == wilson(30, 40, 0.9)
    assert read.details == {"count": 30}


def test_without_confidence_there_is_no_interval(pair):
    read = pair.read(RowShare(ANY, "thumb", "up"))
    assert (read.interval, read.method) == (None, "share")


def test_values_are_compared_as_text(pair):
    true, code = pair.gather(RowShare(ANY, "override", "true"), RowShare(ANY, "code", "3")).evidence.values()
    assert (true.value, code.value) == (0.1, 1.0)


def test_a_value_that_never_occurs_has_share_0(pair):
    read = pair.read(RowShare(ANY, "thumb", "sideways"))
    assert (read.value, read.details) == (0.0, {"count": 0, "occurs": False, "values": ["up", "down"]})


def test_a_value_that_only_the_reference_has_occurs(pair_of):
    pair = pair_of(FRAME.assign(only_there="x"), FRAME.assign(thumb="down", only_there="y", new="z"))
    assert pair.read(RowShare(ANY, "thumb", "up")).details == {"count": 0, "occurs": True, "values": ["down", "up"]}
    assert pair.read(RowShare(ANY, "only_there", "z")).details == {"count": 0, "occurs": False, "values": ["y", "x"]}
    assert pair.read(RowShare(ANY, "new", "y")).details == {"count": 0, "occurs": False, "values": ["z"]}


def test_a_column_without_values_has_no_share(pair):
    assert pair.read(RowShare(ANY, "none", "x")) == Missing("none is null in all 50 rows of current")
    assert pair.read(RowShare(ANY, "nope", "x")) == Missing("nope is absent in current")
