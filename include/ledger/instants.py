"""Instants as evidence writes them."""

from __future__ import annotations

from datetime import datetime


def instant(moment: datetime | None) -> str | None:
    """A UTC timestamp as evidence writes it (RFC 3339, microseconds kept when present)."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The inverse of :func:`instant`."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
