"""The Merkle tree of RFC 9162, section 2 (the same as RFC 6962): roots and proofs over SHA-256. Pure.

A complete subtree is named by ``(height, index)``: it covers the leaves from ``index << height`` on, ``1 << height``
of them. Functions that need hashes of a stored tree take a :data:`Node`, so that a proof reads only what it needs.

The log keeps the hashes of heights 0, 8, 16, … and folds the ones between from at most 256 of them, the layout of
C2SP tlog-tiles (https://c2sp.org/tlog-tiles).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

HEIGHT = 8
"""Distance between stored heights."""
WIDTH = 1 << HEIGHT
"""Hashes of one stored height that fold into one of the next."""
EMPTY = hashlib.sha256().digest()
"""Root of the tree without leaves."""

Node: TypeAlias = Callable[[int, int], bytes]
"""Hash of the complete subtree ``(height, index)``."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one entry."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Root of the tree whose leaves (or equally high subtrees) have these hashes."""
    if not hashes:
        return EMPTY
    sha256, level = hashlib.sha256, list(hashes)
    while len(level) > 1:
        odd = [level.pop()] if len(level) % 2 else []
        pairs = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)] + odd
    return level[0]


def root(size: int, node: Node) -> bytes:
    """Root of the tree of the first ``size`` leaves."""
    return _range(0, size, node) if size else EMPTY


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Proof that leaf ``index`` is in the tree of ``size`` leaves, from the leaf's sibling upwards (2.1.3.1).

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("the tree has no leaf with this index")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range(middle, end, node))
            end = middle
        else:
            proof.append(_range(start, middle, node))
            start = middle
    return proof[::-1]


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """Proof that the tree of ``new`` leaves begins with the tree of ``old`` leaves (2.1.4.1).

    Raises:
        ValueError: ``old`` is larger than ``new`` or negative.
    """
    if not 0 <= old <= new:
        raise ValueError("the older tree is larger than the newer one")
    if old in {0, new}:
        return []
    proof: list[bytes] = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_range(middle, end, node))
            end = middle
        else:
            proof.append(_range(start, middle, node))
            start = middle
    return ([_range(start, end, node)] if start else []) + proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether ``proof`` shows that ``leaf`` stands at ``index`` of the tree with root ``expected`` (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position % 2 or position == last:
            result = node_hash(sibling, result)
            while position % 2 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and result == expected


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the tree of ``new`` leaves begins with the tree of ``old`` leaves (2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        return not proof and old_root == (EMPTY if old == 0 else new_root)
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = old - 1, new - 1
    while position % 2:
        position, last = position >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position % 2 or position == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while position % 2 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


class Frontier:
    """The right edge of a growing tree: enough to compute its root, a few hashes in size."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[tuple[int, bytes]] = []

    def push(self, value: bytes, height: int = 0) -> list[tuple[int, int, bytes]]:
        """Add a complete subtree at the right; return it and each larger one that it completes as height, index, hash.

        Raises:
            ValueError: the tree's size is not a multiple of the subtree's.
        """
        if self.size % (1 << height):
            raise ValueError("a subtree can be added only at a multiple of its own size")
        self.size += 1 << height
        done = [(height, (self.size >> height) - 1, value)]
        while self._edge and self._edge[-1][0] == height:
            value = node_hash(self._edge.pop()[1], value)
            height += 1
            done.append((height, (self.size >> height) - 1, value))
        self._edge.append((height, value))
        return done

    def root(self, tail: Sequence[bytes] = ()) -> bytes:
        """Root of the tree, as if the leaf hashes ``tail`` followed, fewer than its lowest complete subtree holds."""
        hashes = [value for _, value in self._edge] + ([fold(tail)] if tail else [])
        if not hashes:
            return EMPTY
        result = hashes.pop()
        while hashes:
            result = node_hash(hashes.pop(), result)
        return result


def completed(
    size: int, leaves: Sequence[bytes], stored: Callable[[int, int, int], list[bytes]]
) -> Iterator[tuple[int, int, bytes]]:
    """Nodes of the stored heights above 0 that become complete when ``leaves`` follow ``size`` older ones.

    Args:
        size: leaves there before.
        leaves: hashes of the new ones.
        stored: called with a stored height and a range of indices, gives the hashes that are already stored.

    Yields:
        Height, index and hash, lower heights first.
    """
    height, first, hashes = 0, size, list(leaves)
    while (first + len(hashes)) // WIDTH > first // WIDTH:
        begin = first - first % WIDTH
        hashes = (stored(height, begin, first) if begin < first else []) + hashes
        hashes = [fold(hashes[at : at + WIDTH]) for at in range(0, len(hashes) - WIDTH + 1, WIDTH)]
        height, first = height + HEIGHT, begin // WIDTH
        yield from ((height, first + offset, value) for offset, value in enumerate(hashes))


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1


def _range(start: int, end: int, node: Node) -> bytes:
    """Hash of the leaves from ``start`` to ``end``, where ``start`` is a multiple of a power of two >= their number."""
    size = end - start
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return node(height, start >> height)
    middle = start + _split(size)
    return node_hash(_range(start, middle, node), _range(middle, end, node))
