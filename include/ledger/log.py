"""The append-only log in PostgreSQL: entries, their Merkle tree and the proofs over it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from include.errors import Inconsistent, Refused, Unavailable
from include.ledger import merkle
from include.ledger.audit import Audit, Progress, audit
from include.ledger.database import translated
from include.ledger.entry import Entry, Kind, Recorded, canonical, parse, timestamp
from include.ledger.schema import entries as entry_table
from include.ledger.schema import nodes as node_table

_COPY_ENTRIES = "COPY ledger_entry (index, at, kind, run, rule, system, entry, leaf_hash) FROM STDIN"
_LOCK = (
    "SELECT pg_advisory_xact_lock(hashtext('privacy-ledger-append'));"
    "SELECT coalesce(max(index) + 1, 0) FROM ledger_entry"
)
_COPY_NODES = "COPY ledger_node (height, index, hash) FROM STDIN"
_LOCK_NOT_AVAILABLE = "55P03"
_NULL = r"\N"
_PAGE = 2000


class Ledger:
    """Append entries, read them, prove them.

    Args:
        engine: of the ledger's database, see ``include.ledger.database.engine_for``.
        clock: gives the present in UTC.
    """

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self.engine = engine
        self.clock = clock

    def append(self, entries: Sequence[Entry]) -> list[Recorded]:
        """Record entries in their order, all or none; they are durable when this returns.

        Raises:
            Refused: an entry is not allowed (see ``include.ledger.entry.canonical``).
            Unavailable: the database did not answer; the entries may or may not be recorded.
        """
        if not entries:
            return []
        with translated(f"append {len(entries)} entries"), self.engine.begin() as connection:
            return self.append_within(connection, entries)

    def append_within(self, connection: Connection, entries: Sequence[Entry]) -> list[Recorded]:
        """The same in the caller's transaction, recorded only if that commits.

        From here to the end of the transaction nobody else can append: do it last, or keep what follows short.

        Args:
            connection: to this ledger's database, in a transaction; its errors are the caller's to translate.
            entries: in their order, at least one.

        Raises:
            Refused: an entry is not allowed (see ``include.ledger.entry.canonical``).
        """
        at = self.clock()
        data = [canonical(entry, at) for entry in entries]
        leaves = [merkle.leaf_hash(item) for item in data]
        first = _lock(connection)
        stamp = timestamp(at)
        _copy(
            connection,
            _COPY_ENTRIES,
            (
                f"{first + offset}\t{stamp}\t{entry.kind.value}\t{entry.run}\t{entry.rule or _NULL}\t"
                f"{entry.system or _NULL}\t\\\\x{item.hex()}\t\\\\x{leaf.hex()}\n"
                for offset, (entry, item, leaf) in enumerate(zip(entries, data, leaves, strict=True))
            ),
        )
        if (first + len(leaves)) // merkle.WIDTH > first // merkle.WIDTH:
            done = merkle.completed(first, leaves, lambda *place: _stored(connection, *place))
            rows = (f"{height}\t{index}\t\\\\x{value.hex()}\n" for height, index, value in done)
            _copy(connection, _COPY_NODES, rows)
        places = enumerate(zip(entries, leaves, strict=True), first)
        return [Recorded(index, at, entry, leaf) for index, (entry, leaf) in places]

    def entries(
        self,
        run: str | None = None,
        rule: str | None = None,
        runs: Collection[str] | None = None,
        kinds: Collection[Kind] | None = None,
        since: datetime | None = None,
        start: int = 0,
    ) -> Iterator[Recorded]:
        """Entries in order, streamed; every filter that is given must match.

        Args:
            run: id of a run.
            rule: id of a rule.
            runs: any of these runs.
            kinds: any of these kinds.
            since: recorded at or after this instant.
            start: lowest index.

        Raises:
            Unavailable: the database did not answer.
            Inconsistent: a stored entry cannot be read.
        """
        table = entry_table.c
        query = select(table.index, table.entry, table.leaf_hash).where(table.index >= start).order_by(table.index)
        if run is not None:
            query = query.where(table.run == run)
        if rule is not None:
            query = query.where(table.rule == rule)
        if runs is not None:
            query = query.where(table.run.in_(runs))
        if kinds is not None:
            query = query.where(table.kind.in_([kind.value for kind in kinds]))
        if since is not None:
            query = query.where(table.at >= since)
        with translated("read entries"), self.engine.connect() as connection:
            for index, data, leaf in connection.execution_options(yield_per=_PAGE).execute(query):
                yield recorded(index, bytes(data), bytes(leaf))

    def entry(self, index: int) -> Recorded:
        """One entry.

        Raises:
            Refused: there is no such entry.
        """
        query = select(entry_table.c.entry, entry_table.c.leaf_hash).where(entry_table.c.index == index)
        with translated("read an entry"), self.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise Refused("ledger", f"read entry {index}", "It has no entry with this index.")
        return recorded(index, bytes(row.entry), bytes(row.leaf_hash))

    def size(self) -> int:
        """Number of entries."""
        with translated("read its size"), self.engine.connect() as connection:
            return _size(connection)

    def root(self, size: int | None = None) -> bytes:
        """Root of the tree of the first ``size`` entries, or of all."""
        with self._tree("compute its root", size) as (node, total):
            return merkle.root(total, node)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Proof that entry ``index`` is in the tree of the first ``size`` entries, or of all.

        Raises:
            Refused: that tree has no such entry.
        """
        with self._tree("prove an inclusion", size) as (node, total):
            return merkle.inclusion(index, total, node)

    def consistency(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """Proof that the tree of ``new_size`` entries, or of all, begins with that of ``old_size``.

        Raises:
            Refused: the sizes are not in order.
        """
        with self._tree("prove consistency", new_size) as (node, total):
            return merkle.consistency(old_size, total, node)

    def audit(self, progress: Progress | None = None) -> Audit:
        """Recompute everything from the stored bytes and compare; see ``include.ledger.audit``.

        Args:
            progress: called now and then with the entries done and the entries in all.

        Raises:
            Unavailable: the database did not answer.
        """
        with translated("audit it"), self.engine.connect() as connection:
            return audit(connection.execution_options(isolation_level="REPEATABLE READ"), progress)

    @contextmanager
    def exclusive(self, name: str, wait_seconds: float = 0) -> Iterator[Callable[[], None]]:
        """Hold the lock ``name`` on a connection of its own; it is free again when this process dies.

        A pooler between here and the server must work per session, not per transaction.

        Args:
            name: what is done one at a time, for example ``sweep``.
            wait_seconds: how long to wait if another holds it.

        Yields:
            A function that raises ``Unavailable`` if the connection, and with it the lock, was lost meanwhile.

        Raises:
            Unavailable: another process holds the lock, or the database did not answer.
        """
        with translated(f"take the lock '{name}'"):
            connection = self.engine.connect()
        try:
            _take(connection.execution_options(isolation_level="AUTOCOMMIT"), name, wait_seconds)

            def confirm() -> None:
                with translated(f"keep the lock '{name}'"):
                    connection.execute(text("SELECT 1"))

            yield confirm
        finally:
            # Ends the session instead of returning it to the pool: that frees the lock whatever happened.
            connection.invalidate()
            connection.close()

    @contextmanager
    def _tree(self, tried: str, size: int | None) -> Iterator[tuple[merkle.Node, int]]:
        """A reader of the tree's nodes in one snapshot, and the size asked for."""
        with translated(tried), self.engine.connect() as connection:
            snapshot = connection.execution_options(isolation_level="REPEATABLE READ")
            current = _size(snapshot)
            total = current if size is None else size
            if not 0 <= total <= current:
                raise Refused("ledger", f"{tried} at size {total}", f"It has {current} entries.")
            try:
                yield _Nodes(snapshot), total
            except ValueError as error:
                raise Refused("ledger", tried, f"{error}.".capitalize()) from None


class _Nodes:
    """Reads a block of 256 hashes at a time and folds the nodes between the stored heights from it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._blocks: dict[tuple[int, int], list[bytes]] = {}

    def __call__(self, height: int, index: int) -> bytes:
        above = height % merkle.HEIGHT
        stored, first = height - above, index << above
        block = first // merkle.WIDTH
        if (stored, block) not in self._blocks:
            begin = block * merkle.WIDTH
            self._blocks[stored, block] = _stored(self._connection, stored, begin, begin + merkle.WIDTH)
        offset = first % merkle.WIDTH
        hashes = self._blocks[stored, block][offset : offset + (1 << above)]
        if len(hashes) < 1 << above:
            raise Inconsistent("ledger", "read its tree", "Hashes are missing: run an audit and keep everything.")
        return merkle.fold(hashes)


def _stored(connection: Connection, height: int, begin: int, end: int) -> list[bytes]:
    """Hashes of a stored height, without gaps from ``begin`` on, at most to ``end``."""
    if height == 0:
        query = select(entry_table.c.index, entry_table.c.leaf_hash)
        index = entry_table.c.index
    else:
        query = select(node_table.c.index, node_table.c.hash).where(node_table.c.height == height)
        index = node_table.c.index
    rows = connection.execute(query.where(index >= begin, index < end).order_by(index)).all()
    return [bytes(value) for position, (place, value) in enumerate(rows, begin) if place == position]


def _lock(connection: Connection) -> int:
    """Become the one writer until the transaction ends; returns the next index.

    Two statements in one message: the second one's snapshot is taken once the lock is ours.
    """
    return int(connection.exec_driver_sql(_LOCK).scalar_one())


def _size(connection: Connection) -> int:
    last = connection.scalar(select(func.max(entry_table.c.index)))
    return 0 if last is None else int(last) + 1


def _take(session: Connection, name: str, wait_seconds: float) -> None:
    key = int.from_bytes(hashlib.sha256(b"privacy-ledger-lock\0" + name.encode()).digest()[:8], signed=True)
    with translated(f"take the lock '{name}'"):
        try:
            if wait_seconds > 0:
                session.execute(text("SELECT set_config('lock_timeout', :limit, false)"), {"limit": f"{wait_seconds}s"})
                session.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
                return
            free = session.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key})
        except OperationalError as error:
            if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE:
                raise
            free = False
    if not free:
        raise Unavailable("ledger", f"take the lock '{name}'", "Another process holds it: wait until it is done.")


def _copy(connection: Connection, statement: str, lines: Iterator[str]) -> None:
    """COPY is three times as fast as a multi-row INSERT here."""
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(statement, io.StringIO("".join(lines)))


def recorded(index: int, data: bytes, leaf: bytes) -> Recorded:
    """A stored row as an entry.

    Raises:
        Inconsistent: the bytes are not an entry, or their hash is not the stored one.
    """
    try:
        entry, at = parse(data)
    except (ValueError, TypeError):
        entry = None
    if entry is None or merkle.leaf_hash(data) != leaf:
        raise Inconsistent("ledger", f"read entry {index}", "Run an audit and keep everything.")
    return Recorded(index, at, entry, leaf)
