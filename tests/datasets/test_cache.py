# ruff: noqa: DTZ001  # zoneless times are what is tested; messages are compared in full

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from gate.datasets import cache, digest
from gate.domain.dataset import LateLabels, Window
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
    ScoreBins,
    Split,
    Timeline,
    Values,
)  # fmt: skip
from gate.errors import DataError

EVERYTHING = [
    GridOf("x"), Bins("x", Grid(1.5, 2.0)), Bins("x", Grid(), Split("s")), Values("s"), Values("s", only=("a", "q")),
    Values("x", split=Split("t", "day")), ExactValues("x"), Histogram("x", (0.0, 1.0, 2.0)), DistinctRows(()),
    OutsideCount("x", 0.0, None), Timeline("t", 3600), Confusion("s", "p"), Confusion("s", "p", "s"),
    ScoreBins("s", "a", "u"), ClassLoss("s", (("a", "u"), ("b", "u"))), ErrorSums("x", "u"), ErrorSums("x", "u", "x"),
]  # fmt: skip


@pytest.fixture
def path(bench):
    rng = np.random.default_rng(0)
    n = 500
    columns = {
        "x": np.where(rng.random(n) < 0.1, np.inf, rng.normal(size=n)),
        "u": rng.random(n),
        "s": [None if r < 0.1 else "ab</script>ü"[int(r * 4) : int(r * 4) + 1] for r in rng.random(n)],
        "p": ["a"] * n,
        "t": [datetime(2026, 11, 1) + timedelta(hours=i) for i in range(n)],
    }
    return bench.parquet("a.parquet", columns, compression="none", use_dictionary=False)


def same(one, other) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tolist() == other.tolist()
    if hasattr(one, "groups"):
        return list(one.groups) == list(other.groups) and all(same(one.groups[g], other.groups[g]) for g in one.groups)
    if hasattr(one, "__dataclass_fields__"):
        return type(one) is type(other) and all(
            same(getattr(one, f), getattr(other, f)) for f in one.__dataclass_fields__
        )
    return type(one) is type(other) and one == other


def test_every_part_is_read_back_as_it_was_and_nothing_is_scanned(bench, path):
    first = bench.open("a.parquet").parts(EVERYTHING)
    assert bench.scans
    bench.scans.clear()
    second = bench.open("a.parquet").parts(EVERYTHING)
    assert bench.scans == []
    for request in EVERYTHING:
        assert same(first[request], second[request]), request


def test_an_unchanged_file_is_neither_hashed_nor_scanned_again(bench, path, monkeypatch):
    monkeypatch.setattr(digest, "SETTLED_NS", -1)  # any file is at rest
    request = Bins("x", Grid())
    first = bench.open("a.parquet")
    part = first.parts([request])[request]
    bench.scans.clear()
    monkeypatch.delattr(digest.hashlib, "file_digest")
    again = bench.open("a.parquet")
    assert again.facts == first.facts
    assert same(again.parts([request])[request], part)
    assert bench.scans == []


def test_a_file_with_other_bytes_and_its_old_times_is_read_again(bench, path, monkeypatch):
    monkeypatch.setattr(digest, "SETTLED_NS", -1)
    first = bench.open("a.parquet")
    first.parts([Values("p")])
    before = path.stat()
    content = path.read_bytes()
    path.write_bytes(content.replace(b"a" + bytes([1, 0, 0, 0]), b"z" + bytes([1, 0, 0, 0])))
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.read_bytes() != content
    again = bench.open("a.parquet")
    assert again.facts.digest != first.facts.digest
    with pytest.raises(DataError, match="changed while it was read"):
        first.parts([Values("u")])


def test_an_entry_that_others_could_have_written_is_computed_again(bench, path):
    bench.open("a.parquet").parts([Values("s")])
    for entry in (bench.home / "parts").rglob("*.part"):
        entry.chmod(0o666)
    bench.scans.clear()
    bench.open("a.parquet").parts([Values("s")])
    assert len(bench.scans) == 1


def test_parts_are_kept_by_everything_that_selects_rows(bench, path):
    """Asked once and again: each answer is that of its own rows, and the second comes from what was kept."""
    frame = bench.open("a.parquet").sample(500, 0, ["u", "t"])
    bench.parquet("one.parquet", {"u": frame.u.tolist(), "y": ["one"] * 500})
    bench.parquet("two.parquet", {"u": frame.u.tolist(), "y": ["two"] * 500})
    until = datetime(2026, 11, 10, tzinfo=UTC)

    def late(name: str, days: int) -> LateLabels:
        return LateLabels(str(bench.data / f"{name}.parquet"), "u", timedelta(days=days))

    def window(days: int, end: datetime = until) -> Window:
        return Window("t", timedelta(days=days), end)

    selections = [
        {}, {"last_rows": 10}, {"last_rows": 11}, {"window": window(3)}, {"window": window(4)},
        {"window": window(3, until - timedelta(hours=300))}, {"window": window(3), "labels": late("one", 0)},
        {"window": window(3), "labels": late("two", 0)}, {"window": window(3), "labels": late("one", 1)},
        {"window": window(3), "labels": late("one", 2)}, {"last_rows": 10, "labels": late("one", 0)},
    ]  # fmt: skip

    def ask(selection: dict) -> tuple:
        opened = bench.open("a.parquet", **selection)
        requests = [Values("p"), *([Values("y")] if "labels" in selection else [])]
        return tuple((p.values.tolist(), p.n.tolist(), p.nulls) for p in opened.parts(requests).values())

    first = [ask(selection) for selection in selections]
    rows = [sum(answer[0][1]) for answer in first]
    assert rows == [500, 10, 11, 72, 96, 0, 72, 72, 72, 72, 10]
    assert [answer[1] for answer in first if len(answer) > 1] == [
        (["one"], [72], 0), (["two"], [72], 0), (["one"], [48], 24), (["one"], [24], 48), (["one"], [10], 0),
    ]  # fmt: skip
    bench.scans.clear()
    assert [ask(selection) for selection in selections] == first
    assert bench.scans == []


