"""The tables, as the code sees them. How they come to be is in `migrations`.

Times are text, UTC, ISO 8601 with microseconds (`gate.store.times`), so that they sort. Only `verdicts.evaluated_at` is
verbatim from the document, in whole seconds.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

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
    Column("evaluation_id", String(64)),  # unique; null for a verdict that was made in process
    Column("trigger", String(16), nullable=False),
    Column("valid_until", String(32), nullable=False),
    Index("verdicts_by_model", "model_name", "sequence"),
    Index("verdicts_by_stage", "model_name", "stage", "sequence"),
    Index("verdicts_by_version", "model_name", "model_version", "stage", "sequence"),
    Index("verdicts_by_age", "evaluated_at", "valid_until"),
    Index("verdicts_by_evaluation", "evaluation_id", unique=True),
)

# The number of an attempt outlives the verdict that used it: no purge makes a ninth attempt look like a first.
attempts = Table(
    "attempts",
    metadata,
    Column("model_digest", String(80), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("inputs_digest", String(80), primary_key=True),
    Column("number", Integer, nullable=False),
)

verdict_totals = Table(
    "verdict_totals",
    metadata,
    Column("stage", Text, primary_key=True),
    Column("word", String(16), primary_key=True),  # promote, or the cause of the hold
    Column("trigger", String(16), primary_key=True),
    Column("number", Integer, nullable=False),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),  # the order in which they were accepted
    Column("id", String(64), nullable=False, unique=True),
    Column("principal", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("submission", Text, nullable=False),  # JSON
    Column("model_name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("expires_at", String(32), nullable=False),
    Column("started_at", String(32)),
    Column("finished_at", String(32)),
    Column("tries", Integer, nullable=False),
    Column("worker", Text),
    Column("verdict_id", String(64)),
    Column("trouble", Text),  # JSON
    Column("retry_of", String(64)),
    Index("evaluations_by_model", "model_name", "sequence"),
    Index("evaluations_by_state", "state", "sequence"),
    Index("evaluations_by_end", "finished_at"),
)

events = Table(
    "events",
    metadata,
    Column("evaluation_id", String(64), ForeignKey("evaluations.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),  # from 1, without gaps, within an evaluation
    Column("at", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("data", Text, nullable=False),  # JSON
)

# Pieces of report files, compressed, each of them once: nine tenths of a report are the same in every other.
blobs = Table(
    "blobs",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # sha256 of the piece before compression
    Column("content", LargeBinary, nullable=False),
)

report_pieces = Table(
    "report_pieces",
    metadata,
    Column("verdict_id", String(64), ForeignKey("verdicts.id"), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), ForeignKey("blobs.digest"), nullable=False),
    Index("report_pieces_by_digest", "digest"),
)

served = Table(
    "served",
    metadata,
    Column("model_name", Text, primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("version", String(32)),
    Column("policy", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("seen_at", String(32), nullable=False),
)

pulse = Table(
    "pulse",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("at", String(32), nullable=False),
)
