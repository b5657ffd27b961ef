"""A company, a desk on a real ledger and vault, and a request carried out as the DAGs do it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

from include.connection import Connection
from include.erasure import answer, approval, push
from include.erasure.desk import Desk
from include.erasure.finding import find
from include.erasure.identity import record, resolve
from include.erasure.status import RequestStatus
from include.ledger.entry import Entry, Json, Kind
from include.ledger.holds import Hold, Holds, Scope
from include.ledger.instants import instant
from include.ledger.log import Ledger
from include.ledger.pseudonym import Pseudonymiser
from include.policy.loader import load
from include.policy.persons import IdentifierKind, RequestType
from include.sandbox.app import connections
from include.sandbox.estate import Estate
from include.subjects.identifiers import Identifier
from include.subjects.vault import Intake, Vault
from include.systems import registry
from include.systems.budget import SharedBudgets
from include.systems.erasing import ErasingSystem, IdentityRoot
from include.systems.mailing import Mailer

AS_OF = datetime(2026, 3, 31, tzinfo=UTC)
POLICY = load(Path(__file__).parents[2] / "include" / "policy" / "clique.yaml")
PSEUDONYMS = Pseudonymiser(bytes(range(32)))
STAFF, COLLEAGUE = PSEUDONYMS.staff("somebody"), PSEUDONYMS.staff("somebody else")

Systems = Mapping[str, ErasingSystem]


def estate(people: int = 60, seed: int = 7) -> Estate:
    """A company as of the day of the tests."""
    return Estate(AS_OF, people=people, workspaces=6, seed=seed)


def desk_on(ledger: Ledger, vault: Vault, clock: Callable[[], datetime]) -> Desk:
    """The means of a task."""
    return Desk(POLICY, ledger, Holds(ledger), PSEUDONYMS, vault, SharedBudgets(vault.engine, clock), clock)


@contextmanager
def connected(desk: Desk, endpoints: Mapping[str, str]) -> Iterator[Systems]:
    """The modules of all systems, connected to a sandbox as in production."""
    environ = connections(endpoints)
    systems: dict[str, ErasingSystem] = {}
    try:
        for key in desk.requests.systems:
            systems[key] = registry.connect_erasing(Connection.from_env(key, environ), desk.means(key))
        yield systems
    finally:
        for system in systems.values():
            system.close()


def mailers(desk: Desk, endpoints: Mapping[str, str]) -> answer.OpenMailer:
    """The senders, connected to a sandbox."""
    environ = connections(endpoints)

    @contextmanager
    def opened(key: str) -> Iterator[Mailer]:
        mailer = registry.connect_mailer(Connection.from_env(key, environ), desk.means(key))
        try:
            yield mailer
        finally:
            mailer.close()

    return opened


def open_request(
    desk: Desk, *identifiers: Identifier, type_: RequestType = RequestType.ERASURE, batch: str | None = None
) -> str:
    """One request, as the page opens it. Returns its id."""
    return open_requests(desk, [identifiers], type_=type_, batch=batch)[0]


def open_requests(
    desk: Desk,
    people: Iterable[Sequence[Identifier]],
    *,
    type_: RequestType = RequestType.ERASURE,
    batch: str | None = None,
) -> list[str]:
    """Requests of several people."""
    now = desk.clock()
    intake = [Intake(type_, tuple(given), STAFF, "page", now) for given in people]
    opened = desk.vault.open(intake, batch=batch)
    body: dict[str, Json] = {"type": type_.value, "batch": batch, "received_at": instant(now), "by": STAFF}
    desk.ledger.append(
        [Entry(Kind.REQUEST_OPENED, one.id, body={**body, "source": "page"}) for one in opened if not one.joined]
    )
    return [one.id for one in opened]


def email(address: str) -> Identifier:
    """An address."""
    return Identifier(IdentifierKind.EMAIL, address)


def user_id(uid: str) -> Identifier:
    """A user id."""
    return Identifier(IdentifierKind.USER_ID, uid)


def identify(desk: Desk, refs: Sequence[str], systems: Systems) -> None:
    """The task ``identify``."""
    roots = [cast(IdentityRoot, systems[key]) for key in desk.identity_roots()]
    record(desk, resolve(desk.vault.subjects(refs), roots))


def plan(desk: Desk, refs: Sequence[str], systems: Systems) -> str:
    """The tasks ``identify``, ``find`` and ``plan``. Returns the digest of the plan."""
    identify(desk, refs, systems)
    known = approval.identified(desk, refs)
    for key in desk.requests.systems:
        find(desk, known, systems[key])
    return approval.plan_requests(desk, known).digest


def approve(desk: Desk, refs: Sequence[str], digest: str) -> int:
    """A human's yes."""
    return approval.decide(desk, refs, digest, approved=True, by=COLLEAGUE, reason="ticket 12")


def tasks(desk: Desk, systems: Systems, open_mailer: answer.OpenMailer) -> list[Callable[[], object]]:
    """The tasks of the DAG ``deletion_push`` in their order."""
    found: list[Callable[[], object]] = []
    for stage in desk.requests.stages:
        if stage.name == desk.requests.answer.before:
            found.append(partial(answer.tell, desk, open_mailer))
        found += [partial(push.erase, desk, systems[key]) for key in stage.systems]
    return found


def carry_out(desk: Desk, systems: Systems, open_mailer: answer.OpenMailer) -> None:
    """One run of the DAG ``deletion_push``."""
    for task in tasks(desk, systems, open_mailer):
        task()


def hold(desk: Desk, subject: str, system: str | None = None) -> Hold:
    """A legal hold on a person, by one identifier, everywhere or in one system."""
    scope = Scope(PSEUDONYMS.subject(subject), None, system)
    review = desk.clock().date() + timedelta(days=90)
    return desk.holds.set(scope, matter="matter-7", ground="A claim is pending.", set_by=STAFF, review=review)


def status(desk: Desk, ref: str, at: datetime | None = None) -> RequestStatus:
    """What the evidence says of one request."""
    (found,) = desk.statuses([ref], at or desk.clock())
    return found
