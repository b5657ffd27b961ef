"""What the nightly checks write to the ledger. Counts, settings, rights and dates; never a value that was found.

ACCESS    whether a system is connected, and whether its key works, suffices and lasts
CLAIM     whether a claim of the policy holds, with how much was looked at and how much contradicts it
DRIFT     the vendor's own settings of retention beside the policy
RETURNED  how many people who were erased are there again, and how many requests were opened for it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from include.ledger.entry import Entry, Json, Kind
from include.ledger.instants import instant
from include.policy.register import Claim
from include.systems.assuring import Access, Checked
from include.systems.contract import Expiry

KINDS = (Kind.ACCESS, Kind.CLAIM, Kind.DRIFT, Kind.RETURNED)
"""What a night of checks consists of."""
NAMED = 20
"""Rights of a key that are named; the rest is counted."""


class State(StrEnum):
    """What a check came to."""

    IN_ORDER = "in order"
    SEE_TO = "see to it"
    """Nothing is wrong today; a person has to do something before it is."""
    VIOLATED = "violated"
    """The policy says what is not true."""
    BROKEN = "does not work"
    """The key is refused, lacks a right, or has ended."""
    NO_ANSWER = "no answer"
    NOT_CONNECTED = "not connected"
    """There is no connection: nothing is known of it."""
    CANNOT_ASK = "cannot be asked"
    """Nothing that could be asked, or nothing without a side effect."""


RED = frozenset({State.VIOLATED, State.BROKEN, State.NO_ANSWER})
"""What ends a run red."""
GAPS = frozenset({State.NOT_CONNECTED, State.CANNOT_ASK})
"""What nobody has looked at."""


@dataclass(frozen=True, slots=True)
class Night:
    """One round of checks.

    Args:
        run: its opaque id, ``run_…``.
        at: the instant for which dates are judged, UTC.
    """

    run: str
    at: datetime

    @property
    def batch(self) -> str:
        """Id of the requests that this round opens; the same in all its tasks and tries."""
        return "bat_" + self.run.removeprefix("run_")


def access_entry(
    night: Night, system: str, state: State, *, access: Access | None, sunset: datetime | None, note: str
) -> Entry:
    """What is known of a system's connection."""
    shown = access or Access(shown=False)
    body: dict[str, Json] = {
        "state": state.value,
        "missing": list(shown.missing[:NAMED]),
        "missing_count": len(shown.missing),
        "excess": list(shown.excess[:NAMED]),
        "excess_count": len(shown.excess),
        "shown": shown.shown,
        "expires_at": instant(shown.expires_at),
        "sunset": instant(sunset),
        "note": note,
    }
    return Entry(Kind.ACCESS, night.run, system=system, body=body)


def claim_entry(night: Night, system: str, claim: Claim, state: State, found: Checked) -> Entry:
    """What a look at a claim came to."""
    body: dict[str, Json] = {
        "claim": claim.id,
        "says": claim.says,
        "state": state.value,
        "looked": found.looked,
        "violations": found.violations,
        "note": found.note,
    }
    return Entry(Kind.CLAIM, night.run, system=system, body=body)


def drift_entry(night: Night, system: str, state: State, settings: Sequence[Expiry], note: str = "") -> Entry:
    """The vendor's settings beside the policy."""
    found: list[Json] = [
        {
            "setting": one.setting,
            "configured": one.configured,
            "wanted": one.wanted,
            "agrees": one.agrees,
            "note": one.note,
        }
        for one in settings
    ]
    body: dict[str, Json] = {"state": state.value, "settings": found, "note": note}
    return Entry(Kind.DRIFT, night.run, system=system, body=body)


def returned_entry(
    night: Night, system: str, state: State, *, looked: int = 0, people: int = 0, opened: int = 0, note: str = ""
) -> Entry:
    """How many erased people are in a system again."""
    body: dict[str, Json] = {
        "state": state.value,
        "looked": looked,
        "people": people,
        "opened": opened,
        "note": note,
    }
    return Entry(Kind.RETURNED, night.run, system=system, body=body)
