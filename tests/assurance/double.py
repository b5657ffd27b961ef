"""A module of a system that is made of what a test says: the object under ``double`` in the connection's extra."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from include.connection import Connection
from include.policy.persons import IdentifierKind
from include.policy.register import Claim
from include.policy.rules import Promise
from include.subjects.identifiers import Identifier
from include.systems.assuring import Access, Checked
from include.systems.contract import Expiry
from include.systems.erasing import ErasingCard, ErasureProof, Means

ERASING_CARD = ErasingCard(
    key="zapier",
    version="1",
    identifiers=frozenset({IdentifierKind.EMAIL}),
    proof=ErasureProof.READ_BACK,
    batch_size=10,
    horizon=timedelta(),
    horizon_note="At once.",
    documentation=("https://vendor.example/docs",),
)


class Plain:
    """A system that can be asked nothing beside deletion."""

    def __init__(self, sunset: datetime | None = None) -> None:
        self.card = replace(ERASING_CARD, sunset=sunset)
        self.closed = 0

    def find(self, subjects: Sequence[Any]) -> list[Any]:
        raise AssertionError("nobody looks for people here")

    erase = verify = find

    def close(self) -> None:
        self.closed += 1


def answer(given: Any) -> Any:
    if isinstance(given, Exception):
        raise given
    return given


@dataclass
class Asked(Plain):
    """A system that answers every question as the test says; an error is raised."""

    grants: Access | Exception = field(default_factory=Access)
    checked: Checked | Exception = field(default_factory=lambda: Checked("any", looked=7))
    shows: list[Expiry] | Exception = field(default_factory=list)
    holds: Iterable[Identifier] | Exception = ()
    sunset: datetime | None = None
    promised: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.sunset)

    def access(self) -> Access:
        return cast(Access, answer(self.grants))

    def check(self, claim: Claim) -> Checked:
        return replace(cast(Checked, answer(self.checked)), claim=claim.id)

    def retention(self, promises: Sequence[Promise]) -> list[Expiry]:
        self.promised = [promise.id for promise in promises]
        return cast(list[Expiry], answer(self.shows))

    def people(self) -> Iterator[Identifier]:
        return iter(answer(self.holds))


def connect_erasing(connection: Connection, means: Means) -> Plain:
    made = connection.extra["double"]
    return cast(Callable[[], Plain], made)() if callable(made) else cast(Plain, made)
