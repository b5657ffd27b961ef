"""Field paths as a policy writes them: ``created_at``, ``profile.city``, or with back-ticks around odd names."""

from __future__ import annotations

import re
from typing import TypeAlias

FieldPath: TypeAlias = tuple[str, ...]
"""Names of nested map fields, outermost first."""

_PART = re.compile(r"`(?:[^`\\]|\\.)+`|[^.`]+", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_RESERVED = re.compile(r"__.*__", re.DOTALL)


def parse(text: str) -> FieldPath:
    """Read a field path.

    Raises:
        ValueError: it is empty, malformed or reserved by Firestore.
    """
    parts = _PART.findall(text)
    if not text or ".".join(parts) != text:
        raise ValueError("a field path is names joined by dots")
    path = tuple(re.sub(r"\\(.)", r"\1", part[1:-1], flags=re.DOTALL) if part[0] == "`" else part for part in parts)
    if any(_RESERVED.fullmatch(name) for name in path):
        raise ValueError("field names between double underscores belong to Firestore")
    return path


def render(path: FieldPath) -> str:
    """The form that the API reads: names that are not plain identifiers are quoted."""
    return ".".join(name if _PLAIN.fullmatch(name) else _quote(name) for name in path)


def _quote(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def covers(outer: FieldPath, inner: FieldPath) -> bool:
    """Whether removing ``outer`` removes ``inner``."""
    return inner[: len(outer)] == outer
