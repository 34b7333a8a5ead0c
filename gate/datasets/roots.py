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

    Whoever may ask a server may name any path, and so may whoever logs a dataset in the registry: without a limit both
    would read with the server's rights.
    """

    def __init__(self, folders: Iterable[Path] | None) -> None:
        self._folders = None if folders is None else tuple(Path(os.path.realpath(folder)) for folder in folders)

    def refuse_outside(self, place: str, uri: str) -> None:
        """Raise DataRefusedError if a path, or the folder that a pattern begins in, is outside: it is not looked at."""
        if self._folders is None:
            return
        path = path_of(place, uri)
        self.refuse_files([fixed_part(path) if glob.has_magic(str(path)) else path], uri)

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
