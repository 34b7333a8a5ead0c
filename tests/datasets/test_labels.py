# ruff: noqa: DTZ001, E501  # zoneless times are what is tested; messages are compared in full

import datetime as dt
from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pytest

from gate.domain.dataset import LateLabels, Window
from gate.domain.part import Confusion, DistinctRows, ErrorSums, Values
from gate.errors import DataError, UsageError

NO_DELAY = timedelta(0)


def labels(bench, delay=NO_DELAY, on="id", name="labels.parquet") -> LateLabels:
    return LateLabels(str(bench.data / name), on, delay)


def targets(opened) -> dict:
    part = opened.parts([Values("y")])[Values("y")]
    return dict(zip(part.values, part.n.tolist(), strict=True)) | ({"null": part.nulls} if part.nulls else {})


def test_labels_are_joined_by_their_key_and_the_rest_is_unlabelled(bench):
    bench.parquet("rows.parquet", {"id": [1, 2, 3, None], "p": ["a", "b", "a", "b"]})
    bench.parquet("labels.parquet", {"id": [3, 1, 99, None], "y": ["a", "b", "c", "d"]})
    opened = bench.open("rows.parquet", labels=labels(bench))
    assert opened.facts.rows == 4
    assert opened.facts.schema.names == ("id", "p", "y")
    assert targets(opened) == {"a": 1, "b": 1, "null": 2}
    part = opened.parts([Confusion("y", "p")])[Confusion("y", "p")]
    assert sorted(zip(part.target, part.prediction, part.n.tolist(), strict=True)) == [("a", "a", 1), ("b", "a", 1)]
    assert part.unlabelled == 2


def test_columns_of_the_rows_are_measured_without_the_join(bench):
    bench.parquet("rows.parquet", {"id": [1, 2], "x": [1.0, 2.0]})
    bench.parquet("labels.parquet", {"id": [1], "y": [1.5]})
    opened = bench.open("rows.parquet", labels=labels(bench))
    parts = opened.parts([Values("x"), ErrorSums("y", "x"), DistinctRows(())])
    assert parts[Values("x")].rows == 2
    assert (parts[ErrorSums("y", "x")].n, parts[ErrorSums("y", "x")].error) == (1, -0.5)
    assert parts[DistinctRows(())] == 2
    assert opened.sample(2, 0, ["id", "y"]).y.isna().tolist() == [False, True]


def test_a_row_may_occur_twice_and_a_label_may_not(bench):
    bench.parquet("rows.parquet", {"id": [1, 1, 2]})
    bench.parquet("labels.parquet", {"id": [1], "y": ["a"]})
    assert targets(bench.open("rows.parquet", labels=labels(bench))) == {"a": 2, "null": 1}
    bench.parquet("labels.parquet", {"id": [1, 1, 2, 2, 3], "y": ["a"] * 5})
    with pytest.raises(DataError) as refused:
        bench.open("rows.parquet", labels=labels(bench))
    assert str(refused.value) == (
        f"{bench.data / 'labels.parquet'}: 2 keys occur more than once in 'id'; a row has one label"
    )


@pytest.mark.parametrize(
    ("until", "labelled"),
    [
        (datetime(2026, 11, 20, tzinfo=UTC), ["a", "b"]),
        (None, ["a", "b", "c"]),
        (datetime(2026, 12, 1, tzinfo=UTC), ["a", "b", "c"]),
    ],
    ids=["as of the end of the window", "as of now", "as of now where the end lies ahead"],
)
def test_rows_younger_than_the_delay_stay_unlabelled(bench, until, labelled):
    times = [
        datetime(2026, 11, 12),
        datetime(2026, 11, 13),  # exactly seven days before the end of the window
        datetime(2026, 11, 15, 12),  # exactly seven days before now
        datetime(2026, 11, 15, 12, 0, 0, 1),
    ]
    bench.parquet("rows.parquet", {"id": [1, 2, 3, 4], "t": times})
    bench.parquet("labels.parquet", {"id": [1, 2, 3, 4], "y": list("abcd")})
    late = labels(bench, timedelta(days=7))
    opened = bench.open("rows.parquet", labels=late, window=Window("t", timedelta(days=30), until))
    assert [value for value in targets(opened) if value != "null"] == labelled
    assert opened.facts.rows == 4


def test_the_time_of_a_row_may_be_named_without_a_window(bench):
    bench.parquet("rows.parquet", {"id": [1, 2], "t": [datetime(2026, 11, 1), None]})
    bench.parquet("labels.parquet", {"id": [1, 2], "y": ["a", "b"]})
    late = labels(bench, timedelta(days=7))
    assert targets(bench.open("rows.parquet", labels=late, timestamp="t")) == {"a": 1, "null": 1}
    with pytest.raises(UsageError) as refused:
        bench.open("rows.parquet", labels=late)
    assert str(refused.value) == (
        "rows.parquet: labels have a delay, and nothing says how old a row is; "
        "name the time column (data.columns.timestamp, or the window of data.current)"
    )


