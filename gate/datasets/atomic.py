"""Files under GATE_HOME: whole or not there, for their owner alone, and believed only if nobody else could write."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that readers see whole or not at all. What is kept for speed may fail to be kept: no error."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise


def read_own(path: Path) -> bytes:
    """Read a file that only this user can have written; PermissionError for any other, OSError if it is not there."""
    with path.open("rb") as stream:
        seen = os.fstat(stream.fileno())
        if seen.st_uid != os.geteuid() or seen.st_mode & 0o022:
            raise PermissionError(errno.EPERM, "others could have written it", str(path))
        return stream.read()
