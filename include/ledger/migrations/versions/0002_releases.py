"""Releases of anonymised aggregates, their files and their cost, each refusing every change but an insert.

They live beside the ledger's entries so that one transaction writes all three. There is no way down.
"""

from alembic import context, op

revision = "0002"
down_revision = "0001"

_TABLES = ("release", "release_file", "release_debit")


def upgrade() -> None:
    """Create the tables, their guards and the writer's rights."""
    op.execute("""
        CREATE TABLE release (
            manifest text PRIMARY KEY,
            table_id text NOT NULL,
            start date NOT NULL,
            "end" date NOT NULL,
            digest text NOT NULL,
            entry bigint NOT NULL UNIQUE REFERENCES ledger_entry (index),
            CONSTRAINT release_once UNIQUE (table_id, start, digest),
            CONSTRAINT release_digests CHECK (manifest ~ '^[0-9a-f]{64}$' AND digest ~ '^[0-9a-f]{64}$'),
            CONSTRAINT release_period CHECK ("end" > start)
        );

        CREATE TABLE release_file (
            manifest text REFERENCES release (manifest),
            name text,
            content bytea NOT NULL,
            PRIMARY KEY (manifest, name)
        );

        CREATE TABLE release_debit (
            manifest text REFERENCES release (manifest),
            month date,
            rho numeric NOT NULL,
            delta numeric NOT NULL,
            PRIMARY KEY (manifest, month),
            CONSTRAINT release_debit_month CHECK (extract(day from month) = 1),
            CONSTRAINT release_debit_cost CHECK (rho >= 0 AND delta >= 0)
        );
        CREATE INDEX release_debit_account ON release_debit (month);
    """)
    writer = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["writer"])
    for table in _TABLES:
        op.execute(f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
            ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only;
            REVOKE ALL ON {table} FROM PUBLIC;
            GRANT SELECT, INSERT ON {table} TO {writer};
        """)
