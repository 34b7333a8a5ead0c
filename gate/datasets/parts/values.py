"""Counts of values as text, exact, cut after the most frequent."""

from __future__ import annotations

import numpy as np
from sqlglot import exp

from gate.datasets.parts.answering import Arrays, Rows, by_group, group_of, is_null, list_of, plain
from gate.datasets.storage import key, text
from gate.datasets.template import fill, whole
from gate.domain.part import Values
from gate.statistics.parts import SplitParts, ValueCounts

# Counted by the stored value, and only what is counted becomes text. The null row comes first, then the most
# frequent; ties in the order of the text, so that a cut list is the same list each time. Values that were not asked
# for come last and are cut off where they are read: a row is needed in any case, for the totals that it carries.
_ARM = """
SELECT k, v, n, total, different, (v IS NULL OR $kept) AS asked FROM (
  SELECT $k AS k, $text AS v, n, CAST(SUM(n) OVER () AS BIGINT) AS total, COUNT(*) OVER () AS different
  FROM (SELECT value, COUNT(*) AS n FROM (SELECT $value AS value FROM data) GROUP BY value))
ORDER BY asked DESC, v IS NULL DESC, n DESC, v LIMIT $most
"""
_SPLIT_ARM = """
SELECT k, g, v, n, total, different, (v IS NULL OR $kept) AS asked FROM (
  SELECT $k AS k, g, $text AS v, n, CAST(SUM(n) OVER (PARTITION BY g) AS BIGINT) AS total,
         COUNT(*) OVER (PARTITION BY g) AS different
  FROM (SELECT g, value, COUNT(*) AS n FROM (SELECT $value AS value, $g AS g FROM data) GROUP BY g, value))
QUALIFY ROW_NUMBER() OVER (PARTITION BY g ORDER BY asked DESC, v IS NULL DESC, n DESC, v) <= $most
ORDER BY g, asked DESC, v IS NULL DESC, n DESC, v
"""


def values_arm(rows: Rows, request: Values, k: int) -> exp.Expr:
    """The part of a statement that counts the values of one column, marked with the number `k`."""
    column = rows.column(request.column)
    only = request.only
    holes = {
        "k": whole(k),
        "value": key(column),
        "text": text(column, exp.column("value")),
        "kept": fill("TRUE") if only is None else exp.In(this=exp.column("v"), expressions=list_of(only or ("",))),
        "most": whole((request.cap if only is None else len(only)) + 1),  # one more: the null row
    }
    if request.split is None:
        arm = rows.select(_ARM, (request.column,), **holes)
    else:
        columns = (request.column, request.split.column)
        arm = rows.select(_SPLIT_ARM, columns, **holes, g=group_of(rows, request.split))
    return exp.select("*").from_(arm.subquery("arm"))  # ORDER BY and LIMIT bind to the arm, not to the union


def read_values(request: Values, arrays: Arrays) -> ValueCounts | SplitParts:
    """Make the counts of one column from the rows that its arm gave.

    A value of `only` that does not occur is listed with the count 0: asked for, it is known.
    """

    def make(some: Arrays) -> ValueCounts:
        n = plain(some["n"]).astype(np.int64)
        null = is_null(some["v"])
        asked = plain(some["asked"]).astype(bool) & ~null
        nulls = int(n[null].sum())
        everything = int(plain(some["total"])[0]) if len(n) else 0
        different = int(plain(some["different"])[0]) if len(n) else 0
        limit = request.cap if request.only is None else len(request.only)
        found = [str(v) for v in plain(some["v"])[asked][:limit]]
        counts = [int(c) for c in n[asked][:limit]]
        lost = [v for v in dict.fromkeys(request.only or ()) if v not in set(found)]
        return ValueCounts(
            np.array(found + lost, dtype=object),
            np.array(counts + [0] * len(lost), dtype=np.int64),
            total=everything - nulls,
            distinct=different - int(null.any()),
            nulls=nulls,
        )

    return make(arrays) if request.split is None else by_group(arrays, make)
