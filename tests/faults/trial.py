"""A company, a ledger, a process that works through a night and can be killed; what must be true at any moment."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from include.ledger.database import WRITER, engine_for
from include.ledger.entry import Kind
from include.ledger.log import Ledger
from include.local.databases import Databases
from include.retention.desk import Desk
from include.retention.status import RuleStatus, State
from include.sandbox.app import Sandbox, connections
from include.sandbox.estate import Estate
from tests.conftest import OWNER
from tests.faults import runner
from tests.retention import kit
from tests.retention.truth import Contents, Truth, look

PEOPLE = 40
NIGHT = kit.night()


@dataclass
class Tally:
    """What all trials of a session came to."""

    nights: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    settled: int = 0
    in_flight: int = 0

    def lines(self) -> list[str]:
        """For people."""
        kills = ", ".join(f"{count} {aim}" for aim, count in sorted(self.kills.items()))
        return [
            f"{self.nights} nights over all stores ended as they should after {self.kills.total()} kills:",
            f"{kills}.",
            f"{self.settled} batches were left open and settled from the stores.",
            f"{self.in_flight} records went after their batch was settled: gone, and not claimed as gone by the rule.",
        ]


TALLY = Tally()
PROCESSES = multiprocessing.get_context("forkserver")
# The server imports everything once; each process forked from it has no thread and no socket yet.
PROCESSES.set_forkserver_preload(["tests.faults.preload"])
_PROVED = {State.VERIFIED_GONE, State.EXPIRING, State.HELD, State.ABSENT}


@dataclass
class Trial:
    """One night that is going to be interrupted."""

    sandbox: Sandbox
    desk: Desk
    environ: Mapping[str, str]
    truth: Truth
    before: Contents
    log: list[str] = field(default_factory=list)

    def start(self) -> BaseProcess:
        """A process that does what is left of the night."""
        process = PROCESSES.Process(target=runner.run_night, args=(dict(self.environ),), daemon=True)
        process.start()
        return process

    def finish(self) -> None:
        """Run what is left to its end."""
        process = self.start()
        process.join(120)
        assert process.exitcode == 0

    def intents(self) -> int:
        """Intents written until now."""
        return sum(1 for _ in self.desk.ledger.entries(kinds=[Kind.INTENT]))

    def statuses(self) -> dict[str, RuleStatus]:
        """What the evidence says."""
        found = kit.run_statuses(self.desk, NIGHT.run, at=kit.AS_OF)
        return {status.rule: status for status in found}

    def assert_nothing_untrue(self) -> None:
        """At any moment: no deletion without an intent, no claim that the stores deny, nothing gone that may not go."""
        # First the claims, then the stores, then the intents: all three only grow.
        statuses, now = self.statuses(), look(self.sandbox)
        promised = dict.fromkeys(self.truth.rules, 0)
        for recorded in kit.written(self.desk, Kind.INTENT):
            promised[str(recorded.entry.rule)] += int(str(recorded.entry.body["count"]))
        for rule, fate in self.truth.rules.items():
            records, old = now[fate.collection], self.before[fate.collection]
            gone = {i for i in fate.goes if records.get(i) != old[i]}
            mine = gone & self.truth.own(rule)
            assert len(mine) <= promised[rule], rule
            assert all(records.get(i) == old[i] for i in fate.held), rule
            if rule in statuses:
                assert statuses[rule].gone <= len(mine), rule
                assert not (statuses[rule].verified and fate.goes - gone), rule
        self._assert_only_due_records_changed(now)

    def _assert_only_due_records_changed(self, now: Contents) -> None:
        after = self.truth.after(self.before)
        for collection, old in self.before.items():
            assert now[collection].keys() <= old.keys()
            for identifier, record in after[collection].items():
                assert now[collection].get(identifier) in (record, old[identifier]), collection

    def assert_done(self) -> None:
        """At the end: stores and evidence say the same, and it is what the policy says."""
        self.assert_nothing_untrue()
        assert look(self.sandbox) == self.truth.after(self.before)
        entries = list(self.desk.ledger.entries())
        kit.assert_evidence_in_order(entries)
        assert self.desk.ledger.audit().ok
        settled = dict.fromkeys(self.truth.rules, 0)
        counts = {r.index: int(str(r.entry.body["count"])) for r in entries if r.entry.kind is Kind.INTENT}
        for recorded in entries:
            if recorded.entry.kind is Kind.OUTCOME and recorded.entry.body["reconciled"]:
                TALLY.settled += 1
                settled[str(recorded.entry.rule)] += counts[int(str(recorded.entry.body["intent"]))]
        for rule, status in self.statuses().items():
            fate, own = self.truth.rules[rule], len(self.truth.own(rule))
            assert status.verified, rule
            assert status.state in _PROVED, rule
            assert (status.due, status.held) == (fate.due, len(fate.held)), rule
            assert (status.remaining, status.unknown) == (0, 0), rule
            assert status.gone + status.left_alone + status.elsewhere + status.held == status.due, rule
            # A call in flight may end after its batch was settled, even between the next selection and its own call:
            # then the evidence claims less than what happened, and never more.
            assert own - settled[rule] <= status.gone <= own, rule
            assert status.left_alone <= own - status.gone, rule
            TALLY.in_flight += own - status.gone
        TALLY.nights += 1


@contextmanager
def new_trial(name: str, sandbox: Sandbox, postgres: Databases, template: str, folder: Path) -> Iterator[Trial]:
    """A freshly seeded company with some people on hold, and a fresh ledger."""
    estate = kit.estate(PEOPLE)
    sandbox.company.faults.clear()
    sandbox.company.seed(estate)
    postgres.ensure_database(name, OWNER, [WRITER], template=template)
    url = postgres.url(name, WRITER, "test")
    engine = engine_for(url)
    tasks = folder / name
    tasks.unlink(missing_ok=True)
    try:
        desk = kit.desk_on(Ledger(engine, lambda: datetime.now(UTC)))
        held = _some_people(estate)
        for subject in held:
            kit.hold(desk, subject)
        environ = {
            **connections(sandbox.endpoints),
            "AIRFLOW_CONN_PRIVACY_LEDGER": as_connection(url),
            runner.RUN: NIGHT.run,
            runner.TASKS: str(tasks),
        }
        yield Trial(sandbox, desk, environ, Truth(estate, held), look(sandbox))
    finally:
        engine.dispose()
        postgres.drop_database(name)


def measure(trial: Trial) -> tuple[float, int]:
    """Seconds and intents of a night that nobody disturbs."""
    first = PROCESSES.Process(target=int)  # The server that the others are forked from takes a while to start.
    first.start()
    first.join()
    begin = time.monotonic()
    trial.finish()
    return time.monotonic() - begin, trial.intents()


def _some_people(estate: Estate) -> list[str]:
    fates = Truth(estate).rules
    user = min(fates["A1-profile"].goes).split("/")[1]
    contact = next(p.split("/")[3] for p in sorted(fates["C3"].goes) if not _in_ended_workspace(p, fates["C1"].goes))
    return [user, contact]


def _in_ended_workspace(path: str, ended: frozenset[Any]) -> bool:
    return "/".join(path.split("/")[:2]) in ended


def as_connection(url: str) -> str:
    """The writer's login as Airflow writes a connection."""
    parts = make_url(url)
    server = {"host": parts.query.get("host") or parts.host, "port": parts.port}
    return json.dumps(
        {"conn_type": "postgres", **server, "login": parts.username, "password": "test", "schema": parts.database}
    )
