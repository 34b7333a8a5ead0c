"""Digests of files that did not change since they were hashed, so that a large model on this machine is read once."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_MOST = 4096  # files; the oldest are forgotten first
_LARGE = 1 << 20  # bytes; below this, hashing costs no more than looking up
# A file that changes again within the clock's tick keeps its times, so a young file is hashed each time.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the file system says of a file. `changed_ns` (ctime) moves when somebody sets `modified_ns` back."""

    path: str
    device: int
    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, path: str, stat: os.stat_result) -> Stamp:
        """Take the stamp of an opened file."""
        return cls(path, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


class DigestMemo:
    """Stamp -> sha256, in a file of the user's own; without a file, for as long as this object lives.

    It is a shortcut, never a source: what cannot be read, was written by somebody else, or looks odd is hashed anew.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known = _read(file) if file is not None else {}
        self._grew = False

    def get(self, stamp: Stamp) -> str | None:
        """The digest of an unchanged file."""
        return self._known.get(stamp)

    def put(self, stamp: Stamp, sha256: str) -> None:
        """Remember the digest of a file that is large and has settled."""
        young = time.time_ns() - max(stamp.modified_ns, stamp.changed_ns) < _SETTLED_NS
        if stamp.size_bytes >= _LARGE and not young:
            self._known[stamp] = sha256
            self._grew = True

    def save(self) -> None:
        """Write what was learned, whole or not at all. A full disk costs the shortcut, not the verdict."""
        if self._file is None or not self._grew:
            return
        rows = [[*astuple(stamp), sha256] for stamp, sha256 in list(self._known.items())[-_MOST:]]
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=f"{self._file.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    json.dump(rows, stream)
                Path(name).replace(self._file)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            self._grew = False


def _read(file: Path) -> dict[Stamp, str]:
    try:
        with file.open("rb") as stream:
            stat = os.fstat(stream.fileno())
            if stat.st_uid != os.geteuid() or stat.st_mode & 0o022:
                return {}
            rows = json.load(stream)
    except (OSError, ValueError, RecursionError):
        return {}
    return dict(map(_row, filter(_is_row, rows))) if isinstance(rows, list) else {}


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, list)
        and [type(cell) for cell in row] == [str, int, int, int, int, int, str]
        and _SHA256.match(row[6]) is not None
    )


def _row(row: list[Any]) -> tuple[Stamp, str]:
    *stamp, sha256 = row
    return Stamp(*stamp), sha256
