"""Everything that a request needs, in one place, with the words of those who work on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from include.erasure import push, sync
from include.erasure.answer import OpenMailer, tell
from include.erasure.desk import Desk
from include.erasure.status import RequestStatus, SystemRow
from include.ledger.entry import Kind, Recorded
from include.policy.persons import RequestType
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.sandbox.records import Person, Value
from include.subjects.identifiers import Identifier, Subject
from include.systems.erasing import ErasingSystem, Found, Receipt, Seen
from tests.erasure import claims, kit, scan, truth
from tests.erasure.passing import Time

MAILERS = ("sendgrid", "mailgun")


@dataclass
class Office:
    """A company, its systems, and those who carry out requests."""

    desk: Desk
    systems: kit.Systems
    sandbox: Sandbox
    estate: Estate
    open_mailer: OpenMailer
    time: Time

    def approved(self, *identifiers: Identifier, type_: RequestType = RequestType.ERASURE) -> str:
        """A request of one person, planned and approved."""
        ref = kit.open_request(self.desk, *identifiers, type_=type_)
        self.plan_and_approve(ref)
        return ref

    def plan_and_approve(self, *refs: str) -> None:
        """A plan of some requests, and a yes."""
        assert kit.approve(self.desk, refs, kit.plan(self.desk, refs, self.systems)) == len(refs)

    def push(self, systems: kit.Systems | None = None) -> None:
        """One run of ``deletion_push``."""
        kit.carry_out(self.desk, systems or self.systems, self.open_mailer)

    def push_stage(self, name: str) -> None:
        """The part of it for one stage."""
        stage = next(stage for stage in self.desk.requests.stages if stage.name == name)
        for key in stage.systems:
            push.erase(self.desk, self.systems[key])

    def push_before_the_answer(self) -> None:
        """The stages before the one that waits until the person was told."""
        for stage in self.desk.requests.stages:
            if stage.name == self.desk.requests.answer.before:
                return
            self.push_stage(stage.name)

    def tell(self) -> dict[str, int]:
        """The task that answers."""
        return tell(self.desk, self.open_mailer)

    def night(self) -> dict[str, int]:
        """One run of ``third_party_sync``: look everywhere again, close what is finished. Returns the reasons."""
        for system in self.systems.values():
            sync.recheck(self.desk, system, as_of=self.time())
        return sync.close_finished(self.desk, as_of=self.time())

    def status(self, ref: str) -> RequestStatus:
        """What is true of a request now."""
        return kit.status(self.desk, ref)

    def row(self, ref: str, system: str) -> SystemRow:
        """What is true of it in one system."""
        return self.status(ref).row(system)

    def look(self) -> scan.Contents:
        """Everything that is in all services."""
        return scan.look(self.sandbox.company)

    def asked(self, person: Person, *, everything: bool = True) -> truth.Asked:
        """What a person asked for, as the independent look needs it."""
        return truth.Asked(scan.known(self.estate, person), everything)

    def mails(self, asked: truth.Asked, ref: str) -> list[str]:
        """Who sent the answer."""
        return claims.mails_to(self.sandbox.company, asked, ref)

    def written(self, kind: Kind, ref: str) -> list[Recorded]:
        """Evidence of one kind."""
        return list(self.desk.ledger.entries(runs=[ref], kinds=[kind]))

    def write(self, path: str, fields: Mapping[str, Value]) -> None:
        """Somebody's app writes a document."""
        self.sandbox.company.firestore.seed([(path, dict(fields))])

    def assert_as_it_must_be(self, before: scan.Contents, *people: tuple[str, truth.Asked]) -> None:
        """All that had to go is gone, nothing else is, and the evidence claims nothing that is not so."""
        now, all_ends = self.look(), truth.together(truth.ends(before, asked) for _, asked in people)
        everybody = [asked for _, asked in people]
        assert truth.wrongs(before, now, all_ends, everybody, self.time()) == []
        assert truth.undone(now, all_ends, self.systems) == []
        for ref, asked in people:
            assert claims.untrue(self.status(ref), asked, before, now) == []
            assert len(self.mails(asked, ref)) == 1
        refs = [ref for ref, _ in people]
        assert claims.out_of_order(list(self.desk.ledger.entries(runs=refs)), MAILERS) == []


class OneByOne:
    """A system that takes one person at a time; something happens after its first deletion."""

    def __init__(self, system: ErasingSystem, then: Callable[[], object]) -> None:
        self.card = replace(system.card, batch_size=1)
        self._system = system
        self._then: Callable[[], object] | None = then

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """As the system does."""
        return self._system.find(subjects)

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """As the system does; then what has to happen, once."""
        receipts = self._system.erase(found)
        then, self._then = self._then, None
        if then is not None:
            then()
        return receipts

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """As the system does."""
        return self._system.verify(subjects, receipts)

    def close(self) -> None:
        """Belongs to whoever opened the system."""
