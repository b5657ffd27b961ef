"""Every kind of fault at every kind of call: clear failures, honest evidence, and reruns that end where they should.

One run suffers many faults: in each task another one, at another kind of call. All tasks are independent of each other,
and each is tried again until it succeeds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product

import pytest

from include.erasure import answer, approval, push
from include.erasure.desk import Desk
from include.erasure.finding import find
from include.errors import PrivacyError, Throttled, Unavailable
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.sandbox.faults import Fault, FaultKind
from include.systems import cloud_storage_calls, http
from include.systems.mailgun import system as mailgun
from tests.erasure import claims, kit, scan, truth

ROUNDS = int(os.environ.get("PRIVACY_FAULT_ROUNDS", "6"))
"""Runs with other faults each; 0 for as many as it takes until each task has met each fault at each kind of call."""
TRIES = 6
KINDS = (
    Fault("", FaultKind.STATUS, status=429, retry_after=45),
    Fault("", FaultKind.STATUS, status=500),
    Fault("", FaultKind.DROP),
    Fault("", FaultKind.LOST_ANSWER),
    Fault("", FaultKind.LATENCY, seconds=0.05),
    Fault("", FaultKind.PARTIAL),
)
_RPC = {429: 8, 500: 13}
"""Status codes of gRPC (https://grpc.io/docs/guides/status-codes/) that say the same."""
Task = tuple[str, Callable[[], object]]


@dataclass
class Place:
    """A person whose request is carried out again and again, in a company that is seeded anew each time."""

    desk: Desk
    systems: kit.Systems
    open_mailer: answer.OpenMailer
    sandbox: Sandbox
    estate: Estate
    refs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        contents = scan.look(self.sandbox.company)
        everybody = [truth.Asked(scan.known(self.estate, person)) for person in self.estate.people]
        self.asked = max(everybody, key=lambda one: len(truth.ends(contents, one)))

    def fresh(self) -> None:
        """Close the request of the run before, seed again and open the next."""
        self.sandbox.company.faults.clear()
        approval.close(self.desk, self.refs, "complete")
        now = self.sandbox.company.clock()
        self.sandbox.company.seed(self.estate)
        self.sandbox.company.clock.set(now)
        self.before = scan.look(self.sandbox.company)
        self.refs = [kit.open_request(self.desk, kit.email(self.asked.known.emails[0]))]

    def tasks(self) -> Iterator[Task]:
        """All tasks from the request to the last outcome, each with a name."""
        desk, refs = self.desk, self.refs
        yield "identify", partial(kit.identify, desk, refs, self.systems)
        for key in desk.requests.systems:
            yield f"find {key}", partial(find, desk, refs, self.systems[key])
        yield "approve", self._approve
        for stage in desk.requests.stages:
            if stage.name == desk.requests.answer.before:
                yield "tell", partial(answer.tell, desk, self.open_mailer)
            for key in stage.systems:
                yield f"erase {key}", partial(push.erase, desk, self.systems[key])

    def _approve(self) -> None:
        kit.approve(self.desk, self.refs, approval.plan_requests(self.desk, self.refs).digest)

    def assert_nothing_untrue(self) -> None:
        """Claims, services, nobody else's data."""
        (status,) = self.desk.statuses(self.refs, self.desk.clock())
        now, ends = scan.look(self.sandbox.company), truth.ends(self.before, self.asked)
        assert claims.untrue(status, self.asked, self.before, now) == []
        assert truth.wrongs(self.before, now, ends, [self.asked], self.desk.clock()) == []
        entries = list(self.desk.ledger.entries(runs=self.refs))
        assert claims.unannounced(entries, self.refs[0], ends, now, list(self.systems)) == []

    def assert_done(self) -> None:
        """At the end everything is as if nothing had happened."""
        self.assert_nothing_untrue()
        now = scan.look(self.sandbox.company)
        assert truth.undone(now, truth.ends(self.before, self.asked), self.systems) == []
        assert len(claims.mails_to(self.sandbox.company, self.asked, self.refs[0])) == 1
        assert claims.out_of_order(list(self.desk.ledger.entries(runs=self.refs)), ("sendgrid", "mailgun")) == []
        (status,) = self.desk.statuses(self.refs, self.desk.clock())
        assert claims.settled(status)


@pytest.fixture
def place(
    desk: Desk,
    systems: kit.Systems,
    open_mailer: answer.OpenMailer,
    sandbox: Sandbox,
    estate: Estate,
    monkeypatch: pytest.MonkeyPatch,
) -> Place:
    # How long is waited is for the tests of the client; here it only has to be little.
    monkeypatch.setattr(http, "back_off", lambda failures: 0.001)
    monkeypatch.setattr(mailgun, "_SETTLE", 0.001)
    monkeypatch.setattr(cloud_storage_calls, "RETRY_SECONDS", 0.5)
    return Place(desk, systems, open_mailer, sandbox, estate)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_faults_in_every_task_at_every_kind_of_call_are_told_and_mended_by_a_rerun(place: Place) -> None:
    cases = _cases(place)
    rounds = ROUNDS or max(map(len, cases.values()))
    for number in range(rounds):
        place.fresh()
        for turn, (name, task) in enumerate(place.tasks()):
            mine = cases[name]
            if mine:
                place.sandbox.company.faults.add(mine[(number * max(1, len(mine) // rounds) + turn) % len(mine)])
            _until_it_succeeds(place, name, task)
            place.sandbox.company.faults.clear()
        place.assert_done()


def _cases(place: Place) -> dict[str, list[Fault]]:
    """For each task its faults, at the first call of each kind and at the last, as in a run that nothing disturbs."""
    place.fresh()
    found: dict[str, list[Fault]] = {}
    for name, task in place.tasks():
        place.sandbox.company.journal.clear()
        task()
        made = [(str(c["service"]), str(c["operation"])) for c in place.sandbox.company.journal.as_json()]
        places = {}
        for service, operation in reversed(made):
            position = [one for one in made if one[0] == service].index((service, operation))
            places[service, _kind(operation)] = (service, position)
        last = [(made[-1][0], [one[0] for one in made].count(made[-1][0]) - 1)] if made else []
        spots = dict.fromkeys([*places.values(), *last])
        found[name] = [_at(kind, *spot) for kind, spot in product(KINDS, spots)]
    return found


def _kind(operation: str) -> str:
    return re.sub(r"/[^/]*(?:@|%40|\d)[^/]*", "/{}", operation)


def _at(kind: Fault, service: str, position: int) -> Fault:
    status = _RPC.get(kind.status, kind.status) if service == "firestore" else kind.status
    return replace(kind, service=service, skip=position, status=status)


def _until_it_succeeds(place: Place, name: str, task: Callable[[], object]) -> None:
    for _ in range(TRIES):
        failure = _failure(task)
        if failure is None:
            return
        assert isinstance(failure, Unavailable), (name, failure)
        assert failure.next_step
        assert not scan.mentions({("", ""): frozenset({f"{failure} {failure.args}"})}, place.asked.known.needles)
        if name.startswith("erase"):
            place.assert_nothing_untrue()
    raise AssertionError(f"{name} does not come to an end")


def _failure(task: Callable[[], object]) -> PrivacyError | None:
    try:
        task()
    except PrivacyError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("system", "service"),
    [
        ("elasticsearch", "elasticsearch"),
        ("cloud_storage", "storage"),
        ("google_analytics", "google_analytics"),
        ("loggly", "loggly"),
        ("hotjar", "hotjar"),
        ("tawk_to", "tawk_to"),
        ("typeform", "typeform"),
        ("wix", "wix"),
        ("mailgun", "mailgun"),
        ("autopilot", "autopilot"),
        ("onesignal", "onesignal"),
        ("ortto", "ortto"),
        ("zapier", "zapier"),
        ("firestore", "firestore"),
        ("firebase_auth", "identitytoolkit"),
    ],
)
def test_while_a_system_is_down_its_part_waits_and_the_rest_goes_on(place: Place, system: str, service: str) -> None:
    place.fresh()
    for name, task in place.tasks():
        if name == "tell":
            break
        if name.startswith("erase"):
            continue
        task()
    # The sign-ins look into the same service, a stage earlier: only the deletion is the accounts' own.
    operation = "batchDelete" if system == "firebase_auth" else ""
    down = Fault(service, FaultKind.STATUS, operation, 14 if service == "firestore" else 503, times=10**6)
    place.sandbox.company.faults.add(down)
    tasks = [(name, task) for name, task in place.tasks() if name == "tell" or name.startswith("erase")]
    for name, task in tasks:
        if name == f"erase {system}":
            with pytest.raises((Unavailable, Throttled)) as caught:
                task()
            assert caught.value.system == system
        else:
            task()
    place.assert_nothing_untrue()
    (status,) = place.desk.statuses(place.refs, place.desk.clock())
    stages = [stage.systems for stage in place.desk.requests.stages if stage.systems]
    own = next(number for number, systems in enumerate(stages) if system in systems)
    for number, systems in enumerate(stages):
        for key in systems:
            assert (status.row(key).erased_at is not None) == (number <= own and key != system), key
    place.sandbox.company.faults.clear()
    for _, task in tasks:
        task()
    place.assert_done()
