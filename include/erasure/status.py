"""What is true of a request, computed from its evidence alone. Nothing ever sets a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from include.erasure.evidence import HELD, NOT_CONNECTED, Look
from include.erasure.history import History, SystemHistory, histories, number
from include.erasure.outcomes import CLEAN, DATED, OPEN, SETTLED, Outcome, Stage
from include.ledger.entry import Recorded
from include.ledger.instants import moment
from include.systems.erasing import Did, Stays

__all__ = [
    "CLEAN",
    "DATED",
    "OPEN",
    "SETTLED",
    "Outcome",
    "RequestStatus",
    "Stage",
    "SystemRow",
    "status_of",
    "statuses",
]


@dataclass(frozen=True, slots=True)
class SystemRow:
    """One system of one request.

    Args:
        planned: records that the newest plan, or the newest look before there is one, counted for removal.
        gone: records acknowledged as removed, or shown to have gone by a look after a lost answer.
        remaining: records that the last look still found.
        until: by when a dated outcome turns true; for a deferred one when its turn comes.
        checked_at: when the last look was taken.
        erased_at: when the last erase call was answered.
        proved: the last look could prove absence.
        did: what that call said.
        stays: what is kept on purpose.
        next_action: what a person does now, where one must.
        by_hand: what a person will have to do after a call whose answer was lost.
        connector: module and version of the last evidence.
    """

    system: str
    outcome: Outcome
    planned: int = 0
    gone: int = 0
    remaining: int = 0
    until: datetime | None = None
    checked_at: datetime | None = None
    erased_at: datetime | None = None
    proved: bool = True
    job: str | None = None
    did: str | None = None
    next_action: str | None = None
    by_hand: str | None = None
    stays: tuple[Stays, ...] = ()
    connector: str = ""

    def settled(self, at: datetime) -> bool:
        """Whether no look changes it any more: clean, or a receipt whose horizon passed and that can't be proved."""
        if self.outcome is Outcome.ACCEPTED and not self.proved:
            return self.until is not None and self.until <= at
        return self.outcome in SETTLED


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """Everything that the pages and the engine say of a request."""

    ref: str
    type: str
    batch: str | None
    received_at: datetime
    opened_by: str
    stage: Stage
    rows: tuple[SystemRow, ...]
    digest: str | None
    batch_digest: str | None
    approved: bool
    decided_by: str | None
    identity: str | None
    wants_answer: bool
    notice: str | None
    notice_open: str | None
    notice_opened_at: datetime | None
    tried_senders: tuple[str, ...]
    cancelled: bool
    closed: str | None
    key_destroyed: bool

    def row(self, system: str) -> SystemRow:
        """The row of a system; an empty one where nothing is known."""
        return next((row for row in self.rows if row.system == system), SystemRow(system, Outcome.TO_DO))

    @property
    def answered(self) -> bool:
        """The person was told, or cannot be."""
        return self.notice is not None


def statuses(entries: Iterable[Recorded], *, at: datetime, claims: frozenset[str] = frozenset()) -> list[RequestStatus]:
    """Status of each request among ``entries``, in the order they were opened.

    Args:
        entries: in ledger order; all entries of each request in question.
        at: the instant for which it is told whether a date has passed.
        claims: systems of which the policy says that no identifier is sent.
    """
    return [status_of(history, at, claims) for history in histories(entries)]


def status_of(request: History, at: datetime, claims: frozenset[str] = frozenset()) -> RequestStatus:
    """Status of one request; arguments as for :func:`statuses`."""
    approved = request.decision is not None and request.decision["choice"] == "approved"
    planned = _planned(request.plan)
    systems = {**dict.fromkeys(planned, SystemHistory()), **request.systems}
    rows = tuple(
        _row(name, system, at, claim=name in claims, planned=planned.get(name)) for name, system in systems.items()
    )
    body = request.opened.entry.body
    return RequestStatus(
        ref=request.ref,
        type=str(body["type"]),
        batch=None if body["batch"] is None else str(body["batch"]),
        received_at=moment(str(body["received_at"])),
        opened_by=str(body["by"]),
        stage=_stage(request, rows, approved, at),
        rows=rows,
        digest=None if request.plan is None else str(request.plan["digest"]),
        batch_digest=None if request.plan is None else str(request.plan["batch_digest"]),
        approved=approved,
        decided_by=None if request.decision is None else str(request.decision["by"]),
        identity=request.identity,
        wants_answer=body.get("answer") is not False,
        notice=request.notice,
        notice_open=request.notice_open,
        notice_opened_at=request.notice_opened_at,
        tried_senders=tuple(request.tried),
        cancelled=request.cancelled,
        closed=request.closed,
        key_destroyed=request.destroyed,
    )


def _planned(plan: Mapping[str, object] | None) -> dict[str, int]:
    """Records to remove by system, in the order of work, as the newest plan counted them."""
    systems = None if plan is None else plan["systems"]
    return {str(row["system"]): _total(row) for row in systems} if isinstance(systems, list) else {}


def _stage(request: History, rows: tuple[SystemRow, ...], approved: bool, at: datetime) -> Stage:
    if request.closed is not None:
        return Stage.CLOSED
    if request.cancelled:
        return Stage.CANCELLED
    if approved:
        return _working(rows, at)
    if request.decision is not None:
        return Stage.DECLINED
    if request.plan is not None:
        return Stage.PLANNED if request.plan["to_do"] else Stage.NO_MATCH
    if request.identity == "several":
        return Stage.AMBIGUOUS
    return Stage.RECEIVED if request.identity is None else Stage.SEARCHING


