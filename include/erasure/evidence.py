"""What the erasure engine writes to the ledger. One request is one ``run``; names and types in one place.

IDENTITY       which identifiers are known, as counts by kind
FOUND          what one system holds, as counts
PLAN           the canonical plan of the request, with its digest and that of its batch
DECISION       who said what about which digest
INTENT         before an erase call            OUTCOME        after one, or why there was none
VERIFICATION   after a look                    MANUAL_DONE    by a person
NOTICE_INTENT  before the answer is sent       NOTICE         after
CANCELLED, REQUEST_CLOSED, KEY_DESTROYED
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from include.ledger.entry import Entry, Json, Kind
from include.ledger.instants import instant
from include.subjects.identifiers import Subject, counts
from include.systems.erasing import ErasingCard, Found, Receipt, Seen


class Look(StrEnum):
    """When a look was taken."""

    PUSH = "push"
    """Right after the erase call."""
    RECHECK = "recheck"
    """Days later, by the nightly sync."""


class Match(StrEnum):
    """What the identity roots said of a request."""

    NONE = "none"
    ONE = "one"
    SEVERAL = "several"


NOT_CONNECTED = "not connected"
"""In place of the connector that looked: there is no connection, nobody looked."""
HELD = "held"
"""In place of what an erase call did: a legal hold or another ground kept it from being made."""


def connector(card: ErasingCard) -> str:
    """System and connector version as evidence writes them."""
    return f"{card.key}/{card.version}"


def identity_entry(subject: Subject, match: Match, candidates: int, chosen: int | None = None) -> Entry:
    """What is known of a person after the identity roots were asked."""
    return Entry(
        Kind.IDENTITY,
        subject.ref,
        body={
            "identifiers": _plain(counts(subject.identifiers)),
            "match": match.value,
            "candidates": candidates,
            "chosen": chosen,
        },
    )


def found_entry(card: ErasingCard, found: Found) -> Entry:
    """What one system holds of a person before anything is done."""
    body: dict[str, Json] = {
        "counts": _plain(found.counts),
        "stays": stays_body(found),
        "clean_at": instant(found.clean_at),
        "connector": connector(card),
    }
    return Entry(Kind.FOUND, found.ref, system=card.key, body=body)


def not_connected_entry(ref: str, system: str) -> Entry:
    """In place of a look into a system that there is no connection to."""
    body: dict[str, Json] = {"counts": {}, "stays": [], "clean_at": None, "connector": NOT_CONNECTED}
    return Entry(Kind.FOUND, ref, system=system, body=body)


def stays_body(found: Found) -> list[Json]:
    """What is kept on purpose."""
    return [
        {
            "what": kept.what,
            "count": kept.count,
            "ground": kept.ground,
            "routed": kept.routed,
            "controllers": list(kept.controllers),
        }
        for kept in found.stays
    ]


def intent_entry(card: ErasingCard, subject: Subject, found: Found, *, digest: str, holds_version: int) -> Entry:
    """Written before a destructive call: a later try tells by it what a lost call did, and left for a person to do."""
    body: dict[str, Json] = {
        "digest": digest,
        "found": found.total,
        "by_hand": found.by_hand,
        "identifiers": _plain(counts(subject.identifiers)),
        "holds_version": holds_version,
        "connector": connector(card),
    }
    return Entry(Kind.INTENT, subject.ref, system=card.key, body=body)


def outcome_entry(card: ErasingCard, intent: int, receipt: Receipt) -> Entry:
    """Written after a destructive call that was answered."""
    body: dict[str, Json] = {
        "intent": intent,
        "did": receipt.did.value,
        "gone": receipt.gone,
        "blocked": receipt.blocked,
        "job": receipt.job,
        "until": instant(receipt.until),
        "next": receipt.next_action,
    }
    return Entry(Kind.OUTCOME, receipt.ref, system=card.key, body=body)


def refusal_entry(card: ErasingCard, ref: str, *, did: str, why: str) -> Entry:
    """Why no destructive call was made: a hold, or more data than was approved."""
    body: dict[str, Json] = {"intent": None, "did": did, "gone": 0, "blocked": 0, "job": None, "until": None}
    return Entry(Kind.OUTCOME, ref, system=card.key, body={**body, "next": why})


def verification_entry(card: ErasingCard, seen: Seen, look: Look) -> Entry:
    """A look at what is left."""
    body: dict[str, Json] = {
        "look": look.value,
        "remaining": seen.remaining,
        "blocked": seen.blocked,
        "until": instant(seen.until),
        "pending": seen.pending,
        "proved": seen.proved,
        "connector": connector(card),
    }
    return Entry(Kind.VERIFICATION, seen.ref, system=card.key, body=body)


def decision_entry(ref: str, *, digest: str, batch_digest: str, approved: bool, by: str, reason: str) -> Entry:
    """What a human said of a plan. ``by`` is a staff pseudonym."""
    choice = "approved" if approved else "declined"
    body: dict[str, Json] = {"digest": digest, "batch_digest": batch_digest, "choice": choice}
    return Entry(Kind.DECISION, ref, body={**body, "by": by, "reason": reason})


def notice_intent_entry(ref: str, sender: str) -> Entry:
    """Written before a message is handed to a sender."""
    return Entry(Kind.NOTICE_INTENT, ref, system=sender)


def notice_entry(ref: str, sender: str | None, sending: str) -> Entry:
    """What became of the message; without a sender why none was sent."""
    return Entry(Kind.NOTICE, ref, system=sender, body={"sending": sending})


def closed_entry(ref: str, reason: str) -> Entry:
    """The last word on a request; its key goes after this."""
    return Entry(Kind.REQUEST_CLOSED, ref, body={"reason": reason})


def _plain(numbers: Mapping[str, int]) -> dict[str, Json]:
    return dict(sorted(numbers.items()))
