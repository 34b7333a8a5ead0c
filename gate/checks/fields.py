"""Types of fields that several kinds share: lists of columns, lengths of time, sizes, patterns."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import re2
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from gate.checks.contract import Name
from gate.domain.moments import format_duration, parse_duration
from gate.domain.need import Limit


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"got {twice!r} twice, allowed is each one once")
    return names


# The list must not be empty: a check of no columns would find nothing wrong with any data.
Names = Annotated[tuple[Name, ...], Field(strict=False, min_length=1, max_length=5000), AfterValidator(_once)]


def _text(parse: Callable[[str], Any]) -> BeforeValidator:
    """Read text with `parse`, whose ValueError says what is allowed; a value of the right type passes as it is."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except ValueError as wrong:
            raise ValueError(f"got {value[:60]!r}, allowed is {wrong}") from wrong

    return BeforeValidator(read)


Duration = Annotated[
    timedelta,
    _text(parse_duration),
    PlainSerializer(format_duration),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,5}(d|h|m|s)$", "examples": ["36h"]}),
]


_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
          "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}  # fmt: skip
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([KMGT]?i?B)", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Read `500MB`, `1.5 GB` or `64MiB` as bytes; ValueError says what is allowed."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError("a number of bytes, or a size such as 500MB, 1.5GB or 64MiB")
    return round(float(match[1]) * _UNITS[match[2].upper()])


def size(size_bytes: float) -> str:
    """Show a number of bytes in its largest decimal unit: `512 MB`, `1.234 GB`."""
    for unit in ("TB", "GB", "MB", "KB"):
        if size_bytes >= _UNITS[unit]:
            return f"{size_bytes / _UNITS[unit]:.4g} {unit}"
    return f"{size_bytes:.0f} B"


Bytes = Annotated[
    int,
    _text(parse_size),
    Field(ge=0),
    WithJsonSchema({
        "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^[0-9.]+ ?[KMGTkmgt]?i?[Bb]$"}],
        "examples": ["500MB"],
    }),
]  # fmt: skip


def compiled(pattern: str) -> Any:
    """Compile with RE2, whose time grows with the text and never explodes; ValueError says what is wrong."""
    options = re2.Options()
    options.log_errors = False  # the error is raised; it need not stand on stderr too
    try:
        return re2.compile(pattern, options)
    except re2.error as wrong:
        reason = wrong.args[0].decode(errors="replace") if isinstance(wrong.args[0], bytes) else str(wrong)
        raise ValueError(f"got {pattern[:60]!r}, allowed is an RE2 regular expression ({reason})") from None


def _is_pattern(pattern: str) -> str:
    compiled(pattern)
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_is_pattern)]


def require_limit(*, least: float | None, most: float | None) -> None:
    """Insist on a limit that something can be outside of and something inside."""
    if least is None and most is None:
        raise ValueError("min and max are missing; a check without a limit would let everything through")
    require_order(least=least, most=most)


def require_order(*, least: float | None, most: float | None) -> None:
    """Insist on a min that is not above the max."""
    if least is not None and most is not None and least > most:
        raise ValueError(f"min: {least:g} is above max: {most:g}")


def limit(least: float | None, most: float | None) -> Limit:
    """Make the limit of two optional edges."""
    return Limit(min=None if least is None else float(least), max=None if most is None else float(most))
