"""A company, approved requests, a process that carries them out and can be killed; what must be true at any moment."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing.process import BaseProcess

from include.erasure.desk import Desk
from include.erasure.status import RequestStatus, Stage
from include.ledger.database import WRITER, engine_for
from include.ledger.entry import Kind
from include.ledger.log import Ledger
from include.local.databases import Databases
from include.policy.persons import RequestType
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.subjects import database as vault_database
from include.subjects.keys import CONNECTION as KEYS
from include.subjects.keys import Keyring
from include.subjects.vault import Vault
from tests.conftest import MASTER_KEY, OWNER, VAULT_OWNER
from tests.erasure import claims, kit, scan, truth
from tests.faults.erasing import runner
from tests.faults.erasing.proxy import Proxy
from tests.faults.trial import PROCESSES, as_connection

PEOPLE = 12
MAILERS = ("sendgrid", "mailgun")


@dataclass
class Tally:
    """What all trials of a session came to."""

    trials: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    open_mails: int = 0

    def lines(self) -> list[str]:
        """For people."""
        kills = ", ".join(f"{count} {aim}" for aim, count in sorted(self.kills.items()))
        return [
            f"{self.trials} pushes over all systems ended as they should after {self.kills.total()} kills:",
            f"{kills}.",
            f"{self.cut} calls were cut off after their intent and taken up again by a newer one.",
            f"{self.open_mails} answers to people were cut off after their intent, and the sender was asked for them.",
        ]


TALLY = Tally()


@dataclass(frozen=True)
class Applicant:
    """One approved request."""

    ref: str
    asked: truth.Asked
    held: bool = False


@dataclass
class Trial:
    """A push that is going to be interrupted."""

    sandbox: Sandbox
    desk: Desk
    environ: Mapping[str, str]
    people: tuple[Applicant, ...]
    before: scan.Contents
    proxy: Proxy

    @cached_property
    def ends(self) -> Mapping[str, truth.Ends]:
        """What must become of each one's records, by request."""
        return {one.ref: {} if one.held else truth.ends(self.before, one.asked) for one in self.people}

    @property
    def systems(self) -> tuple[str, ...]:
        """All systems of the policy's stages."""
        return self.desk.requests.systems

    def start(self, *, through_proxy: bool = False) -> BaseProcess:
        """A process that does what is left."""
        endpoints = self.proxy.endpoints if through_proxy else self.sandbox.endpoints
        environ = {**self.environ, runner.ENDPOINTS: json.dumps(dict(endpoints))}
        process = PROCESSES.Process(target=runner.run_push, args=(environ,), daemon=True)
        process.start()
        return process

    def finish(self) -> None:
        """Run what is left to its end."""
        process = self.start()
        process.join(120)
        assert process.exitcode == 0

    def written(self, *kinds: Kind) -> int:
        """How many entries of some kinds there are."""
        return sum(1 for _ in self.desk.ledger.entries(kinds=kinds))

    def statuses(self) -> dict[str, RequestStatus]:
        """What the evidence says, by request."""
        refs = [one.ref for one in self.people]
        return {status.ref: status for status in self.desk.statuses(refs, self.desk.clock())}

    def assert_nothing_untrue(self) -> None:
        """At any moment: no deletion without an intent, no claim that the services deny, nobody else touched."""
        # First the claims, then the services, then the intents: all three only grow.
        statuses, now = self.statuses(), scan.look(self.sandbox.company)
        entries = list(self.desk.ledger.entries())
        all_ends = truth.together(self.ends.values())
        people = [one.asked for one in self.people]
        assert truth.wrongs(self.before, now, all_ends, people, self.desk.clock()) == []
        for one in self.people:
            if not one.held:
                assert claims.untrue(statuses[one.ref], one.asked, self.before, now) == []
            others = truth.together(ends for ref, ends in self.ends.items() if ref != one.ref)
            own = truth.without(self.ends[one.ref], others)
            assert claims.unannounced(entries, one.ref, own, now, self.systems) == []
            assert len(claims.mails_to(self.sandbox.company, one.asked, one.ref)) <= 1

    def assert_done(self) -> None:
        """At the end: services and evidence say the same, and it is what the policy says."""
        self.assert_nothing_untrue()
        now, statuses = scan.look(self.sandbox.company), self.statuses()
        assert truth.undone(now, truth.together(self.ends.values()), self.systems) == []
        for one in self.people:
            status = statuses[one.ref]
            assert status.stage is (Stage.DONE if one.held else Stage.WAITING)
            told = {row.system: row.outcome for row in status.rows}
            senders = claims.mails_to(self.sandbox.company, one.asked, one.ref)
            assert len(senders) == 1
            assert status.notice == "sent"
            for system in self.systems:
                wanted = claims.expected(system, one.asked, self._with_mails(now, one), held=one.held)
                assert told[system] in wanted, (system, told[system], wanted)
        entries = list(self.desk.ledger.entries())
        assert claims.out_of_order(entries, MAILERS) == []
        assert self.desk.ledger.audit().ok
        intents = sum(r.entry.kind is Kind.INTENT for r in entries)
        TALLY.cut += intents - sum(r.entry.kind is Kind.OUTCOME and r.entry.body["intent"] is not None for r in entries)
        TALLY.trials += 1

    def _with_mails(self, now: scan.Contents, one: Applicant) -> scan.Contents:
        """What was there before, and the events of the answer at Mailgun, which expire."""
        place = ("mailgun", "events")
        return {**self.before, place: self.before.get(place, frozenset()) | now.get(place, frozenset())}


