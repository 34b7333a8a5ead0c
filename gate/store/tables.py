"""The tables, as the code sees them. How they come to be is in `migrations`."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

verdicts = Table(
    "verdicts",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),  # the order in which they were stored
    Column("id", String(64), nullable=False, unique=True),
    Column("model_name", Text, nullable=False),
    Column("model_version", String(32), nullable=False),
    Column("model_digest", String(80), nullable=False),
    Column("stage", Text, nullable=False),
    Column("decision", String(16), nullable=False),
    Column("cause", String(16)),
    Column("enforced", Boolean(create_constraint=False), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("inputs_digest", String(80), nullable=False),
    Column("evaluated_at", String(32), nullable=False),  # UTC, ISO 8601: sorts as text
    Column("digest", String(80), nullable=False),
    Column("document", Text, nullable=False),  # the verdict itself, verbatim; the other columns only find it
    Index("verdicts_by_attempt", "model_digest", "stage"),
    Index("verdicts_by_model", "model_name", "sequence"),
)
