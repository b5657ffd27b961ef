"""Open and close a run: what it was for, with which policy, and whether everything it was for is proved."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

from include.errors import Refused
from include.ledger.entry import Entry, Json, Kind
from include.ledger.instants import instant
from include.ledger.recent import clocks
from include.policy.model import Rule
from include.retention.desk import Desk, Night
from include.retention.status import RuleStatus, statuses

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the clocks of this machine, the ledger's last entry and the database may lie apart."""


def run_id(*parts: str) -> str:
    """An opaque, repeatable id: an orchestrator's own run ids may be typed by people and hold anything."""
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return "run_" + base64.b32encode(digest[:10]).decode().lower()


def chosen_rules(desk: Desk, rules: Collection[str], systems: Collection[str]) -> list[Rule]:
    """The rules of the policy file, narrowed by the filters; an empty filter means all.

    Raises:
        Refused: a filter names a rule or system that has no rule here.
    """
    here = desk.policy.rules
    unknown = sorted({*rules} - {rule.id for rule in here}) + sorted({*systems} - {desk.system_of(r) for r in here})
    if unknown:
        raise Refused("policy", f"run {', '.join(unknown)}", "Choose rules and systems that the policy file has.")
    return [
        rule for rule in here if (not rules or rule.id in rules) and (not systems or desk.system_of(rule) in systems)
    ]


def open_run(desk: Desk, night: Night, rules: list[Rule]) -> None:
    """Check the clocks and write what this run is for. A second call for the same run writes nothing.

    Raises:
        Refused: a clock is wrong or the date lies in the future; nothing was planned.
    """
    _check_clock(desk, night)
    if any(desk.ledger.entries(run=night.run, kinds=[Kind.RUN_OPENED])):
        return
    body: dict[str, Json] = {
        "as_of": instant(night.as_of),
        "dry_run": night.dry_run,
        "mode": desk.mode.value,
        "policy": desk.policy.digest,
        "policy_version": desk.policy.version,
        "rules": [{"rule": rule.id, "system": desk.system_of(rule), "action": rule.action.value} for rule in rules],
    }
    desk.ledger.append([Entry(kind=Kind.RUN_OPENED, run=night.run, rule=None, system=None, body=body)])


def _check_clock(desk: Desk, night: Night) -> None:
    now = desk.clock()
    database, last = clocks(desk.ledger)
    if night.as_of > now:
        raise Refused("retention", "run for a date in the future", "Choose a date that has begun, in UTC.")
    if abs(database - now) > CLOCK_TOLERANCE:
        raise Refused(
            "retention", "trust the clock", "This machine and the ledger's database disagree: mend the clock."
        )
    if last is not None and last - now > CLOCK_TOLERANCE:
        raise Refused("retention", "trust the clock", "It is earlier than the ledger's last entry: mend the clock.")


def run_statuses(desk: Desk, run: str, *, at: datetime) -> list[RuleStatus]:
    """What is true of each rule of a run."""
    return statuses(desk.ledger.entries(run=run), at=at)
