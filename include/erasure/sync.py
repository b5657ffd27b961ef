"""Look again: at the vendor's horizon, and some days after each erasure in every system. Deletes nothing.

A residual is written down; the next push erases it again because the request is then due once more. A request in which
no look can change anything any more is closed, and its key destroyed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from include.erasure.approval import COMPLETE, close
from include.erasure.desk import Desk
from include.erasure.evidence import HELD, Look
from include.erasure.push import verify
from include.erasure.status import CLEAN, Outcome, RequestStatus, Stage, SystemRow
from include.ledger.entry import Kind
from include.systems.erasing import Did, ErasingSystem, Receipt

_NOT_ERASED = {None, HELD, Did.DEFERRED.value, Did.FAILED.value}


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What a round of looks came to in one system."""

    system: str
    looked: int
    residual: int


def recheck(desk: Desk, system: ErasingSystem, *, as_of: datetime) -> Rechecked:
    """Look at every person whose turn has come in one system.

    Args:
        desk: the means.
        system: the system.
        as_of: the night that the round stands for, UTC.

    Raises:
        Unavailable: system, ledger or vault failed; run again.
    """
    key = system.card.key
    looked = residual = 0
    with desk.ledger.exclusive(f"erase/{key}", 300) as still_alone:
        known, days = desk.histories(desk.open_requests()), desk.requests.recheck_days
        due = (one for one in known if is_due(desk.status(one, as_of).row(key), as_of, days))
        while part := list(islice(due, system.card.batch_size)):
            still_alone()
            receipts = [_receipt(one.ref, desk.status(one, as_of).row(key)) for one in part]
            verify(desk, system, desk.vault.subjects([one.ref for one in part]), receipts, Look.RECHECK)
            desk.read_on(part)
            looked += len(part)
            residual += sum(desk.status(one, as_of).row(key).outcome is Outcome.RESIDUAL_FOUND for one in part)
    return Rechecked(key, looked, residual)


def is_due(row: SystemRow, as_of: datetime, days: Sequence[int]) -> bool:
    """Whether a look is due: a job or a date is open and has come, or one of the days after the erasure has."""
    if row.did in _NOT_ERASED or row.erased_at is None or row.outcome in {Outcome.TO_DO, Outcome.UNDER_WAY}:
        return False
    # A receipt that nothing can ever prove has no date worth looking at; what expires is searched for once it is due.
    dated = row.outcome is Outcome.EXPIRING or (row.outcome is Outcome.ACCEPTED and row.proved)
    if dated and (row.until is None or row.until <= as_of):
        return True
    return any(row.checked_at is None or row.checked_at < day <= as_of for day in _days(row.erased_at, days))


def closable(status: RequestStatus, days: Sequence[int]) -> str | None:
    """The reason for which a request is closed now; None while it stays open."""
    if status.closed is not None:
        # The process died between the entry and the end of the key.
        return None if status.key_destroyed else status.closed
    if status.stage in (Stage.DECLINED, Stage.NO_MATCH):
        return status.stage.value
    if status.stage is Stage.CANCELLED and not any(row.outcome is Outcome.UNDER_WAY for row in status.rows):
        return status.stage.value
    if status.stage is not Stage.DONE or not status.answered:
        return None
    return COMPLETE if all(_looked_for_good(row, days) for row in status.rows) else None


def close_finished(desk: Desk, *, as_of: datetime) -> dict[str, int]:
    """Close what is finished and destroy its keys. Returns how many were closed for which reason."""
    days = desk.requests.recheck_days
    reasons: dict[str, list[str]] = {}
    for status in desk.statuses(_unclosed(desk), as_of):
        reason = closable(status, days)
        if reason is not None:
            reasons.setdefault(reason, []).append(status.ref)
    for reason, refs in reasons.items():
        close(desk, refs, reason)
    return {reason: len(refs) for reason, refs in reasons.items()}


def _unclosed(desk: Desk) -> list[str]:
    """Requests that have a key, and closed ones of which no entry says yet that theirs is gone."""
    ended = list(desk.ledger.entries(kinds=[Kind.REQUEST_CLOSED, Kind.KEY_DESTROYED]))
    gone = {recorded.entry.run for recorded in ended if recorded.entry.kind is Kind.KEY_DESTROYED}
    closed = [recorded.entry.run for recorded in ended if recorded.entry.run not in gone]
    return list(dict.fromkeys((*desk.open_requests(), *closed)))


def _looked_for_good(row: SystemRow, days: Sequence[int]) -> bool:
    if row.did in {HELD, Did.BLOCKED.value}:
        return False
    if row.did in _NOT_ERASED or row.erased_at is None:
        return row.outcome in CLEAN
    return row.checked_at is not None and row.checked_at >= _days(row.erased_at, days)[-1]


def _days(erased_at: datetime, days: Sequence[int]) -> list[datetime]:
    return [erased_at + timedelta(days=day) for day in sorted(days)]


def _receipt(ref: str, row: SystemRow) -> Receipt:
    """The receipt of the last erase call, as far as the ledger kept it."""
    return Receipt(ref=ref, did=Did(str(row.did)), gone=row.gone, job=row.job, until=row.until)
