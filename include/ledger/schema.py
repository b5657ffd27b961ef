"""The ledger's tables, as the migrations make them (a test compares the two)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from include.ledger.entry import Kind

HOLD_KINDS = (Kind.HOLD_SET, Kind.HOLD_RELEASED)

metadata = MetaData()

entries = Table(
    "ledger_entry",
    metadata,
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("rule", Text),
    Column("system", Text),
    Column("entry", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    CheckConstraint("index >= 0", name="ledger_entry_index"),
    CheckConstraint(r"leaf_hash = sha256('\x00'::bytea || entry)", name="ledger_entry_leaf_hash"),
    Index("ledger_entry_rule", "rule", "kind", "index"),
    Index("ledger_entry_run", "run", "index"),
    Index("ledger_entry_at", "at", postgresql_using="brin"),
    Index("ledger_entry_holds", "index", postgresql_where=text("kind IN ('hold_set', 'hold_released')")),
)
"""One row per entry. The columns beside ``entry`` repeat what its bytes say, for queries; the audit compares them."""

nodes = Table(
    "ledger_node",
    metadata,
    Column("height", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("height > 0 AND height % 8 = 0 AND index >= 0", name="ledger_node_place"),
    CheckConstraint("octet_length(hash) = 32", name="ledger_node_hash"),
)
"""Complete subtrees of heights 8, 16, …; height 0 is ``ledger_entry.leaf_hash``."""

checkpoints = Table(
    "ledger_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("note", Text, nullable=False),
    CheckConstraint("size >= 0", name="ledger_checkpoint_size"),
)
"""Signed notes; size and root are inside the note."""

releases = Table(
    "release",
    metadata,
    Column("manifest", Text, primary_key=True),
    Column("table_id", Text, nullable=False),
    Column("start", Date, nullable=False),
    Column("end", Date, nullable=False),
    Column("digest", Text, nullable=False),
    Column("entry", BigInteger, ForeignKey("ledger_entry.index"), nullable=False, unique=True),
    UniqueConstraint("table_id", "start", "digest", name="release_once"),
    CheckConstraint("manifest ~ '^[0-9a-f]{64}$' AND digest ~ '^[0-9a-f]{64}$'", name="release_digests"),
    CheckConstraint('"end" > start', name="release_period"),
)
"""What was published, once and for good.

``manifest`` is the SHA-256 of the release's manifest, which names its other files by theirs. ``digest`` is that of
everything in the specification that shapes the bytes of the table.
"""

release_files = Table(
    "release_file",
    metadata,
    Column("manifest", Text, ForeignKey("release.manifest"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""The bytes of a release, file by file; every publication is a copy of them."""

release_debits = Table(
    "release_debit",
    metadata,
    Column("manifest", Text, ForeignKey("release.manifest"), primary_key=True),
    Column("month", Date, primary_key=True),
    Column("rho", Numeric, nullable=False),
    Column("delta", Numeric, nullable=False),
    CheckConstraint("extract(day from month) = 1", name="release_debit_month"),
    CheckConstraint("rho >= 0 AND delta >= 0", name="release_debit_cost"),
    Index("release_debit_account", "month"),
)
"""The account of the privacy budget: what a release took from each calendar month, in exact decimals."""
