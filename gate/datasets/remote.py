"""Objects of an object store: fetched by gate into a private folder, hashed on the way, from where settings allow.

Nothing else of gate reads the network for data, and the engine cannot: what it opens is the local copy.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from gate.datasets.files import Files, dataset_of
from gate.errors import DataError, DataRefusedError

SCHEMES = ("s3", "gs")
MOST_BYTES = 64 * 2**30
_CHUNK_BYTES = 4 * 2**20
_CONNECT_SECONDS, _REQUEST_SECONDS = 10, 60
_ENDPOINT = {"s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"), "gs": ("STORAGE_EMULATOR_HOST",)}
_OWN_HOST = {"s3": "s3.amazonaws.com", "gs": "storage.googleapis.com"}


@dataclass(frozen=True, slots=True)
class Place:
    """An object, a prefix or a pattern in a bucket."""

    scheme: str
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Stores:
    """What may be fetched: `hosts` are buckets (`my-bucket`, `s3://my-bucket`) or endpoints (`minio.example:9000`)."""

    hosts: frozenset[str]
    folder: Path
    environment: Mapping[str, str]
    most_bytes: int = MOST_BYTES

    def fetch(self, place: Place) -> Files:
        """Fetch what `place` names; DataRefusedError if that is not allowed, DataError if it is not whole."""
        import pyarrow as pa
        from pyarrow import fs

        endpoint = self._endpoint(place.scheme)
        self._refuse_unlisted(place, endpoint)
        try:
            store = _filesystem(fs, place.scheme, endpoint)
            objects = _objects(fs, store, place)
            self._refuse_large(place, sum(size for _, size in objects.values()))
            folder = Path(tempfile.mkdtemp(prefix="fetched-", dir=self.folder))  # 0700
            digests = {
                name: _copy(store, key, folder / f"{i}{_suffix(name)}", size, place)
                for i, (name, (key, size)) in enumerate(sorted(objects.items()))
            }
        except (OSError, pa.ArrowException) as wrong:
            raise DataError(f"{place}: cannot be fetched: {_first_line(wrong)}") from wrong
        local = [(folder / f"{i}{_suffix(name)}", name) for i, name in enumerate(sorted(objects))]
        return dataset_of(local, str(place), digests)

    def _endpoint(self, scheme: str) -> str | None:
        return next((self.environment[name] for name in _ENDPOINT[scheme] if self.environment.get(name)), None)

    def _refuse_unlisted(self, place: Place, endpoint: str | None) -> None:
        parts = urlsplit(endpoint if endpoint and "//" in endpoint else f"//{endpoint or _OWN_HOST[place.scheme]}")
        host = (parts.hostname or "").lower()
        names = {place.bucket, f"{place.scheme}://{place.bucket}", host, f"{host}:{parts.port}"}
        if not names & self.hosts:
            raise DataRefusedError(
                f"{place}: GATE_DATA_HOSTS allows neither the bucket {place.bucket} nor the host {host}; "
                f"add one of them: GATE_DATA_HOSTS={place.bucket}"
            )

    def _refuse_large(self, place: Place, size_bytes: int) -> None:
        if size_bytes > self.most_bytes:
            raise DataError(f"{place}: {size_bytes:,} bytes, more than the {self.most_bytes:,} that gate fetches")


def remote_place(uri: str) -> Place | None:
    """Read `s3://bucket/key` or `gs://bucket/key`; None for a local path; DataError for any other scheme.

    Parsed by hand, not as a URL: a key may hold `?` and `#`, and nothing in a URI may choose the endpoint.
    """
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):(?:[A-Za-z0-9+.-]+:)?(//)?", uri)
    if found is None or found[1].lower() == "file" or (not found[2] and os.path.lexists(uri)):
        return None  # a file may have a colon in its name
    scheme, rest = found[1].lower(), uri[found.end() :]
    bucket, _, key = rest.partition("/")
    if "@" in bucket:
        raise DataError(f"{scheme}://...: a data URI must not carry a user or a password; set them in the environment")
    if scheme not in SCHEMES or not found[2]:
        # Not the whole of it: the query of a signed URL is a password too.
        raise DataError(f"{scheme}:...: gate reads local paths, s3://BUCKET/KEY and gs://BUCKET/KEY")
    if not bucket or not key or not all(c.isalnum() or c in "-._" for c in bucket) or not uri.isprintable():
        raise DataError(f"{uri!r}: write {scheme}://BUCKET/KEY")
    return Place(scheme, bucket.lower(), key)


def _filesystem(fs: Any, scheme: str, endpoint: str | None) -> Any:
    if scheme == "s3":
        return fs.S3FileSystem(
            endpoint_override=endpoint, connect_timeout=_CONNECT_SECONDS, request_timeout=_REQUEST_SECONDS
        )
    from datetime import timedelta

    return fs.GcsFileSystem(endpoint_override=endpoint, retry_time_limit=timedelta(seconds=_REQUEST_SECONDS))


def _objects(fs: Any, store: Any, place: Place) -> dict[str, tuple[str, int]]:
    """The objects that a place names: name within the dataset -> (full key, size)."""
    full = f"{place.bucket}/{place.key.rstrip('/')}"
    if any(c in place.key for c in "*?["):
        root = full[: next(i for i, c in enumerate(full) if c in "*?[")].rpartition("/")[0]
        found = _listed(fs, store, root)
        matching = {k: size for k, size in found.items() if _matches(k, full)}
    else:
        root = full
        info = store.get_file_info(full)
        if info.type == fs.FileType.File:
            root, matching = str(PurePosixPath(full).parent), {full: info.size}
        else:
            hidden = (".", "_")
            matching = {
                k: s for k, s in _listed(fs, store, root).items() if not PurePosixPath(k).name.startswith(hidden)
            }
    if not matching:
        raise DataError(f"{place}: no such object")
    return {key.removeprefix(f"{root}/"): (key, size) for key, size in matching.items()}


def _matches(key: str, pattern: str) -> bool:
    """Whether a key matches a pattern whose stars stay within one level, as they do in a file system."""
    keys, patterns = key.split("/"), pattern.split("/")
    return len(keys) == len(patterns) and all(map(fnmatch.fnmatchcase, keys, patterns))


def _listed(fs: Any, store: Any, root: str) -> dict[str, int]:
    selector = fs.FileSelector(root, recursive=True, allow_not_found=True)
    return {info.path: info.size for info in store.get_file_info(selector) if info.type == fs.FileType.File}


def _copy(store: Any, key: str, target: Path, size: int, place: Place) -> str:
    """Copy one object and return the sha256 of what arrived. More or fewer bytes than announced are refused."""
    digest, arrived = hashlib.sha256(), 0
    with store.open_input_stream(key, compression=None) as stream, target.open("xb") as file:
        while chunk := stream.read(_CHUNK_BYTES):
            arrived += len(chunk)
            if arrived > size:
                break
            digest.update(chunk)
            file.write(chunk)
    if arrived != size:
        raise DataError(f"{place}: {PurePosixPath(key).name} changed while it was fetched ({size:,} bytes announced)")
    return digest.hexdigest()


def _suffix(name: str) -> str:
    return "".join(PurePosixPath(name).suffixes[-2:]) if name.endswith(".gz") else PurePosixPath(name).suffix


def _first_line(wrong: Exception) -> str:
    return str(wrong).split("\n", 1)[0][:300]
