"""How long the client goes on asking, and how long it rests in between."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from gate.errors import OutOfTimeError

_FIRST_REST = 0.5
_LONGEST_REST = 15.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, as the client knows them. `now` is monotonic, in seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The caller's own limit over everything that the client does; `seconds` None is no limit."""

    seconds: float | None = None
    clock: Clock = field(default_factory=Clock)
    began: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "began", self.clock.now())

    @property
    def left(self) -> float:
        """The seconds that are left; infinity without a limit."""
        return float("inf") if self.seconds is None else self.began + self.seconds - self.clock.now()

    def check(self) -> None:
        """Raise OutOfTimeError once nothing is left."""
        if self.left <= 0:
            raise OutOfTimeError(f"timed out: no verdict within {self.seconds:g} s (--timeout)")

    def rest(self, seconds: float) -> None:
        """Sleep, but not past the limit."""
        self.check()
        self.clock.sleep(max(0.0, min(seconds, self.left)))
        self.check()


def backoff(failures: int, clock: Clock) -> float:
    """How long to rest after so many failures in a row (1, 2, ...): doubled each time, with half of it left to chance.

    Many clients that failed together must not come back together.
    """
    longest = min(_FIRST_REST * 2 ** min(failures - 1, 10), _LONGEST_REST)
    return float(longest * (0.5 + 0.5 * clock.chance()))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds for which the server asks to be left alone, if it says so in a way that can be understood.

    A date is read against the server's own `Date`, never against the clock of this machine.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        then, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (then - now).total_seconds())
    except (TypeError, ValueError, IndexError):
        return None
