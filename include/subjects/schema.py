"""The vault's tables, as the migrations make them (a test compares the two)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

metadata = MetaData()


def _request() -> Column[str]:
    return Column("request", Text, ForeignKey("vault_request.id"), primary_key=True)


requests = Table(
    "vault_request",
    metadata,
    Column("id", Text, primary_key=True),
    Column("batch", Text),
    Column("type", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("answer", Boolean, nullable=False),
    Column("wrapped", LargeBinary),
    Column("master", Text),
    CheckConstraint("id ~ '^req_[a-z2-7]{16}$'", name="vault_request_id"),
    CheckConstraint("batch ~ '^bat_[a-z2-7]{16}$'", name="vault_request_batch"),
    CheckConstraint("opened_by ~ '^(staff|dag)_[a-z0-9]+$'", name="vault_request_opened_by"),
    CheckConstraint("(wrapped IS NULL) = (master IS NULL)", name="vault_request_key"),
    Index("vault_request_by_batch", "batch", postgresql_where=text("batch IS NOT NULL")),
    Index("vault_request_open", "received_at", "id", postgresql_where=text("wrapped IS NOT NULL")),
)
"""One row per request, for good. Its data key, wrapped by the master key, is NULL once the request is closed."""

identifiers = Table(
    "vault_identifier",
    metadata,
    _request(),
    Column("tag", LargeBinary, primary_key=True),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""What a person is known by. ``tag`` is a hash under the request's key, so that nothing is kept twice."""

attachments = Table(
    "vault_attachment",
    metadata,
    _request(),
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

fingerprints = Table(
    "vault_fingerprint",
    metadata,
    Column("value", LargeBinary, primary_key=True),
    _request(),
    Index("vault_fingerprint_request", "request"),
)
"""Keyed hashes by which two open requests are recognised as the same person's."""

tombstones = Table(
    "vault_tombstone",
    metadata,
    Column("value", LargeBinary, primary_key=True),
    Column("person", LargeBinary, nullable=False),
    Column("kept", ARRAY(Text), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("reopened", Text, ForeignKey("vault_request.id")),
    Index("vault_tombstone_person", "person"),
    Index("vault_tombstone_expiry", "expires_at"),
    Index("vault_tombstone_reopened", "reopened", postgresql_where=text("reopened IS NOT NULL")),
)
"""Keyed hashes of what erased people were known by, see ``include.subjects.tombstones``."""

secrets = Table(
    "vault_secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("master", Text, nullable=False),
)
"""Keys of the vault as a whole, wrapped by the master key."""

budgets = Table(
    "vendor_budget",
    metadata,
    Column("name", Text, primary_key=True),
    Column("window_start", DateTime(timezone=True), primary_key=True),
    Column("spent", BigInteger, nullable=False),
    CheckConstraint("spent >= 0", name="vendor_budget_spent"),
)
"""What all tasks together have used of a vendor's limit, by window."""

paces = Table(
    "vendor_pace",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next_at", DateTime(timezone=True), nullable=False),
)
"""When the next call of a vendor may be sent."""
