"""The push: every approved deletion in one system, in bulk, each with an intent before and an outcome after it.

A process may die at any instruction. The next try looks again and goes on from what the system really holds; nothing is
remembered outside the ledger and the vault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from include.erasure.desk import Desk
from include.erasure.evidence import (
    HELD,
    Look,
    intent_entry,
    outcome_entry,
    refusal_entry,
    verification_entry,
)
from include.erasure.finding import in_order, leave_out, look
from include.erasure.history import History
from include.erasure.status import OPEN, Outcome, RequestStatus, Stage, SystemRow
from include.errors import Refused
from include.ledger.entry import Entry
from include.ledger.holds import ActiveHolds, Hold
from include.subjects.identifiers import Subject
from include.systems.erasing import Did, ErasingCard, ErasingSystem, Found, Receipt

WAIT_SECONDS = 300
"""How long a push waits for another one in the same system. The pools of the DAG make that rare."""

_DONE = frozenset({Did.GONE, Did.ABSENT, Did.ACCEPTED, Did.EXPIRING})


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to in one system: how many requests stand in which outcome afterwards."""

    system: str
    requests: int
    outcomes: Mapping[str, int] = field(default_factory=dict)


def erase(desk: Desk, system: ErasingSystem) -> Pushed:
    """Work off everything that is approved and due in a system.

    Raises:
        Unavailable: system, ledger or vault failed; run again.
        Refused: the account does not allow it.
    """
    key = system.card.key
    requests, outcomes = 0, Counter[str]()
    with desk.ledger.exclusive(f"erase/{key}", WAIT_SECONDS) as still_alone:
        due = (one for one in desk.histories(desk.open_requests()) if is_due(desk, desk.status(one, desk.clock()), key))
        while part := list(islice(due, system.card.batch_size)):
            still_alone()
            _erase_part(desk, system, part)
            desk.read_on(part)
            requests += len(part)
            outcomes.update(desk.status(one, desk.clock()).row(key).outcome.value for one in part)
    return Pushed(key, requests, dict(outcomes))


def wait_for_nobody(desk: Desk, key: str) -> None:
    """Settle a system without a connection: requests that nobody has looked for there go on without it.

    Raises:
        Refused: an approved request waits for it: somebody has taken the connection away since its plan.
    """
    statuses = [one for one in desk.statuses(desk.open_requests(), desk.clock()) if one.approved and not one.cancelled]
    if any(row.system == key and row.outcome in {*OPEN, Outcome.DEFERRED} for one in statuses for row in one.rows):
        raise Refused(
            key,
            "carry out what was approved",
            f"Its connection is gone: create the Airflow connection '{key}' again (docs/connections.md).",
        )
    leave_out(desk, [one.ref for one in statuses if all(row.system != key for row in one.rows)], key)


def is_due(desk: Desk, status: RequestStatus, system: str) -> bool:
    """Whether there is work for a request in a system now: approved, its turn has come, and not yet done."""
    if not status.approved or status.cancelled or status.closed is not None:
        return False
    return _has_work(status.row(system), desk.clock()) and _turn_has_come(desk, status, system)


def _has_work(row: SystemRow, at: datetime) -> bool:
    if row.outcome is Outcome.DEFERRED or (row.outcome is Outcome.HELD and row.did == Did.BLOCKED.value):
        return row.until is None or row.until <= at
    # What a legal hold kept is looked at again each time: its release needs nobody to remember it.
    return row.outcome in OPEN or (row.outcome is Outcome.HELD and row.did == HELD)


def _turn_has_come(desk: Desk, status: RequestStatus, system: str) -> bool:
    """Systems of earlier stages are settled, and the person was told where that has to come first."""
    for stage in desk.requests.stages:
        if stage.name == desk.requests.answer.before and not status.answered:
            return False
        if system in stage.systems:
            return True
        if any(status.row(earlier).outcome in OPEN for earlier in stage.systems):
            return False
    return False


