"""Requests enter the vault first and the ledger second, and what came between the two is put right later.

The vault lacks nothing that the ledger has, except after a restore; the ledger lacks what a crash kept out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from include.errors import Refused
from include.ledger.entry import Entry, Json, Kind, timestamp
from include.ledger.log import Ledger
from include.requests.intake import Draft
from include.subjects.register import new_id
from include.subjects.vault import Intake, Opened, Request, Vault

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOCK = "open requests"
_WAIT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Opening:
    """What became of requests that came in together.

    Args:
        batch: id of those that are new, where more than one person was handed in; None if none of them is.
        opened: one for each, in the order given.
    """

    batch: str | None
    opened: tuple[Opened, ...]

    @property
    def run(self) -> str | None:
        """What the work is started with: the batch or the one request; None where all joined others."""
        fresh = [one.id for one in self.opened if not one.joined]
        return (self.batch or fresh[0]) if fresh else None


def open_requests(
    vault: Vault,
    ledger: Ledger,
    drafts: Sequence[Draft],
    *,
    opened_by: str,
    source: str,
    clock: Callable[[], datetime],
    batch: str | None = None,
    within: Callable[[Connection, Sequence[Opened]], None] = lambda connection, opened: None,
) -> Opening:
    """Open requests, all or none in the vault, each with its entry in the ledger.

    Handing the same in again after an error is safe: it joins what was opened before. A request whose deletions have
    begun is not joined: the person may have come back since.

    Args:
        vault: gets the identifiers.
        ledger: gets the evidence, without them.
        drafts: one per person.
        opened_by: pseudonym of whoever hands them in, ``staff_…``.
        source: one of ``include.subjects.register.SOURCES``.
        clock: the present, UTC.
        batch: id under which they go on together; left out, several get a new one.
        within: what else has to be true as soon as they are open, see ``Vault.open``.

    Raises:
        Refused: there is none, or something is not as it should be.
        Unavailable: vault or ledger did not answer, or others are being opened right now.
    """
    if not drafts:
        raise Refused("intake", "open requests", "There is none.")
    now = clock()
    intake = [
        Intake(draft.type, draft.identifiers, opened_by, source, _received(draft.received_on, now), draft.answer)
        for draft in drafts
    ]
    batch = batch or (new_id("bat") if len(drafts) > 1 else None)
    with ledger.exclusive(_LOCK, _WAIT_SECONDS) as confirm:
        _repair(vault, ledger)
        opened = vault.open(intake, batch=batch, may_join=lambda ref: _can_be_joined(ledger, ref), within=within)
        confirm()
        fresh = [one.id for one in opened if not one.joined]
        body: dict[str, Json] = {"what": "joined", "by": opened_by, "source": source}
        joined = [Entry(Kind.OPERATOR_ACTION, one.id, body=body) for one in opened if one.joined]
        ledger.append([*_entries(vault, fresh), *joined])
    return Opening(batch if fresh else None, tuple(opened))


def _can_be_joined(ledger: Ledger, ref: str) -> bool:
    """A request that was begun, cancelled or closed says nothing of data that came since."""
    begun = (Kind.INTENT, Kind.CANCELLED, Kind.REQUEST_CLOSED)
    return not any(ledger.entries(run=ref, kinds=begun))


@dataclass(frozen=True, slots=True)
class Repaired:
    """What had to be put right.

    Args:
        recorded: requests of the vault that the ledger did not know: a crash came between the two.
        destroyed: keys that the ledger calls destroyed and that a restore of the vault had brought back.
    """

    recorded: int
    destroyed: int


def repair(vault: Vault, ledger: Ledger) -> Repaired:
    """Bring the vault's open requests and the ledger into agreement. Idempotent.

    Raises:
        Unavailable: vault or ledger did not answer, or others are being opened right now.
    """
    with ledger.exclusive(_LOCK, _WAIT_SECONDS):
        return _repair(vault, ledger)


def _repair(vault: Vault, ledger: Ledger) -> Repaired:
    refs = [request.id for request in vault.requests()]
    entries = [item.entry for item in ledger.entries(runs=refs, kinds=[Kind.REQUEST_OPENED, Kind.KEY_DESTROYED])]
    known = {entry.run for entry in entries if entry.kind is Kind.REQUEST_OPENED}
    recorded = ledger.append(_entries(vault, [ref for ref in refs if ref not in known]))
    closed = sorted({entry.run for entry in entries if entry.kind is Kind.KEY_DESTROYED})
    destroyed = vault.destroy(closed)
    ledger.append([Entry(Kind.KEY_DESTROYED, ref, body={"again": True}) for ref in closed])
    return Repaired(len(recorded), destroyed)


def _entries(vault: Vault, refs: Sequence[str]) -> list[Entry]:
    counts = vault.intake_counts(refs)
    return [_entry(request, counts[request.id]) for request in vault.requests(refs=refs)]


def _entry(request: Request, counts: Mapping[str, int]) -> Entry:
    body: dict[str, Json] = {
        "type": request.type.value,
        "batch": request.batch,
        "received_at": timestamp(request.received_at),
        "source": request.source,
        "by": request.opened_by,
        "answer": request.answer,
        "identifiers": dict(counts),
    }
    return Entry(Kind.REQUEST_OPENED, request.id, body=body)


def _received(day: date, now: datetime) -> datetime:
    """A request of today was received now, an earlier one when its day began."""
    return now if day == now.date() else datetime.combine(day, time(), UTC)
