"""The words for what is true of a person in a system, and of a request as a whole."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What is true of one person in one system, in the words of the product."""

    TO_DO = "to do"
    UNDER_WAY = "under way"
    VERIFIED_GONE = "verified_gone"
    ABSENT = "absent"
    NO_IDENTIFIER = "no_identifier"
    DERIVED = "derived"
    NOT_CONNECTED = "not_connected"
    ACCEPTED = "accepted"
    EXPIRING = "expiring"
    MANUAL_PENDING = "manual_pending"
    MANUAL_DONE = "manual_done"
    HELD = "held"
    DEFERRED = "deferred"
    FAILED = "failed"
    RESIDUAL_FOUND = "residual_found"


CLEAN = frozenset(
    {
        Outcome.VERIFIED_GONE,
        Outcome.ABSENT,
        Outcome.NO_IDENTIFIER,
        Outcome.DERIVED,
        Outcome.MANUAL_DONE,
        Outcome.HELD,
    }
)
"""Nothing more will happen."""
SETTLED = CLEAN | {Outcome.NOT_CONNECTED}
"""The same, and what nobody can look into: it is shown as a gap, and keeps no request open."""
DATED = frozenset({Outcome.ACCEPTED, Outcome.EXPIRING})
"""Looked at again until it is clean or an alarm."""
OPEN = frozenset({Outcome.TO_DO, Outcome.UNDER_WAY, Outcome.FAILED, Outcome.RESIDUAL_FOUND})
"""A push has work to do; systems of a later stage wait."""


class Stage(StrEnum):
    """Where a request stands."""

    RECEIVED = "received"
    AMBIGUOUS = "several people match"
    SEARCHING = "searching"
    NO_MATCH = "nothing found"
    PLANNED = "waiting for approval"
    DECLINED = "declined"
    APPROVED = "approved"
    EXECUTING = "executing"
    WAITING = "waiting for vendors or people"
    DONE = "done"
    CANCELLED = "cancelled"
    CLOSED = "closed"
