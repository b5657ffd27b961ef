"""A wave of approved requests in one push over all systems: calls beside the ideal, time, our own processor time.

The databases are the embedded PostgreSQL's, the sandbox is a process of its own with twice as many people. Each of the
people is looked for, planned and approved, and the push is carried out system by system, in one process.

calls        as the sandbox's own journal has them: find (for the plan and again in the push), erase, verify
ideal        what the vendors' documented limits allow (benchmarks/erasing_ideals.py)
seconds      of find and push together, with evidence, holds and vault
bare client  the same calls, made again by urllib3 or a gRPC channel against a second sandbox with the same data: no
             evidence, no vault, no parsing. Waits for vendors' jobs are in ``seconds`` alone.
CPU ms       processor time of this process for each person

Google Analytics has its daily limit of 500, so that most people are deferred to a day that the last table names; its
pace and Firebase Authentication's are set so high that they do not bind. Their real paces, which would make a wave take
minutes, are measured on few people in the second table, beside the time that the pace alone asks for. SendGrid's 100
erasure jobs a minute are kept as they are and do not bind: a job takes 5,000 addresses.

    python -m benchmarks.bench_erasure_wave [people]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import requests

from benchmarks.erasing import PHASES, Counted, Spent, connected, desk, now
from benchmarks.erasing_ideals import Wave, ideal
from benchmarks.replay import Recording
from benchmarks.sandbox_process import sandbox
from benchmarks.table import Row, show
from include.erasure import approval, push
from include.erasure.desk import Desk
from include.erasure.finding import find
from include.erasure.identity import record, resolve
from include.erasure.status import Outcome
from include.ledger.entry import Entry, Kind
from include.local.postgres import server
from include.policy.persons import IdentifierKind, RequestType
from include.requests.intake import Draft
from include.requests.opening import open_requests
from include.sandbox import services
from include.sandbox.estate import Estate
from include.sandbox.google_analytics import PROPERTIES
from include.subjects.identifiers import Identifier
from include.systems.erasing import ErasingSystem

PEOPLE = 1000
SERVICES = ("storage", "sendgrid", "mailgun", "tawk_to", *services.SERVICES)
UNPACED = {"firebase_auth": {"batch_deletes_per_second": 1000}}
PACED = {
    "google_analytics": {"calls_per_second": 1.5, "properties": list(PROPERTIES[1:2])},
    "firebase_auth": {"batch_deletes_per_second": 1},
}
"""The vendors' own limits; a second property, so that the wave leaves something of the day."""
PER_SECOND = {"google_analytics": 1.5, "firebase_auth": 1.0}
PACED_PEOPLE, PACED_BATCH = 20, {"google_analytics": 20, "firebase_auth": 2}


def run(people: int = PEOPLE) -> list[Row]:
    """Rows of three tables: systems, paces, what was deferred."""
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    estate = Estate(midnight, people=2 * people, workspaces=40, seed=7)
    arguments = ["--people", str(2 * people), "--seed", "7", "--as-of", f"{midnight:%Y-%m-%d}"]
    recording = Recording()
    with (
        tempfile.TemporaryDirectory(prefix="pg") as directory,
        server(Path(directory)) as databases,
        sandbox(*arguments) as ends,
        desk(databases) as at,
    ):
        refs = _open(at, estate, people)
        with recording.running(), connected(at, ends, at.requests.systems, UNPACED) as systems:
            wave = _prepare(at, refs, systems, recording, ends["admin"])
            spent = {key: _push(at, systems[key], recording) for key in at.requests.systems}
        with sandbox(*arguments) as second:
            with connected(at, second, tuple(PACED), PACED) as paced:
                paces = [_paced(at, refs[:PACED_PEOPLE], key, system) for key, system in paced.items()]
            bare = {key: recording.seconds(key, second) for key in at.requests.systems}
        print(f"Load {psutil.getloadavg()[0]:.1f} at the end", file=sys.stderr)
        return [
            *(_row(key, systems[key], wave, spent[key], bare[key], people) for key in at.requests.systems),
            *paces,
            *_deferred(at, refs),
        ]


