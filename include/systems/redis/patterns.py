r"""The pattern of a holding, as ``session:{subject}:*``.

``*`` stands for any bytes, ``?`` for one byte, ``{subject}`` for the subject's id, and everything else for itself.
SCAN gets a glob in which ``[``, ``]``, ``^``, ``-`` and ``\`` are escaped; what it returns is matched again, exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from include.errors import Refused

SYSTEM = "redis"

_PLACE = "{subject}"
_WILD = {"*": ".*", "?": "."}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, compiled.

    Args:
        glob: what SCAN gets.
        exact: the keys that are meant.
        before: what may stand before the subject, and ``after`` what may follow; None without a subject.
        longest: the longest subject of a key as its group, and ``shortest`` the shortest; None without a subject.
        sides: the text before and after the subject, or all of it.
    """

    glob: bytes
    exact: re.Pattern[bytes]
    before: re.Pattern[bytes] | None
    after: re.Pattern[bytes] | None
    longest: re.Pattern[bytes] | None
    shortest: re.Pattern[bytes] | None
    sides: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, *, with_subject: bool) -> Pattern:
        """Read a pattern.

        Raises:
            Refused: it could mean every key, or has not exactly one ``{subject}`` where the holding names subjects (and
                none where it does not).
        """
        parts = text.split(_PLACE)
        if len(parts) != 1 + with_subject:
            step = "Write {subject} exactly once, or leave out the holding's subject and {subject} together."
            raise Refused(SYSTEM, "read the location's 'pattern'", step)
        if not re.search(r"\w", "".join(parts)):
            raise Refused(SYSTEM, "read the location's 'pattern'", "Name the keys: a pattern needs some literal text.")
        glob = "*".join(_escaped(part) for part in parts).encode()
        sides = [_regex(part) for part in parts]
        exact = re.compile(b".+".join(sides), re.DOTALL)
        if not with_subject:
            return cls(glob, exact, None, None, None, None, tuple(parts))
        before, after = (re.compile(side, re.DOTALL) for side in sides)
        lazy = sides[0].replace(b".*", b".*?")
        longest = re.compile(b"%b(.+)%b" % (lazy, sides[1].replace(b".*", b".*?")), re.DOTALL)
        shortest = re.compile(b"%b(.+?)%b" % tuple(sides), re.DOTALL)
        return cls(glob, exact, before, after, longest, shortest, tuple(parts))

    def key_of(self, subject: str) -> bytes | None:
        """The one key of a subject; None where the pattern means several."""
        text = subject.join(self.sides)
        return None if _WILD.keys() & set("".join(self.sides)) else text.encode()

    def glob_of(self, subject: str) -> bytes:
        """What SCAN gets to find the keys of one subject, each character of which stands for itself."""
        exact = re.sub(r"([*?])", r"\\\1", _escaped(subject))
        return exact.join(map(_escaped, self.sides)).encode()

    def owners(self, key: bytes) -> list[str]:
        """Every subject that a key can belong to, the longest first; none if the key is not meant."""
        longest, shortest = (regex.fullmatch(key) if regex else None for regex in (self.longest, self.shortest))
        if longest is None or shortest is None:
            return []
        if longest[1] == shortest[1]:
            return [longest[1].decode(errors="surrogateescape")]
        return sorted(set(self.subjects(key)), key=lambda subject: (-len(subject), subject))

    def matches(self, key: bytes) -> bool:
        """Whether a key is meant."""
        return self.exact.fullmatch(key) is not None

    def subjects(self, key: bytes) -> Iterator[str]:
        """Every subject that a key can belong to.

        ``session:a:b:1`` fits ``session:{subject}:*`` with the subjects ``a`` and ``a:b``: it is on hold when one is.
        """
        if self.before is None or self.after is None:
            return
        for start in range(len(key)):
            if not self.before.fullmatch(key, 0, start):
                continue
            for end in range(start + 1, len(key) + 1):
                if self.after.fullmatch(key, end):
                    yield key[start:end].decode(errors="surrogateescape")


def _escaped(part: str) -> str:
    return re.sub(r"([\[\]\\^-])", r"\\\1", part)


def _regex(part: str) -> bytes:
    return "".join(_WILD.get(char) or re.escape(char) for char in part).encode()
