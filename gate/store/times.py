"""Times as text that sorts: UTC, ISO 8601, microseconds."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Write a moment; ValueError if it has no time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Read a moment back."""
    return datetime.fromisoformat(text)


def whole_seconds(moment: datetime) -> str:
    """Write a moment as verdict documents do: without a fraction, which is cut off."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
