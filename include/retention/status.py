"""What is true of each rule in a run, computed from evidence alone. Nothing ever sets a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from include.ledger.entry import Kind, Recorded
from include.ledger.instants import moment


class State(StrEnum):
    """Outcome of a rule in one run, in the words of the report."""

    UNCOUNTED = "not counted"
    NOT_CONNECTED = "not connected"
    PLANNED = "planned"
    WAITING = "waiting for approval"
    DECLINED = "declined"
    REFUSED = "refused by the guard"
    COUNTED = "counted only (dry run)"
    RUNNING = "not finished"
    ABSENT = "absent"
    VERIFIED_GONE = "verified_gone"
    EXPIRING = "expiring"
    HELD = "held"
    FAILED = "failed"


LOOKED = frozenset({State.DECLINED, State.COUNTED, State.ABSENT, State.VERIFIED_GONE, State.EXPIRING, State.HELD})
"""Final, and the store was looked at."""
FINAL = LOOKED | {State.NOT_CONNECTED}
"""States with which a run may end green. A store that nothing is connected to is a gap that the report names; a refusal
by the guard is a fault of policy or clock and ends it red."""


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """One row of every table that people see.

    Args:
        due: records that the run found due; with a second plan, those gone by then and those it counted.
        gone: records that the stores acknowledged as deleted or anonymised in this run.
        left_alone: records that changed after they were selected and are judged again by the next run.
        unknown: records of batches whose fate can't be told any more (the rule changed after a crash).
        held: due records kept because of a legal hold or because the store refuses to delete them.
        remaining: due records that the last look still found and that nothing keeps.
        verified: an independent look found nothing left.
        until: when the last hidden copy (soft delete) is purged, where copies exist.
    """

    run: str
    rule: str
    system: str
    action: str
    state: State
    total: int
    due: int
    gone: int
    left_alone: int
    unknown: int
    held: int
    remaining: int
    verified: bool
    oldest: str | None
    newest: str | None
    cutoff: str
    until: str | None
    digest: str
    connector: str
    breaches: tuple[str, ...] = ()
    decision: str | None = None

    @property
    def elsewhere(self) -> int:
        """Due records that are gone and that another rule of the same system removed (a contact takes its history)."""
        accounted = self.gone + self.left_alone + self.unknown + self.held + self.remaining
        return max(0, self.due - accounted) if self.verified else 0

    @property
    def deleted(self) -> int:
        """Records deleted."""
        return self.gone if self.action == "delete" else 0

    @property
    def anonymised(self) -> int:
        """Records anonymised."""
        return self.gone if self.action == "anonymise" else 0

    @property
    def failed(self) -> int:
        """Due records that should be gone and are not known to be."""
        return self.remaining if self.state in (State.FAILED, State.RUNNING, State.REFUSED) else 0


@dataclass(slots=True)
class _Tally:
    action: str = ""
    first_plan: Mapping[str, object] | None = None
    due: int = 0
    plan: Mapping[str, object] | None = None
    guard: Mapping[str, object] | None = None
    decision: Mapping[str, object] | None = None
    verification: Mapping[str, object] | None = None
    unconnected: bool = False
    intents: dict[int, int] = field(default_factory=dict)
    gone: int = 0
    left_alone: int = 0
    unknown: int = 0

    def read(self, recorded: Recorded) -> None:
        body = recorded.entry.body
        match recorded.entry.kind:
            case Kind.ACCESS:
                self.unconnected = True
            case Kind.PLAN:
                self.first_plan = self.first_plan or body
                self.plan, self.guard, self.decision, self.verification = body, None, None, None
                self.due = max(self.due, self.gone + _int(body, "due"))
            case Kind.GUARD:
                self.guard = body
            case Kind.DECISION:
                self.decision = body
            case Kind.INTENT:
                self.intents[recorded.index] = _int(body, "count")
                self.verification = None
            case Kind.OUTCOME:
                self._outcome(body)
            case Kind.VERIFICATION:
                self.verification = body

    def _outcome(self, body: Mapping[str, object]) -> None:
        count = self.intents.pop(_int(body, "intent"), 0)
        if body["gone"] is None:
            self.unknown += count
        else:
            self.gone += _int(body, "gone")
            self.left_alone += _int(body, "changed") if "changed" in body else 0


def statuses(entries: Iterable[Recorded], *, at: datetime) -> list[RuleStatus]:
    """Status of each rule in the entries of one run, in the order of the policy file.

    A rule that the run was opened for and that has no plan (its store did not answer) has a row too.

    Args:
        entries: the run's entries in ledger order.
        at: the instant for which it is told whether hidden copies are purged.
    """
    tallies: dict[tuple[str, str, str], _Tally] = {}
    for recorded in entries:
        entry = recorded.entry
        if entry.kind is Kind.RUN_OPENED:
            for rule, system, action in _opened_for(entry.body):
                tallies.setdefault((entry.run, rule, system), _Tally(action=action))
        elif entry.rule is not None and entry.system is not None:
            tallies.setdefault((entry.run, entry.rule, entry.system), _Tally()).read(recorded)
    return [_status(*place, tally, at) for place, tally in tallies.items()]


def _opened_for(body: Mapping[str, object]) -> list[tuple[str, str, str]]:
    rules = body["rules"]
    if not isinstance(rules, list):
        raise TypeError("a run is opened for a list of rules")
    return [(str(rule["rule"]), str(rule["system"]), str(rule["action"])) for rule in rules]


def _status(run: str, rule: str, system: str, tally: _Tally, at: datetime) -> RuleStatus:
    if tally.plan is None or tally.first_plan is None:
        state = State.NOT_CONNECTED if tally.unconnected else State.UNCOUNTED
        return _uncounted(run, rule, system, tally.action, state)
    plan, first, seen = tally.plan, tally.first_plan, tally.verification
    held = _int(plan, "held") if seen is None else _int(seen, "held") + _int(seen, "blocked")
    due = tally.due
    remaining = max(0, due - tally.gone - tally.left_alone - held) if seen is None else _int(seen, "remaining")
    until = None if seen is None else _text(seen, "until")
    return RuleStatus(
        run=run,
        rule=rule,
        system=system,
        action=str(plan["action"]),
        state=_state(tally, held=held, until=until, at=at),
        total=_int(first, "total"),
        due=due,
        gone=tally.gone,
        left_alone=tally.left_alone,
        unknown=tally.unknown,
        held=held,
        remaining=remaining,
        verified=seen is not None and seen["complete"] is True,
        oldest=_text(first, "oldest"),
        newest=_text(first, "newest"),
        cutoff=str(plan["cutoff"]),
        until=until,
        digest=str(plan["digest"]),
        connector=str(plan["connector"]),
        breaches=_breaches(tally.guard),
        decision=None if tally.decision is None else str(tally.decision["choice"]),
    )


def _uncounted(run: str, rule: str, system: str, action: str, state: State) -> RuleStatus:
    return RuleStatus(
        run=run,
        rule=rule,
        system=system,
        action=action,
        state=state,
        total=0,
        due=0,
        gone=0,
        left_alone=0,
        unknown=0,
        held=0,
        remaining=0,
        verified=False,
        oldest=None,
        newest=None,
        cutoff="",
        until=None,
        digest="",
        connector="",
    )


def _state(tally: _Tally, *, held: int, until: str | None, at: datetime) -> State:
    if tally.plan is not None and tally.plan["dry_run"]:
        return State.COUNTED
    if tally.verification is None:
        return _unfinished(tally)
    if not tally.verification["complete"] or tally.intents:
        return State.FAILED
    if held:
        return State.HELD
    if tally.gone and until is not None and moment(until) > at:
        return State.EXPIRING
    return State.VERIFIED_GONE if tally.gone or tally.left_alone else State.ABSENT


def _unfinished(tally: _Tally) -> State:
    verdict = None if tally.guard is None else tally.guard["verdict"]
    choice = None if tally.decision is None else tally.decision["choice"]
    if verdict == "refuse":
        return State.REFUSED
    if choice == "declined":
        return State.DECLINED
    if verdict == "ask" and choice is None:
        return State.WAITING
    return State.RUNNING if tally.intents or tally.gone or tally.unknown else State.PLANNED


def _breaches(guard: Mapping[str, object] | None) -> tuple[str, ...]:
    found = [] if guard is None else guard["breaches"]
    return tuple(str(breach["text"]) for breach in found) if isinstance(found, list) else ()


def _int(body: Mapping[str, object], key: str) -> int:
    value = body[key]
    if not isinstance(value, int):
        raise TypeError(f"evidence field {key} must be an integer")
    return value


def _text(body: Mapping[str, object], key: str) -> str | None:
    value = body[key]
    return None if value is None else str(value)
