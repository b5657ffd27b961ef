"""Alembic's entry: runs on the connection that ``include.database.migrate`` gives."""

from alembic import context

from include.subjects.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
