"""What Alembic runs around each migration: our connection, inside the transaction that `gate.store.database` opened."""

from __future__ import annotations

from alembic import context

from gate.store.database import VERSION_TABLE
from gate.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
