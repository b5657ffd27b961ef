"""Proof that an entry is in the log, as one text that can be checked without the log: C2SP tlog-proof.

See https://c2sp.org/tlog-proof. Pure. The extra line carries the entry's canonical bytes, from which whoever verifies
computes the leaf hash.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from include.errors import Inconsistent
from include.ledger import merkle
from include.ledger.note import Tree, Verifier

_MAGIC = "c2sp.org/tlog-proof@v1"
_FORM = re.compile(
    r"c2sp\.org/tlog-proof@v1\n(?:extra (?P<extra>[A-Za-z0-9+/]*={0,2})\n)?index (?P<index>0|[1-9][0-9]{0,18})\n"
    r"(?P<path>(?:[A-Za-z0-9+/]{43}=\n)*)\n(?P<checkpoint>.+)",
    re.ASCII | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That an entry stands at an index of the log that a checkpoint states.

    Args:
        entry: canonical bytes of the entry.
        index: its place.
        path: hashes from the leaf's sibling upwards.
        checkpoint: signed note.
    """

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    @property
    def text(self) -> str:
        """The content of a ``.tlog-proof`` file."""
        lines = [_MAGIC, f"extra {_encode(self.entry)}", f"index {self.index}", *map(_encode, self.path), ""]
        return "\n".join(lines) + "\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a ``.tlog-proof`` file.

        Raises:
            Inconsistent: it is not one with the entry in its extra line.
        """
        match = _FORM.fullmatch(text)
        if match is None or match["extra"] is None:
            raise Inconsistent("ledger", "read a proof", "It is not a tlog-proof that carries its entry.")
        try:
            path = tuple(base64.b64decode(line, validate=True) for line in match["path"].split())
            entry = base64.b64decode(match["extra"], validate=True)
        except ValueError:
            raise Inconsistent("ledger", "read a proof", "Its base64 is damaged.") from None
        return cls(entry, int(match["index"]), path, match["checkpoint"])

    def verify(self, verifiers: Sequence[Verifier]) -> Tree:
        """Check signature, origin and path; afterwards ``entry`` can be trusted.

        Returns:
            The tree that the entry is in.

        Raises:
            Inconsistent: one of them is wrong.
        """
        tree = Tree.verified(self.checkpoint, verifiers)
        leaf = merkle.leaf_hash(self.entry)
        if not merkle.verify_inclusion(leaf, self.index, tree.size, self.path, tree.root):
            raise Inconsistent("ledger", "verify a proof", "The entry is not in the log that the checkpoint states.")
        return tree


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