def _open(at: Desk, estate: Estate, people: int) -> list[str]:
    """Requests of the first people of the estate, each by the own address. The policy's answer is told to nobody."""
    drafts = [
        Draft(RequestType.ERASURE, (Identifier(IdentifierKind.EMAIL, person.email),), now().date(), answer=False)
        for person in estate.people[:people]
    ]
    staff = at.pseudonyms.staff("bench")
    opening = open_requests(at.vault, at.ledger, drafts, opened_by=staff, source="csv", clock=at.clock)
    return [one.id for one in opening.opened]


def _prepare(at: Desk, refs: Sequence[str], systems: Mapping[str, Counted], recording: Recording, admin: str) -> Wave:
    """Everything up to the approval; what ``find`` costs stays in the systems' own account."""
    roots = [systems[key] for key in at.identity_roots()]
    record(at, resolve(at.vault.subjects(refs), roots))
    for key, system in systems.items():
        system.journal.take(key)
        recording.part = key
        with system.total():
            find(at, refs, system)
    plan = approval.plan_requests(at, refs)
    approval.decide(at, refs, plan.digest, approved=True, by=at.pseudonyms.staff("colleague"), reason="benchmark")
    at.ledger.append([Entry(Kind.NOTICE, ref, body={"sending": "not wanted"}) for ref in refs])
    found: dict[str, Counter[str]] = {key: Counter() for key in systems}
    for one in at.ledger.entries(runs=refs, kinds=[Kind.FOUND]):
        found[str(one.entry.system)].update(one.entry.body["counts"])  # type: ignore[arg-type]
    held = {name: requests.get(f"{admin}/inspect?service={name}", timeout=60).json()["counts"] for name in SERVICES}
    sizes = {name: Counter(counts) for name, counts in held.items()}
    return Wave.of(at, at.vault.subjects(refs), found, sizes)


def _push(at: Desk, system: Counted, recording: Recording) -> Spent:
    """One task of ``deletion_push``."""
    recording.part = system.card.key
    with system.total():
        push.erase(at, system)
    return system.whole


def _row(key: str, system: Counted, wave: Wave, spent: Spent, bare: float, people: int) -> Row:
    best = ideal(key, wave)
    made = [len(system.calls[phase]) for phase in PHASES]
    return {
        "system": key,
        "people": people,
        "calls": " / ".join(map(str, made)) if best else "pipelined",
        "ideal": " / ".join(map(str, best)) if best else "",
        "calls ÷ ideal": f"{sum(made) / max(1, sum(best)):.2f}" if best else "",
        "seconds": f"{spent.wall:.1f}",
        "in the connector": f"{sum(part.wall for part in system.spent.values()):.1f}",
        "bare client": f"{bare:.1f}" if best else "",
        "CPU ms per person": f"{1000 * spent.cpu / people:.1f}",
    }


def _paced(at: Desk, refs: Sequence[str], key: str, system: ErasingSystem) -> Row:
    """The erase calls of few people at the vendor's real pace, beside what the pace asks for."""
    subjects = at.vault.subjects(refs)
    parts = [system.find(subjects[n : n + PACED_BATCH[key]]) for n in range(0, len(subjects), PACED_BATCH[key])]
    began = time.perf_counter()
    for part in parts:
        system.erase(part)
    seconds = time.perf_counter() - began
    calls = len(system.calls["erase"]) if isinstance(system, Counted) else 0
    permitted = (calls - 1) / PER_SECOND[key]
    return {
        "system at its vendor's pace": key,
        "people": len(refs),
        "calls a second": PER_SECOND[key],
        "erase calls": calls,
        "seconds": f"{seconds:.1f}",
        "the pace alone": f"{permitted:.1f}",
        "ratio": f"{seconds / permitted:.2f}",
    }


def _deferred(at: Desk, refs: Sequence[str]) -> Iterator[Row]:
    days = Counter[tuple[str, str]]()
    for status in at.statuses(refs, at.clock()):
        for row in status.rows:
            if row.outcome is Outcome.DEFERRED and row.until is not None:
                days[row.system, f"{row.until:%Y-%m-%d}"] += 1
    for (system, day), people in sorted(days.items()):
        yield {"deferred in": system, "to": day, "people ": people}


if __name__ == "__main__":
    show(run(*map(int, sys.argv[1:2])))
