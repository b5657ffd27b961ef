"""People who are hard to tell apart, in one system, and the way of a request through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from include.errors import Unavailable
from include.policy.persons import IdentifierKind
from include.systems import registry
from include.systems.erasing import Did, Found, Receipt, Seen
from tests.systems.conformance.case import Case, State
from tests.systems.conformance.means import Clock, Somebody

_FORMS = {
    IdentifierKind.USER_ID: "u7Kd{}pQz",
    IdentifierKind.EMAIL: "ann.{}@post.example",
    IdentifierKind.FEDERATED_ID: "google.com:10{}5",
    IdentifierKind.PHONE: "+4930{}1234",
    IdentifierKind.WORKSPACE: "w{}a",
    IdentifierKind.CONTACT_ID: "k{}b",
    IdentifierKind.ANALYTICS_CLIENT_ID: "12{}.1600000000",
    IdentifierKind.ANALYTICS_APP_INSTANCE_ID: "a1{}" + "b" * 28,
    IdentifierKind.PUSH_ID: "5f1c{}d-0000-4000-8000-000000000000",
    IdentifierKind.INSTALLATION_ID: "fid{}-_" + "x" * 15,
    IdentifierKind.FILE_PREFIX: "users/u7Kd{}pQz/",
    IdentifierKind.OAUTH_TOKEN: "google:1//0{}abc",
    IdentifierKind.EXTERNAL_ID: "facebook:10{}5",
    IdentifierKind.NOTIFICATION_CHANNEL: "google:c{0}h/r{0}s",
}
_MORE = {
    IdentifierKind.EMAIL: ("past.{}@post.example",),
    IdentifierKind.FEDERATED_ID: ("oidc.linkedin:l{}k",),
    IdentifierKind.OAUTH_TOKEN: ("microsoft:M.C5{}abc", "linkedin:AQ{}abc"),
    IdentifierKind.EXTERNAL_ID: ("instagram:17{}5", "twitter:18{}5", "linkedin:ann{}", "microsoft:0a{}-4000-b0"),
}
"""What one person has several of."""
_PREFIXED = frozenset(
    {
        IdentifierKind.FEDERATED_ID,
        IdentifierKind.OAUTH_TOKEN,
        IdentifierKind.EXTERNAL_ID,
        IdentifierKind.NOTIFICATION_CHANNEL,
    }
)
"""The name of a service stands before the value."""
_SHARED = frozenset({IdentifierKind.WORKSPACE})
"""A workspace is not a person: others are in it too."""


def somebody(number: int, mark: str) -> Somebody:
    """A person who is known by everything; ``mark`` tells people apart."""
    known = {
        kind: [one.format(mark) for one in (form, *_MORE.get(kind, ()))]
        for kind, form in _FORMS.items()
        if kind not in _SHARED
    }
    return Somebody(number, known)


ANN = somebody(1, "7x")
BEN = somebody(2, "8y")
STRANGER = somebody(3, "9z")
"""Nobody that the system knows."""


def _neighbours() -> list[Somebody]:
    """People whose identifiers contain Ann's, are contained in hers, or look the same."""
    twists = (
        lambda value: f"x{value}",
        lambda value: f"{value}x",
        lambda value: value[1:],
        lambda value: value.replace("a", "\u0430").replace("u", "\u03c5").replace("0", "\u041e"),
        lambda value: f"{value}.org" if "@" in value else f"{value}-2",
    )
    known = {kind: ANN.values(kind) for kind in ANN.known}
    people = [
        Somebody(number, {kind: [_twisted(kind, value, twist) for value in values] for kind, values in known.items()})
        for number, twist in enumerate(twists, 11)
    ]
    cased = {kind: [value.swapcase() for value in values] for kind, values in known.items()}
    # An address is the same in any case; an id of upper and lower case letters is another one.
    del cased[IdentifierKind.EMAIL]
    return [*people, Somebody(16, {IdentifierKind.USER_ID: cased[IdentifierKind.USER_ID]})]


def _twisted(kind: IdentifierKind, value: str, twist: Callable[[str], str]) -> str:
    service, colon, rest = value.partition(":") if kind in _PREFIXED else ("", "", value)
    return service + colon + twist(rest)


NEIGHBOURS = _neighbours()


@dataclass
class Outcome:
    """One way through a system."""

    found: list[Found]
    receipts: list[Receipt]
    seen: list[Seen]


class Company:
    """A system that is filled, and a connection to it.

    Args:
        case: the system.
        clock: the engine's.
    """

    def __init__(self, case: Case, clock: Clock) -> None:
        self.case = case
        self.key = case.key
        self.clock = clock
        self.means = case.means(clock)
        for person in (ANN, BEN, *NEIGHBOURS):
            case.seed(person)
        self.before = case.state()
        self.system = registry.connect_erasing(case.connection(), self.means)

    def __enter__(self) -> Company:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.system.close()

    def run(self, *people: Somebody) -> Outcome:
        """Find, erase, verify."""
        subjects = [person.subject() for person in people]
        found = self.system.find(subjects)
        receipts = self.system.erase(found)
        return Outcome(found, receipts, self.system.verify(subjects, receipts))

    def settle(self, *people: Somebody) -> tuple[Outcome, list[Unavailable]]:
        """What the engine does: again from the beginning while the system is not available, or asks to wait.

        Faults end with the first failure: the system has recovered when the engine comes back.
        """
        errors: list[Unavailable] = []
        while True:
            try:
                outcome = self.run(*people)
            except Unavailable as error:
                errors.append(error)
                assert len(errors) < 3, "it does not recover"
            else:
                if all(receipt.did is not Did.DEFERRED for receipt in outcome.receipts):
                    return outcome, errors
                assert len(errors) < 3, "it is deferred for ever"
            self.case.estate.faults.clear()

    def expected(self, *people: Somebody) -> State:
        """What must be there after these people were erased, and nobody else."""
        state = self.before
        for person in people:
            state = self.case.expected(state, person)
        return state


def dids(receipts: Sequence[Receipt]) -> list[Did]:
    return [receipt.did for receipt in receipts]
