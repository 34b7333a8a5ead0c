"""Digests: of the bytes of a file, remembered while it does not change, and of a dataset as a manifest of files."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path
from typing import Any

import rfc8785

from gate.datasets.atomic import read_own, write_atomically
from gate.datasets.files import DataFile, Files
from gate.errors import DataError

SETTLED_NS = 2_000_000_000
"""A file that was written this recently could change again within one tick of its clock, so it is not remembered."""


class FileDigests:
    """The sha256 of files, remembered in a folder by their paths and stamps."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder = folder
        self._threads = threads

    def of(self, files: Files, uri: str) -> tuple[str, ...]:
        """The sha256 of each file, in order. DataError if one cannot be read."""
        if len(files.files) == 1:
            return (self._of(files.files[0], uri),)
        with ThreadPoolExecutor(self._threads) as pool:  # hashing leaves the interpreter to others
            return tuple(pool.map(lambda file: self._of(file, uri), files.files))

    def _of(self, file: DataFile, uri: str) -> str:
        if file.sha256 is not None:
            return file.sha256
        memo = self._folder / f"{hashlib.sha256(str(file.path).encode('utf-8', 'surrogateescape')).hexdigest()}.json"
        stamp = list(astuple(file.stamp))
        known = _remembered(memo, stamp)
        if known is not None:
            return known
        try:
            with file.path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as wrong:
            raise DataError(f"{uri}: cannot be read: {wrong.strerror}") from wrong
        file.refuse_changed(uri)
        if time.time_ns() - max(file.stamp.mtime_ns, file.stamp.ctime_ns) > SETTLED_NS:
            write_atomically(memo, json.dumps({"stamp": stamp, "sha256": sha256}).encode())
        return sha256


def manifest_digest(files: Files, digests: Sequence[str], selection: Mapping[str, Any]) -> str:
    """The sha256 of the RFC 8785 manifest of a dataset's files and of which of their rows count."""
    manifest = {
        "manifestVersion": 1,
        "files": [
            {"path": file.name, "size": file.stamp.size_bytes, "sha256": digest}
            for file, digest in zip(files.files, digests, strict=True)
        ],
        **selection,
    }
    return f"sha256:{hashlib.sha256(rfc8785.dumps(manifest)).hexdigest()}"


def content_digest(digests: Sequence[str], selection: Mapping[str, Any]) -> str:
    """The sha256 of the bytes of a dataset and of which of their rows count, whatever its files are named."""
    content = {"contentVersion": 1, "files": sorted(digests), **selection}
    return f"sha256:{hashlib.sha256(rfc8785.dumps(content)).hexdigest()}"


def _remembered(memo: Path, stamp: list[int]) -> str | None:
    """What a memo says of this very file; one that cannot be read, or that others could have written, says nothing."""
    try:
        said = json.loads(read_own(memo))
        sha256 = said["sha256"] if said["stamp"] == stamp else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return sha256 if isinstance(sha256, str) and len(sha256) == 64 else None
