"""A request as people and other systems are told of it: typed values, computed from its evidence alone.

    Summary
    ├── stage, next_step                 where it stands, and what comes next
    ├── systems                          one row per system: the honest outcome, the date, what stays and why
    ├── plan, decisions, answer          what was approved by whom, and whether the person was told
    └── timeline                         every ledger entry in a sentence

Its JSON form has exactly these names; a change of a name or a meaning is a new number in ``SCHEMA``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.erasure.contacting import Contact, contact_of
from include.erasure.desk import Desk
from include.erasure.standing import next_for, next_of, words
from include.erasure.status import Outcome, RequestStatus, SystemRow
from include.erasure.telling import tell
from include.errors import Refused
from include.ledger.entry import Kind, Recorded
from include.policy.model import Policy
from include.policy.persons import Requests
from include.systems import registry
from include.systems.erasing import ErasingCard, Stays

SCHEMA = "urn:clique-privacy:subject-request:2"


@dataclass(frozen=True, slots=True)
class Line:
    """One ledger entry."""

    entry: int
    at: datetime
    kind: str
    system: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """Work that a person did; ``attachment`` is the commitment to the file, ``file`` its name in the vault."""

    entry: int
    at: datetime
    by: str
    proof: str
    attachment: str | None
    file: str | None


@dataclass(frozen=True, slots=True)
class SystemSummary:
    """One system of a request.

    Args:
        system: its key.
        name: the name people know it by.
        stage: the stage of the work in which its turn comes.
        outcome: what is true, in the words of the product.
        meaning: the same in a sentence.
        planned: records to remove, as counted before; None where nobody has counted.
        gone: records removed.
        remaining: records that the last look still found; None where none was taken since.
        until: by when a dated outcome turns true, or its turn comes.
        checked_at: the last look.
        recheck_on: the next look, where one is due.
        proved: the last look could show absence.
        proof: how absence is shown there.
        job: the vendor's id of an asynchronous job.
        next_step: what happens next, or what a person does now.
        instructions: how the work is done by hand, where it waits for a person.
        contact: whom to write to for it, where the vendor names somebody.
        stays: what is kept on purpose.
        by_hand: what people did.
        connector: module and version of the last evidence.
    """

    system: str
    name: str
    stage: str
    outcome: str
    meaning: str
    planned: int | None
    gone: int
    remaining: int | None
    until: datetime | None
    checked_at: datetime | None
    recheck_on: datetime | None
    proved: bool
    proof: str
    job: str | None
    next_step: str
    instructions: str | None
    contact: Contact | None
    stays: tuple[Stays, ...]
    by_hand: tuple[ByHand, ...]
    connector: str


@dataclass(frozen=True, slots=True)
class PlanMade:
    """The newest plan: what a decision is bound to."""

    entry: int
    at: datetime
    digest: str
    batch_digest: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person said of a plan, and why."""

    entry: int
    at: datetime
    by: str
    choice: str
    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the person is told; ``sending`` is None until it is known."""

    wanted: bool
    sending: str | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that is said of a request. Nothing in it is about the person but counts.

    ``not_connected`` names systems that nobody looked into for want of a connection, ``not_covered`` those that no
    module reaches.
    """

    schema: str
    as_of: datetime
    request: str
    batch: str | None
    type: str
    source: str
    received_at: datetime
    opened_at: datetime
    opened_by: str
    stage: str
    next_step: str
    closed: str | None
    key_destroyed: bool
    systems: tuple[SystemSummary, ...]
    plan: PlanMade | None
    decisions: tuple[Decided, ...]
    answer: Answer
    timeline: tuple[Line, ...]
    not_covered: tuple[str, ...]
    not_connected: tuple[str, ...]


def summary_of(desk: Desk, ref: str) -> Summary:
    """The summary of a request, open or closed.

    Raises:
        Refused: the ledger does not know it.
        Unavailable: the ledger did not answer.
    """
    at = desk.clock()
    status = next(desk.statuses([ref], at), None)
    if status is None:
        raise Refused("request", "find it", "There is none with this id.")
    entries = list(desk.ledger.entries(run=ref))
    cards = {key: registry.erasing_card(key) for key in desk.requests.systems if key in registry.ERASING}
    return summarise(status, entries, desk.policy, desk.requests, cards, at)


