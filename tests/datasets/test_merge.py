"""File splits and the order of rows change nothing."""

# ruff: noqa: DTZ001  # zoneless times are what is tested; messages are compared in full

import datetime as dt
import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.datasets.duck import DuckDatasets
from gate.datasets.merge import merge
from gate.domain.evidence import Missing
from gate.domain.part import (
    Bins,
    ClassLoss,
    Confusion,
    DistinctRows,
    ErrorSums,
    ExactValues,
    Grid,
    GridOf,
    Histogram,
    OutsideCount,
    PatternCount,
    ScoreBins,
    Split,
    Timeline,
    Values,
)  # fmt: skip

GRID = Grid(0.3, 0.7)
MERGING = [
    Bins("x", GRID), Bins("x", GRID, Split("s")), Bins("t", Grid(1.7e15, 1e12)), Values("s"), Values("x"),
    Values("s", split=Split("t", "day")), ExactValues("x"), Histogram("x", (-1.0, 0.0, 1.0)), OutsideCount("x", -1, 1),
    PatternCount("s", "a"), Timeline("t", 3600), Confusion("s", "p"), Confusion("s", "p", "p", split=Split("p")),
    ScoreBins("s", "a", "u"), ClassLoss("s", (("a", "u"), ("b", "u"))), ErrorSums("x", "u"),
    ErrorSums("x", "u", "w", Split("p")),
]  # fmt: skip

numbers = st.one_of(
    st.none(), st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, 1e300, 5e-324]), st.floats(-5, 5)
)
texts = st.one_of(st.none(), st.sampled_from(["a", "b", "", "</script>"]))
moments = st.one_of(st.none(), st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 4)))
rows = st.lists(
    st.tuples(numbers, st.one_of(st.none(), st.floats(0, 1)), numbers, texts, texts, moments), min_size=0, max_size=20
)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    return DuckDatasets(tmp_path_factory.mktemp("home"))


def table(some) -> pa.Table:
    types = {
        "x": pa.float64(),
        "u": pa.float64(),
        "w": pa.float64(),
        "s": pa.string(),
        "p": pa.string(),
        "t": pa.timestamp("us"),
    }
    columns = list(zip(*some, strict=True)) or [[] for _ in types]
    return pa.table(
        {
            name: pa.array(list(c), kind, from_pandas=False)
            for (name, kind), c in zip(types.items(), columns, strict=True)
        }
    )


def agree(one, other, path="") -> None:
    """Counts are equal; sums agree to 1e-9."""
    assert type(one) is type(other), path
    if hasattr(one, "groups"):
        assert sorted(one.groups) == sorted(other.groups), path
        for group in one.groups:
            agree(one.groups[group], other.groups[group], f"{path}[{group!r}]")
    elif hasattr(one, "prediction"):

        def pairs(part):
            champion = part.champion if part.champion is not None else [None] * len(part.n)
            return sorted(zip(part.target, part.prediction, map(str, champion), part.n.tolist(), strict=True))

        assert pairs(one) == pairs(other), path
        assert (one.unlabelled, one.unpredicted) == (other.unlabelled, other.unpredicted), path
    elif hasattr(one, "__dataclass_fields__"):
        for field in one.__dataclass_fields__:
            agree(getattr(one, field), getattr(other, field), f"{path}.{field}")
    elif isinstance(one, np.ndarray) and one.dtype.kind == "f":
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9, err_msg=path)
    elif isinstance(one, np.ndarray):
        assert one.tolist() == other.tolist(), path
    elif isinstance(one, float) and math.isfinite(one):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9), path
    else:
        assert one == other or (one != one and other != other), path


@settings(max_examples=8, deadline=None)
@given(some=rows, cut=st.integers(0, 25), random=st.randoms(use_true_random=False))
def test_parts_of_two_halves_merge_into_the_part_of_the_whole(datasets, some, cut, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    whole = datasets.open_frame(table(some), uri="whole").parts(MERGING)
    halves = [datasets.open_frame(table(half), uri="half").parts(MERGING) for half in (shuffled[:cut], shuffled[cut:])]
    for request in MERGING:
        parts = [half[request] for half in halves]
        assert not any(isinstance(part, Missing) for part in (*parts, whole[request])), request
        agree(merge(request, parts), whole[request], str(request))


@settings(max_examples=4, deadline=None)
@given(some=rows, cuts=st.lists(st.integers(0, 25), max_size=3), random=st.randoms(use_true_random=False))
def test_the_same_rows_in_other_files_and_another_order_give_the_same_parts(
    tmp_path_factory, datasets, some, cuts, random
):
    import pyarrow.parquet as pq

    from gate.domain.dataset import Source

    folder = tmp_path_factory.mktemp("split")
    shuffled = list(some)
    random.shuffle(shuffled)
    edges = [0, *sorted(min(cut, len(some)) for cut in cuts), len(some)]
    for i, (start, end) in enumerate(itertools.pairwise(edges)):
        pq.write_table(table(shuffled[start:end]), folder / f"{i}.parquet")
    requests = [*MERGING, GridOf("x"), DistinctRows(())]
    split = datasets.open(Source(str(folder)), now=dt.datetime(2026, 1, 5, tzinfo=dt.UTC)).parts(requests)
    whole = datasets.open_frame(table(some), uri="whole").parts(requests)
    for request in requests:
        agree(split[request], whole[request], str(request))


def test_what_does_not_merge_says_so(datasets):
    opened = datasets.open_frame(table([(1.0, 0.5, 1.0, "a", "b", None), (2.0, 0.5, 1.0, "b", "b", None)]), uri="f")
    requests = [GridOf("x"), DistinctRows(()), Values("s", cap=1), Bins("x", Grid()), Bins("x", GRID)]
    grid, distinct, cut, one, other = opened.parts(requests).values()
    for request, parts, message in [
        (requests[0], [grid, grid], "answers to GridOf do not merge"),
        (requests[1], [distinct, distinct], "answers to DistinctRows do not merge"),
        (requests[2], [cut, cut], "lists of values of which one was cut do not merge"),
        (requests[3], [one, other], "bins of two grids do not merge"),
    ]:
        with pytest.raises(ValueError) as refused:
            merge(request, parts)
        assert str(refused.value) == message