def _erase_part(desk: Desk, system: ErasingSystem, part: Sequence[History]) -> None:
    """One bulk step. Cancellations are read here; holds as the last thing before the intents."""
    card = system.card
    desk.read_on(part)
    statuses = (desk.status(history, desk.clock()) for history in part)
    now = {status.ref: status for status in statuses if is_due(desk, status, card.key)}
    subjects = desk.vault.subjects(list(now))
    found = look(system, subjects) if subjects else []
    active = desk.holds.active()
    go: list[tuple[Subject, Found]] = []
    refusals: list[Entry] = []
    for subject, one in zip(subjects, found, strict=True):
        hold = hold_on(desk, active, subject, card.key)
        if hold is not None:
            refusals += [] if _is_known(now[one.ref], card.key) else [_kept(card, now[one.ref], hold)]
        elif one.total > _allowed(desk, now[one.ref], card.key):
            refusals.append(_too_much(card, one))
        else:
            go.append((subject, one))
    desk.ledger.append(refusals)
    if go:
        _carry_out(desk, system, go, now, active)


def _carry_out(
    desk: Desk,
    system: ErasingSystem,
    go: Sequence[tuple[Subject, Found]],
    now: Mapping[str, RequestStatus],
    active: ActiveHolds,
) -> None:
    card = system.card
    subjects = [subject for subject, _ in go]
    intents = desk.ledger.append(
        [
            intent_entry(card, subject, one, digest=str(now[one.ref].digest), holds_version=active.version)
            for subject, one in go
        ]
    )
    answered = in_order(subjects, system.erase([one for _, one in go]))
    receipts = [_with_work_left(receipt, now[receipt.ref].row(card.key).by_hand) for receipt in answered]
    desk.ledger.append(
        [outcome_entry(card, intent.index, receipt) for intent, receipt in zip(intents, receipts, strict=True)]
    )
    looked_at = [(s, r) for s, r in zip(subjects, receipts, strict=True) if r.did not in (Did.DEFERRED, Did.FAILED)]
    if looked_at:
        verify(desk, system, [s for s, _ in looked_at], [r for _, r in looked_at], Look.PUSH)


def _with_work_left(receipt: Receipt, by_hand: str | None) -> Receipt:
    """A lost call may have removed what told that a person has to do more: its intent has kept that."""
    if by_hand is None or receipt.did not in _DONE:
        return receipt
    return replace(receipt, did=Did.MANUAL, next_action=by_hand)


def verify(
    desk: Desk, system: ErasingSystem, subjects: Sequence[Subject], receipts: Sequence[Receipt], when: Look
) -> None:
    """Look at what is left and write it down."""
    seen = in_order(subjects, system.verify(subjects, receipts))
    desk.ledger.append([verification_entry(system.card, one, when) for one in seen])


def hold_on(desk: Desk, active: ActiveHolds, subject: Subject, system: str) -> Hold | None:
    """The oldest hold that keeps a person's data in a system.

    A hold on a retention rule of the system counts as one on the system: keeping too much can be mended.
    """
    if not active.holds:
        return None
    known = {desk.pseudonyms.subject(identifier.value) for identifier in subject.identifiers}
    rules = {rule.id for rule in desk.policy.rules_of(system)}
    for hold in active.holds.values():
        here = hold.scope.system in {None, system} and (hold.scope.rule is None or hold.scope.rule in rules)
        if here and (hold.scope.subject is None or hold.scope.subject in known):
            return hold
    return None


def _kept(card: ErasingCard, status: RequestStatus, hold: Hold) -> Entry:
    why = f"Legal hold {hold.id} of matter {hold.matter}: nothing is deleted until it is released."
    return refusal_entry(card, status.ref, did=HELD, why=why)


def _is_known(status: RequestStatus, system: str) -> bool:
    row = status.row(system)
    return row.outcome is Outcome.HELD and row.did == HELD


def _allowed(desk: Desk, status: RequestStatus, system: str) -> int:
    return status.row(system).planned + desk.requests.tolerance_records


def _too_much(card: ErasingCard, found: Found) -> Entry:
    why = (
        f"{found.total} records were found, more than the approved plan allows: start the request again for a new plan."
    )
    return refusal_entry(card, found.ref, did=Did.FAILED.value, why=why)


def unfinished(statuses: Sequence[RequestStatus]) -> list[str]:
    """Approved requests in which a system failed or holds what should be gone: what makes a run red."""
    bad = {Outcome.FAILED, Outcome.RESIDUAL_FOUND, Outcome.UNDER_WAY}
    return [
        status.ref
        for status in statuses
        if status.stage is Stage.EXECUTING and any(row.outcome in bad for row in status.rows)
    ]
