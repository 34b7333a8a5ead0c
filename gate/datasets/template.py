"""SQL with holes: the text is a constant of this program, what fills the holes is built by SQLGlot."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp

DIALECT = "duckdb"


def fill(template: str, **parts: exp.Expr) -> exp.Expr:
    """Put expressions into the `$name` holes of a template. Names and texts of users reach SQL in no other way."""
    filled: exp.Expr = exp.replace_placeholders(_parsed(template), **parts)
    return filled


def fill_select(template: str, **parts: exp.Expr) -> exp.Select:
    """Fill a template that is a SELECT."""
    filled = fill(template, **parts)
    assert isinstance(filled, exp.Select)
    return filled


def double(value: float) -> exp.Expr:
    """A number as DOUBLE: a plain 0.5 would be a DECIMAL to the engine, and lose its infinity and its last digits."""
    return exp.cast(exp.Literal.string(repr(float(value))), "double")


def whole(value: int) -> exp.Expr:
    """A whole number."""
    return exp.convert(value)


def string(value: str) -> exp.Expr:
    """A text, quoted."""
    return exp.Literal.string(value)


def render(statement: exp.Expr) -> str:
    """The text of a statement for the engine."""
    return statement.sql(dialect=DIALECT)


@cache
def _parsed(template: str) -> Any:
    return sqlglot.parse_one(template, dialect=DIALECT)
