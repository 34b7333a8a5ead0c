"""The answer of a statistic that the data cannot give."""

from __future__ import annotations


class Undefined(ValueError):  # noqa: N818  # it names an answer, not a fault
    """A statistic has no value on these parts. The evidence turns it into Missing.

    Attributes:
        reason: a clause for people that stands alone and may follow the name of a column: "no rows in current".
        rows: how many rows there were to measure.
    """

    def __init__(self, reason: str, rows: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rows = rows
