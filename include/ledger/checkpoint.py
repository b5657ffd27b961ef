"""Checkpoints: signed statements of what the log is, each consistent with all before it.

A log must never sign a checkpoint that is inconsistent with one it signed before (C2SP tlog-checkpoint). The database
alone cannot guarantee that to an outsider: whoever rewrites it can also rewrite the checkpoints in it. Keep copies
elsewhere (a bucket with a retention lock, a mailbox) and hand them to :func:`checkpoint` as ``elsewhere``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from include.errors import Inconsistent
from include.ledger import merkle
from include.ledger.database import translated
from include.ledger.entry import canonical, timestamp
from include.ledger.log import Ledger
from include.ledger.note import Signer, Tree, Verifier
from include.ledger.proof import InclusionProof
from include.ledger.schema import checkpoints as checkpoint_table

_STOP = "Entries recorded before were changed or removed: stop, keep everything, ask a person."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed tree head.

    Args:
        tree: what it says.
        note: the signed note, as published.
        at: when it was signed, UTC.
    """

    tree: Tree
    note: str
    at: datetime


def checkpoint(
    ledger: Ledger, signer: Signer, *, retired: Sequence[Verifier] = (), elsewhere: Sequence[str] = ()
) -> Checkpoint:
    """Sign the log as it is now, unless it contradicts what was signed before, and store the note.

    A log that has not grown since the last checkpoint keeps that one.

    Args:
        ledger: the log.
        signer: key of the log.
        retired: keys that signed earlier checkpoints.
        elsewhere: notes of earlier checkpoints that were kept outside of the database.

    Raises:
        Inconsistent: an earlier checkpoint is not signed by these keys, is of another log, or the log does not begin
            with what it covers. Nothing is signed.
        Unavailable: the database did not answer.
    """
    keys = [signer.verifier, *retired]
    size = ledger.size()
    root = ledger.root(size)
    last = latest(ledger)
    for note in [*elsewhere, *([last.note] if last else [])]:
        _require_prefix(ledger, Tree.verified(note, keys), Tree(signer.verifier.name, size, root))
    if last is not None and last.tree.size == size:
        return last
    tree = Tree(signer.verifier.name, size, root)
    at = ledger.clock()
    timestamp(at)
    made = Checkpoint(tree, signer.sign(tree.text), at)
    with translated("store a checkpoint"), ledger.engine.begin() as connection:
        # Another process may have signed this size at the same moment: both notes say the same.
        row = insert(checkpoint_table).values(size=size, at=at, note=made.note)
        connection.execute(row.on_conflict_do_nothing())
    return made


def latest(ledger: Ledger) -> Checkpoint | None:
    """The stored checkpoint of the largest size; not verified.

    Raises:
        Inconsistent: it cannot be read.
    """
    stored = _stored(ledger, 1)
    return stored[0] if stored else None


def prove(ledger: Ledger, index: int, made: Checkpoint) -> InclusionProof:
    """Proof that an entry is in the log that a checkpoint states.

    Raises:
        Refused: the checkpoint does not cover that index.
        Inconsistent: the entry is not what the checkpoint covers.
    """
    path = ledger.inclusion(index, made.tree.size)
    entry = ledger.entry(index)
    if not merkle.verify_inclusion(entry.leaf_hash, index, made.tree.size, path, made.tree.root):
        raise Inconsistent("ledger", f"prove entry {index}", _STOP)
    return InclusionProof(canonical(entry.entry, entry.at), index, tuple(path), made.note)


def verify_all(ledger: Ledger, verifiers: Sequence[Verifier]) -> int:
    """Verify the signatures of all stored checkpoints and that the log begins with what each covers.

    Returns:
        Their number.

    Raises:
        Inconsistent: one of them is not signed by a known key or the log contradicts it.
    """
    size = ledger.size()
    now = Tree(verifiers[0].name, size, ledger.root(size))
    stored = _stored(ledger)
    for made in stored:
        _require_prefix(ledger, Tree.verified(made.note, verifiers), now)
    return len(stored)


def _require_prefix(ledger: Ledger, old: Tree, new: Tree) -> None:
    """Let the log prove that it begins with ``old``, and check the proof."""
    if old.origin != new.origin:
        raise Inconsistent("ledger", "use a checkpoint", f"It is of the log {old.origin}, not of {new.origin}.")
    if old.size > new.size:
        raise Inconsistent("ledger", f"confirm the checkpoint at {old.size}", f"It has {new.size} entries. {_STOP}")
    proof = ledger.consistency(old.size, new.size)
    if not merkle.verify_consistency(old.size, new.size, old.root, new.root, proof):
        raise Inconsistent("ledger", f"confirm the checkpoint at {old.size}", _STOP)


def _stored(ledger: Ledger, limit: int | None = None) -> list[Checkpoint]:
    table = checkpoint_table.c
    query = select(table.note, table.at).order_by(table.size.desc()).limit(limit)
    with translated("read its checkpoints"), ledger.engine.connect() as connection:
        rows = connection.execute(query).all()
    return [Checkpoint(Tree.parse(note), note, at) for note, at in rows]
