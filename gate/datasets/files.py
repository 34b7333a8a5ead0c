"""Files that hold rows: where they are, which format they have, and whether they are still the ones that were read."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
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
    """What a file system says of a file that changes when its bytes do: `ctime_ns` also if its mtime was set back."""

    device: int
    inode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int


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
    a pipe or a device would block or never end. A folder that cannot be read is an error: whether it holds rows that
    count, nobody can tell.
    """
    path = path_of(place, uri)
    try:
        root, found = _found(path, uri)
    except OSError as wrong:
        raise DataError(f"{uri}: {wrong.filename} cannot be read: {wrong.strerror}") from wrong
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
    return Stamp(seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


def path_of(place: str, uri: str) -> Path:
    """The local path behind a path or a `file:` URI."""
    if "\0" in place or not place:
        raise DataError(f"{uri!r}: a path is not empty and has no NUL character")
    parts = urlsplit(place) if place.startswith("file:") else None
    if parts is None:
        return Path(place).absolute()
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment or not parts.path.startswith("/"):
        raise DataError(f"{uri}: a file URI has no host, query or fragment; write file:///absolute/path")
    return Path(unquote(parts.path))


def _found(path: Path, uri: str) -> tuple[Path, list[Path]]:
    """The files that a path names, and the folder that their names begin at. OSError where it cannot be told."""
    if os.path.lexists(path):
        if not path.is_dir():
            return path.parent, [path]
        found = _inside(path, uri)
        if not found:
            raise DataError(f"{uri}: the directory holds no data; {_READS}")
        return path, found
    if not glob.has_magic(str(path)):
        raise DataError(f"{uri}: no such file{_nearby(path.parent, path.name)}")
    root = fixed_part(path)
    parts = path.relative_to(root).parts
    found = sorted(set(_matching(root, parts, uri))) if root.is_dir() else []
    if not found:
        raise DataError(f"{uri}: no file matches{_nearby(root, path.name)}")
    return root, found


def _inside(folder: Path, uri: str) -> list[Path]:
    """The data files below a directory. Names that begin with a dot or an underscore are markers, not data."""
    markers = (".", "_")
    return [
        parent / name
        for parent, names in _folders(folder, markers, uri)
        for name in names
        if not name.startswith(markers) and (_by_suffix(name) is not None or _is_folder(parent / name))
    ]


def _folders(folder: Path, hidden: tuple[str, ...], uri: str) -> Iterator[tuple[Path, list[str]]]:
    """A folder and those below it, linked ones too, each with the names of its files.

    DataError where two paths lead to one folder: a link to a folder above never ends, and any other counts rows twice.
    """
    seen: dict[tuple[int, int], str] = {}

    def refuse(wrong: OSError) -> None:
        raise wrong

    for parent, folders, names in os.walk(folder, followlinks=True, onerror=refuse):
        found = Path(parent).stat()
        same = seen.setdefault((found.st_dev, found.st_ino), parent)
        if same is not parent:
            raise DataError(f"{uri}: {same} and {parent} are one folder, whose rows would count twice; remove the link")
        folders[:] = sorted(name for name in folders if not name.startswith(hidden))
        yield Path(parent), names


def _matching(folder: Path, parts: tuple[str, ...], uri: str) -> Iterator[Path]:
    """The files below a folder that match the parts of a pattern, by the rules of a shell.

    Not `glob.glob`, which leaves out in silence what it may not read.
    """
    part, *rest = parts
    if part == "**":
        for below, _ in _folders(folder, (".",), uri):
            yield from _matching(below, tuple(rest) or ("*",), uri)
        return
    if glob.has_magic(part):
        names = [entry.name for entry in folder.iterdir() if fnmatchcase(entry.name, part)]
        names = [name for name in names if not name.startswith(".") or part.startswith(".")]
    else:
        names = [part] if _is_there(folder / part) else []
    for path in (folder / name for name in names):
        if not _is_folder(path):
            if not rest:
                yield path
        elif rest:
            yield from _matching(path, tuple(rest), uri)


def _is_there(path: Path) -> bool:
    """Whether there is something at a path; OSError where nobody may look."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; OSError if it leads nowhere, or where nobody may look."""
    return stat.S_ISDIR(path.stat().st_mode)


def fixed_part(pattern: Path) -> Path:
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
