"""The ``fields`` parameter of Google's JSON APIs: ``items(name,generation),nextPageToken``, ``items/name``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from include.sandbox.google import Trouble

Mask: TypeAlias = dict[str, "Mask"]
"""Member names to their own masks; an empty mask keeps everything below."""


def parse(text: str) -> Mask:
    """Read a partial-response selector.

    Raises:
        Trouble: 400, parentheses do not match or a name is empty.
    """
    mask, rest = _list(text)
    if rest:
        raise Trouble(400, "invalidParameter", "Invalid field selection.")
    return mask


def select(value: Any, mask: Mask) -> Any:
    """The part of a JSON value that the mask names."""
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [select(entry, mask) for entry in value]
    if isinstance(value, Mapping):
        return {name: select(value[name], below) for name, below in mask.items() if name in value}
    return value


def _list(text: str) -> tuple[Mask, str]:
    mask: Mask = {}
    while True:
        name, below, text = _entry(text)
        mask[name] = below
        if not text.startswith(","):
            return mask, text
        text = text[1:]


def _entry(text: str) -> tuple[str, Mask, str]:
    end = next((at for at, sign in enumerate(text) if sign in "(),/"), len(text))
    name, rest = text[:end].strip(), text[end:]
    if not name:
        raise Trouble(400, "invalidParameter", "Invalid field selection.")
    if rest.startswith("/"):
        inner, below, rest = _entry(rest[1:])
        return name, {inner: below}, rest
    if rest.startswith("("):
        mask, rest = _list(rest[1:])
        if not rest.startswith(")"):
            raise Trouble(400, "invalidParameter", "Invalid field selection.")
        return name, mask, rest[1:]
    return name, {}, rest
