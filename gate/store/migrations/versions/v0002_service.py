"""Keep what a server needs: evaluations with their events, reports, attempts and totals."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NEVER = "9999-12-31T23:59:59.999999Z"  # a validity that cannot be read counts as one to come: it is not purged
_BATCH = 500


def upgrade() -> None:
    """Create the tables, and derive attempts, totals and validities from the verdicts that are there."""
    _extend_verdicts()
    op.create_table(
        "attempts",
        sa.Column("model_digest", sa.String(80), primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("inputs_digest", sa.String(80), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_table(
        "verdict_totals",
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("word", sa.String(16), primary_key=True),
        sa.Column("trigger", sa.String(16), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    _derive()
    op.create_table(
        "evaluations",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("submission", sa.Text, nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
        sa.Column("started_at", sa.String(32)),
        sa.Column("finished_at", sa.String(32)),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("verdict_id", sa.String(64)),
        sa.Column("trouble", sa.Text),
        sa.Column("retry_of", sa.String(64)),
    )
    op.create_index("evaluations_by_model", "evaluations", ["model_name", "sequence"])
    op.create_index("evaluations_by_state", "evaluations", ["state", "sequence"])
    op.create_index("evaluations_by_end", "evaluations", ["finished_at"])
    op.create_table(
        "events",
        sa.Column("evaluation_id", sa.String(64), sa.ForeignKey("evaluations.id"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "blobs",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "report_pieces",
        sa.Column("verdict_id", sa.String(64), sa.ForeignKey("verdicts.id"), primary_key=True),
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.LargeBinary(32), sa.ForeignKey("blobs.digest"), nullable=False),
    )
    op.create_index("report_pieces_by_digest", "report_pieces", ["digest"])
    op.create_table(
        "served",
        sa.Column("model_name", sa.Text, primary_key=True),
        sa.Column("alias", sa.Text, primary_key=True),
        sa.Column("version", sa.String(32)),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("seen_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "pulse",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    """Verdicts are never thrown away by a migration."""
    raise NotImplementedError  # on purpose: going back would lose reports and evaluations


def _extend_verdicts() -> None:
    op.add_column("verdicts", sa.Column("evaluation_id", sa.String(64)))
    op.add_column("verdicts", sa.Column("trigger", sa.String(16), nullable=False, server_default="api"))
    op.add_column("verdicts", sa.Column("valid_until", sa.String(32), nullable=False, server_default=_NEVER))
    _fill_valid_until()
    op.drop_index("verdicts_by_attempt", "verdicts")  # the table `attempts` answers that
    op.create_index("verdicts_by_stage", "verdicts", ["model_name", "stage", "sequence"])
    op.create_index("verdicts_by_version", "verdicts", ["model_name", "model_version", "stage", "sequence"])
    op.create_index("verdicts_by_age", "verdicts", ["evaluated_at", "valid_until"])
    op.create_index("verdicts_by_evaluation", "verdicts", ["evaluation_id"], unique=True)


def _fill_valid_until() -> None:
    """Copy the end of each verdict's validity out of its document, a few documents at a time."""
    connection = op.get_bind()
    some = sa.text("SELECT sequence, document FROM verdicts WHERE sequence > :after ORDER BY sequence LIMIT :most")
    fill = sa.text("UPDATE verdicts SET valid_until = :until WHERE sequence = :sequence")
    after = 0
    while rows := connection.execute(some, {"after": after, "most": _BATCH}).all():
        connection.execute(fill, [{"sequence": row.sequence, "until": _valid_until(row.document)} for row in rows])
        after = rows[-1].sequence


def _valid_until(document: str) -> str:
    try:
        moment = datetime.fromisoformat(json.loads(document)["valid_until"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError, OverflowError):  # it was changed after it was stored; reading it says so
        return _NEVER
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _derive() -> None:
    op.execute(
        "INSERT INTO attempts (model_digest, stage, inputs_digest, number) "
        "SELECT model_digest, stage, inputs_digest, min(attempt) FROM verdicts "
        "WHERE cause IS NULL OR cause <> 'error' GROUP BY model_digest, stage, inputs_digest"
    )
    op.execute(
        "INSERT INTO verdict_totals (stage, word, trigger, number) "
        "SELECT stage, coalesce(cause, decision), 'api', count(*) FROM verdicts "
        "GROUP BY stage, coalesce(cause, decision)"
    )
