"""The folders that a server may read data from (GATE_DATA_ROOTS)."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from gate.datasets.files import fixed_part, path_of
from gate.errors import DataRefusedError


class Roots:
    """Refuses what lies outside some folders, wherever links lead; None of them is no limit.

    Whoever may ask a server may name any path, and so may whoever logs a dataset in the registry or says where an
    experiment keeps its artifacts: without a limit all of them would read with the server's rights.
    """

    def __init__(self, folders: Iterable[Path] | None) -> None:
        self._folders = None if folders is None else tuple(Path(os.path.realpath(folder)) for folder in folders)

    def and_also(self, folders: Iterable[Path]) -> Roots:
        """The same, with more folders that are allowed."""
        return Roots(None if self._folders is None else (*self._folders, *folders))

    def refuse_outside(self, place: str, uri: str) -> None:
        """Raise DataRefusedError if a path, or the folder that a pattern begins in, is outside: it is not looked at."""
        if self._folders is None:
            return
        path = path_of(place, uri)
        if not glob.has_magic(str(path)):
            self.refuse_files([path], uri)
            return
        begins = fixed_part(path)
        self.refuse_files([begins], uri)
        if ".." in path.relative_to(begins).parts:  # else what lies outside would be looked at before it is refused
            raise DataRefusedError(
                f"{uri}: has '..' after one of * ? [, which a server does not follow; write the pattern without it"
            )

    def refuse_files(self, paths: Iterable[Path], uri: str) -> None:
        """Raise DataRefusedError if one of the files that a path led to is outside."""
        if self._folders is None:
            return
        for path in paths:
            real = Path(os.path.realpath(path))
            if not any(real.is_relative_to(folder) for folder in self._folders):
                allowed = ", ".join(map(str, self._folders)) or "none"
                raise DataRefusedError(
                    f"{uri}: lies outside the folders that this server reads data from ({allowed}); "
                    f"move it there, or have the server's GATE_DATA_ROOTS name its folder"
                )