@contextmanager
def new_trial(sandbox: Sandbox, postgres: Databases, ledger_template: str, vault_template: str) -> Iterator[Trial]:
    """A freshly seeded company, a fresh ledger and vault, and requests that are approved."""
    estate = kit.estate(PEOPLE)
    sandbox.company.faults.clear()
    sandbox.company.seed(estate)
    begin = time.time()
    clock = runner.clock_since(begin)
    sandbox.company.clock.set(clock())
    before = scan.look(sandbox.company)
    names = {"erasing_trial_ledger": ledger_template, "erasing_trial_vault": vault_template}
    postgres.ensure_database("erasing_trial_ledger", OWNER, [WRITER], template=ledger_template)
    postgres.ensure_database("erasing_trial_vault", VAULT_OWNER, [vault_database.WRITER], template=vault_template)
    ledger_url = postgres.url("erasing_trial_ledger", WRITER, "test")
    vault_url = postgres.url("erasing_trial_vault", vault_database.WRITER, "test")
    engines = engine_for(ledger_url), vault_database.engine_for(vault_url)
    proxy = Proxy(sandbox.endpoints)
    try:
        desk = kit.desk_on(Ledger(engines[0], clock), Vault(engines[1], Keyring(MASTER_KEY), clock), clock)
        people = _approved(desk, sandbox, estate, before)
        key = {"conn_type": "generic", "password": base64.b64encode(MASTER_KEY).decode()}
        environ = {
            "AIRFLOW_CONN_PRIVACY_LEDGER": as_connection(ledger_url),
            "AIRFLOW_CONN_PRIVACY_VAULT": as_connection(vault_url),
            f"AIRFLOW_CONN_{KEYS.upper()}": json.dumps(key),
            runner.BEGIN: str(begin),
        }
        yield Trial(sandbox, desk, environ, people, before, proxy)
    finally:
        proxy.kill()
        for engine in engines:
            engine.dispose()
        for name in names:
            postgres.drop_database(name)


def _approved(desk: Desk, sandbox: Sandbox, estate: Estate, before: scan.Contents) -> tuple[Applicant, ...]:
    """An erasure, the deletion of an account, a prospect of the company, and somebody who is on hold."""
    known = [scan.known(estate, person) for person in estate.people]
    first, second, third = sorted(known, key=lambda one: -_places(before, one))[:3]
    prospect = next(contact.email for contact in estate.contacts() if contact.source == "own_prospect")
    wanted = [
        (truth.Asked(first), False),
        (truth.Asked(second, everything=False), False),
        (truth.Asked(scan.Known("", (prospect,), ())), False),
        (truth.Asked(third), True),
    ]
    kit.hold(desk, third.uid)
    people = []
    for asked, held in wanted:
        type_ = RequestType.ERASURE if asked.everything else RequestType.ACCOUNT_DELETION
        given = kit.email(asked.known.emails[-1])
        people.append(Applicant(kit.open_request(desk, given, type_=type_), asked, held))
    refs = [one.ref for one in people]
    with kit.connected(desk, sandbox.endpoints) as systems:
        digest = kit.plan(desk, refs, systems)
    assert kit.approve(desk, refs, digest) == len(refs)
    return tuple(people)


def _places(before: scan.Contents, known: scan.Known) -> int:
    found = truth.ends(before, truth.Asked(known))
    blocked = any(end.fate is truth.Fate.BLOCKED for one in found.values() for end in one.values())
    return 0 if blocked else len(found)
