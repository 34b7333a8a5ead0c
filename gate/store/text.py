"""Text that every database takes: no NUL, which PostgreSQL refuses, and no half of a surrogate pair."""

from __future__ import annotations

from gate.errors import StoreError


def is_storable(text: str) -> bool:
    """Whether a database can hold a text; what it cannot hold is not there either."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_storable(**texts: str) -> None:
    """Raise a StoreError that names the first text that no database takes."""
    for name, text in texts.items():
        if not is_storable(text):
            raise StoreError(f"{name}: text with a NUL character or half a surrogate pair cannot be stored")
