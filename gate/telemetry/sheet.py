"""Samples on their way into a scrape: each label set once, fit to be text, and no more of them than were agreed on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache

from gate.domain.plain import escaped
from gate.telemetry.catalogue import BY_NAME

_LONGEST = 200  # characters of a label value; model and column names come from outside

Labels = tuple[str, ...]


class Sheet:
    """Series by metric and label set, at most `most` of them; what is written first stays."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._series: dict[str, dict[Labels, float]] = {}
        self.count = 0
        self.dropped = 0

    @property
    def room(self) -> int:
        """How many series may still be written."""
        return max(0, self._most - self.count)

    def put(self, name: str, value: float, *labels: object) -> None:
        """Write one series. A label set that is there already stays as it is: two of one kind break a whole scrape."""
        assert len(labels) == len(BY_NAME[name].labels), name
        series = self._series.setdefault(name, {})
        place = tuple(label_text(str(label)) for label in labels)
        if place in series:
            return
        if not self.room:
            self.dropped += 1
            return
        series[place] = float(value)
        self.count += 1

    def __iter__(self) -> Iterator[tuple[str, Mapping[Labels, float]]]:
        """Each metric with its series."""
        yield from self._series.items()

    def of(self, name: str) -> Mapping[Labels, float]:
        """The series of one metric."""
        return self._series.get(name, {})


@lru_cache(maxsize=65_536)
def label_text(text: str) -> str:
    r"""Render a label value: printable, at most 200 characters; a longer one ends in a digest, so that two stay two."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else escaped(char) for char in text)
    if len(text) <= _LONGEST:
        return text
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text[: _LONGEST - len(mark) - 1]}~{mark}"
