"""Artifacts: what an artifact URI means, and its files on this disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gate.domain.candidate import ModelRef
from gate.errors import CandidateError, DataError, RegistryError, UsageError
from gate.registry.deadline import Deadline
from gate.registry.entry import EntryReader
from gate.registry.local import LocalFolder
from gate.registry.location import below, folder_at
from gate.registry.remote import RemoteFolder
from gate.registry.session import Mlflow
from gate.registry.trouble import is_absent

_MODEL_ID = re.compile(r"m-[0-9a-f]{32}\Z")
_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class ArtifactPlace:
    """An artifact: the folder that the registry vouches for, and the path below it (empty: the folder itself)."""

    uri: str
    root: str
    path: str


def locate(uri: str, reader: EntryReader) -> ArtifactPlace:
    """Find where an artifact URI leads. Raises DataError for one that is none, or whose run or model is gone."""
    parts = urlsplit(uri)
    names = parts.path.strip("/").split("/")
    known = parts.scheme in ("runs", "models", "mlflow-artifacts")
    if not known or parts.query or parts.fragment or any(name in ("", ".", "..") for name in names):
        raise DataError(f"{uri!r} is not an artifact URI; write runs:/RUN/PATH or models:/NAME/VERSION/PATH")
    try:
        if parts.scheme == "mlflow-artifacts":
            return ArtifactPlace(uri, f"mlflow-artifacts://{parts.netloc}/", "/".join(names))
        if parts.scheme == "runs" or _MODEL_ID.match(names[0]):
            return ArtifactPlace(uri, reader.resolved(f"{parts.scheme}:/{names[0]}"), "/".join(names[1:]))
        taken = 1 if "@" in names[0] else 2
        ref = ModelRef.parse("models:/" + "/".join(names[:taken]))
        return ArtifactPlace(uri, reader.location(ref), "/".join(names[taken:]))
    except UsageError as error:
        raise DataError(f"{uri}: {error}") from error
    except Exception as error:
        if not is_absent(error):
            raise
        raise DataError(f"{uri}: the registry knows no such run or model") from error


def download(
    place: ArtifactPlace, folder: Path, tracking_uri: str, mlflow: Mlflow, deadline: Deadline,
    roots: Iterable[Path] | None = None,
) -> Path:  # fmt: skip
    """Give the path of an artifact on this disk, copied into `folder` unless it already is on this machine.

    One that is must lie below one of `roots`; None is no limit. No link is followed below its root.
    """
    root = folder_at(place.root, tracking_uri, mlflow, roots)
    if isinstance(root, LocalFolder):
        return _in_place(place, root, deadline)
    name = place.path.rpartition("/")[2] or "artifacts"
    target = folder / name
    match root.kind(place.path):
        case "file":
            folder.mkdir(parents=True, exist_ok=True)
            root.download(place.path, target)
        case "folder":
            whole = folder_at(below(place.root, place.path), tracking_uri, mlflow) if place.path else root
            assert isinstance(whole, RemoteFolder)
            _copy_all(place, whole, target, deadline)
        case None:
            raise DataError(f"{place.uri}: there is no such artifact")
    return target


def _copy_all(place: ArtifactPlace, source: RemoteFolder, target: Path, deadline: Deadline) -> None:
    copied = 0
    for file in source.files():
        deadline.check()
        copied += 1
        if copied > _MOST_FILES:
            raise DataError(f"{place.uri}: the artifact has more than {_MOST_FILES} files")
        copy = target / file.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        source.download(file.path, copy)
        if file.size_bytes not in (None, copy.stat().st_size):
            raise RegistryError(f"{place.uri}: {file.path!r} changed while it was downloaded; try again")
    if copied == 0:
        raise DataError(f"{place.uri}: there is no such artifact")


def _in_place(place: ArtifactPlace, root: LocalFolder, deadline: Deadline) -> Path:
    path = root.root / place.path
    expected = Path(os.path.realpath(root.root)) / place.path
    if place.path and Path(os.path.realpath(path.parent)) != expected.parent:
        raise DataError(f"{place.uri}: a link lies on the way; only files below the artifact's own folder are read")
    try:
        if path.is_dir() and (not place.path or not path.is_symlink()):
            _count_all(place, LocalFolder(path), deadline)
        elif path.exists():
            with root.open(place.path):
                pass
        else:
            raise DataError(f"{place.uri}: there is no such artifact")
    except CandidateError as error:
        raise DataError(str(error)) from error
    return path


def _count_all(place: ArtifactPlace, folder: LocalFolder, deadline: Deadline) -> None:
    """Walk all of a folder, so that a link anywhere in it is refused here and not followed later."""
    count = 0
    for count, _ in enumerate(folder.files(), 1):
        deadline.check()
        if count > _MOST_FILES:
            raise DataError(f"{place.uri}: the artifact has more than {_MOST_FILES} files")
    if count == 0:
        raise DataError(f"{place.uri}: the folder is empty")
