"""The register of requests, what is sealed under their keys, and the limits that all tasks share.

A data key that was destroyed stays destroyed: the schema refuses another one.
"""

from alembic import context, op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables, their guards and the writer's rights."""
    # Sealed bytes do not compress. Dead rows are cleaned away early: a destroyed key is to be gone from the disk soon.
    early = "WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20)"
    op.execute(rf"""
        CREATE TABLE vault_request (
            id text PRIMARY KEY CONSTRAINT vault_request_id CHECK (id ~ '^req_[a-z2-7]{{16}}$'),
            batch text CONSTRAINT vault_request_batch CHECK (batch ~ '^bat_[a-z2-7]{{16}}$'),
            type text NOT NULL,
            received_at timestamptz NOT NULL,
            opened_at timestamptz NOT NULL,
            opened_by text NOT NULL CONSTRAINT vault_request_opened_by CHECK (opened_by ~ '^staff_[a-z0-9]+$'),
            source text NOT NULL,
            answer boolean NOT NULL,
            wrapped bytea,
            master text,
            CONSTRAINT vault_request_key CHECK ((wrapped IS NULL) = (master IS NULL))
        ) {early};
        CREATE INDEX vault_request_by_batch ON vault_request (batch) WHERE batch IS NOT NULL;
        CREATE INDEX vault_request_open ON vault_request (received_at, id) WHERE wrapped IS NOT NULL;

        CREATE TABLE vault_identifier (
            request text REFERENCES vault_request,
            tag bytea,
            position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
            kind text NOT NULL,
            origin text NOT NULL,
            sealed bytea NOT NULL,
            PRIMARY KEY (request, tag)
        ) {early};
        CREATE TABLE vault_attachment (
            request text REFERENCES vault_request,
            name text,
            sealed bytea NOT NULL,
            PRIMARY KEY (request, name)
        ) {early};
        ALTER TABLE vault_attachment ALTER COLUMN sealed SET STORAGE EXTERNAL;
        CREATE TABLE vault_fingerprint (
            value bytea,
            request text REFERENCES vault_request,
            PRIMARY KEY (value, request)
        ) {early};
        CREATE INDEX vault_fingerprint_request ON vault_fingerprint (request);

        CREATE TABLE vault_secret (
            name text PRIMARY KEY,
            wrapped bytea NOT NULL,
            master text NOT NULL
        ) {early};

        CREATE TABLE vendor_budget (
            name text,
            window_start timestamptz,
            spent bigint NOT NULL CONSTRAINT vendor_budget_spent CHECK (spent >= 0),
            PRIMARY KEY (name, window_start)
        );
        CREATE TABLE vendor_pace (
            name text PRIMARY KEY,
            next_at timestamptz NOT NULL
        );

        CREATE FUNCTION vault_key_stays_destroyed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the key of this request is destroyed' USING ERRCODE = 'insufficient_privilege';
        END $$;
        CREATE TRIGGER vault_key_stays_destroyed BEFORE UPDATE ON vault_request
            FOR EACH ROW WHEN (OLD.wrapped IS NULL AND NEW.wrapped IS NOT NULL)
            EXECUTE FUNCTION vault_key_stays_destroyed();
        ALTER TABLE vault_request ENABLE ALWAYS TRIGGER vault_key_stays_destroyed;
    """)
    writer = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["writer"])
    for table, rights in {
        "vault_request": "SELECT, INSERT, UPDATE (wrapped, master)",
        "vault_identifier": "SELECT, INSERT, DELETE",
        "vault_attachment": "SELECT, INSERT, DELETE",
        "vault_fingerprint": "SELECT, INSERT, DELETE",
        "vault_secret": "SELECT, INSERT, UPDATE (wrapped, master)",
        "vendor_budget": "SELECT, INSERT, UPDATE, DELETE",
        "vendor_pace": "SELECT, INSERT, UPDATE, DELETE",
    }.items():
        op.execute(f"REVOKE ALL ON {table} FROM PUBLIC; GRANT {rights} ON {table} TO {writer}")
