"""Remembered digests: only of unchanged, settled, large files, and only from a file of one's own."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from pathlib import Path

import pytest

from gate.registry.deadline import Deadline
from gate.registry.local import LocalFolder
from gate.registry.manifest import hash_model
from gate.registry.memo import DigestMemo, Stamp

SETTLED = time.time_ns() - 10_000_000_000
STAMP = Stamp("/models/weights", 1, 2, 1 << 20, SETTLED, SETTLED)
SHA256 = "ab" * 32


def remembered(file: Path, stamp: Stamp = STAMP) -> str | None:
    return DigestMemo(file).get(stamp)


@pytest.fixture
def memo(tmp_path) -> Path:
    learned = DigestMemo(tmp_path / "gate" / "digests.json")
    learned.put(STAMP, SHA256)
    learned.save()
    return tmp_path / "gate" / "digests.json"


def test_an_unchanged_file_is_remembered_by_the_next_process(memo):
    assert remembered(memo) == SHA256
    assert memo.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("changed", [field.name for field in dataclasses.fields(Stamp)])
def test_a_file_that_changed_in_any_respect_is_not(memo, changed):
    value = getattr(STAMP, changed)
    other = dataclasses.replace(STAMP, **{changed: f"{value}x" if isinstance(value, str) else value + 1})
    assert remembered(memo, other) is None


def test_small_and_young_files_are_not_kept():
    memo = DigestMemo(None)
    small = dataclasses.replace(STAMP, size_bytes=(1 << 20) - 1)
    young = dataclasses.replace(STAMP, changed_ns=time.time_ns())
    for stamp in (small, young):
        memo.put(stamp, SHA256)
        assert memo.get(stamp) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\xff",
        b"[[1]]",
        b"[" * 100_000,
        json.dumps([[*dataclasses.astuple(STAMP), "AB" * 32]]).encode(),
        json.dumps([[*dataclasses.astuple(STAMP), SHA256 + "00"]]).encode(),
        json.dumps([[*dataclasses.astuple(STAMP)[:-1], True, SHA256]]).encode(),
    ],
)
def test_a_memo_that_is_not_ours_to_read_remembers_nothing(memo, content):
    memo.write_bytes(content)
    assert remembered(memo) is None


def test_a_memo_that_others_may_write_is_not_believed(memo):
    memo.chmod(0o622)
    assert remembered(memo) is None


def test_a_memo_that_cannot_be_written_costs_nothing(tmp_path):
    (tmp_path / "file").touch()
    memo = DigestMemo(tmp_path / "file" / "digests.json")
    memo.put(STAMP, SHA256)
    memo.save()
    assert memo.get(STAMP) == SHA256


def test_the_oldest_are_forgotten(tmp_path):
    memo = DigestMemo(tmp_path / "digests.json")
    for inode in range(4097):
        memo.put(dataclasses.replace(STAMP, inode=inode), SHA256)
    memo.save()
    assert remembered(tmp_path / "digests.json", dataclasses.replace(STAMP, inode=0)) is None
    assert remembered(tmp_path / "digests.json", dataclasses.replace(STAMP, inode=4096)) == SHA256


def test_a_large_model_is_hashed_once_and_again_when_it_changes(tmp_path):
    folder, memo = tmp_path / "model", tmp_path / "digests.json"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}\n")
    weights = folder / "weights"
    weights.write_bytes(b"1" * (1 << 20))

    def digest() -> str:
        return hash_model(LocalFolder(folder), DigestMemo(memo), Deadline(60, "late")).digest

    first = digest()
    assert not memo.exists()  # too young to be believed
    stamp = Stamp.of(str(weights), weights.stat())
    # A forged line shows that the memo, once there, is what answers.
    memo.write_text(json.dumps([[*dataclasses.astuple(stamp), "0" * 64]]))
    memo.chmod(0o600)
    assert digest() != first
    weights.write_bytes(b"1" * (1 << 20))
    os.utime(weights, ns=(stamp.modified_ns, stamp.modified_ns))  # set back, but the change itself leaves a time too
    assert digest() == first
