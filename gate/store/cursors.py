"""Cursors: where the next page begins. They hold a sequence, so what is added meanwhile moves nothing."""

from __future__ import annotations

import base64
import binascii

from gate.errors import UsageError

_SHOWN = 40
_MOST = 2**31 - 1  # the largest sequence that every database counts to


def write(kind: str, sequence: int) -> str:
    """Make the cursor of the page that follows the row with `sequence`."""
    return base64.urlsafe_b64encode(f"{kind}.{sequence}".encode()).decode().rstrip("=")


def read(kind: str, cursor: str) -> int:
    """Read a cursor of the same kind; UsageError if `write` did not make it."""
    try:
        named, _, sequence = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(".")
        if named == kind and sequence.isdecimal() and len(sequence) <= len(str(_MOST)):
            number = int(sequence)
            if number <= _MOST and write(kind, number) == cursor:
                return number
    except (ValueError, binascii.Error):
        pass
    shown = cursor if len(cursor) <= _SHOWN else cursor[:_SHOWN] + "..."
    raise UsageError(f"before: {shown!r} is no cursor of this list; use a page's `next`, or leave it out")
