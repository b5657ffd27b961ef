"""Whether a system is connected, and whether its key works, does not do too much, and lasts. Reads no personal data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from include.assurance.evidence import NAMED, State
from include.errors import PrivacyError, Refused, Unavailable
from include.systems.assuring import Access, ChecksAccess
from include.systems.erasing import ErasingSystem

EXPIRY_NEAR = timedelta(days=30)
"""A credential that ends within this time is to be renewed."""
SUNSET_NEAR = timedelta(days=180)
"""An API that its vendor ends within this time is to be left."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a connection came to; ``note`` is a sentence for people."""

    state: State
    note: str
    access: Access | None = None
    sunset: datetime | None = None


def look(system: ErasingSystem, at: datetime) -> Looked:
    """Try the key of a system that is connected."""
    sunset = system.card.sunset
    if not isinstance(system, ChecksAccess):
        return Looked(State.CANNOT_ASK, "Its module has no look that touches no personal data.", sunset=sunset)
    try:
        access = system.access()
    except PrivacyError as error:
        return Looked(failed(error), str(error), sunset=sunset)
    return judge(access, sunset, at)


def judge(access: Access, sunset: datetime | None, at: datetime) -> Looked:
    """What a key that was accepted is worth."""
    broken = [
        f"The key lacks {_named(access.missing)}." if access.missing else "",
        f"The key ended on {access.expires_at:%Y-%m-%d}." if access.expires_at and access.expires_at <= at else "",
    ]
    near = [
        f"The key may do more than is needed: {_named(access.excess)}." if access.excess else "",
        f"The key ends on {access.expires_at:%Y-%m-%d}: renew it."
        if access.expires_at and at < access.expires_at <= at + EXPIRY_NEAR
        else "",
        f"The vendor ends this API on {sunset:%Y-%m-%d}." if sunset and sunset <= at + SUNSET_NEAR else "",
    ]
    shown = "" if access.shown or access.note else "The vendor does not show the rights of a key."
    state = State.BROKEN if any(broken) else State.SEE_TO if any(near) else State.IN_ORDER
    return Looked(state, " ".join(filter(None, (*broken, *near, access.note, shown))), access, sunset)


def failed(error: PrivacyError) -> State:
    """What an error of a check means."""
    if isinstance(error, Refused):
        return State.BROKEN
    if isinstance(error, Unavailable):
        return State.NO_ANSWER
    raise error


def _named(rights: tuple[str, ...]) -> str:
    more = f" and {len(rights) - NAMED} more" if len(rights) > NAMED else ""
    return ", ".join(rights[:NAMED]) + more
