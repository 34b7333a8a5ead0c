"""Server-sent events, read from bytes that may be anything. They tell of progress; no verdict is read from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_LONGEST_LINE = 2**20


class GarbledError(Exception):
    """These are no server-sent events."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its number for `Last-Event-ID` if it has one, its kind, its data. A heartbeat has neither."""

    number: int | None = None
    kind: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def read_events(chunks: Iterable[bytes]) -> Iterator[Told]:
    """Read events as https://html.spec.whatwg.org/multipage/server-sent-events.html has it; a comment is a heartbeat.

    An event that was not finished by an empty line is dropped. Raises GarbledError where a line is no text, or longer
    than any line of gate.
    """
    number, kind, data, size = None, "", list[str](), 0
    for line in _lines(chunks):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if kind or data:
                yield Told(number, kind, _parsed("\n".join(data)))
            number, kind, data, size = None, "", [], 0
        elif not name:
            yield Told()
        elif name == "id":
            number = int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)
            size += len(value) + 1
            if size > _LONGEST_LINE:
                raise GarbledError("an event is too long")


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        # Every line ends as gate ends it; a lone CR is content that no event of gate has.
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise GarbledError("a line is too long")
        for line in whole:
            try:
                yield line.removesuffix(b"\r").decode("utf-8")
            except UnicodeDecodeError as wrong:
                raise GarbledError("a line is no text") from wrong


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
