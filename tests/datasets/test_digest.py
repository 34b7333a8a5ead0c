# ruff: noqa: DTZ001  # zoneless times are what is tested; messages are compared in full

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
import rfc8785

from gate.datasets import digest
from gate.domain.dataset import LateLabels, Window


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_digest_is_that_of_the_manifest(bench):
    a = bench.parquet("d/x/a.parquet", {"x": [1]})
    b = bench.parquet("d/b.parquet", {"x": [2]})
    files = [
        {"path": name, "size": path.stat().st_size, "sha256": sha256(path.read_bytes())}
        for name, path in (("b.parquet", b), ("x/a.parquet", a))
    ]
    expected = "sha256:" + sha256(rfc8785.dumps({"manifestVersion": 1, "files": files}))
    assert bench.open("d").facts.digest == expected


def test_the_same_bytes_in_another_folder_have_the_same_digest(bench):
    bench.parquet("here/a.parquet", {"x": [1]})
    bench.parquet("there/a.parquet", {"x": [1]})
    assert bench.open("here/a.parquet").facts.digest == bench.open("there/a.parquet").facts.digest
    assert bench.open("here").facts.digest == bench.open("there/*.parquet").facts.digest


def test_which_rows_count_is_part_of_the_digest(bench):
    bench.parquet("a.parquet", {"t": [datetime(2026, 11, 1), datetime(2026, 11, 2)]})
    until = datetime(2026, 11, 20, tzinfo=UTC)
    digests = [
        bench.open("a.parquet", **source).facts.digest
        for source in (
            {},
            {"last_rows": 1},
            {"last_rows": 2},
            {"last_rows": 1, "timestamp": "t"},
            {"window": Window("t", timedelta(days=30), until)},
            {"window": Window("t", timedelta(days=31), until)},
            {"window": Window("t", timedelta(days=30))},
        )
    ]
    assert len(set(digests)) == len(digests)


def test_one_byte_changes_the_digest(bench):
    bench.text("a.csv", "x\n1\n")
    before = bench.open("a.csv").facts.digest
    bench.text("a.csv", "x\n2\n")
    assert bench.open("a.csv").facts.digest != before


def test_a_digest_is_remembered_only_of_a_file_that_is_at_rest(bench, monkeypatch):
    path = bench.text("a.csv", "x\n1\n")
    bench.open("a.csv")
    assert not (bench.home / "file-digests").exists(), "it could change again within one tick of the clock"
    os.utime(path, ns=(10**18, 10**18))
    bench.open("a.csv")
    assert not (bench.home / "file-digests").exists(), "an old mtime may have been set back: its ctime is new"
    monkeypatch.setattr(digest, "SETTLED_NS", -1)
    bench.open("a.csv")
    (memo,) = (bench.home / "file-digests").iterdir()
    assert json.loads(memo.read_text())["sha256"] == sha256(b"x\n1\n")


def test_a_memo_that_is_torn_or_of_another_file_is_not_believed(bench, monkeypatch):
    monkeypatch.setattr(digest, "SETTLED_NS", -1)
    bench.text("a.csv", "x\n1\n")
    truth = bench.open("a.csv").facts.digest
    (memo,) = (bench.home / "file-digests").iterdir()
    kept = json.loads(memo.read_text())
    for content in ("", "{", "[]", '{"stamp": [1], "sha256": "00"}', json.dumps(kept | {"sha256": "short"})):
        memo.write_text(content)
        assert bench.open("a.csv").facts.digest == truth


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_memo_that_others_could_have_written_is_not_believed(bench, monkeypatch, mode):
    monkeypatch.setattr(digest, "SETTLED_NS", -1)
    bench.text("a.csv", "x\n1\n")
    truth = bench.open("a.csv").facts.digest
    (memo,) = (bench.home / "file-digests").iterdir()
    memo.write_text(json.dumps(json.loads(memo.read_text()) | {"sha256": "0" * 64}))
    assert bench.open("a.csv").facts.digest != truth, "a memo of one's own is believed"
    memo.chmod(mode)
    assert bench.open("a.csv").facts.digest == truth


def test_a_memo_of_another_user_is_not_believed(bench, monkeypatch):
    monkeypatch.setattr(digest, "SETTLED_NS", -1)
    bench.text("a.csv", "x\n1\n")
    truth = bench.open("a.csv").facts.digest
    (memo,) = (bench.home / "file-digests").iterdir()
    memo.write_text(json.dumps(json.loads(memo.read_text()) | {"sha256": "0" * 64}))
    monkeypatch.setattr(os, "geteuid", lambda: memo.stat().st_uid + 1)
    assert bench.open("a.csv").facts.digest == truth


def test_the_content_is_the_same_under_another_name_and_with_labels(bench):
    bench.parquet("here/a.parquet", {"id": [1]})
    bench.parquet("here/b.parquet", {"id": [2]})
    bench.parquet("there/x.parquet", {"id": [2]})
    bench.parquet("there/y.parquet", {"id": [1]})
    bench.parquet("labels.parquet", {"id": [1], "label": ["a"]})
    here, there = bench.open("here").facts, bench.open("there").facts
    labels = LateLabels(str(bench.data / "labels.parquet"), "id", timedelta(0))
    labelled = bench.open("here", labels=labels).facts
    assert len({here.digest, there.digest, labelled.digest}) == 3
    assert here.content == there.content == labelled.content
    assert here.content.startswith("sha256:")
    assert bench.open("here/a.parquet").facts.content not in ("", here.content)


def test_the_content_is_of_the_rows_that_count(bench):
    bench.parquet("a.parquet", {"t": [datetime(2026, 11, 1), datetime(2026, 11, 2)]})
    until = datetime(2026, 11, 20, tzinfo=UTC)
    selections = [{}, {"last_rows": 1}, *({"window": Window("t", timedelta(days=d), until)} for d in (30, 31))]
    assert len({bench.open("a.parquet", **selection).facts.content for selection in selections}) == 4
    every_row = bench.open("a.parquet", last_rows=2).facts.content
    assert every_row == bench.open("a.parquet").facts.content


def test_a_frame_has_no_content(bench):
    assert bench.datasets().open_frame(pd.DataFrame({"x": [1]}), uri="frame").facts.content == ""
