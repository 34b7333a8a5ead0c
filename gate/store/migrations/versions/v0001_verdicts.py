"""Keep verdicts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table of verdicts."""
    op.create_table(
        "verdicts",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("model_version", sa.String(32), nullable=False),
        sa.Column("model_digest", sa.String(80), nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(16)),
        sa.Column("enforced", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("inputs_digest", sa.String(80), nullable=False),
        sa.Column("evaluated_at", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("verdicts_by_attempt", "verdicts", ["model_digest", "stage"])
    op.create_index("verdicts_by_model", "verdicts", ["model_name", "sequence"])


def downgrade() -> None:
    """Verdicts are never thrown away by a migration."""
    raise NotImplementedError  # on purpose: going back would lose verdicts
