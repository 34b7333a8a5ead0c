"""Folders elsewhere: a listing or a location may not lead anywhere it should not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gate.errors import CandidateError, RegistryError
from gate.registry.deadline import Deadline
from gate.registry.local import LocalFolder
from gate.registry.location import below, folder_at
from gate.registry.manifest import hash_model
from gate.registry.memo import DigestMemo
from gate.registry.remote import RemoteFolder
from gate.registry.session import load_mlflow


class Repository:
    """An artifact store with these listings; every file holds its own path."""

    def __init__(self, listings: dict[str | None, list[SimpleNamespace]]) -> None:
        self.listings = listings
        self.targets: list[Path] = []

    def list_artifacts(self, path: str | None = None) -> list[SimpleNamespace]:
        return self.listings[path]

    def _download_file(self, path: str, target: str) -> None:
        self.targets.append(Path(target))
        Path(target).write_text(path)


def entry(path: object, *, is_dir: bool = False, size: int | None = None) -> SimpleNamespace:
    return SimpleNamespace(path=path, is_dir=is_dir, file_size=size)


def remote(listings: dict[str | None, list[SimpleNamespace]]) -> RemoteFolder:
    return RemoteFolder("s3://bucket/model", Repository(listings), over_http=False)


def test_folders_are_listed_to_the_bottom():
    folder = remote({None: [entry("a", is_dir=True), entry("MLmodel", size=7)], "a": [entry("a/b", size=3)]})
    assert [(file.path, file.size_bytes) for file in folder.files()] == [("a/b", 3), ("MLmodel", 7)]
    assert (folder.kind(""), folder.kind("a"), folder.kind("a/b"), folder.kind("b")) == (
        "folder",
        "folder",
        "file",
        None,
    )


def test_a_downloaded_file_does_not_outlive_its_reading():
    folder = remote({None: [entry("MLmodel", size=7)]})
    hash_model(folder, DigestMemo(None), Deadline(60, "late"))
    (target,) = folder._repository.targets
    assert not target.exists()
    assert not target.parent.exists()


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/b", "..", ".", "", "a\\b", "a\0b", None, "x/"])
def test_a_listing_that_names_something_outside_its_folder_is_refused(path):
    with pytest.raises(RegistryError) as caught:
        list(remote({None: [entry(path)]}).files())
    assert str(caught.value) == f"s3://bucket/model: its listing names {path!r}, which is not a file below '.'"


def test_a_folder_that_contains_itself_is_refused():
    class Endless(Repository):
        def list_artifacts(self, path=None):
            return [entry(f"{path}/d" if path else "d", is_dir=True)]

    with pytest.raises(CandidateError, match="is nested too deeply"):
        list(RemoteFolder("s3://bucket/model", Endless({}), over_http=False).files())


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ([entry("MLmodel", size=8)], "'MLmodel' changed while it was read (8 bytes listed, 7 read); try again"),
        ([entry("MLmodel", size=7), entry("MLmodel", size=7)], "its listing names a file twice"),
    ],
)
def test_a_listing_that_does_not_agree_with_the_files_is_refused(listed, said):
    with pytest.raises(RegistryError) as caught:
        hash_model(remote({None: listed}), DigestMemo(None), Deadline(60, "late"))
    assert str(caught.value) == f"s3://bucket/model: {said}"


def test_a_size_that_the_store_does_not_know_is_measured():
    files = hash_model(remote({None: [entry("MLmodel")]}), DigestMemo(None), Deadline(60, "late")).files
    assert [file.size_bytes for file in files] == [7]


@pytest.mark.parametrize(
    "location",
    [
        "mlflow-artifacts://elsewhere/1/model",
        "https://elsewhere/api/2.0/mlflow-artifacts/artifacts/1",
        "https://registry:5001/api/2.0/mlflow-artifacts/artifacts/1",
    ],
)
def test_the_registrys_credentials_are_not_taken_to_another_server(location):
    with pytest.raises(RegistryError) as caught:
        folder_at(location, "https://somebody:s3cret@registry:5000", load_mlflow(databases=False))
    assert str(caught.value) == (
        f"{location}: the files are on another server than the registry (https://registry:5000); "
        "gate does not take the registry's credentials there"
    )


def test_a_location_is_not_read_over_http_when_the_registry_is_over_https():
    plain = "http://registry/api/2.0/mlflow-artifacts/artifacts/1"
    with pytest.raises(RegistryError, match="gate cannot read files there"):
        folder_at(plain, "https://registry", load_mlflow(databases=False))


@pytest.mark.parametrize("uri", ["/srv/a b", "file:///srv/a%20b", "file://localhost/srv/a%20b"])
def test_local_locations_are_paths(uri):
    folder = folder_at(uri, "http://registry:5000", load_mlflow(databases=False))
    assert isinstance(folder, LocalFolder)
    assert folder.root == Path("/srv/a b")


@pytest.mark.parametrize(
    ("uri", "path", "whole"),
    [
        ("mlflow-artifacts:/1/run/", "gate/x y.csv", "mlflow-artifacts:/1/run/gate/x y.csv"),
        ("file:///srv", "a b/c", "file:///srv/a%20b/c"),
        ("s3://bucket/run", "a b", "s3://bucket/run/a b"),
        ("/srv/run", "a%20b", "/srv/run/a%20b"),
    ],
)
def test_a_path_below_a_location_is_escaped_as_the_location_is(uri, path, whole):
    assert below(uri, path) == whole
