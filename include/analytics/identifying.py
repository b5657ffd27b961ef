"""Whether a text looks like it identifies somebody: such a text never becomes a key."""

from __future__ import annotations


def identifying(text: str) -> str | None:
    """What ``text`` looks like ("an e-mail address", "a phone number", …), or None if it is an ordinary word."""
    raise NotImplementedError