def _working(rows: tuple[SystemRow, ...], at: datetime) -> Stage:
    if all(row.settled(at) for row in rows):
        return Stage.DONE
    if all(row.outcome in {Outcome.TO_DO, Outcome.NOT_CONNECTED} for row in rows):
        return Stage.APPROVED
    return Stage.EXECUTING if any(row.outcome in OPEN for row in rows) else Stage.WAITING


def _row(name: str, system: SystemHistory, at: datetime, *, claim: bool, planned: int | None) -> SystemRow:
    outcome = _outcome(system, at, claim)
    evidence = system.seen or system.found or {}
    until = _moment(system.seen, "until") or _moment(system.outcome, "until")
    return SystemRow(
        system=name,
        outcome=outcome,
        planned=_total(system.found) if planned is None else planned,
        gone=system.gone,
        remaining=0 if system.seen is None else number(system.seen, "remaining"),
        until=until,
        checked_at=system.seen_at,
        erased_at=system.outcome_at,
        proved=system.seen is None or system.seen["proved"] is True,
        job=_text(system.outcome, "job"),
        did=_text(system.outcome, "did"),
        next_action=_text(system.outcome, "next") if outcome not in CLEAN or outcome is Outcome.HELD else None,
        by_hand=system.by_hand,
        stays=_stays(system.found),
        connector=str(evidence.get("connector", "")),
    )


def _outcome(system: SystemHistory, at: datetime, claim: bool) -> Outcome:
    if system.outcome is None:
        return _not_begun(system)
    did = str(system.outcome["did"])
    fixed = {HELD: Outcome.HELD, Did.FAILED: Outcome.FAILED, Did.DEFERRED: Outcome.DEFERRED}.get(did)
    if fixed is not None:
        return fixed
    if did == Did.MANUAL:
        return _by_hand(system, at, claim)
    return Outcome.UNDER_WAY if system.seen is None else _seen(system, system.seen, did, at, claim)


def _not_begun(system: SystemHistory) -> Outcome:
    if system.intents:
        return Outcome.UNDER_WAY
    unseen = system.found is not None and system.found.get("connector") == NOT_CONNECTED
    return Outcome.NOT_CONNECTED if unseen else Outcome.TO_DO


def _by_hand(system: SystemHistory, at: datetime, claim: bool) -> Outcome:
    seen = system.seen
    if seen is not None and seen["proved"] and not number(seen, "remaining"):
        return _seen(system, seen, Did.MANUAL, at, claim)
    if system.manual_at is None:
        return Outcome.MANUAL_PENDING
    looked = seen is not None and system.seen_at is not None and system.seen_at > system.manual_at
    return Outcome.RESIDUAL_FOUND if looked and seen is not None and number(seen, "remaining") else Outcome.MANUAL_DONE


def _seen(system: SystemHistory, seen: Mapping[str, object], did: str, at: datetime, claim: bool) -> Outcome:
    dated = Outcome.ACCEPTED if did == Did.ACCEPTED else Outcome.EXPIRING
    if number(seen, "remaining"):
        return Outcome.RESIDUAL_FOUND if seen["look"] == Look.RECHECK.value else Outcome.FAILED
    if number(seen, "blocked"):
        return Outcome.HELD
    if seen["pending"] and _overdue(system):
        return Outcome.FAILED
    if did == Did.DERIVED:
        return Outcome.DERIVED
    if seen["pending"] or not seen["proved"]:
        return dated
    until = _moment(seen, "until") or (_moment(system.outcome, "until") if did == Did.ACCEPTED else None)
    # A date that has passed proves nothing: a look after it does.
    if until is not None and (until > at or (system.seen_at is not None and system.seen_at < until)):
        return dated
    if system.gone or system.ever or did != Did.ABSENT:
        return Outcome.VERIFIED_GONE
    if _stays(system.found):
        return Outcome.HELD
    return Outcome.NO_IDENTIFIER if claim else Outcome.ABSENT


def _overdue(system: SystemHistory) -> bool:
    """A look after the vendor's own date found its job still running."""
    until = _moment(system.outcome, "until")
    return until is not None and system.seen_at is not None and system.seen_at >= until


def _stays(found: Mapping[str, object] | None) -> tuple[Stays, ...]:
    kept = [] if found is None else found["stays"]
    if not isinstance(kept, list):
        raise TypeError("what stays is a list")
    return tuple(
        Stays(str(k["what"]), int(k["count"]), str(k["ground"]), k["routed"] is True, tuple(k.get("controllers", ())))
        for k in kept
    )


def _total(found: Mapping[str, object] | None) -> int:
    numbers = {} if found is None else found["counts"]
    if not isinstance(numbers, Mapping):
        raise TypeError("counts are a mapping")
    return sum(int(number) for number in numbers.values())


def _text(body: Mapping[str, object] | None, key: str) -> str | None:
    return None if body is None or body[key] is None else str(body[key])


def _moment(body: Mapping[str, object] | None, key: str) -> datetime | None:
    text = _text(body, key)
    return None if text is None else moment(text)
