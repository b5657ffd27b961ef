"""The ledger's tables, as the migrations make them (a test compares the two)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
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
