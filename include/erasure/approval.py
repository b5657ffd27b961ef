"""From looks to a plan, and from a human's word to evidence. Deletes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from include.erasure.desk import CHUNK, Desk
from include.erasure.evidence import Match, closed_entry, decision_entry
from include.erasure.finding import chunks
from include.erasure.plan import BatchPlan, Plan, draft, missing
from include.erasure.status import RequestStatus, Stage
from include.errors import Refused, Unavailable
from include.ledger.entry import Entry, Kind, Recorded
from include.subjects import tombstones
from include.systems import registry
from include.systems.erasing import ErasureProof

COMPLETE = "complete"
"""Reason for which a request is closed that has been carried out."""

_LOOKED = (Kind.REQUEST_OPENED, Kind.IDENTITY, Kind.FOUND)


def plan_requests(desk: Desk, refs: Sequence[str]) -> BatchPlan:
    """Make the plan of some requests together from the newest looks, and write it down.

    Requests that several people match are left out; the caller asks a human about them. A plan that says what the
    newest one says is not written twice.

    Raises:
        Refused: a system has not been looked into: nothing may be approved. The message names the systems.
    """
    plans: list[Plan] = []
    for part in chunks(refs, CHUNK):
        plans.extend(_plans(desk, part))
    order = {ref: number for number, ref in enumerate(refs)}
    together = BatchPlan(tuple(sorted(plans, key=lambda plan: order[plan.request])))
    written = {status.ref: (status.digest, status.batch_digest) for status in desk.statuses(refs, desk.clock())}
    digest = together.digest
    bodies = {plan.request: plan.body(digest) for plan in together.plans}
    fresh = {ref: body for ref, body in bodies.items() if written[ref] != (body["digest"], digest)}
    desk.ledger.append([Entry(Kind.PLAN, ref, body=body) for ref, body in fresh.items()])
    return together


def decide(desk: Desk, refs: Sequence[str], batch_digest: str, *, approved: bool, by: str, reason: str) -> int:
    """Write who decided what about the newest plan of some requests. Returns how many requests it is about.

    Args:
        desk: the means.
        refs: the requests.
        batch_digest: how the digest begins that the human saw, at least twelve characters.
        approved: what was said.
        by: pseudonym of the member of staff.
        reason: as typed, checked.

    Raises:
        Unavailable: there is a newer plan, or the policy asks for somebody else; it is asked about anew.
    """
    waiting = [s for s in desk.statuses(refs, desk.clock()) if s.stage is Stage.PLANNED]
    if len(batch_digest) < 12 or any(not str(status.batch_digest).startswith(batch_digest) for status in waiting):
        raise Unavailable("approval", "take a decision", "There is a newer plan: it is asked about anew.")
    if approved and desk.requests.four_eyes and any(status.opened_by == by for status in waiting):
        raise Unavailable(
            "approval", "approve one's own request", "The policy asks for somebody else: ask a colleague."
        )
    entries = []
    for status in waiting:
        digests = {"digest": str(status.digest), "batch_digest": str(status.batch_digest)}
        entries.append(decision_entry(status.ref, **digests, approved=approved, by=by, reason=reason))
    desk.ledger.append(entries)
    return len(entries)


def close(desk: Desk, refs: Sequence[str], reason: str) -> None:
    """Close requests for good: first the entry, then their keys, then the entry that the keys are gone. Repeatable.

    Before the keys of what was carried out go, its tombstones are written. Whoever declines a request that was opened
    because data came back says that the person is here on purpose: the tombstones go.
    """
    known = {status.ref: status for status in desk.statuses(refs, desk.clock())}
    desk.ledger.append([closed_entry(ref, reason) for ref, status in known.items() if status.closed is None])
    if reason == COMPLETE:
        kept = {ref: _kept(desk, status) for ref, status in known.items()}
        tombstones.bury(desk.vault, kept, days=desk.requests.tombstone_days)
    elif reason == Stage.DECLINED.value:
        tombstones.lift(desk.vault, refs)
    desk.vault.destroy(refs)
    desk.ledger.append([Entry(Kind.KEY_DESTROYED, ref) for ref, status in known.items() if not status.key_destroyed])


def _kept(desk: Desk, status: RequestStatus) -> list[str]:
    """Systems in which records of a person stay. A suppression is none: it is there so that the person is not."""
    lists = desk.requests.keep_suppressions
    return [row.system for row in status.rows if any(one.what not in lists.get(row.system, ()) for one in row.stays)]


def cancel(desk: Desk, ref: str, *, by: str, reason: str) -> RequestStatus:
    """Ask every task to stop working on a request; what was already done stays done and is shown.

    Raises:
        Refused: there is no such open request.
    """
    found = list(desk.statuses([ref], desk.clock()))
    if not found or found[0].closed is not None:
        raise Refused("request", "cancel it", "It is closed or not known.")
    if not found[0].cancelled:
        desk.ledger.append([Entry(Kind.CANCELLED, ref, body={"by": by, "reason": reason})])
    return found[0]


def _plans(desk: Desk, refs: Sequence[str]) -> list[Plan]:
    requests = desk.requests
    looked = sorted(desk.ledger.entries(runs=refs, kinds=_LOOKED), key=lambda r: r.entry.run)
    receipts_only = _receipts_only(requests.systems)
    made: list[Plan] = []
    unseen: set[str] = set()
    for _, group in groupby(looked, key=lambda recorded: recorded.entry.run):
        entries = list(group)
        if _ambiguous(entries):
            continue
        plan = draft(entries, requests, desk.policy.digest, receipts_only)
        if plan is None:
            unseen.update(missing(entries, requests.systems))
        else:
            made.append(plan)
    if unseen:
        raise Refused(
            "erasure",
            "plan it without having looked everywhere",
            f"Nothing was approved or deleted. Mend and clear the find tasks of: {', '.join(sorted(unseen))}.",
        )
    return made


def _ambiguous(entries: Sequence[Recorded]) -> bool:
    matches = [recorded.entry.body["match"] for recorded in entries if recorded.entry.kind is Kind.IDENTITY]
    return bool(matches) and matches[-1] == Match.SEVERAL.value


def _receipts_only(systems: Sequence[str]) -> frozenset[str]:
    cards = (registry.erasing_card(key) for key in systems)
    return frozenset(card.key for card in cards if card.proof is ErasureProof.RECEIPT_ONLY)


def identified(desk: Desk, refs: Sequence[str]) -> list[str]:
    """Open requests whose person is known or certainly unknown; those that several people match are left out."""
    sure = {Match.ONE.value, Match.NONE.value}
    return [s.ref for s in desk.statuses(refs, desk.clock()) if s.identity in sure and s.closed is None]
