"""Build the audit report of one closed run from what the ledger and the policy file say. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from include.ledger.holds import Hold
from include.policy.coverage import LastRun, coverage
from include.policy.model import Policy, Promise, Rule
from include.policy.register import Erasure
from include.policy.rules import Enforcement
from include.reports.context import Connector, Gap, HoldRow, PastNight, Seal, Unconfirmed, Uncovered
from include.reports.findings import findings_of
from include.reports.model import SCHEMA, AuditReport, Counts, RuleRow, Run, Verdict
from include.reports.sentence import sentence_of, verdict_of
from include.reports.trail import RuleTrail, Trail
from include.retention.status import FINAL, LOOKED, RuleStatus, State
from include.systems.contract import Card


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a report says beside the run itself.

    Args:
        holds: legal holds in force.
        cards: modules of this release by system key.
        connected: systems that this installation has a connection to.
        nights: the runs before and this one, oldest first.
        checkpoint: signed state of the ledger that covers the run's closing.
    """

    holds: Sequence[Hold]
    cards: Mapping[str, Card]
    connected: frozenset[str]
    nights: tuple[PastNight, ...]
    checkpoint: Seal


def audit_report(
    policy: Policy, trail: Trail, statuses: Iterable[RuleStatus], surroundings: Surroundings
) -> AuditReport:
    """The report of the run that ``trail`` and ``statuses`` are about.

    Args:
        policy: the policy file as it is now; a finding says so if the run was opened with another one.
        trail: where the run's facts stand in the ledger.
        statuses: what is true of each rule at the closing.
        surroundings: what is said beside the run.
    """
    rules = tuple(rule_row(policy, status, trail.rules.get((status.rule, status.system))) for status in statuses)
    missed = {row.system for row in rules if row.state == State.NOT_CONNECTED}
    # A connection that was made while the run was under way has applied no rule of it.
    surroundings = replace(surroundings, connected=surroundings.connected - missed)
    report = AuditReport(
        schema=SCHEMA,
        company=policy.company.name,
        document=f"{policy.document.title}, {policy.document.published}",
        verdict=Verdict.FAILED,
        sentence="",
        run=trail.run,
        totals=total([row.counts for row in rules]),
        findings=(),
        rules=rules,
        decisions=trail.decisions(),
        drift=trail.drift(),
        holds=tuple(_hold_row(hold, trail) for hold in surroundings.holds),
        unconfirmed=_unconfirmed(policy),
        gaps=tuple(Gap(section.id, section.title, section.gap) for section in policy.sections if section.gap),
        coverage=coverage(policy, last_runs(rules, trail.run, surroundings.nights)).sections,
        uncovered=tuple(_uncovered(policy, surroundings)),
        nights=surroundings.nights,
        checkpoint=surroundings.checkpoint,
        connectors=tuple(_connectors(rules, surroundings.cards)),
    )
    report = replace(report, findings=tuple(findings_of(report, policy_now=policy.digest)))
    verdict = verdict_of(report)
    return replace(report, verdict=verdict, sentence=sentence_of(report, verdict))


def rule_row(policy: Policy, status: RuleStatus, trail: RuleTrail | None) -> RuleRow:
    """A status with what the policy says of its rule. A rule that has left the policy keeps its id as its name."""
    rule = next((rule for rule in policy.rules if rule.id == status.rule), None)
    found = trail or RuleTrail()
    return RuleRow(
        rule=status.rule,
        name=status.rule if rule is None else rule.name,
        system=status.system,
        system_name=_name(policy, status.system),
        sections=() if rule is None else rule.policy,
        action=status.action,
        period="" if rule is None else str(rule.period),
        trigger="" if rule is None else rule.trigger.replace("_", " "),
        confirmed=rule is not None and rule.confirmed is not None,
        state=status.state.value,
        final=status.state in FINAL,
        counts=counts_of(status, absent=found.absent if found.trace.verification is not None else 0),
        verified=status.verified,
        cutoff=status.cutoff,
        oldest=status.oldest,
        newest=status.newest,
        until=status.until,
        budget_records=None if rule is None else rule.budget.max_records,
        budget_percent=None if rule is None else rule.budget.max_share_percent,
        connector=status.connector,
        digest=status.digest,
        trace=found.trace,
    )


