"""The model digest: which files a model consists of, by name, size and content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import rfc8785

from gate.errors import CandidateError, RegistryError
from gate.registry.deadline import Deadline
from gate.registry.memo import DigestMemo, Stamp

MLMODEL = "MLmodel"
# MLflow adds this file to a download of a registered model; it names the version and is no part of the model.
_ADDED_BY_MLFLOW = "registered_model_meta"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a model may be. The manifest is held in memory, a file at a time on the disk; the bytes nowhere."""

    files: int = 10_000
    size_bytes: int = 1 << 40
    mlmodel_bytes: int = 1 << 20  # MLmodel is parsed; ten thousand columns fit


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file as its folder lists it: posix path below the folder; the size where the listing knows it."""

    path: str
    size_bytes: int | None


class Folder(Protocol):
    """A folder of regular files, on this machine or elsewhere."""

    @property
    def name(self) -> str:
        """The folder as messages show it."""

    def files(self) -> Iterable[ListedFile]:
        """Every file below the folder, each once; CandidateError for anything that is not a regular file."""

    def open(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Open a listed file for reading."""

    def stamp(self, path: str, stream: BinaryIO) -> Stamp | None:
        """What identifies an unchanged file without reading it; None where nothing but its bytes does."""


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A line of the manifest."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of a model, in the order of the manifest, and the text of its MLmodel as it was hashed."""

    files: tuple[FileDigest, ...]
    mlmodel: bytes

    @property
    def digest(self) -> str:
        """The model digest."""
        return manifest_digest(self.files)


def manifest_digest(files: Iterable[FileDigest]) -> str:
    """Digest the manifest of `files`: `sha256:` and 64 hex digits. A renamed file is another model.

    Source: the sha256 of the RFC 8785 form of {"manifestVersion": 1, "files": [{path, size, sha256}]}, files in the
    byte order of their paths. Formats that hash the contents without the names accept a swapped pair of files.
    """
    lines = sorted(files, key=lambda file: file.path.encode())
    if not lines:
        raise ValueError("a manifest has at least one file")
    if len({line.path for line in lines}) != len(lines):
        raise ValueError("a manifest names a path once")
    manifest: dict[str, Any] = {
        "manifestVersion": 1,
        "files": [{"path": line.path, "size": line.size_bytes, "sha256": line.sha256} for line in lines],
    }
    return f"sha256:{hashlib.sha256(rfc8785.dumps(manifest)).hexdigest()}"


def hash_model(folder: Folder, memo: DigestMemo, deadline: Deadline, limits: Limits = Limits()) -> ModelFiles:
    """Read every file of a model once, in constant memory.

    Raises:
        CandidateError: the folder is empty, is no MLflow model, or is larger than `limits`.
        RegistryError: a file changed while it was read, or `deadline` passed.
    """
    listed = _listed(folder, deadline, limits)
    mlmodel, digests, total = b"", [], 0
    for file in listed:
        deadline.check()
        with folder.open(file.path) as stream:
            if file.path == MLMODEL:
                mlmodel = stream.read(limits.mlmodel_bytes + 1)
                if len(mlmodel) > limits.mlmodel_bytes:
                    raise CandidateError(f"{folder.name}: its MLmodel is larger than {limits.mlmodel_bytes} bytes")
                line = FileDigest(file.path, len(mlmodel), hashlib.sha256(mlmodel).hexdigest())
            else:
                line = _hash(folder, file.path, stream, memo, deadline, limits.size_bytes - total)
        if file.size_bytes not in (None, line.size_bytes):
            raise RegistryError(
                f"{folder.name}: {file.path!r} changed while it was read "
                f"({file.size_bytes} bytes listed, {line.size_bytes} read); try again"
            )
        total += line.size_bytes
        digests.append(line)
    memo.save()
    return ModelFiles(tuple(digests), mlmodel)


def _listed(folder: Folder, deadline: Deadline, limits: Limits) -> list[ListedFile]:
    """List what the digest covers, in its order, before the first byte is read."""
    listed: list[ListedFile] = []
    for file in folder.files():
        deadline.check()
        if file.path != _ADDED_BY_MLFLOW:
            listed.append(file)
        if len(listed) > limits.files:
            raise CandidateError(f"{folder.name}: the model has more than {limits.files} files, which is the limit")
    if not listed:
        raise CandidateError(
            f"{folder.name}: the model has no files there; were they deleted, or is that place on another machine?"
        )
    if len({file.path for file in listed}) != len(listed):
        raise RegistryError(f"{folder.name}: its listing names a file twice")
    if all(file.path != MLMODEL for file in listed):
        raise CandidateError(f"{folder.name}: there is no file {MLMODEL}, so this is no MLflow model")
    total = sum(file.size_bytes or 0 for file in listed)
    if total > limits.size_bytes:
        raise CandidateError(f"{folder.name}: the model has {total} bytes, the limit is {limits.size_bytes}")
    return sorted(listed, key=lambda file: file.path.encode())


def _hash(
    folder: Folder, path: str, stream: BinaryIO, memo: DigestMemo, deadline: Deadline, allowed_bytes: int
) -> FileDigest:
    before = folder.stamp(path, stream)
    if before is not None and (known := memo.get(before)) is not None:
        return FileDigest(path, before.size_bytes, known)
    sha256, size = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        deadline.check()
        sha256.update(chunk)
        size += len(chunk)
        if size > allowed_bytes:
            raise CandidateError(f"{folder.name}: the model has more bytes than the limit allows")
    if folder.stamp(path, stream) != before:
        raise RegistryError(f"{folder.name}: {path!r} changed while it was read; try again")
    if before is not None:
        memo.put(before, sha256.hexdigest())
    return FileDigest(path, size, sha256.hexdigest())
