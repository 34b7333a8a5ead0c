# ruff: noqa: DTZ001  # zoneless times are what is tested; messages are compared in full

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta

import rfc8785

from gate.domain.dataset import Window


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


def test_a_digest_is_remembered_only_of_a_file_that_is_at_rest(bench):
    path = bench.text("a.csv", "x\n1\n")
    bench.open("a.csv")
    assert not (bench.home / "file-digests").exists(), "it could change again within one tick of the clock"
    os.utime(path, ns=(10**18, 10**18))
    bench.open("a.csv")
    (memo,) = (bench.home / "file-digests").iterdir()
    assert json.loads(memo.read_text())["sha256"] == sha256(b"x\n1\n")


def test_a_memo_that_is_torn_or_of_another_file_is_not_believed(bench):
    path = bench.text("a.csv", "x\n1\n")
    os.utime(path, ns=(10**18, 10**18))
    truth = bench.open("a.csv").facts.digest
    (memo,) = (bench.home / "file-digests").iterdir()
    kept = json.loads(memo.read_text())
    for content in ("", "{", "[]", '{"stamp": [1], "sha256": "00"}', json.dumps(kept | {"sha256": "short"})):
        memo.write_text(content)
        assert bench.open("a.csv").facts.digest == truth
