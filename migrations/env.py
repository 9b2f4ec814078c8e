"""Alembic's entry: one connection, given by `onhand.kit.migrate`; each revision in its own transaction."""

from alembic import context

from onhand.doors.wiring import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, transaction_per_migration=True, compare_type=True
)
with context.begin_transaction():
    context.run_migrations()
