"""Whether a text looks like it identifies somebody: such a text never becomes a key.

A second line of defence. The first is the threshold, which shows no key of few people; but an address that many people
write to, or a token that many people share, passes it. Judged is the look alone, so an ordinary word may be refused
(``order_20261122``): a list of public keys in the specification is the way to publish such words.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

LONGEST = 64
"""Characters of a key; names of features, countries and plans are shorter, free text is not."""
_LOOKS = {
    "an e-mail address": r"[^\s@]+(@|%40|\(at\)|\[at\])[^\s@]+",
    "a web address": r"[a-z][a-z0-9+.-]*://|\bwww\.",
    "a UUID": r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}",
    "a MAC address": r"\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b",
    "a token": r"\beyJ[a-z0-9_-]{8,}|\b(?:sk|pk|ghp|gho|xox[abp]|ya29|akia|aiza)[-_.]?[a-z0-9_-]{12,}",
    "a hexadecimal id": r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{12,}\b",
    "a long number": r"\d(?:[ ./()-]{0,2}\d){6,}",
    "an account name": r"(?:^|[\s,;])@\w{2,}",
}
_PATTERNS = {what: re.compile(look, re.IGNORECASE) for what, look in _LOOKS.items()}
_PIECE = re.compile(r"[A-Za-z0-9]{16,}")
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SHORTEST_RUN = 3


def identifying(text: str) -> str | None:
    """What ``text`` looks like ("an e-mail address", "a long number", …), or None if it is an ordinary word."""
    if len(text) > LONGEST:
        return "a free text"
    for what, pattern in _PATTERNS.items():
        if pattern.search(text):
            return what
    if _is_machine(text):
        return "a network address"
    return "a random id" if any(_is_random(piece) for piece in _PIECE.findall(text)) else None


def _is_machine(text: str) -> bool:
    try:
        ip_address(text.strip("[] ").partition("%")[0])
    except ValueError:
        return False
    return True


def _is_random(piece: str) -> bool:
    """Whether cases and digits change as in no word, not even in camel case: so Firestore and others make ids."""
    return len(piece) < _SHORTEST_RUN * len(_RUN.findall(piece))
