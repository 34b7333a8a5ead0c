"""Parts against numpy and pandas, on columns chosen to hurt."""

# ruff: noqa: DTZ001, E501  # zoneless times are what is tested; messages are compared in full

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gate.domain.evidence import Missing
from gate.domain.part import (
    NULL_GROUP,
    Bins,
    DistinctRows,
    ExactValues,
    Grid,
    GridOf,
    Histogram,
    OutsideCount,
    PatternCount,
    Split,
    Timeline,
    Values,
)
from gate.statistics.parts import BinCounts, SplitParts, ValueCounts

RNG = np.random.default_rng(7)
N = 4000
NUMBERS = {
    "normal": RNG.normal(5, 2, N),
    "heavy": RNG.standard_t(1, N) * 100,
    "integer": RNG.integers(-5, 6, N),
    "extreme": np.array([np.nan, np.inf, -np.inf, 1e300, -1e300, 5e-324, 0.0, -0.0, 1.5, 1e-300] * (N // 10)),
    "limits": np.array([2**63 - 1, -(2**63), 0, 1] * (N // 4)),
    "gaps": np.where(RNG.random(N) < 0.2, np.nan, RNG.normal(size=N)),  # NaN, and nothing infinite to betray it
    "constant": np.full(N, 3.25),
    "shifted": 1e6 + RNG.normal(0, 1e-3, N),
    "float32": RNG.normal(0, 1, N).astype(np.float32),
    "flag": RNG.random(N) < 0.3,
    "none": np.full(N, np.nan),
}
HOSTILE = [
    'we"ird',
    "</script><script>",
    '"; drop table data; --',
    "v",
    "x",
    "k",
    "b",
    "n",
    "data",
    "g",
    "select",
    "a'b",
    "two\nlines",
    "tab\t",
    "ünï ☃",
    "a.b",
    "$x",
    "%s",
    " ",
    "nul\0",
]


@pytest.fixture
def opened(bench):
    arrays = {name: pa.array(values) for name, values in NUMBERS.items()}
    arrays["nulls"] = pa.array(np.arange(N, dtype=float), mask=np.arange(N) % 3 == 0)
    bench.parquet("a.parquet", arrays, row_group_size=1000)
    return bench.open("a.parquet")


def expected_bins(values, grid):
    x = np.asarray(values, dtype=float)
    x = x[np.isfinite(x)]
    with np.errstate(over="ignore"):
        d = x - grid.centre
        z = d / grid.scale
        asinh = np.where(np.abs(z) > 1e154, np.sign(z) * 720, np.arcsinh(z))  # where z * z overflows all is one bin
        b = np.floor(asinh * grid.resolution).astype(int)
    return b, d


@pytest.mark.parametrize("name", NUMBERS)
def test_bins_are_those_of_numpy(opened, name):
    values = np.asarray(NUMBERS[name], dtype=float)
    fitted = opened.parts([GridOf(name)])[GridOf(name)]
    for grid in (Grid(), fitted, Grid(2.5, 0.1, 100)):
        part = opened.parts([Bins(name, grid)])[Bins(name, grid)]
        b, d = expected_bins(values, grid)
        assert part.finite == len(b)
        # asinh written two ways may differ in the last bits: a value on an edge may fall on its other side
        mine = np.repeat(part.b, part.n)
        assert np.abs(mine - np.sort(b)).max(initial=0) <= 1
        assert name not in ("normal", "float32") or (mine != np.sort(b)).mean() < 0.001
        assert part.nulls == 0
        assert part.nans == np.isnan(values).sum()
        assert part.plus_inf == np.isposinf(values).sum()
        assert part.minus_inf == np.isneginf(values).sum()
        assert part.rows == N
        assert part.is_integer is (name in ("integer", "limits", "flag"))
        assert list(part.b) == sorted(set(part.b))
        assert (part.n > 0).all()
        assert (part.lo <= part.hi).all()
        if len(d):
            with np.errstate(over="ignore"):
                assert part.smallest == pytest.approx(grid.centre + d.min(), rel=1e-15)
                assert part.largest == pytest.approx(grid.centre + d.max(), rel=1e-15)
                np.testing.assert_allclose(part.s.sum(), d.sum(), rtol=1e-9, atol=1e-9 * np.abs(d).sum())
                np.testing.assert_allclose(part.q.sum(), (d * d).sum(), rtol=1e-9)


def test_nulls_and_nans_are_counted_apart(opened):
    part = opened.parts([Bins("nulls", Grid())])[Bins("nulls", Grid())]
    assert (part.nulls, part.nans, part.missing) == (1334, 0, 1334)


def test_the_grid_is_median_and_interquartile_range(opened):
    parts = opened.parts([GridOf(name) for name in NUMBERS])
    x = NUMBERS["normal"]
    low, median, high = np.quantile(x, (0.25, 0.5, 0.75))
    assert parts[GridOf("normal")] == Grid(median, (high - low) / 1.349)
    assert parts[GridOf("constant")] == Grid(3.25, 1.0)
    assert parts[GridOf("none")] == Grid()
    flags = NUMBERS["flag"].astype(float)
    assert parts[GridOf("flag")].centre == np.median(flags)
    for part in parts.values():
        assert np.isfinite([part.centre, part.scale]).all()
        assert part.scale > 0


def test_a_grid_of_zero_range_takes_the_standard_deviation(bench):
    x = np.r_[np.zeros(80), np.arange(20.0)]
    bench.parquet("a.parquet", {"x": x})
    assert bench.open("a.parquet").parts([GridOf("x")])[GridOf("x")] == Grid(0.0, float(np.std(x)))


def test_a_large_reference_is_fitted_from_every_nth_block(bench, monkeypatch):
    from gate.datasets.parts import grid

    monkeypatch.setattr(grid, "SAMPLE_ROWS", 10_000)
    x = RNG.normal(10, 3, 200_000)
    bench.parquet("a.parquet", {"x": x}, row_group_size=50_000)
    first = bench.open("a.parquet").parts([GridOf("x")])[GridOf("x")]
    assert first == bench.open("a.parquet").parts([GridOf("x")])[GridOf("x")]
    assert first.centre == pytest.approx(10, abs=0.2)
    assert first.scale == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_names(bench, name):
    bench.parquet("a.parquet", {name: [1.0, 2.0, None], "other": [1, 2, 3]})
    opened = bench.open("a.parquet")
    bins, values, split = Bins(name, Grid()), Values(name), Values("other", split=Split(name))
    parts = opened.parts([bins, values, split, DistinctRows((name,))])
    assert (parts[bins].finite, parts[bins].nulls) == (2, 1)
    assert list(parts[values].values) == ["1", "2"]
    assert set(parts[split].groups) == {"1", "2", NULL_GROUP}
    assert parts[DistinctRows((name,))] == 3
    assert list(opened.sample(3, 0, [name]).columns) == [name]


def test_one_bad_column_never_breaks_the_others(bench):
    bench.parquet("a.parquet", {"x": [1.0, 2.0], "text": ["1", "abc"], "good": ["1.5", "2"]})
    opened = bench.open("a.parquet")
    requests = [Bins(name, Grid()) for name in ("x", "text", "good", "absent")]
    requests += [Values("absent"), GridOf("text"), GridOf("x"), Timeline("x", 60), OutsideCount("text", 0, 1)]
    parts = opened.parts(requests)
    assert list(parts) == requests
    assert parts[Bins("x", Grid())].finite == 2
    assert parts[Bins("good", Grid())].mean == 1.75
    assert parts[Bins("text", Grid())] == Missing(
        "Bins of 'text' cannot be computed: Conversion Error: Could not convert string 'abc' to DOUBLE"
    )
    assert parts[Bins("absent", Grid())] == Missing("there is no column 'absent'")
    assert parts[Values("absent")] == Missing("there is no column 'absent'")
    assert parts[Timeline("x", 60)] == Missing("column 'x' is stored as DOUBLE, which is no time")
    assert isinstance(parts[GridOf("text")], Missing)
    assert parts[GridOf("x")].centre == 1.5
    assert isinstance(parts[OutsideCount("text", 0, 1)], Missing)


def test_many_columns_run_in_batches(bench, monkeypatch):
    monkeypatch.setattr("gate.datasets.parts.plan.MOST_ARMS", 10)
    columns = {f"c{i}": [float(i), None, 2.0 * i] for i in range(23)}
    bench.parquet("a.parquet", columns)
    opened = bench.open("a.parquet")
    parts = opened.parts([Bins(name, Grid()) for name in columns])
    assert all(part.smallest == float(name.column[1:]) for name, part in parts.items())
    assert len(bench.scans) == 3


def times(unit, zone=None):
    stamps = [dt.datetime(2026, 1, 1, 12), dt.datetime(2026, 1, 2), None, dt.datetime(2026, 1, 1, 13, 0, 0, 500000)]
    return pa.array(stamps, pa.timestamp("us")).cast(pa.timestamp(unit, zone), safe=False)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_times_are_microseconds_in_utc(bench, unit, zone):
    bench.parquet("a.parquet", {"t": times(unit, zone)})
    part = bench.open("a.parquet").parts([Bins("t", Grid())])[Bins("t", Grid())]
    assert part.smallest == dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC).timestamp() * 1e6
    assert part.largest == dt.datetime(2026, 1, 2, tzinfo=dt.UTC).timestamp() * 1e6
    assert part.nulls == 1


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_a_timeline_counts_stretches(bench, zone):
    bench.parquet("a.parquet", {"t": times("us", zone)})
    part = bench.open("a.parquet").parts([Timeline("t", 3600)])[Timeline("t", 3600)]
    noon = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC).timestamp()
    assert part.first.tolist() == [noon, noon + 3600.5, noon + 12 * 3600]
    assert part.last.tolist() == part.first.tolist()
    assert (part.n.tolist(), part.nulls) == ([1, 1, 1], 1)


def test_a_timeline_reads_dates_and_iso_texts(bench):
    days = [dt.date(2026, 1, 1), dt.date(2026, 1, 1), dt.date(2026, 1, 3), None]
    texts = ["2026-01-01T00:00:00Z", "2026-01-01", "2026-01-03 02:00:00+02:00", None]
    bench.parquet("a.parquet", {"d": days, "t": texts, "bad": ["soon", None, None, None]})
    parts = bench.open("a.parquet").parts([Timeline(name, 86400) for name in ("d", "t", "bad")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    for name in ("d", "t"):
        part = parts[Timeline(name, 86400)]
        assert part.first.tolist() == [start, start + 2 * 86400]
        assert (part.n.tolist(), part.nulls) == ([2, 1], 1)
    assert isinstance(parts[Timeline("bad", 86400)], Missing)


def test_infinite_times_are_infinities_and_have_no_day(bench, now):
    import duckdb

    duckdb.sql(
        "COPY (SELECT * FROM (VALUES (TIMESTAMP 'infinity'), (TIMESTAMP '-infinity'), (TIMESTAMP '2026-01-01'), (NULL)) t(t)) "
        f"TO '{bench.data / 'a.parquet'}'"
    )
    opened = bench.open("a.parquet")
    parts = opened.parts([Bins("t", Grid()), Timeline("t", 60), Values("t", split=Split("t", "day"))])
    bins, timeline = parts[Bins("t", Grid())], parts[Timeline("t", 60)]
    assert (bins.plus_inf, bins.minus_inf, bins.finite, bins.nulls) == (1, 1, 1, 1)
    assert (timeline.n.tolist(), timeline.nulls) == ([1], 3)
    assert set(parts[Values("t", split=Split("t", "day"))].groups) == {"2026-01-01", ""}


TEXTS = {
    "text": ["a", "b", "", "a", None, "</script>"],
    "flag": [True, False, True, True, None, False],
    "integer": [1, 2, 2, -3, None, 10**15],
    "double": [1.0, 2.0, 2.0, -3.0, None, 1e15],
    "nan": [1.5, float("nan"), float("nan"), float("inf"), None, 0.1],
    "decimal": [decimal.Decimal("1.00"), decimal.Decimal("1.50"), None, decimal.Decimal("-0.10"), None, None],
    "whole_decimal": pa.array([decimal.Decimal(100), None, None, None, None, None], pa.decimal128(10, 0)),
    "day": [dt.date(2026, 1, 1), None, None, None, None, None],
    "moment": [dt.datetime(2026, 1, 1, 12), dt.datetime(2026, 1, 1, 12, 0, 0, 500000), None, None, None, None],
    "zone": pa.array([dt.datetime(2026, 1, 1, 12)] * 6, pa.timestamp("us", "Asia/Tokyo")),
    "category": pa.array(["x", "y", "x", None, None, None]).dictionary_encode(),
    "float32": pa.array([0.1, 0.5, 2.0, None, None, None], pa.float32()),
    "big": pa.array([2**64 - 1, None, None, None, None, None], pa.uint64()),
    "zero": [0.0, -0.0, 0.0, None, None, None],
}


@pytest.mark.parametrize(
    ("name", "expected", "nulls"),
    [
        ("text", [("a", 2), ("", 1), ("</script>", 1), ("b", 1)], 1),
        ("flag", [("true", 3), ("false", 2)], 1),
        ("integer", [("2", 2), ("-3", 1), ("1", 1), ("1000000000000000", 1)], 1),
        ("double", [("2", 2), ("-3", 1), ("1", 1), ("1000000000000000", 1)], 1),
        ("nan", [("0.1", 1), ("1.5", 1), ("inf", 1)], 3),
        ("decimal", [("-0.1", 1), ("1", 1), ("1.5", 1)], 3),
        ("whole_decimal", [("100", 1)], 5),
        ("day", [("2026-01-01", 1)], 5),
        ("moment", [("2026-01-01 12:00:00", 1), ("2026-01-01 12:00:00.5", 1)], 4),
        ("zone", [("2026-01-01 12:00:00", 6)], 0),
        ("category", [("x", 2), ("y", 1)], 3),
        ("float32", [("0.1", 1), ("0.5", 1), ("2", 1)], 3),
        ("big", [("18446744073709551615", 1)], 5),
        ("zero", [("0", 3)], 3),
    ],
)
def test_values_have_one_spelling_whatever_they_are_stored_as(bench, name, expected, nulls):
    bench.parquet("a.parquet", TEXTS)
    part = bench.open("a.parquet").parts([Values(name)])[Values(name)]
    assert list(zip(part.values, part.n.tolist(), strict=True)) == expected
    assert (part.nulls, part.total, part.distinct) == (nulls, 6 - nulls, len(expected))
    assert not part.is_cut


def test_a_cut_list_keeps_the_most_frequent_and_says_so(bench):
    values = [f"v{i:03d}" for i in range(100) for _ in range(1 + i // 10)] + [None] * 5
    bench.parquet("a.parquet", {"s": values})
    opened = bench.open("a.parquet")
    part = opened.parts([Values("s", cap=3)])[Values("s", cap=3)]
    assert list(part.values) == ["v090", "v091", "v092"]
    assert (part.total, part.distinct, part.nulls, part.is_cut) == (550, 100, 5, True)
    assert not opened.parts([Values("s", cap=100)])[Values("s", cap=100)].is_cut


def test_only_the_values_that_were_asked_for(bench):
    bench.parquet("a.parquet", {"s": ["a", "a", "b", "c", None]})
    request = Values("s", only=("c", "a", "zz"))
    part = bench.open("a.parquet").parts([request])[request]
    assert dict(zip(part.values, part.n.tolist(), strict=True)) == {"a": 2, "c": 1, "zz": 0}
    assert (part.total, part.distinct, part.nulls) == (4, 3, 1)


def test_the_totals_are_true_where_nothing_that_was_asked_for_occurs(bench):
    bench.parquet("a.parquet", {"s": ["a", "a", "b", None], "g": ["u", "u", "v", "v"], "f": ["a", "a", "b", "c"]})
    asked = [Values("f", only=("zz",)), Values("s", only=("zz",)), Values("s", only=("a",), split=Split("g"))]
    full, holed, split = bench.open("a.parquet").parts(asked).values()
    assert (full.values.tolist(), full.n.tolist()) == (["zz"], [0])
    assert (full.total, full.distinct, full.nulls) == (4, 3, 0)
    assert (holed.values.tolist(), holed.n.tolist()) == (["zz"], [0])
    assert (holed.total, holed.distinct, holed.nulls) == (3, 2, 1)
    assert list(split.groups) == ["u", "v"]
    assert (split.groups["v"].values.tolist(), split.groups["v"].n.tolist()) == (["a"], [0])
    assert (split.groups["v"].total, split.groups["v"].distinct, split.groups["v"].nulls) == (1, 1, 1)
    empty = bench.open("a.parquet").parts([Values("f", only=())])[Values("f", only=())]
    assert (empty.values.tolist(), empty.total, empty.distinct) == ([], 4, 3)


def test_a_split_gives_every_group_its_part(bench):
    frame = pd.DataFrame(
        {
            "x": [1.0, 2.0, 3.0, np.nan, 5.0],
            "s": ["a", "b", "a", None, "a"],
            "by": ["u", "u", "w", None, None],
            "t": pd.to_datetime(["2026-01-01T23:59", "2026-01-01T00:00", "2026-01-02T00:00", "2026-01-02T00:00", None]),
        }
    )
    bench.parquet("a.parquet", frame)
    requests = [
        Bins("x", Grid(), Split("by")), Values("s", split=Split("by")), Values("s", cap=1, split=Split("by")),
        Bins("x", Grid(), Split("t", "day")),
    ]  # fmt: skip
    bins, values, cut, days = bench.open("a.parquet").parts(requests).values()
    assert isinstance(bins, SplitParts)
    assert {g: (p.finite, p.missing) for g, p in bins.groups.items()} == {"u": (2, 0), "w": (1, 0), NULL_GROUP: (1, 1)}
    assert {g: dict(zip(p.values, p.n.tolist(), strict=True)) for g, p in values.groups.items()} == {
        "u": {"a": 1, "b": 1},
        "w": {"a": 1},
        NULL_GROUP: {"a": 1},
    }
    assert values.groups[NULL_GROUP].nulls == 1
    assert (list(cut.groups["u"].values), cut.groups["u"].distinct) == (["a"], 2)
    assert {g: p.rows for g, p in days.groups.items()} == {"2026-01-01": 2, "2026-01-02": 2, "": 1}


def test_a_split_by_a_key_is_refused_before_it_costs_anything(bench):
    bench.parquet("a.parquet", {"key": list(range(1001)), "few": [i % 1000 for i in range(1001)], "x": [1.0] * 1001})
    opened = bench.open("a.parquet")
    by_key, by_few = Bins("x", Grid(), Split("key")), Bins("x", Grid(), Split("few"))
    parts = opened.parts([by_key, by_few])
    assert parts[by_key] == Missing("column 'key' has more than 1,000 values, too many to split by")
    assert len(parts[by_few].groups) == 1000
    absent = Bins("x", Grid(), Split("absent"))
    assert opened.parts([absent])[absent] == Missing("there is no column 'absent'")


def test_a_split_of_no_rows_has_no_groups(bench):
    bench.parquet("a.parquet", {"x": pa.array([], pa.float64()), "g": pa.array([], pa.string())})
    request = Bins("x", Grid(), Split("g"))
    assert bench.open("a.parquet").parts([request])[request].groups == {}


def test_exact_values_and_histograms_are_those_of_numpy(opened):
    for name in ("normal", "integer", "extreme", "gaps", "flag"):
        x = np.asarray(NUMBERS[name], dtype=float)
        x = x[np.isfinite(x)]
        exact = opened.parts([ExactValues(name)])[ExactValues(name)]
        values, counts = np.unique(x, return_counts=True)
        assert exact.x.tolist() == values.tolist()
        assert exact.n.tolist() == counts.tolist()
        edges = (-1.0, 0.0, 1.5, 1.5, 4.0, 1e300)
        found = opened.parts([Histogram(name, edges)])[Histogram(name, edges)]
        assert found.tolist() == np.histogram(x, edges)[0].tolist()


@pytest.mark.parametrize("edges", [(), (1.0,), (2.0, 1.0), (0.0, float("inf")), (float("nan"), 1.0)])
def test_a_histogram_without_sound_edges_is_missing(opened, edges):
    request = Histogram("normal", edges)
    assert opened.parts([request])[request] == Missing(
        "the edges of a histogram must be finite and ascending, two at least"
    )


def test_distinct_rows(bench):
    bench.parquet("a.parquet", {"x": [1.0, 1.0, float("nan"), None, None], "s": ["a", "a", "b", "b", None]})
    opened = bench.open("a.parquet")
    requests = [DistinctRows(()), DistinctRows(("x",)), DistinctRows(("s",)), DistinctRows(("zz",))]
    assert list(opened.parts(requests).values()) == [3, 2, 3, Missing("there is no column 'zz'")]


@pytest.mark.parametrize("name", ["extreme", "gaps"])
def test_values_outside_a_range(opened, name):
    x = NUMBERS[name]
    for low, high in ((0.0, 1.0), (None, 0.0), (0.0, None), (None, None)):
        request = OutsideCount(name, low, high)
        inside = np.isfinite(x) & (x >= (-np.inf if low is None else low)) & (x <= (np.inf if high is None else high))
        assert opened.parts([request])[request] == (~np.isnan(x) & ~inside).sum()


def test_nan_is_missing_even_where_the_footer_hides_it(bench):
    bench.parquet("a.parquet", {"x": [0.0, 1.0, float("nan")], "y": pa.array([0.0, 1.0, float("nan")], pa.float32())})
    opened = bench.open("a.parquet")
    for name in ("x", "y"):
        parts = opened.parts(
            [Bins(name, Grid()), Values(name), Values(name, split=Split(name)), OutsideCount(name, 0, 1)]
        )
        bins, values, split, outside = parts.values()
        assert (bins.finite, bins.nans) == (2, 1)
        assert (list(values.values), values.nulls) == (["0", "1"], 1)
        assert set(split.groups) == {"0", "1", NULL_GROUP}
        assert outside == 0


def test_the_ends_of_a_range_are_inside(bench):
    bench.parquet("a.parquet", {"x": [0.0, 1.0, 1.0 + 2**-52, -5e-324, None]})
    request = OutsideCount("x", 0.0, 1.0)
    assert bench.open("a.parquet").parts([request])[request] == 2


def test_patterns(bench):
    bench.parquet("a.parquet", {"s": ["a@b.de", "x", "it's \\d", None, "A@B.DE"], "n": [1, 12, 2, None, 1]})
    opened = bench.open("a.parquet")
    requests = {
        PatternCount("s", r"[a-z]@[a-z]"): 1,
        PatternCount("s", r"(?i)[a-z]@[a-z]"): 2,
        PatternCount("s", r"it's \\d$"): 1,
        PatternCount("n", "^1"): 3,
        PatternCount("s", "^(a+)+$"): 0,
    }
    assert opened.parts(requests) == requests
    broken = PatternCount("s", "(")
    assert isinstance(opened.parts([broken])[broken], Missing)


def test_a_part_asked_twice_is_computed_once(opened, bench):
    opened.parts([Values("integer"), Values("integer")])
    assert len(bench.scans) == 1
    opened.parts([Values("integer")])
    assert len(bench.scans) == 1


def test_a_frame_and_an_arrow_table_have_parts_without_a_digest(bench):
    frame = pd.DataFrame({"x": [1.0, np.nan], "c": pd.Categorical(["u", "w"])})
    for rows in (frame, pa.Table.from_pandas(frame)):
        opened = bench.datasets().open_frame(rows, uri="frame")
        assert opened.facts.digest == "none"
        assert opened.facts.rows == 2
        parts = opened.parts([Bins("x", Grid()), Values("c")])
        assert isinstance(parts[Bins("x", Grid())], BinCounts)
        assert isinstance(parts[Values("c")], ValueCounts)
        assert parts[Bins("x", Grid())].missing == 1
        assert len(opened.sample(5, 0, ["x", "c"])) == 2
