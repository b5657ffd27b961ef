"""What the engine writes to the ledger, and how it reads its own evidence back. Names and types in one place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from include.ledger.entry import Entry, Json, Kind, Recorded
from include.ledger.instants import instant, moment
from include.retention.guard import Judgement
from include.retention.plan import Plan
from include.systems.contract import Batch, Card, Expiry, ReadBack, Swept


@dataclass(frozen=True, slots=True)
class Place:
    """Which run, rule and system an entry belongs to."""

    run: str
    rule: str
    system: str

    def entry(self, kind: Kind, body: dict[str, Json]) -> Entry:
        """An entry at this place."""
        return Entry(kind=kind, run=self.run, rule=self.rule, system=self.system, body=body)


def not_connected_entry(place: Place) -> Entry:
    """In place of a plan for a system that there is no connection to."""
    return place.entry(Kind.ACCESS, {"state": "not connected"})


def plan_entry(place: Place, plan: Plan, *, dry_run: bool) -> Entry:
    """The plan, before anything else happens."""
    return place.entry(Kind.PLAN, {**plan.body(), "dry_run": dry_run})


def guard_entry(place: Place, plan: Plan, judgement: Judgement) -> Entry:
    """What the guard said of the plan."""
    breaches: list[Json] = [{"code": breach.code, "text": breach.text} for breach in judgement.breaches]
    return place.entry(Kind.GUARD, {"digest": plan.digest, "verdict": judgement.verdict.value, "breaches": breaches})


def decision_entry(place: Place, digest: str, *, approved: bool, by: str, reason: str) -> Entry:
    """What a human said of a plan. ``by`` is a staff pseudonym."""
    return place.entry(
        Kind.DECISION, {"digest": digest, "choice": "approved" if approved else "declined", "by": by, "reason": reason}
    )


def intent_entry(place: Place, plan: Plan, batch: Batch, *, number: int, due_before: int, holds_version: int) -> Entry:
    """Written before a destructive call. ``due_before`` lets a later run tell what a lost batch did."""
    return place.entry(
        Kind.INTENT,
        {
            "digest": plan.digest,
            "scope": plan.scope,
            "cutoff": plan.cutoff,
            "action": plan.action,
            "batch": number,
            "count": batch.count,
            "oldest": instant(batch.oldest),
            "newest": instant(batch.newest),
            "due_before": due_before,
            "holds_version": holds_version,
            "connector": plan.connector,
        },
    )


def outcome_entry(place: Place, intent: int, swept: Swept) -> Entry:
    """Written after a destructive call that was answered."""
    return place.entry(
        Kind.OUTCOME,
        {
            "intent": intent,
            "gone": swept.gone,
            "absent": swept.absent,
            "changed": swept.changed,
            "blocked": swept.blocked,
            "until": instant(swept.until),
            "reconciled": False,
        },
    )


def reconciled_entry(place: Place, intent: int, gone: int | None) -> Entry:
    """Written for an intent whose answer was lost. ``gone`` is None when it can't be told any more."""
    return place.entry(Kind.OUTCOME, {"intent": intent, "gone": gone, "reconciled": True})


def drift_entry(place: Place, settings: Sequence[Expiry]) -> Entry:
    """The store's own expiry settings against the policy, as the store reported them."""
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
    return place.entry(Kind.DRIFT, {"settings": found})


def verification_entry(place: Place, plan: Plan, seen: ReadBack, *, complete: bool) -> Entry:
    """The independent look after the sweep."""
    return place.entry(
        Kind.VERIFICATION,
        {
            "digest": plan.digest,
            "remaining": seen.remaining,
            "held": seen.held,
            "blocked": seen.blocked,
            "until": instant(seen.until),
            "residual_fields": seen.residual_fields,
            "complete": complete,
            "connector": plan.connector,
        },
    )


def connector(card: Card) -> str:
    """System and connector version as evidence writes them."""
    return f"{card.key}/{card.version}"


@dataclass(frozen=True, slots=True)
class Dangling:
    """An intent without an outcome: a process died or an answer was lost between the two."""

    index: int
    place: Place
    scope: str
    cutoff: datetime
    count: int
    due_before: int


def dangling(entries: Iterable[Recorded]) -> list[Dangling]:
    """The intents among ``entries`` (of one rule, in order) that no outcome refers to."""
    open_intents: dict[int, Dangling] = {}
    for recorded in entries:
        entry, body = recorded.entry, recorded.entry.body
        if entry.kind is Kind.INTENT:
            open_intents[recorded.index] = Dangling(
                index=recorded.index,
                place=Place(entry.run, str(entry.rule), str(entry.system)),
                scope=str(body["scope"]),
                cutoff=moment(str(body["cutoff"])),
                count=_whole(body["count"]),
                due_before=_whole(body["due_before"]),
            )
        elif entry.kind is Kind.OUTCOME:
            open_intents.pop(_whole(body["intent"]), None)
    return list(open_intents.values())


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("evidence counts are integers")
    return value