def test_nothing_is_kept_of_a_window_whose_end_lies_ahead(bench, path, now):
    ahead = Window("t", timedelta(days=30), now + timedelta(microseconds=1))
    bench.open("a.parquet", window=ahead).parts([Values("s")])
    assert not (bench.home / "parts").exists()
    bench.open("a.parquet", window=Window("t", timedelta(days=30), now)).parts([Values("s")])
    assert (bench.home / "parts").exists()


def test_a_changed_file_is_read_again(bench, path):
    request = Values("p")
    first = bench.open("a.parquet")
    first.parts([request])
    bench.parquet("a.parquet", {"p": ["z"]})
    again = bench.open("a.parquet")
    assert again.facts.digest != first.facts.digest
    assert list(again.parts([request])[request].values) == ["z"]


def test_only_missing_parts_are_computed(bench, path):
    bench.open("a.parquet").parts([Values("s")])
    bench.scans.clear()
    bench.open("a.parquet").parts([Values("s"), Values("p"), Values("s", cap=1)])
    assert len(bench.scans) == 1


@pytest.mark.parametrize(
    "damage", [lambda b: b"", lambda b: b[: len(b) // 2], lambda b: b"x" * len(b), lambda b: b[:-30] + b"y" * 30]
)
def test_a_torn_entry_is_computed_again(bench, path, damage):
    requests = [Values("s"), Bins("x", Grid(), Split("s"))]
    first = bench.open("a.parquet").parts(requests)
    entries = list((bench.home / "parts").rglob("*.part"))
    assert len(entries) == 4  # and the numbers of rows and of undated rows
    for entry in entries:
        entry.write_bytes(damage(entry.read_bytes()))
    second = bench.open("a.parquet").parts(requests)
    assert all(same(first[request], second[request]) for request in requests)


def test_an_entry_of_pickles_is_not_opened(bench, path):
    bench.open("a.parquet").parts([Values("s")])
    for entry in (bench.home / "parts").rglob("*.part"):
        with entry.open("wb") as stream:
            np.savez(stream, type=np.array([object()], dtype=object), allow_pickle=True)
    assert bench.open("a.parquet").parts([Values("s")])[Values("s")].rows == 500


def test_what_cannot_be_computed_is_not_kept(bench, path):
    bench.open("a.parquet").parts([Values("absent")])
    assert len(list((bench.home / "parts").rglob("*.part"))) == 2  # the numbers of rows and of undated rows


def test_a_window_is_kept_by_its_own_end_and_one_that_ends_now_is_not(bench, path):
    fixed = Window("t", timedelta(days=3), datetime(2026, 11, 10, tzinfo=UTC))
    bench.open("a.parquet", window=fixed).parts([Values("s")])
    bench.scans.clear()
    opened = bench.open("a.parquet", window=fixed)
    assert opened.facts.rows == 72
    assert opened.parts([Values("s")])[Values("s")].rows == 72
    assert bench.scans == []
    kept = len(list((bench.home / "parts").rglob("*.part")))
    bench.open("a.parquet", window=Window("t", timedelta(days=30))).parts([Values("s")])
    assert len(list((bench.home / "parts").rglob("*.part"))) == kept


def test_the_folder_keeps_the_datasets_that_were_used_last(bench, monkeypatch):
    monkeypatch.setattr(cache, "MOST_DATASETS", 2)
    for name in ("a", "b", "c"):
        bench.parquet(f"{name}.parquet", {"s": [name]})
        bench.open(f"{name}.parquet").parts([Values("s")])
        for age, folder in enumerate(sorted((bench.home / "parts").iterdir(), key=lambda f: -f.stat().st_mtime)):
            os.utime(folder, (10**9 - age, 10**9 - age))
    assert len(list((bench.home / "parts").iterdir())) == 2


def test_a_home_that_cannot_be_written_costs_time_and_nothing_else(bench, path):
    bench.home.write_text("a file where the folder should be")
    assert bench.open("a.parquet").parts([Values("s")])[Values("s")].rows == 500


def test_what_is_kept_is_for_its_owner_alone(bench, path):
    bench.open("a.parquet").parts([Values("s")])
    for folder, _, names in os.walk(bench.home / "parts"):
        assert all(Path(folder, name).stat().st_mode & 0o077 == 0 for name in names)
