"""A wave of approved requests in one push over all systems: calls beside the ideal, time, our own CPU.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from collections import Counter

from benchmarks.erasing import PHASES, Counted, Spent, connected, desk, now
from benchmarks.sandbox_process import sandbox
from benchmarks.table import Row, show
from include.erasure import approval, push
from include.erasure.desk import Desk
from include.erasure.finding import find
from include.erasure.identity import record, resolve
from include.ledger.entry import Entry, Kind
from include.local.postgres import server
from include.policy.persons import IdentifierKind, RequestType
from include.requests.intake import Draft
from include.requests.opening import open_requests
from include.sandbox.estate import Estate
from include.subjects.identifiers import Identifier

PEOPLE = 1000


def run(people: int = PEOPLE) -> list[Row]:
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    estate = Estate(midnight, people=2 * people, workspaces=40, seed=7)
    arguments = ["--people", str(2 * people), "--as-of", f"{midnight:%Y-%m-%d}"]
    with (
        tempfile.TemporaryDirectory(prefix="pg") as directory,
        server(Path(directory)) as databases,
        sandbox(*arguments) as ends,
        desk(databases) as at,
        connected(at, ends, at.requests.systems) as systems,
    ):
        return wave(at, estate, people, systems)

def wave(at, estate, people, systems):
    shared = {name: Spent() for name in ("open", "identify", "plan", "decide")}
    drafts = [Draft(RequestType.ERASURE, (Identifier(IdentifierKind.EMAIL, p.email),), now().date()) for p in estate.people[:people]]
    staff = at.pseudonyms.staff("bench")
    with shared["open"].measured():
        opening = open_requests(at.vault, at.ledger, drafts, opened_by=staff, source="csv", clock=at.clock)
    refs = [one.id for one in opening.opened]
    with shared["identify"].measured():
        record(at, resolve(at.vault.subjects(refs), [systems[key] for key in at.identity_roots()]))
    known = approval.identified(at, refs)
    print(len(known), "known", file=sys.stderr)
    rows = []
    looked = {}
    for key, system in systems.items():
        spent = looked[key] = Spent()
        system.journal.take(key)
        with spent.measured():
            find(at, known, system)
    firsts = {key: len(systems[key].calls["find"]) for key in systems}
    with shared["plan"].measured():
        plan = approval.plan_requests(at, known)
    with shared["decide"].measured():
        approval.decide(at, known, plan.digest, approved=True, by=staff, reason="bench")
    at.ledger.append([Entry(Kind.NOTICE, ref, body={"sending": "no address"}) for ref in known])
    for stage in at.requests.stages:
        for key in stage.systems:
            system = systems[key]
            spent = Spent()
            reading = system.journal.reading.wall, system.journal.reading.cpu
            before = {p: (s.wall, s.cpu) for p, s in system.spent.items()}
            with spent.measured():
                pushed = push.erase(at, system)
            print(key, dict(pushed.outcomes), f"push wall {spent.wall - system.journal.reading.wall + reading[0]:.2f} cpu {spent.cpu- system.journal.reading.cpu + reading[1]:.2f} firstfind {looked[key].wall:.2f} cpu {looked[key].cpu:.2f}", file=sys.stderr)
            print("   ", {p: (round(s.wall-before[p][0],2), round(s.cpu-before[p][1],2)) for p, s in system.spent.items()}, file=sys.stderr)
            for p in PHASES:
                print("   ", p, firsts[key] if p == "find" else "", len(system.calls[p]), Counter(c.split("?")[0][:60] if not c.count("/")>6 else c[:50] for c in system.calls[p]).most_common(12), file=sys.stderr)
    for name, s in shared.items():
        print(name, round(s.wall,2), round(s.cpu,2), file=sys.stderr)
    return rows


if __name__ == "__main__":
    show(run(*map(int, sys.argv[1:])))