def test_whole_keys_match_decimal_ones_exactly(bench):
    big = 2**53
    bench.parquet("rows.parquet", {"id": pa.array([1, big, big + 1], pa.int64())})
    bench.parquet("labels.parquet", {"id": [1.0, float(big)], "y": ["one", "big"]})
    assert targets(bench.open("rows.parquet", labels=labels(bench))) == {"one": 1, "big": 1, "null": 1}


def test_nan_is_no_key(bench):
    bench.parquet("rows.parquet", {"id": [1.0, float("nan")]})
    bench.parquet("labels.parquet", {"id": [1.0, float("nan"), float("nan")], "y": ["a", "b", "c"]})
    assert targets(bench.open("rows.parquet", labels=labels(bench))) == {"a": 1, "null": 1}


@pytest.mark.parametrize(
    ("rows", "late", "message"),
    [
        ({"id": [1]}, {"id": ["1"], "y": [1]}, "{l}: the labels are joined on 'id', which is VARCHAR in them and BIGINT in the data"),
        ({"id": [1]}, {"id": [dt.date(2026, 1, 1)], "y": [1]}, "{l}: the labels are joined on 'id', which is DATE in them and BIGINT in the data"),
        ({"id": [[1]]}, {"id": [[1]], "y": [1]}, "{l}: the labels are joined on 'id', which is LIST in them and LIST in the data"),
        ({"x": [1]}, {"id": [1], "y": [1]}, "rows.parquet: the data have no column 'id' to join the labels on"),
        ({"id": [1]}, {"key": [1], "y": [1]}, "{l}: the labels have no column 'id' to join the labels on"),
        ({"id": [1]}, {"id": [1]}, "{l}: the labels have no column besides 'id'"),
        ({"id": [1], "y": [0], "z": [1]}, {"id": [1], "y": [1], "Z": [1]}, "{l}: the labels and the data both have 'y', 'Z'; labels bring 'id' and columns that the data lacks"),
    ],
)  # fmt: skip
def test_labels_that_do_not_fit_are_refused_in_words(bench, rows, late, message):
    bench.parquet("rows.parquet", rows)
    bench.parquet("labels.parquet", late)
    with pytest.raises(DataError) as refused:
        bench.open("rows.parquet", labels=labels(bench))
    assert str(refused.value) == message.format(l=bench.data / "labels.parquet")


def test_missing_labels_are_an_error_and_empty_ones_are_none(bench):
    bench.parquet("rows.parquet", {"id": [1]})
    with pytest.raises(DataError, match="no such file"):
        bench.open("rows.parquet", labels=labels(bench))
    bench.parquet("labels.parquet", {"id": pa.array([], pa.int64()), "y": pa.array([], pa.string())})
    assert targets(bench.open("rows.parquet", labels=labels(bench))) == {"null": 1}


@pytest.mark.parametrize("key", [1, "r1", dt.date(2026, 1, 1)])
def test_labels_without_a_row_label_nothing_yet_whatever_their_types(bench, key):
    bench.parquet("rows.parquet", {"id": [key]})
    bench.text("labels.csv", "id,y\n")
    bench.parquet("labels.parquet", {"id": pa.array([], pa.null()), "y": pa.array([], pa.null())})
    for name in ("labels.csv", "labels.parquet"):
        opened = bench.open("rows.parquet", labels=labels(bench, name=name))
        assert opened.facts.schema.names == ("id", "y")
        assert targets(opened) == {"null": 1}


def test_labels_without_a_row_need_their_columns(bench):
    bench.parquet("rows.parquet", {"id": [1]})
    bench.text("labels.csv", "key,y\n")
    with pytest.raises(DataError, match="the labels have no column 'id' to join the labels on"):
        bench.open("rows.parquet", labels=labels(bench, name="labels.csv"))


def test_csv_rows_and_csv_labels(bench):
    bench.text("rows.csv", "id,p\nr1,a\nr2,b\n")
    bench.text("labels.csv", "id,y\nr2,b\n")
    assert targets(bench.open("rows.csv", labels=labels(bench, name="labels.csv"))) == {"b": 1, "null": 1}


def test_labels_and_their_delay_are_part_of_the_digest(bench):
    frame = pd.DataFrame({"id": [1], "t": [datetime(2026, 11, 1)]})
    bench.parquet("rows.parquet", frame)
    bench.parquet("labels.parquet", {"id": [1], "y": ["a"]})
    window = Window("t", timedelta(days=30), datetime(2026, 11, 20, tzinfo=UTC))
    digests = {
        bench.open("rows.parquet", window=window).facts.digest,
        bench.open("rows.parquet", window=window, labels=labels(bench)).facts.digest,
        bench.open("rows.parquet", window=window, labels=labels(bench, timedelta(days=1))).facts.digest,
    }
    bench.parquet("labels.parquet", {"id": [1], "y": ["b"]})
    digests.add(bench.open("rows.parquet", window=window, labels=labels(bench)).facts.digest)
    assert len(digests) == 4


def test_a_label_column_named_like_the_relations(bench):
    bench.parquet("rows.parquet", {"labels": [1, 2], "data": ["a", "b"]})
    bench.parquet("labels.parquet", {"labels": [2], "y": ["t"], "label_key": [0]})
    opened = bench.open("rows.parquet", labels=labels(bench, on="labels"))
    assert targets(opened) == {"t": 1, "null": 1}
