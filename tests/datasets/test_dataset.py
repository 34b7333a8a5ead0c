# ruff: noqa: DTZ001, E501  # zoneless times are what is tested; messages are compared in full

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gate.domain.columns import Kind
from gate.domain.evidence import Missing
from gate.domain.part import Values
from gate.errors import DataError


def test_kinds_follow_from_the_storage_type(bench):
    table = pa.table(
        {
            "string": ["a"], "flag": [True], "enum": pa.array(["a"]).dictionary_encode(), "int": pa.array([1], pa.int8()),
            "big": pa.array([1], pa.uint64()), "float": pa.array([1.0], pa.float32()),
            "decimal": pa.array([1], pa.decimal128(10, 2)), "date": [dt.date(2026, 1, 1)],
            "moment": [dt.datetime(2026, 1, 1)], "zoned": pa.array([0], pa.timestamp("us", "UTC")),
            "time": [dt.time(1)], "list": [[1]], "struct": [{"a": 1}], "blob": [b"x"],
        }
    )  # fmt: skip
    bench.parquet("a.parquet", table)
    kinds = {column.name: column.kind for column in bench.open("a.parquet").facts.schema}
    expected = {
        Kind.CATEGORICAL: ["string", "flag", "enum"],
        Kind.NUMERIC: ["int", "big", "float", "decimal"],
        Kind.TIMESTAMP: ["date", "moment", "zoned"],
        Kind.OTHER: ["time", "list", "struct", "blob"],
    }
    assert kinds == {name: kind for kind, names in expected.items() for name in names}


def test_versions_are_texts_the_most_frequent_first(bench):
    bench.parquet("a.parquet", {"v": [2, 2, 3, None], "f": [2.0, 2.0, 2.0, float("nan")], "s": ["2", "2", "2", "x"]})
    opened = bench.open("a.parquet")
    assert opened.versions("v") == ("2", "", "3")
    assert opened.versions("f") == ("2", "")
    assert opened.versions("s") == ("2", "x")
    with pytest.raises(DataError) as refused:
        opened.versions("absent")
    assert str(refused.value) == "a.parquet: there is no column 'absent'"


def test_at_most_ten_versions(bench):
    bench.parquet("a.parquet", {"v": list(range(50))})
    assert len(bench.open("a.parquet").versions("v")) == 10


def test_shared_rows_are_compared_as_text_and_null_equals_null(bench):
    bench.parquet("ref.parquet", {"i": [1, 2, 3], "s": ["a", "b", None], "x": [0.5, None, None]})
    bench.text("cur.csv", "s,i,x\na,1,0.5\na,1,0.5\nb,2,\n,3,\nb,1,0.5\nc,9,1\n")
    reference, current = bench.open("ref.parquet"), bench.open("cur.csv")
    assert current.shared_rows(reference, ("i", "s", "x")) == 4
    assert current.shared_rows(reference, ("i",)) == 5
    assert reference.shared_rows(current, ("i", "s", "x")) == 3
    assert current.shared_rows(current, ("i", "s")) == 6


def test_shared_rows_of_numbers_stored_in_two_ways(bench):
    bench.parquet("ref.parquet", {"x": [1, 2, 3]})
    bench.parquet("cur.parquet", {"x": [1.0, 2.5, float("nan")]})
    assert bench.open("cur.parquet").shared_rows(bench.open("ref.parquet"), ("x",)) == 1


def test_rows_that_cannot_be_compared_are_missing(bench):
    bench.parquet("ref.parquet", {"x": [1], "l": [[1]]})
    bench.parquet("cur.parquet", {"y": [1], "l": [[1]]})
    one, other = bench.open("cur.parquet"), bench.open("ref.parquet")
    assert one.shared_rows(other, ("x",)) == Missing("there is no column 'x'")
    assert one.shared_rows(other, ("y",)) == Missing("there is no column 'y'")
    assert one.shared_rows(other, ("l",)) == Missing("column 'l' is stored as LIST, which is not measured")
    assert one.shared_rows(other, ()) == Missing("there are no columns to compare rows on")


def test_no_rows_share_nothing(bench):
    bench.parquet("ref.parquet", {"x": [1]})
    bench.parquet("cur.parquet", {"x": pa.array([], pa.int64())})
    assert bench.open("cur.parquet").shared_rows(bench.open("ref.parquet"), ("x",)) == 0
    assert bench.open("ref.parquet").shared_rows(bench.open("cur.parquet"), ("x",)) == 0


def test_a_sample_is_the_same_for_the_same_seed_whatever_the_threads(bench):
    from gate.domain.dataset import Source

    path = bench.parquet("a.parquet", {"i": np.arange(20_000), "x": np.arange(20_000.0)}, row_group_size=3000)
    source = Source(str(path))
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    frames = [bench.datasets(threads=n).open(source, now=now).sample(500, 7, ["i"]) for n in (1, 2, 4)]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])
    assert len(frames[0]) == 500
    assert frames[0].i.is_monotonic_increasing, "in the order of the file"
    assert 9_000 < frames[0].i.mean() < 11_000
    opened = bench.datasets().open(source, now=now)
    assert set(opened.sample(500, 8, ["i"]).i) != set(frames[0].i)
    assert opened.sample(500, 7, ["x", "i"]).i.tolist() == frames[0].i.tolist(), "whatever the columns"
    assert len(opened.sample(10**9, 7, ["i"])) == 20_000
    assert len(opened.sample(0, 7, ["i"])) == 0


def test_a_sample_of_an_absent_column_is_refused(bench):
    bench.parquet("a.parquet", {"x": [1]})
    with pytest.raises(DataError) as refused:
        bench.open("a.parquet").sample(1, 0, ["x", "y"])
    assert str(refused.value) == "a.parquet: no column 'y'; there are 'x'"


def test_the_nulls_of_a_target_are_known(bench):
    bench.parquet("a.parquet", {"y": ["a", None, "b"]})
    part = bench.open("a.parquet").parts([Values("y")])[Values("y")]
    assert (part.nulls, part.rows) == (1, 3)


def test_frames_with_names_that_cannot_be_told_apart_are_refused(bench):
    frame = pd.DataFrame([[1, 2]], columns=["x", "x"])
    with pytest.raises(DataError):
        bench.datasets().open_frame(frame, uri="frame")
    with pytest.raises(DataError) as refused:
        bench.datasets().open_frame(pa.table({"x": [1], "X": [2]}), uri="frame")
    assert str(refused.value) == "frame: columns need names that differ in more than their case, got 'X'"
