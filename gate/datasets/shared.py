"""Rows that two datasets share, each read in its own connection."""

from __future__ import annotations

from sqlglot import exp

from gate.datasets.parts.answering import Rows, Unanswered, plain
from gate.datasets.storage import canonical, family, key
from gate.datasets.template import fill_select, render

_KEYS = "reference_keys"


def count_shared(ours: Rows, theirs: Rows, columns: tuple[str, ...]) -> int:
    """Count the rows of `ours` that occur in `theirs`, compared on `columns`; null equals null, NaN is null.

    Rows are compared by a 64-bit hash: a false match among a million by a million rows has a chance of 5e-8. The
    hashes of one side stream into the connection of the other, which never opens the other's files.
    """
    if not columns:
        raise Unanswered("there are no columns to compare rows on")
    our_key, their_key = _hashes(ours, theirs, columns)
    theirs.progress(f"scan {theirs.uri}")
    distinct = theirs.select("SELECT DISTINCT $h AS h FROM data", columns, h=their_key)
    reader = theirs.connection.cursor().sql(render(distinct)).to_arrow_reader()
    ours.connection.register(_KEYS, reader)
    try:
        counted = ours.select("SELECT $h AS h FROM data", columns, h=our_key).subquery("ours")
        statement = fill_select(f"SELECT COUNT(*) AS n FROM $ours WHERE h IN (SELECT h FROM {_KEYS})", ours=counted)  # noqa: S608
        shared = int(plain(ours.fetch(statement)["n"])[0])
        theirs.scanned()
        return shared
    finally:
        ours.connection.unregister(_KEYS)


def _hashes(ours: Rows, theirs: Rows, columns: tuple[str, ...]) -> tuple[exp.Expr, exp.Expr]:
    """The hash of a row on either side: of stored values where both sides store them alike, else of canonical text."""
    here: list[exp.Expr] = []
    there: list[exp.Expr] = []
    for name in columns:
        one, other = ours.column(name), theirs.column(name)
        alike = one.type == other.type and family(one) is family(other)
        here.append(key(one) if alike else canonical(one))
        there.append(key(other) if alike else canonical(other))
    return exp.func("HASH", *here), exp.func("HASH", *there)
