"""Where in the ledger the facts of a run stand: read from its entries in one pass. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from include.errors import Inconsistent
from include.ledger.entry import Kind, Recorded
from include.ledger.instants import moment
from include.reports.context import Decision, NightRule, PastNight, Setting
from include.reports.model import Run, Trace


@dataclass(slots=True)
class RuleTrail:
    """What the entries about one rule in one system say beside its status."""

    trace: Trace = field(default_factory=Trace)
    absent: int = 0
    guard: Recorded | None = None
    decision: Recorded | None = None
    drift: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Trail:
    """The run itself, and the trail of each rule and system in the order of the policy file."""

    run: Run
    rules: Mapping[tuple[str, str], RuleTrail]

    def decisions(self) -> tuple[Decision, ...]:
        """What did not simply pass the guard."""
        return tuple(
            _decision(rule, system, trail.guard, trail.decision)
            for (rule, system), trail in self.rules.items()
            if trail.guard is not None and trail.guard.entry.body["verdict"] != "pass"
        )

    def drift(self) -> tuple[Setting, ...]:
        """The stores' own expiry settings as they were found."""
        return tuple(
            setting
            for (rule, system), trail in self.rules.items()
            if trail.drift is not None
            for setting in _settings(rule, system, trail.drift)
        )


def read_trail(entries: Iterable[Recorded]) -> Trail:
    """Read the entries of one closed run, in ledger order.

    Raises:
        Inconsistent: the entry that opens or closes the run is missing.
    """
    opened: Recorded | None = None
    closed: Recorded | None = None
    rules: dict[tuple[str, str], RuleTrail] = {}
    for recorded in entries:
        entry = recorded.entry
        if entry.kind is Kind.RUN_OPENED:
            opened = opened or recorded
        elif entry.kind is Kind.RUN_CLOSED:
            closed = recorded
        elif entry.rule is not None and entry.system is not None:
            _follow(rules.setdefault((entry.rule, entry.system), RuleTrail()), recorded)
    if opened is None or closed is None:
        raise Inconsistent("ledger", "read a run from its opening to its closing", "Run an audit and keep everything.")
    return Trail(_run(opened, closed), rules)


def past_nights(closings: Iterable[Recorded], *, until: datetime, most: int) -> tuple[PastNight, ...]:
    """The runs that touched stores, oldest first, at most ``most`` and none after ``until``.

    A run that was closed several times counts with its newest closing.
    """
    newest: dict[str, PastNight] = {}
    for recorded in sorted(closings, key=lambda recorded: recorded.index):
        body = recorded.entry.body
        as_of = moment(str(body["as_of"]))
        if body["dry_run"] is False and as_of <= until:
            newest[recorded.entry.run] = PastNight(recorded.entry.run, as_of, recorded.index, _night_rules(body))
    ordered = sorted(newest.values(), key=lambda night: (night.as_of, night.entry))
    return tuple(ordered[-most:])


def _follow(trail: RuleTrail, recorded: Recorded) -> None:
    index, body = recorded.index, recorded.entry.body
    match recorded.entry.kind:
        case Kind.PLAN:
            trail.trace = replace(trail.trace, plan=index, guard=None, decision=None, verification=None)
            trail.guard = trail.decision = None
        case Kind.GUARD:
            trail.trace, trail.guard = replace(trail.trace, guard=index), recorded
        case Kind.DECISION:
            trail.trace, trail.decision = replace(trail.trace, decision=index), recorded
        case Kind.INTENT:
            first = index if trail.trace.first_batch is None else trail.trace.first_batch
            trail.trace = replace(trail.trace, first_batch=first, batches=trail.trace.batches + 1, verification=None)
        case Kind.OUTCOME:
            trail.trace = replace(trail.trace, last_batch=index)
            trail.absent += _whole(body.get("absent", 0))
        case Kind.VERIFICATION:
            trail.trace = replace(trail.trace, verification=index)
        case Kind.DRIFT:
            trail.drift = recorded


def _run(opened: Recorded, closed: Recorded) -> Run:
    body = opened.entry.body
    return Run(
        run=opened.entry.run,
        as_of=moment(str(body["as_of"])),
        dry_run=body["dry_run"] is True,
        mode=str(body["mode"]),
        policy=str(body["policy"]),
        policy_version=str(body["policy_version"]),
        opened=opened.index,
        opened_at=opened.at,
        closed=closed.index,
        closed_at=closed.at,
    )


def _decision(rule: str, system: str, guard: Recorded, decision: Recorded | None) -> Decision:
    said = {} if decision is None else decision.entry.body
    return Decision(
        rule=rule,
        system=system,
        verdict=str(guard.entry.body["verdict"]),
        reasons=tuple(str(breach["text"]) for breach in _listed(guard.entry.body["breaches"])),
        choice=_text(said.get("choice")),
        by=_text(said.get("by")),
        reason=_text(said.get("reason")),
        digest=str(guard.entry.body["digest"]),
        guard=guard.index,
        decision=None if decision is None else decision.index,
    )


def _settings(rule: str, system: str, drift: Recorded) -> list[Setting]:
    return [
        Setting(
            rule=rule,
            system=system,
            setting=str(found["setting"]),
            configured=str(found["configured"]),
            wanted=str(found["wanted"]),
            agrees=found["agrees"] is True,
            note=str(found["note"]),
            entry=drift.index,
        )
        for found in _listed(drift.entry.body["settings"])
    ]


def _night_rules(body: Mapping[str, object]) -> tuple[NightRule, ...]:
    return tuple(
        NightRule(
            rule=str(rule["rule"]),
            system=str(rule["system"]),
            state=str(rule["state"]),
            due=_whole(rule["due"]),
            gone=_whole(rule["gone"]),
            held=_whole(rule["held"]),
            remaining=_whole(rule["remaining"]),
        )
        for rule in _listed(body["rules"])
    )


def _listed(value: object) -> list[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise Inconsistent("ledger", "read a list of facts in an entry", "Run an audit and keep everything.")
    return value


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise Inconsistent("ledger", "read a count in an entry", "Run an audit and keep everything.")
    return value