def counts_of(status: RuleStatus, *, absent: int) -> Counts:
    """The counts of a status, with what is missing in their sum.

    Args:
        status: of one rule.
        absent: records that were no longer there when their batch came. Before the last look they are still part of
            ``remaining`` and therefore 0 here.
    """
    elsewhere = max(0, status.elsewhere - absent)
    known = status.gone + absent + elsewhere + status.left_alone + status.held + status.remaining
    return Counts(
        total=status.total,
        due=status.due,
        deleted=status.deleted,
        anonymised=status.gone - status.deleted,
        absent=absent,
        elsewhere=elsewhere,
        left_alone=status.left_alone,
        held=status.held,
        remaining=status.remaining,
        unknown=status.unknown,
        unaccounted=status.due - known,
    )


def total(counts: Iterable[Counts]) -> Counts:
    """The sum, field by field."""
    every = list(counts)
    return Counts(**{name: sum(getattr(one, name) for one in every) for name in Counts.__dataclass_fields__})


def last_runs(rules: Iterable[RuleRow], run: Run, nights: Iterable[PastNight]) -> dict[str, LastRun]:
    """The newest look at each rule that says something: proved, or with records left. A dry run proves nothing."""
    found = {
        rule.rule: LastRun(night.as_of, rule.state, rule.due, rule.gone, rule.remaining, f"#{night.entry}")
        for night in nights
        for rule in night.rules
        if rule.remaining or State(rule.state) in LOOKED
    }
    for row in rules:
        counts, trace = row.counts, row.trace
        if not run.dry_run and (counts.remaining or State(row.state) in LOOKED):
            evidence = trace.plan if trace.verification is None else trace.verification
            found[row.rule] = LastRun(
                run.closed_at, row.state, counts.due, counts.gone, counts.remaining, f"#{evidence}"
            )
    return found


def _name(policy: Policy, system: str) -> str:
    return policy.systems[system].name if system in policy.systems else system


def _hold_row(hold: Hold, trail: Trail) -> HoldRow:
    scope = hold.scope
    parts = [
        "one person" if scope.subject else "everybody",
        f"rule {scope.rule}" if scope.rule else "every rule",
        scope.system or "every system",
    ]
    return HoldRow(
        hold=hold.id,
        scope=", ".join(parts),
        matter=hold.matter,
        ground=hold.ground,
        since=hold.set_at,
        review=hold.review,
        overdue=hold.review <= trail.run.closed_at.date(),
    )


def _unconfirmed(policy: Policy) -> tuple[Unconfirmed, ...]:
    schedules: list[tuple[Rule | Promise, str]] = [
        *((rule, policy.holding(rule.holding).system) for rule in policy.rules),
        *((promise, promise.system) for promise in policy.promises),
    ]
    return tuple(
        Unconfirmed(one.id, one.name, _name(policy, system), str(one.period), one.source)
        for one, system in schedules
        if one.confirmed is None
    )


def _uncovered(policy: Policy, surroundings: Surroundings) -> Iterable[Uncovered]:
    """The systems that are named by the policy and not (fully) looked at here, each with the reason."""
    for key, system in policy.systems.items():
        promised = [promise for promise in policy.promises if promise.system == key]
        missing = _missing_means(key, surroundings) if policy.rules_of(key) else None
        if missing:
            why, next_step = missing
        elif promised:
            why, next_step = "; ".join(_promised(promise) for promise in promised), promised[0].how
        elif not policy.rules_of(key):
            why, next_step = _without_period(system.erasure)
        else:
            continue
        yield Uncovered(key, system.name, system.policy, missing is not None, why, next_step)


def _missing_means(system: str, surroundings: Surroundings) -> tuple[str, str] | None:
    if system not in surroundings.cards:
        return "has rules, and no module of this release carries them out", "Use a release with a module for it."
    if system not in surroundings.connected:
        return "has rules, and no connection", f"Create the Airflow connection '{system}'."
    return None


def _promised(promise: Promise) -> str:
    kept = "left to the vendor's own expiry, not checked" if promise.enforced is Enforcement.VENDOR else "not enforced"
    return f"{promise.id} {promise.name} ({promise.period}): {kept}"


def _without_period(erasure: Erasure) -> tuple[str, str]:
    if erasure is Erasure.NO_IDENTIFIER:
        return "no identifier is sent to it, as the policy says; this run did not check that", "Have the claim checked."
    if erasure is Erasure.DERIVED:
        return "holds nothing of its own and follows the system it is derived from", "Nothing."
    return "the policy file has no period for it", "Add a rule or a period to the policy file."


def _connectors(rules: Iterable[RuleRow], cards: Mapping[str, Card]) -> Iterable[Connector]:
    seen = sorted({(row.system, row.connector) for row in rules if row.connector})
    for system, version in seen:
        card = cards.get(system)
        if card is None:
            yield Connector(system, version, "", "", "")
        else:
            yield Connector(system, version, card.proof.value, card.horizon, card.documentation)
