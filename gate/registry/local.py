"""A folder of files on this machine, walked without following links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gate.errors import CandidateError
from gate.registry.manifest import ListedFile
from gate.registry.memo import Stamp

_MOST_NESTED = 64
# O_NONBLOCK: opening a fifo that took a file's place must not wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = _FILE | os.O_DIRECTORY


class LocalFolder:
    """Regular files below `root`. A link, fifo, socket or device is refused: its content is not the folder's."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def name(self) -> str:
        """The path."""
        return str(self.root)

    def files(self) -> Iterator[ListedFile]:
        """Walk the folder; one that does not exist is empty."""
        try:
            descriptor = os.open(self.root, _FOLDER & ~os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            return
        try:
            yield from self._walk(descriptor, ())
        finally:
            os.close(descriptor)

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """Open a file, following no link on the way from the root."""
        *folders, file = path.split("/")
        opened = [os.open(self.root, _FOLDER & ~os.O_NOFOLLOW)]
        try:
            for folder in folders:
                opened.append(self._open(folder, _FOLDER, opened[-1], path))
            descriptor = self._open(file, _FILE, opened[-1], path)
        finally:
            for folder_descriptor in opened:
                os.close(folder_descriptor)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise self._irregular(path)
            yield stream

    def stamp(self, path: str, stream: BinaryIO) -> Stamp:
        """Take the stamp of the opened file, whatever its name leads to by now."""
        return Stamp.of(str(self.root.absolute() / path), os.fstat(stream.fileno()))

    def _walk(self, descriptor: int, above: tuple[str, ...]) -> Iterator[ListedFile]:
        with os.scandir(descriptor) as entries:
            found = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)
        for name, status in found:
            inside = (*above, name)
            path = "/".join(inside)
            if not _is_text(name):
                raise CandidateError(f"{self.name}: the file name {os.fsencode(path)!r} is not UTF-8")
            if stat.S_ISREG(status.st_mode):
                yield ListedFile(path, status.st_size)
            elif stat.S_ISDIR(status.st_mode) and len(inside) <= _MOST_NESTED:
                below = self._open(name, _FOLDER, descriptor, path)
                try:
                    yield from self._walk(below, inside)
                finally:
                    os.close(below)
            else:
                raise self._irregular(path)

    def _open(self, name: str, flags: int, parent: int, path: str) -> int:
        try:
            return os.open(name, flags, dir_fd=parent)
        except OSError as error:
            raise CandidateError(f"{self.name}: {path!r} cannot be opened ({error.strerror})") from error

    def _irregular(self, path: str) -> CandidateError:
        return CandidateError(
            f"{self.name}: {path!r} is a link, a device or nested too deeply; only regular files are read, "
            "because only their bytes can be vouched for"
        )


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
