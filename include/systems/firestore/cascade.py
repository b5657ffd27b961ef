"""Deleting a document together with everything below it, in an order in which no document is ever orphaned.

A root with few descendants goes in one atomic commit, conditional on the version that was selected. Larger trees are
thinned out first, deepest documents first and in bounded pages; the root goes last, so that after a crash it is found
and finished by the next run. The service has no call that does this
(https://firebase.google.com/docs/firestore/manage-data/delete-data#collections).
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum
from typing import Any

from include.errors import Unavailable
from include.systems.firestore import CARD, queries
from include.systems.firestore.gateway import Gateway
from include.systems.firestore.messages import Write
from include.systems.firestore.subjects import Keep

_ATOMIC = 450
"""Descendants that go in one commit with their root (the documented limit of a batch is 500 writes)."""

_PAGE = 1000
"""Names that are looked at in one call."""

_TRIED = "delete a document with what lies below it"


class Kept(Enum):
    """Why a tree stays as it is."""

    HELD = "something below belongs to a person on hold"
    PROTECTED = "something below is protected by the policy"


def kept_below(gateway: Gateway, root: str, keep: Keep) -> Kept | None:
    """Why the tree below ``root`` must stay, None where nothing keeps it. Memory does not depend on its size."""
    behind: str | None = None
    while True:
        page = gateway.query(root, queries.below(_PAGE, behind), "look at what lies below a document")
        names = [document.name for document in page]
        if any(map(keep.held, names)):
            return Kept.HELD
        if any(map(keep.shielded, names)):
            return Kept.PROTECTED
        if len(names) < _PAGE:
            return None
        behind = names[-1]


@dataclass(frozen=True, slots=True)
class Below:
    """What lies below a document. Personal: names hold ids.

    Args:
        goes: names of the documents that can go.
        kept: how many stay: those that are protected, and what lies above them, the root left out.
        root_goes: nothing below keeps the root.
    """

    goes: list[str]
    kept: int
    root_goes: bool


def below(gateway: Gateway, root: str, keep: Keep) -> Below:
    """List what lies below ``root``, whether it is there itself or not; memory depends on the size of this one tree."""
    names: list[str] = []
    while True:
        query = queries.below(_PAGE, names[-1] if names else None)
        page = [document.name for document in gateway.query(root, query, "look at what lies below a document")]
        names += page
        if len(page) < _PAGE:
            break
    shielded = [name for name in names if keep.shielded(name)]
    above = {"/".join(parts[:end]) for parts in (n.split("/") for n in shielded) for end in range(7, len(parts), 2)}
    goes = [name for name in names if name not in above and not keep.shielded(name)] if shielded else names
    return Below(goes, len(names) - len(goes), not shielded)


class Fate(Enum):
    """What became of a root."""

    GONE = "gone"
    UNSURE = "changed or absent"


def delete_trees(gateway: Gateway, roots: list[Any], pool: Executor) -> list[Fate]:
    """Delete each of the documents with its descendants.

    Args:
        gateway: the store.
        roots: documents as listed, with their update time.
        pool: runs several trees at a time.

    Returns:
        The fate of each root. One whose version changed keeps its descendants unless they were too many for one commit.

    Raises:
        Unavailable: a call failed; any part may be gone, never a root without its descendants.
    """
    return list(pool.map(lambda root: _delete_tree(gateway, root), roots))


def conditional_delete(document: Any) -> Any:
    """The write that deletes a document unless it changed since it was listed."""
    write = Write(delete=document.name)
    write.current_document.update_time.CopyFrom(document.update_time)
    return write


def _delete_tree(gateway: Gateway, root: Any) -> Fate:
    while True:
        names = [document.name for document in gateway.query(root.name, queries.below(_ATOMIC + 1), _TRIED)]
        if len(names) <= _ATOMIC:
            writes = [Write(delete=name) for name in _deepest_first(names)]
            done = gateway.commit([*writes, conditional_delete(root)], _TRIED)
            return Fate.GONE if done else Fate.UNSURE
        current = gateway.get([root.name], [queries.NAME], _TRIED).get(root.name)
        if current is None or current.update_time != root.update_time:
            return Fate.UNSURE
        answer = gateway.batch_write([Write(delete=name) for name in _deepest_first(names)], _TRIED)
        if any(status.code for status in answer.status):
            raise Unavailable(CARD.key, _TRIED, "Some deletions failed; run it again.")


def _deepest_first(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: -name.count("/"))
