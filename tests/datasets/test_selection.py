# ruff: noqa: DTZ001  # zoneless times are what is tested; messages are compared in full

import datetime as dt
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from gate.domain.dataset import Window
from gate.domain.part import Timeline, Values
from gate.errors import DataError

WEEK = timedelta(days=7)
UNTIL = datetime(2026, 11, 20, tzinfo=UTC)


def names(opened) -> list[str]:
    return sorted(opened.parts([Values("name")])[Values("name")].values)


def moments(zone=None):
    edge = datetime(2026, 11, 13)
    stamps = {
        "at the old end": edge,
        "just inside": edge + timedelta(microseconds=1),
        "at the new end": datetime(2026, 11, 20),
        "just after": datetime(2026, 11, 20, 0, 0, 0, 1),
        "never": None,
    }
    return {"name": list(stamps), "t": pa.array(list(stamps.values()), pa.timestamp("us", zone))}


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("unit", ["us", "ns"])
def test_a_window_is_open_at_its_old_end_and_closed_at_its_new_one(bench, zone, unit):
    columns = moments(zone)
    columns["t"] = columns["t"].cast(pa.timestamp(unit, zone))
    bench.parquet("a.parquet", columns)
    opened = bench.open("a.parquet", window=Window("t", WEEK, UNTIL))
    assert names(opened) == ["at the new end", "just inside"]
    assert opened.facts.rows == 2
    assert (opened.facts.since, opened.facts.until) == (datetime(2026, 11, 13, tzinfo=UTC), UNTIL)


def test_a_window_without_an_end_ends_now(bench, now):
    bench.parquet("a.parquet", {"name": ["new", "old"], "t": [now.replace(tzinfo=None), datetime(2026, 11, 15, 12)]})
    opened = bench.open("a.parquet", window=Window("t", WEEK))
    assert opened.facts.until == now
    assert opened.facts.since == datetime(2026, 11, 15, 12, tzinfo=UTC)
    assert names(opened) == ["new"]


def test_an_end_in_another_zone_is_the_same_moment(bench):
    bench.parquet("a.parquet", moments())
    tokyo = dt.timezone(timedelta(hours=9))
    other = bench.open("a.parquet", window=Window("t", WEEK, UNTIL.astimezone(tokyo)))
    assert other.facts == bench.open("a.parquet", window=Window("t", WEEK, UNTIL)).facts


def test_dates_are_their_midnights_and_iso_texts_are_times(bench):
    end_of_day = datetime(2026, 11, 20, 23, 59, 59, 999999, tzinfo=UTC)
    days = [dt.date(2026, 11, 13), dt.date(2026, 11, 14), dt.date(2026, 11, 20), dt.date(2026, 11, 21), None]
    texts = ["2026-11-13", "2026-11-14T00:00:00Z", "2026-11-20 12:00", "2026-11-21T01:00:00+02:00", None]
    bench.parquet("a.parquet", {"name": list("abcde"), "d": days, "t": texts})
    for column in ("d", "t"):
        opened = bench.open("a.parquet", window=Window(column, WEEK, end_of_day))
        assert names(opened) == {"d": ["b", "c"], "t": ["b", "c", "d"]}[column]


def test_csv_times_work_as_a_window(bench):
    bench.text("a.csv", "name,t\na,2026-11-13T00:00:00\nb,2026-11-19T00:00:00\nc,\n")
    assert names(bench.open("a.csv", window=Window("t", WEEK, UNTIL))) == ["b"]


@pytest.mark.parametrize(
    ("columns", "column", "message"),
    [
        ({"x": [1.0]}, "t", "a.parquet: there is no column 't' to tell the time by; there are 'x'"),
        ({"t": [1.0]}, "t", "a.parquet: column 't' is stored as DOUBLE, which is no time"),
        ({"t": [True]}, "t", "a.parquet: column 't' is stored as BOOLEAN, which is no time"),
        ({"t": ["2026-11-15", "yesterday"]}, "t", "a.parquet: column 't' is no time: 'yesterday' is not ISO 8601"),
        ({"t": [[1]]}, "t", "a.parquet: column 't' is stored as LIST, which is no time"),
    ],
)
def test_a_window_over_no_time_is_refused_in_words(bench, columns, column, message):
    bench.parquet("a.parquet", columns)
    with pytest.raises(DataError) as refused:
        bench.open("a.parquet", window=Window(column, WEEK, UNTIL))
    assert str(refused.value) == message


