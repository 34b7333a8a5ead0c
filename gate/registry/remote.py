"""A folder of files that MLflow fetches: from its server's artifact store, or from object storage."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import quote

from gate.errors import CandidateError, RegistryError
from gate.registry.manifest import ListedFile

_MOST_NESTED = 64


class RemoteFolder:
    """Files behind an MLflow artifact repository. A file is on this disk only while it is open."""

    def __init__(self, name: str, repository: Any, *, over_http: bool) -> None:
        self._name = name
        self._repository = repository
        self._over_http = over_http

    @property
    def name(self) -> str:
        """The address, without secrets."""
        return self._name

    def files(self) -> Iterator[ListedFile]:
        """List the folder, a request for each folder in it."""
        yield from self._below("", 0)

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """Download a file into a private place, which is removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="gate-model-") as folder:
            copy = Path(folder, "file")
            self.download(path, copy)
            with copy.open("rb") as stream:
                yield stream

    def download(self, path: str, target: Path) -> None:
        """Write a file's content to `target`."""
        # MLflow builds the URL by joining, and a '?' or '%' in a name would ask for another file.
        remote = quote(path) if self._over_http else path
        # Its public download lists again and works in a thread pool, which the interpreter waits for at exit.
        self._repository._download_file(remote, str(target))  # noqa: SLF001

    def kind(self, path: str) -> Literal["file", "folder"] | None:
        """What there is at `path`, as the listing of its parent says; the root is a folder."""
        if not path:
            return "folder"
        parent = path.rpartition("/")[0]
        for entry in self._repository.list_artifacts(parent or None):
            if self._checked(entry.path, parent) == path:
                return "folder" if entry.is_dir else "file"
        return None

    def stamp(self, path: str, stream: BinaryIO) -> None:  # noqa: ARG002 - nothing identifies a remote file but its bytes
        """Nothing identifies a remote file but its bytes."""
        return

    def _below(self, folder: str, depth: int) -> Iterator[ListedFile]:
        if depth > _MOST_NESTED:
            raise CandidateError(f"{self.name}: {folder!r} is nested too deeply")
        for entry in self._repository.list_artifacts(folder or None):
            path = self._checked(entry.path, folder)
            if entry.is_dir:
                yield from self._below(path, depth + 1)
            else:
                yield ListedFile(path, entry.file_size)

    def _checked(self, path: Any, folder: str) -> str:
        """Accept an entry directly below `folder`; a listing may not point anywhere else."""
        parent, _, name = path.rpartition("/") if isinstance(path, str) else ("", "", "")
        if parent != folder or name in ("", ".", "..") or "\\" in name or "\0" in name:
            raise RegistryError(f"{self.name}: its listing names {path!r}, which is not a file below {folder or '.'!r}")
        return str(path)
