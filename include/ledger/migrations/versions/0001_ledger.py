"""Entries, nodes and checkpoints, each refusing every change but an insert.

There is no way down: evidence is not dropped by a tool.
"""

from alembic import context, op

revision = "0001"
down_revision = None

_TABLES = ("ledger_entry", "ledger_node", "ledger_checkpoint")


def upgrade() -> None:
    """Create the tables, their guards and the writer's rights."""
    op.execute(r"""
        CREATE TABLE ledger_entry (
            index bigint PRIMARY KEY CONSTRAINT ledger_entry_index CHECK (index >= 0),
            at timestamptz NOT NULL,
            kind text NOT NULL,
            run text NOT NULL,
            rule text,
            system text,
            entry bytea NOT NULL,
            leaf_hash bytea NOT NULL,
            CONSTRAINT ledger_entry_leaf_hash CHECK (leaf_hash = sha256('\x00'::bytea || entry))
        );
        CREATE INDEX ledger_entry_rule ON ledger_entry (rule, kind, index);
        CREATE INDEX ledger_entry_run ON ledger_entry (run, index);
        CREATE INDEX ledger_entry_at ON ledger_entry USING brin (at);
        CREATE INDEX ledger_entry_holds ON ledger_entry (index) WHERE kind IN ('hold_set', 'hold_released');

        CREATE TABLE ledger_node (
            height smallint,
            index bigint,
            hash bytea NOT NULL CONSTRAINT ledger_node_hash CHECK (octet_length(hash) = 32),
            PRIMARY KEY (height, index),
            CONSTRAINT ledger_node_place CHECK (height > 0 AND height % 8 = 0 AND index >= 0)
        );

        CREATE TABLE ledger_checkpoint (
            size bigint PRIMARY KEY CONSTRAINT ledger_checkpoint_size CHECK (size >= 0),
            at timestamptz NOT NULL,
            note text NOT NULL
        );

        CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the ledger is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END $$;

        CREATE FUNCTION ledger_contiguous() RETURNS trigger LANGUAGE plpgsql
            SET search_path = pg_catalog, public, pg_temp AS $$
        DECLARE
            first bigint; last bigint; rows bigint;
        BEGIN
            SELECT min(index), max(index), count(*) INTO first, last, rows FROM fresh;
            IF last - first + 1 <> rows OR (first > 0 AND NOT EXISTS (
                    SELECT FROM ledger_entry WHERE index = first - 1)) THEN
                RAISE EXCEPTION 'the ledger has no gaps: % entries from % on', rows, first
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER ledger_entry_contiguous AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS fresh
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_contiguous();
        ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_contiguous;
    """)
    writer = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["writer"])
    for table in _TABLES:
        # ALWAYS: a session in replica mode fires it too. Per statement: a change of no row is refused as well.
        op.execute(f"""
            CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION ledger_append_only();
            ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only;
            REVOKE ALL ON {table} FROM PUBLIC;
            GRANT SELECT, INSERT ON {table} TO {writer};
        """)