def test_an_empty_window_opens_and_has_no_rows(bench):
    bench.parquet("a.parquet", moments())
    opened = bench.open("a.parquet", window=Window("t", WEEK, datetime(2020, 1, 1, tzinfo=UTC)))
    assert opened.facts.rows == 0
    assert opened.parts([Values("name")])[Values("name")].rows == 0
    assert len(opened.parts([Timeline("t", 60)])[Timeline("t", 60)].n) == 0


def test_a_window_that_begins_before_time_is_refused(bench):
    bench.parquet("a.parquet", moments())
    with pytest.raises(DataError, match="the window begins before the year 1"):
        bench.open("a.parquet", window=Window("t", timedelta(days=10**6), UNTIL))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 99])
def test_the_last_rows_are_those_at_the_end_of_the_file(bench, count):
    bench.parquet("a.parquet", {"name": list("abcde")}, row_group_size=2)
    opened = bench.open("a.parquet", last_rows=count)
    assert names(opened) == list("abcde")[-count:]
    assert opened.facts.rows == min(count, 5)


@pytest.mark.parametrize("count", [1, 99])
def test_the_last_rows_of_several_files_need_a_time(bench, count):
    bench.parquet("d/1.parquet", {"name": ["a", "b"], "t": [datetime(2026, 11, 3), datetime(2026, 11, 1)]})
    bench.parquet("d/2.parquet", {"name": ["c"], "t": [datetime(2026, 11, 2)]})
    with pytest.raises(DataError) as refused:
        bench.open("d", last_rows=count)
    assert str(refused.value) == (
        "d: nothing says which rows of 2 files are the last; name the time column (data.columns.timestamp)"
    )
    assert names(bench.open("d", last_rows=2, timestamp="t")) == ["a", "c"]
    assert bench.open("d/1.parquet", last_rows=count).facts.rows == min(count, 2)


def test_the_last_rows_of_a_csv_file(bench):
    bench.text("a.csv", "name\na\nb\nc\n")
    assert names(bench.open("a.csv", last_rows=2)) == ["b", "c"]


def test_the_last_rows_by_time_are_the_newest_and_ties_go_to_the_later_row(bench):
    day = datetime(2026, 11, 1)
    times = [day + timedelta(days=5), day, day, None, day + timedelta(days=9)]
    bench.parquet("a.parquet", {"name": list("abcde"), "t": times})
    newest = {n: names(bench.open("a.parquet", last_rows=n, timestamp="t")) for n in (1, 2, 3, 4, 5)}
    assert newest == {1: ["e"], 2: ["a", "e"], 3: ["a", "c", "e"], 4: ["a", "b", "c", "e"], 5: list("abcde")}
    assert bench.open("a.parquet", last_rows=3, timestamp="t").facts.rows == 3


def test_rows_without_a_time_are_the_oldest(bench):
    bench.parquet("a.parquet", {"name": list("abc"), "t": [None, None, datetime(2026, 1, 1)]})
    assert names(bench.open("a.parquet", last_rows=2, timestamp="t")) == ["b", "c"]


def test_a_column_named_like_the_engines_own_does_not_move_the_last_rows(bench):
    columns = {"name": ["a", "b", "c"], "file_row_number": [9, 8, 7], "position": [1, 1, 1], "rowid": [0, 0, 0]}
    bench.parquet("a.parquet", columns)
    bench.text("a.csv", "name,file_row_number,position,rowid,place\na,9,1,0,3\nb,8,1,0,2\nc,7,1,0,1\n")
    for name in ("a.parquet", "a.csv"):
        opened = bench.open(name, last_rows=2)
        assert names(opened) == ["b", "c"]
        assert list(opened.sample(2, 0, ["name", "rowid"]).name) == ["b", "c"]


def test_rows_that_a_window_leaves_out_for_want_of_a_time_are_counted(bench):
    bench.parquet("a.parquet", moments() | {"s": ["2026-11-14", None, None, "2026-11-21", "2020-01-01"]})
    bench.text("a.csv", "name,t\na,2026-11-14T00:00:00\nb,\nc,\n")
    window = Window("t", WEEK, UNTIL)
    for _ in ("counted", "kept"):
        facts = bench.open("a.parquet", window=window).facts
        assert (facts.rows, facts.undated) == (2, 1)
    assert bench.open("a.parquet", window=Window("t", WEEK)).facts.undated == 1
    facts = bench.open("a.parquet", window=Window("s", WEEK, UNTIL)).facts
    assert (facts.rows, facts.undated) == (1, 2)
    facts = bench.open("a.csv", window=window).facts
    assert (facts.rows, facts.undated) == (1, 2)
    assert bench.open("a.parquet").facts.undated == 0
    assert bench.open("a.parquet", last_rows=1, timestamp="t").facts.undated == 0