def summarise(
    status: RequestStatus,
    entries: Sequence[Recorded],
    policy: Policy,
    requests: Requests,
    cards: Mapping[str, ErasingCard],
    at: datetime,
) -> Summary:
    """The same from values.

    Args:
        status: what is true of it.
        entries: its evidence, in ledger order.
        policy: names the systems.
        requests: orders them.
        cards: what their modules say.
        at: the present, UTC.
    """
    names = {key: system.name for key, system in policy.systems.items()}
    opened = next(recorded for recorded in entries if recorded.entry.kind is Kind.REQUEST_OPENED)
    known = [row.system for row in status.rows]
    systems = (*requests.systems, *(key for key in known if key not in requests.systems))
    return Summary(
        schema=SCHEMA,
        as_of=at,
        request=status.ref,
        batch=status.batch,
        type=status.type,
        source=str(opened.entry.body.get("source", "")),
        received_at=status.received_at,
        opened_at=opened.at,
        opened_by=status.opened_by,
        stage=status.stage.value,
        next_step=next_of(status),
        closed=status.closed,
        key_destroyed=status.key_destroyed,
        systems=tuple(
            _system(status, key, names.get(key, key), entries, requests, cards.get(key), at) for key in systems
        ),
        plan=next((_plan(recorded) for recorded in reversed(entries) if recorded.entry.kind is Kind.PLAN), None),
        decisions=tuple(_decided(recorded) for recorded in entries if recorded.entry.kind is Kind.DECISION),
        answer=Answer(status.wants_answer, status.notice),
        timeline=tuple(_line(recorded, names) for recorded in entries),
        not_covered=tuple(system.name for system in policy.uncovered()),
        not_connected=tuple(
            names.get(row.system, row.system) for row in status.rows if row.outcome is Outcome.NOT_CONNECTED
        ),
    )


def _system(
    status: RequestStatus,
    key: str,
    name: str,
    entries: Sequence[Recorded],
    requests: Requests,
    card: ErasingCard | None,
    at: datetime,
) -> SystemSummary:
    row = status.row(key)
    waits = row.outcome is Outcome.MANUAL_PENDING
    return SystemSummary(
        system=key,
        name=name,
        stage=next((stage.name for stage in requests.stages if key in stage.systems), ""),
        outcome=row.outcome.value,
        meaning=words(row),
        planned=row.planned if row.connector or row.planned else None,
        gone=row.gone,
        remaining=None if row.checked_at is None else row.remaining,
        until=row.until,
        checked_at=row.checked_at,
        recheck_on=_recheck(status, row, requests.recheck_days, at),
        proved=row.proved,
        proof="" if card is None else card.proof.value,
        job=row.job,
        next_step=next_for(status, row),
        instructions=(card.instructions or None) if waits and card is not None else None,
        contact=contact_of(card.contact) if waits and card is not None and card.contact is not None else None,
        stays=row.stays,
        by_hand=tuple(_by_hand(r) for r in entries if r.entry.kind is Kind.MANUAL_DONE and r.entry.system == key),
        connector=row.connector,
    )


def _recheck(status: RequestStatus, row: SystemRow, days: Sequence[int], at: datetime) -> datetime | None:
    """The first day of the policy's on which the system is looked at and has not been yet."""
    if status.closed is not None or row.erased_at is None or row.checked_at is None:
        return None
    looks = [row.erased_at + timedelta(days=day) for day in sorted(days)]
    return next((max(look, at) for look in looks if row.checked_at < look), None)


def _plan(recorded: Recorded) -> PlanMade:
    body = recorded.entry.body
    return PlanMade(recorded.index, recorded.at, str(body["digest"]), str(body["batch_digest"]))


def _decided(recorded: Recorded) -> Decided:
    body = {name: str(value) for name, value in recorded.entry.body.items()}
    return Decided(recorded.index, recorded.at, body["by"], body["choice"], body["digest"], body["reason"])


def _by_hand(recorded: Recorded) -> ByHand:
    body = recorded.entry.body
    proof, attachment, file = (body.get(name) for name in ("proof", "attachment", "file"))
    return ByHand(
        entry=recorded.index,
        at=recorded.at,
        by=str(body.get("by", "")),
        proof=str(proof or ""),
        attachment=None if attachment is None else str(attachment),
        file=None if file is None else str(file),
    )


def _line(recorded: Recorded, names: Mapping[str, str]) -> Line:
    entry = recorded.entry
    return Line(recorded.index, recorded.at, entry.kind.value, entry.system, tell(recorded, names))
