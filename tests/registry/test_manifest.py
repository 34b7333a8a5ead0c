"""The model digest: what changes it, what does not, and what is refused."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate.errors import CandidateError, RegistryError
from gate.registry.deadline import Deadline
from gate.registry.local import LocalFolder
from gate.registry.manifest import FileDigest, Limits, ModelFiles, hash_model, manifest_digest
from gate.registry.memo import DigestMemo

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1)
FILES = st.dictionaries(NAMES, st.binary(max_size=9).map(lambda data: hashlib.sha256(data).hexdigest()), min_size=1)


def lines(files: dict[str, str]) -> list[FileDigest]:
    return [FileDigest(path, 1, sha256) for path, sha256 in files.items()]


def model(folder: Path, **files: bytes) -> Path:
    for name, content in ({"MLmodel": b"flavors: {}\n"} | files).items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def hashed(folder: Path, limits: Limits | None = None, memo: Path | None = None) -> ModelFiles:
    return hash_model(LocalFolder(folder), DigestMemo(memo), Deadline(60, "late"), limits or Limits())


def test_the_digest_is_the_sha256_of_the_canonical_manifest():
    # Written out by hand, so that another program can be held against it.
    manifest = (
        b'{"files":[{"path":"B","sha256":"' + b"1" * 64 + b'","size":2},'
        b'{"path":"a/b","sha256":"' + b"0" * 64 + b'","size":3}],"manifestVersion":1}'
    )
    files = [FileDigest("a/b", 3, "0" * 64), FileDigest("B", 2, "1" * 64)]
    assert manifest_digest(files) == f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def test_paths_are_ordered_by_their_bytes():
    # UTF-16, which RFC 8785 sorts keys by, would order these two the other way around.
    low, high = FileDigest("\uff5e", 1, "0" * 64), FileDigest("\U0001f600", 1, "1" * 64)
    manifest = (
        '{"files":[{"path":"\uff5e","sha256":"' + "0" * 64 + '","size":1},'
        '{"path":"\U0001f600","sha256":"' + "1" * 64 + '","size":1}],"manifestVersion":1}'
    )
    assert manifest_digest([high, low]) == f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


@given(FILES, st.randoms())
def test_the_order_of_the_files_changes_nothing(files, random):
    shuffled = lines(files)
    random.shuffle(shuffled)
    assert manifest_digest(shuffled) == manifest_digest(lines(files))


@given(FILES, FILES)
def test_other_files_are_another_digest(one, other):
    assert (manifest_digest(lines(one)) == manifest_digest(lines(other))) == (one == other)


@given(FILES, NAMES)
def test_renaming_a_file_changes_the_digest(files, name):
    renamed = dict(files)
    renamed[name] = renamed.pop(min(files))
    assert (manifest_digest(lines(files)) == manifest_digest(lines(renamed))) == (files == renamed)


@pytest.mark.parametrize("files", [[], [FileDigest("a", 1, "0" * 64)] * 2])
def test_a_manifest_is_neither_empty_nor_ambiguous(files):
    with pytest.raises(ValueError, match="a manifest"):
        manifest_digest(files)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(files=st.dictionaries(st.from_regex(r"[a-z]{1,3}(__[a-z]{1,3})?", fullmatch=True), st.binary(), max_size=5))
def test_each_line_is_the_size_and_sha256_of_the_file_on_the_disk(tmp_path_factory, files):
    names = [name.replace("__", "/") for name in files]
    if any(other.startswith(f"{name}/") for name in names for other in names):
        return
    folder = model(tmp_path_factory.mktemp("model"), **files)
    read = hashed(folder)
    assert {line.path: (line.size_bytes, line.sha256) for line in read.files if line.path != "MLmodel"} == {
        name.replace("__", "/"): (len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()
    }
    assert read.mlmodel == b"flavors: {}\n"


def test_what_mlflow_adds_to_a_download_is_no_part_of_the_model(tmp_path):
    before = hashed(model(tmp_path, weights=b"w")).digest
    assert hashed(model(tmp_path, registered_model_meta=b"model_name: m")).digest == before
    # Only that file: a folder of the name, or a file of the name elsewhere, could carry anything.
    assert hashed(model(tmp_path, sub__registered_model_meta=b"x")).digest != before


def test_hard_links_count_as_the_files_they_are(tmp_path):
    model(tmp_path, weights=b"w")
    os.link(tmp_path / "weights", tmp_path / "again")
    assert [line.path for line in hashed(tmp_path).files] == ["MLmodel", "again", "weights"]


def test_a_model_folder_without_files_is_refused(tmp_path):
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    for folder in (tmp_path / "empty", tmp_path / "absent"):
        with pytest.raises(CandidateError) as caught:
            hashed(folder)
        assert str(caught.value) == (
            f"{folder}: the model has no files there; were they deleted, or is that place on another machine?"
        )


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "passwd").write_text("root")
    with pytest.raises(CandidateError) as caught:
        hashed(tmp_path)
    assert str(caught.value) == f"{tmp_path}: there is no file MLmodel, so this is no MLflow model"


def test_the_limits_hold_at_their_value_and_not_one_past_it(tmp_path):
    model(tmp_path, weights=b"12345")  # MLmodel has 12 bytes
    assert len(hashed(tmp_path, Limits(files=2, size_bytes=17, mlmodel_bytes=12)).files) == 2
    for limits, said in (
        (Limits(files=1), "the model has more than 1 files, which is the limit"),
        (Limits(size_bytes=16), "the model has 17 bytes, the limit is 16"),
        (Limits(mlmodel_bytes=11), "its MLmodel is larger than 11 bytes"),
    ):
        with pytest.raises(CandidateError) as caught:
            hashed(tmp_path, limits)
        assert str(caught.value) == f"{tmp_path}: {said}"


class Growing(LocalFolder):
    """A folder whose file is written to between the listing and the reading."""

    def open(self, path):
        if path == "weights":
            with (self.root / path).open("ab") as file:
                file.write(b"more")
        return super().open(path)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    model(tmp_path, weights=b"w")
    with pytest.raises(RegistryError) as caught:
        hash_model(Growing(tmp_path), DigestMemo(None), Deadline(60, "late"))
    assert str(caught.value) == (f"{tmp_path}: 'weights' changed while it was read (1 bytes listed, 5 read); try again")


def test_hashing_stops_at_the_deadline(tmp_path):
    model(tmp_path, weights=b"w")
    with pytest.raises(RegistryError, match="took too long"):
        hash_model(LocalFolder(tmp_path), DigestMemo(None), Deadline(0, "took too long"))
