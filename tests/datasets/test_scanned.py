"""After each statement over rows, an observer is told how many rows that were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gate.domain.dataset import Source, Window
from gate.domain.part import DistinctRows
from gate.flow.ports import Silent


class Heard(Silent):
    def __init__(self) -> None:
        self.rows: list[int] = []

    def scanned(self, rows: int) -> None:
        self.rows.append(rows)


def test_each_scan_is_told_with_the_rows_it_read_and_an_answer_that_is_kept_is_no_scan(bench, now):
    bench.parquet("a.parquet", {"x": [1.0, 2.0, 3.0]})
    heard = Heard()
    opened = bench.datasets(observer=heard).open(Source("a.parquet", path=str(bench.data / "a.parquet")), now=now)
    assert heard.rows == []  # the footer knows how many there are
    opened.parts([DistinctRows(("x",))])
    assert heard.rows == [3] * len(bench.scans)
    opened.parts([DistinctRows(("x",))])
    opened.sample(2, 1, ["x"])
    opened.versions("x")
    assert heard.rows == [3] * len(bench.scans)


def test_text_is_told_when_it_was_loaded(bench, now):
    bench.text("a.csv", "x\n1\n2\n")
    heard = Heard()
    bench.datasets(observer=heard).open(Source("a.csv", path=str(bench.data / "a.csv")), now=now)
    assert (heard.rows, bench.scans) == ([2], ["scan a.csv"])


def test_rows_that_a_window_leaves_out_were_read_too(bench, now):
    bench.parquet("a.parquet", {"at": [datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)]})
    heard = Heard()
    window = Window("at", timedelta(days=7), None)
    source = Source("a.parquet", path=str(bench.data / "a.parquet"), window=window)
    assert bench.datasets(observer=heard).open(source, now=now).facts.rows == 1
    assert heard.rows == [2]


def test_comparing_two_sides_reads_both(bench, now):
    bench.parquet("a.parquet", {"x": [1.0, 2.0, 3.0]})
    bench.parquet("b.parquet", {"x": [1.0, 2.0]})
    heard = Heard()
    datasets = bench.datasets(observer=heard)
    ours, theirs = (datasets.open(Source(n, path=str(bench.data / n)), now=now) for n in ("a.parquet", "b.parquet"))
    assert ours.shared_rows(theirs, ("x",)) == 2
    assert sorted(heard.rows) == [2, 3]
