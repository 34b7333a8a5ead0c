"""The strict reader of YAML: bytes in; plain values, the line of each and everything that is wrong out.

YAML can say one thing in many ways and many things in one: aliases that unfold to gigabytes, keys that win because
they come last, `no` that means false, 1:30 that means 90. A policy has to mean the same to the person who reviews it
and to every program that reads it, so this reader takes the small part of YAML on which all of them agree, and
refuses the rest by name. It never builds a Python object from a tag, and it reads events one by one: a hostile file
costs no more than its first 10,000 nodes.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from gate.errors import Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_NODES = 10_000
_MAX_INTEGER = 2**53 - 1  # beyond it, programs that read numbers as doubles see another number

Path = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_CORE_TAGS = frozenset({_TAG + name for name in ("map", "seq", "str", "int", "float", "bool", "null")})
_NULL = re.compile(r"~|null|")
_BOOL = re.compile(r"true|false")
_INT = re.compile(r"0|-?[1-9][0-9]*")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.?(?:nan|inf|infinity)", re.IGNORECASE)
# What a reader of YAML 1.1 or 1.2 may take for something else than text, though this one does not.
_AMBIGUOUS = re.compile(
    r"""(?:yes|no|on|off|true|false|null)                # booleans of YAML 1.1, and other spellings of ours
      | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)? # base 60: 1:30 is 90
      | [-+]?0[xob]?[0-9a-f_]+                           # octal, hexadecimal, binary
      | [-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:e[-+]?[0-9]+)?  # +1, 1_000, 1., .5, 1e3
      | =""",
    re.IGNORECASE | re.VERBOSE,
)
_TIME_WITHOUT_ZONE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]*)?)?"
)
# Characters that change how a line looks without changing what it says: bidirectional controls and zero widths.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069]")


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says.

    Attributes:
        value: mappings with text keys, lists, text, finite numbers, booleans and null. Where something was wrong the
            part is left out or null, so a document with problems is good for finding more of them and nothing else.
        lines: the line of every path: that of the key in a mapping, that of the entry in a list.
        problems: everything wrong with the YAML itself.
    """

    value: Any
    lines: Mapping[Path, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line_of(self, path: Path) -> int | None:
        """The line of `path`, or of the closest thing around it that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_document(raw: bytes, file: str) -> Document:
    """Read one YAML document; what is wrong with it is in its `problems`, under the name `file`."""
    if len(raw) > MAX_BYTES:
        return Document(None, {}, (Problem(file, None, f"larger than {MAX_BYTES // 1024} KiB, the most that is read"),))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        return Document(None, {}, (Problem(file, line, "not UTF-8 text"),))
    reader = _Reader(file, text)
    value = reader.read()
    return Document(value, reader.lines, tuple(reader.problems))


class _StopReadingError(Exception):
    """Nothing that follows can be read in a bounded way."""


class _Reader:
    """Builds values from the events of one file, and notes what is wrong as it goes."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self.nodes = 0
        self.events: Iterator[yaml.Event] = iter(())

    def problem(self, line: int | None, message: str) -> None:
        self.problems.append(Problem(self.file, line, message))

    def read(self) -> Any:
        """Read the one document of the file."""
        for number, line in enumerate(self.text.splitlines(), start=1):
            if hidden := _INVISIBLE.search(line):
                self.problem(number, f"invisible character U+{ord(hidden[0]):04X}; remove it")
        try:
            self.events = yaml.parse(self.text, Loader=yaml.SafeLoader)
            return self._document()
        except _StopReadingError:
            return None
        except yaml.reader.ReaderError as wrong:
            self.problem(
                self.text.count("\n", 0, wrong.position) + 1,
                f"character U+{int(wrong.character):04X} is not allowed in YAML",
            )
        except yaml.MarkedYAMLError as wrong:
            mark = wrong.problem_mark or wrong.context_mark
            around = f" {wrong.context}" if wrong.context else ""
            self.problem(mark.line + 1 if mark else None, f"not readable as YAML{around}: {wrong.problem}")
        except (yaml.YAMLError, ValueError, OverflowError) as wrong:  # an escape beyond Unicode is a ValueError
            self.problem(None, f"not readable as YAML: {wrong}")
        return None

    def _document(self) -> Any:
        next(self.events)  # the start of the stream
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            self.problem(None, "the file is empty")
            return None
        if isinstance(start, yaml.DocumentStartEvent) and (start.version or start.tags):
            self.problem(_line(start), "directives (%) are not allowed")
        value = self._node(next(self.events), ())
        next(self.events)  # the end of the document
        more = next(self.events)
        if not isinstance(more, yaml.StreamEndEvent):
            self.problem(_line(more), "a second document; one file holds one")
        return value

    def _node(self, event: yaml.Event, path: Path) -> Any:
        self.nodes += 1
        if len(path) > MAX_DEPTH:
            self.problem(_line(event), f"nested deeper than {MAX_DEPTH} levels")
            raise _StopReadingError
        if self.nodes > MAX_NODES:
            self.problem(_line(event), f"more than {MAX_NODES:,} values")
            raise _StopReadingError
        self.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.AliasEvent):
            self.problem(_line(event), f"alias *{event.anchor} is not allowed; write the value out")
            return None
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            self.problem(_line(event), f"anchor &{anchor} is not allowed; write the value out where it is needed")
        if tag is not None and tag not in _CORE_TAGS and tag != "!":
            self.problem(_line(event), f"tag {tag.replace(_TAG, '!!')} is not allowed")
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(path)
            case yaml.SequenceStartEvent():
                return self._sequence(path)
            case yaml.ScalarEvent():
                return self._scalar(event)
            case _:
                raise TypeError(f"unexpected {event}")

    def _sequence(self, path: Path) -> list[Any]:
        entries: list[Any] = []
        for event in iter(lambda: next(self.events), None):
            if isinstance(event, yaml.SequenceEndEvent):
                break
            entries.append(self._node(event, (*path, len(entries))))
        return entries

    def _mapping(self, path: Path) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for event in iter(lambda: next(self.events), None):
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, path)
            if key is None:
                self._skip()
            elif key in entries:
                first = self.lines[(*path, key)]
                self.problem(_line(event), f"key {key!r} a second time; it is on line {first} already")
                self._skip()
            else:
                self.lines[(*path, key)] = _line(event)
                entries[key] = self._node(next(self.events), (*path, key))
        return entries

    def _key(self, event: yaml.Event, path: Path) -> str | None:
        """The key that `event` starts, or None if it cannot be one."""
        if not isinstance(event, yaml.ScalarEvent):
            self._node(event, (*path, "?"))
            self.problem(_line(event), "a key is a plain word, not a list, a mapping or an alias")
            return None
        if event.value == "<<" and event.implicit[0]:
            self.problem(_line(event), "merge key << is not allowed; write the values out, or use extends")
            return None
        if event.anchor is not None or event.tag is not None:
            self.problem(_line(event), f"key {event.value!r} has an anchor or a tag; neither is allowed")
            return None
        # `on` and `no` are fine as keys: here a key is text always.
        if event.implicit[0] and any(kind.fullmatch(event.value) for kind in (_NULL, _BOOL, _INT, _FLOAT)):
            self.problem(_line(event), f'key {event.value or "null"} is not text; put it in quotes: "{event.value}"')
            return None
        self._refuse_control(event)
        return str(event.value)

    def _skip(self) -> None:
        """Pass over the value of a key that is not read, and still note what is wrong inside it."""
        lines = dict(self.lines)
        self._node(next(self.events), ("?",))
        self.lines = lines

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        text, tag = event.value, event.tag
        self._refuse_control(event)
        if not event.implicit[0] or tag is not None:  # quoted, or with a tag of its own
            if tag in (None, "!", _TAG + "str"):
                return text
            value = self._plain(event)
            if tag in _CORE_TAGS and tag != _tag_of(value):
                self.problem(_line(event), f"tag {tag.replace(_TAG, '!!')} does not fit {text!r}")
            return value
        return self._plain(event)

    def _plain(self, event: yaml.ScalarEvent) -> Any:
        text = event.value
        if _NULL.fullmatch(text):
            return None
        if _BOOL.fullmatch(text):
            return text == "true"
        if _INT.fullmatch(text):
            return self._number(int(text) if len(text) < 20 else _MAX_INTEGER + 1, event)
        if _FLOAT.fullmatch(text):
            return self._number(float(text), event)
        if _NOT_FINITE.fullmatch(text):
            self.problem(_line(event), f"{text} is not a number that can be compared; write a finite one")
        elif _TIME_WITHOUT_ZONE.fullmatch(text):
            self.problem(_line(event), f"date-time {text} has no zone; write it as 2026-11-20T12:00:00Z")
        elif _AMBIGUOUS.fullmatch(text):
            self.problem(_line(event), f"{text} is read differently by different readers of YAML; {_advice(text)}")
        else:
            return text
        return None

    def _number(self, value: float, event: yaml.ScalarEvent) -> float | None:
        if not math.isfinite(value) or (isinstance(value, int) and abs(value) > _MAX_INTEGER):
            self.problem(_line(event), f"number {event.value[:40]} is too large")
            return None
        return value

    def _refuse_control(self, event: yaml.ScalarEvent) -> None:
        """Refuse what escapes smuggle in: NUL, bells, lone surrogates."""
        for char in event.value:
            if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t":
                self.problem(_line(event), f"control character U+{ord(char):04X} is not allowed")
                return


def _tag_of(value: Any) -> str:
    names = {type(None): "null", bool: "bool", int: "int", float: "float", str: "str"}
    return _TAG + names[type(value)]


def _advice(text: str) -> str:
    lowered = text.lower()
    if lowered in ("yes", "on", "true"):
        return f'write true, or put it in quotes: "{text}"'
    if lowered in ("no", "off", "false"):
        return f'write false, or put it in quotes: "{text}"'
    return f'write it as a plain decimal number, or put it in quotes: "{text}"'


def _line(event: yaml.Event) -> int:
    assert event.start_mark is not None  # only events that were made by hand have none
    return int(event.start_mark.line) + 1
