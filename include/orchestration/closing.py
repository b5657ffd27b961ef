"""Close a run: what is proved and what is not goes to the ledger, the ledger is signed, the report is written.

The order is: closing entry, checkpoint, report. Each step gives the same when it is repeated, so a crash anywhere is
mended by running the task again, and the checkpoint in the report always covers the closing entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from include.errors import Refused
from include.ledger.checkpoint import Checkpoint, checkpoint
from include.ledger.entry import Entry, Json, Kind, Recorded
from include.ledger.instants import instant
from include.ledger.note import Signer
from include.orchestration.desk import find_connection
from include.reports import store
from include.reports.audit import Surroundings, audit_report
from include.reports.context import PastNight, Seal
from include.reports.trail import past_nights, read_trail
from include.retention.desk import Desk, Night
from include.retention.run import run_statuses
from include.retention.status import FINAL, RuleStatus
from include.systems import registry

NIGHTS = 30
"""Runs that the trend shows."""

_LOOK_BACK = timedelta(days=3 * NIGHTS)


@dataclass(frozen=True, slots=True)
class Closing:
    """What the last task of a run hands over.

    Args:
        rules: rules that the run was for.
        gone: records deleted or anonymised.
        held: records kept by holds.
        unfinished: ids of the rules that do not stand in a final state.
        report: name of the report's page.
        sentence: the result in one sentence.
    """

    rules: int
    gone: int
    held: int
    unfinished: tuple[str, ...]
    report: str
    sentence: str


def close(desk: Desk, night: Night, base_url: str, signer: Signer) -> Closing:
    """Close the run of ``night`` and write its report to ``base_url``. Safe to repeat.

    Raises:
        Refused: the run was never opened.
        Inconsistent: the ledger contradicts what was signed before, or cannot be read.
        Unavailable: ledger or report folder did not answer.
    """
    closed = _closing_entry(desk, night)
    seal = _seal(checkpoint(desk.ledger, signer), signer)
    statuses = run_statuses(desk, night.run, at=closed.at)
    cards = registry.cards()
    surroundings = Surroundings(
        holds=tuple(desk.holds.active().holds.values()),
        cards=cards,
        connected=frozenset(key for key in cards if find_connection(key) is not None),
        nights=_nights(desk, night),
        checkpoint=seal,
    )
    report = audit_report(desk.policy, read_trail(desk.ledger.entries(run=night.run)), statuses, surroundings)
    return Closing(
        rules=len(statuses),
        gone=report.totals.gone,
        held=report.totals.held,
        unfinished=_unfinished(statuses),
        report=store.write(report, base_url),
        sentence=report.sentence,
    )


def _closing_entry(desk: Desk, night: Night) -> Recorded:
    """The entry that closes what the run has done so far; a closing with nothing after it is not repeated."""
    if not any(desk.ledger.entries(run=night.run, kinds=[Kind.RUN_OPENED])):
        raise Refused("retention", "close a run that was never opened", "Mend its open task and clear it.")
    closings = list(desk.ledger.entries(run=night.run, kinds=[Kind.RUN_CLOSED]))
    if closings and not any(desk.ledger.entries(run=night.run, start=closings[-1].index + 1)):
        return closings[-1]
    statuses = run_statuses(desk, night.run, at=desk.clock())
    body: dict[str, Json] = {
        "as_of": instant(night.as_of),
        "dry_run": night.dry_run,
        "rules": [_counts(status) for status in statuses],
        "not_final": list(_unfinished(statuses)),
    }
    return desk.ledger.append([Entry(Kind.RUN_CLOSED, night.run, body=body)])[0]


def _counts(status: RuleStatus) -> Json:
    return {
        "rule": status.rule,
        "system": status.system,
        "state": status.state.value,
        "total": status.total,
        "due": status.due,
        "gone": status.gone,
        "left_alone": status.left_alone,
        "unknown": status.unknown,
        "held": status.held,
        "remaining": status.remaining,
    }


def _unfinished(statuses: Sequence[RuleStatus]) -> tuple[str, ...]:
    return tuple(status.rule for status in statuses if status.state not in FINAL)


def _nights(desk: Desk, night: Night) -> tuple[PastNight, ...]:
    closings = desk.ledger.entries(kinds=[Kind.RUN_CLOSED], since=night.as_of - _LOOK_BACK)
    return past_nights(closings, until=night.as_of, most=NIGHTS)


def _seal(made: Checkpoint, signer: Signer) -> Seal:
    return Seal(made.note, made.tree.size, made.tree.root.hex(), signer.verifier.vkey)
