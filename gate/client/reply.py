"""What a server answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: `tries` counts the one that was answered, `seconds` is the time since the first one."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    tries: int = 1
    seconds: float = 0.0

    @property
    def media_type(self) -> str:
        """The type of the content, in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()
