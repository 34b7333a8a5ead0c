"""Files that hold rows: where they are, which format they have, and whether they are still the ones that were read."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gate.errors import DataError


class Format(StrEnum):
    """Formats that rows come in."""

    PARQUET = "parquet"
    CSV = "csv"


_SUFFIXES = {
    ".parquet": Format.PARQUET,
    ".parq": Format.PARQUET,
    ".pq": Format.PARQUET,
    ".csv": Format.CSV,
    ".csv.gz": Format.CSV,
    ".tsv": Format.CSV,
    ".tsv.gz": Format.CSV,
}
_READS = "gate reads .parquet, .csv and .csv.gz"
_MOST_FILES = 20_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file system says of a file that changes when its bytes do."""

    inode: int
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class DataFile:
    """A regular file: `name` is its place within the dataset, `sha256` is set if its bytes were hashed on the way."""

    path: Path
    name: str
    stamp: Stamp
    sha256: str | None = None

    def refuse_changed(self, uri: str) -> None:
        """Raise DataError if the file is not the one that was opened: its digest would be of other bytes."""
        try:
            same = stamp_of(self.path, uri) == self.stamp
        except DataError:
            same = False
        if not same:
            raise DataError(f"{uri}: {self.name} changed while it was read; ask again when it is complete")


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one dataset, sorted by name, all of one format. Never empty."""

    files: tuple[DataFile, ...]
    format: Format

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files are."""
        return tuple(file.path for file in self.files)

    def refuse_changed(self, uri: str) -> None:
        """Raise DataError if a file is not the one that was opened."""
        for file in self.files:
            file.refuse_changed(uri)


def local_files(place: str, uri: str) -> Files:
    """Find the files behind a path, a `file://` URI, a glob or a directory.

    Args:
        place: where the bytes are.
        uri: what people call it, for messages.

    Links are followed: whoever names a path reads with their own rights, and data managers keep datasets as trees of
    links. What counts is the regular file at the end, whose bytes are hashed; nothing else is opened at all, since
    a pipe or a device would block or never end.
    """
    path = _path_of(place, uri)
    if os.path.lexists(path):
        root, found = (path, _inside(path)) if path.is_dir() else (path.parent, [path])
        if not found:
            raise DataError(f"{uri}: the directory holds no data; {_READS}")
    elif glob.has_magic(str(path)):
        root = _fixed_part(path)
        found = sorted(Path(p) for p in glob.glob(str(path), recursive=True) if not os.path.isdir(p))  # noqa: PTH207, PTH112  # pathlib takes no absolute pattern
        if not found:
            raise DataError(f"{uri}: no file matches{_nearby(root, path.name)}")
    else:
        raise DataError(f"{uri}: no such file{_nearby(path.parent, path.name)}")
    return dataset_of([(file, file.relative_to(root).as_posix()) for file in found], uri)


def dataset_of(found: Iterable[tuple[Path, str]], uri: str, digests: dict[str, str] | None = None) -> Files:
    """Make the dataset of the given files and names, after looking at each."""
    files = []
    for path, name in sorted(found, key=lambda pair: os.fsencode(pair[1])):
        if not name.isprintable():
            raise DataError(f"{uri}: {name!r} is no file name that a manifest can hold; rename it")
        real = Path(os.path.realpath(path))
        files.append(DataFile(real, name, stamp_of(real, uri), (digests or {}).get(name)))
        if glob.has_magic(str(real)):
            raise DataError(f"{uri}: the path {str(real)!r} has one of * ? [ in it, which names many files; rename it")
        if len(files) > _MOST_FILES:
            raise DataError(f"{uri}: more than {_MOST_FILES:,} files; merge them into larger ones")
    formats = {file.name: _format_of(file, uri) for file in files}
    first = next(iter(formats))
    other = next((name for name in formats if formats[name] is not formats[first]), None)
    if other is not None:
        raise DataError(
            f"{uri}: {other} is {formats[other]} and {first} is {formats[first]}; a dataset has files of one format"
        )
    return Files(tuple(files), formats[first])


def stamp_of(path: Path, uri: str) -> Stamp:
    """Look at a file without opening it; DataError unless it is a regular one."""
    try:
        seen = path.stat()
    except OSError as wrong:
        raise DataError(f"{uri}: cannot be read: {wrong.strerror}") from wrong
    if not stat.S_ISREG(seen.st_mode):
        raise DataError(f"{uri}: not a regular file (a pipe, a device or a directory)")
    return Stamp(seen.st_ino, seen.st_size, seen.st_mtime_ns)


def _path_of(place: str, uri: str) -> Path:
    """The local path behind a path or a `file:` URI."""
    if "\0" in place or not place:
        raise DataError(f"{uri!r}: a path is not empty and has no NUL character")
    parts = urlsplit(place) if place.startswith("file:") else None
    if parts is None:
        return Path(place).absolute()
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment or not parts.path.startswith("/"):
        raise DataError(f"{uri}: a file URI has no host, query or fragment; write file:///absolute/path")
    return Path(unquote(parts.path))


def _inside(folder: Path) -> list[Path]:
    """The data files below a directory. Names that begin with a dot or an underscore are markers, not data."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        found += [Path(parent, n) for n in names if not n.startswith((".", "_")) and _by_suffix(n) is not None]
    return found


def _fixed_part(pattern: Path) -> Path:
    """The directory above the first part of a pattern that is one."""
    fixed = Path(pattern.anchor)
    for part in pattern.parts[1:-1]:
        if glob.has_magic(part):
            break
        fixed /= part
    return fixed


def _by_suffix(name: str) -> Format | None:
    return next((kind for suffix, kind in _SUFFIXES.items() if name.lower().endswith(suffix)), None)


def _format_of(file: DataFile, uri: str) -> Format:
    """By the name of a file; without a known ending by its first bytes."""
    known = _by_suffix(file.name)
    if known is not None:
        return known
    try:
        with file.path.open("rb") as stream:
            magic = stream.read(4)
    except OSError as wrong:
        raise DataError(f"{uri}: cannot be read: {wrong.strerror}") from wrong
    if magic == b"PAR1":
        return Format.PARQUET
    raise DataError(f"{uri}: {file.name} is of no known format; {_READS}")


def _nearby(folder: Path, name: str) -> str:
    """What there is instead, for a person who mistyped."""
    if not folder.is_dir():
        while not folder.is_dir():
            folder = folder.parent
        return f"; the path ends at {folder}"
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith("."))
    except OSError:
        return ""
    close = get_close_matches(name, names, n=3, cutoff=0.75) or [n for n in names if _by_suffix(n)][:3]
    return f"; nearby is {', '.join(close)}" if close else f"; there is no data in {folder}"
