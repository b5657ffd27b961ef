"""Keyed hashes by which data of an erased person is recognised, should it come back; requests that a DAG opens."""

from alembic import context, op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table, and let a DAG open requests."""
    op.execute(r"""
        ALTER TABLE vault_request DROP CONSTRAINT vault_request_opened_by;
        ALTER TABLE vault_request ADD CONSTRAINT vault_request_opened_by
            CHECK (opened_by ~ '^(staff|dag)_[a-z0-9]+$');

        CREATE TABLE vault_tombstone (
            value bytea PRIMARY KEY,
            person bytea NOT NULL,
            kept text[] NOT NULL,
            expires_at timestamptz NOT NULL,
            reopened text REFERENCES vault_request
        ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20);
        CREATE INDEX vault_tombstone_person ON vault_tombstone (person);
        CREATE INDEX vault_tombstone_expiry ON vault_tombstone (expires_at);
        CREATE INDEX vault_tombstone_reopened ON vault_tombstone (reopened) WHERE reopened IS NOT NULL;
    """)
    writer = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["writer"])
    op.execute(
        "REVOKE ALL ON vault_tombstone FROM PUBLIC;"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON vault_tombstone TO {writer}"
    )
