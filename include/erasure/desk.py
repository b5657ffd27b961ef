"""What the erasure engine needs beside a system: policy, ledger, holds, vault, budgets, clock. Built once per task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from include.erasure.history import History, histories, read_on
from include.erasure.status import RequestStatus, status_of
from include.errors import Refused
from include.ledger.holds import Holds
from include.ledger.log import Ledger
from include.ledger.pseudonym import Pseudonymiser
from include.policy.model import Policy
from include.policy.persons import IdentifierKind, Requests
from include.policy.register import Erasure
from include.subjects.vault import Vault
from include.systems.erasing import Budgets, Means, Place

CHUNK = 1000
"""Requests whose evidence is read at a time."""


def means_of(policy: Policy, system: str, budgets: Budgets, clock: Callable[[], datetime]) -> Means:
    """What the module of a system gets beside its connection."""
    requests = requests_of(policy)
    protected = tuple(place.location for place in policy.protected if place.system == system)
    places = tuple(
        Place(holding.id, holding.location, person, protected)
        for holding in policy.holdings.values()
        if holding.system == system
        for person in holding.persons
    )
    identity: dict[IdentifierKind, tuple[str, ...]] = {}
    for source in requests.identity:
        if policy.holding(source.holding).system == system:
            identity.update(source.identifiers)
    return Means(
        clock=clock,
        budgets=budgets,
        places=places,
        keep_suppressions=frozenset(requests.keep_suppressions.get(system, ())),
        suppression_ground=requests.suppression_ground,
        identity=identity,
    )


def requests_of(policy: Policy) -> Requests:
    """How the policy file wants requests to be carried out.

    Raises:
        Refused: it does not say.
    """
    if policy.requests is None:
        raise Refused("policy", "carry out a request of a person", "Add the section 'requests' to the policy file.")
    return policy.requests


@dataclass(frozen=True, slots=True)
class Desk:
    """The means of one task."""

    policy: Policy
    ledger: Ledger
    holds: Holds
    pseudonyms: Pseudonymiser
    vault: Vault
    budgets: Budgets
    clock: Callable[[], datetime]

    @property
    def requests(self) -> Requests:
        """How the policy file wants requests to be carried out.

        Raises:
            Refused: it does not say.
        """
        return requests_of(self.policy)

    def means(self, system: str) -> Means:
        """What the module of a system gets."""
        return means_of(self.policy, system, self.budgets, self.clock)

    def identity_roots(self) -> tuple[str, ...]:
        """Keys of the systems that tie a person's identifiers together, each once."""
        return tuple(dict.fromkeys(self.policy.holding(s.holding).system for s in self.requests.identity))

    def statuses(self, refs: Sequence[str], at: datetime) -> Iterator[RequestStatus]:
        """What is true of some requests."""
        return (self.status(history, at) for history in self.histories(refs))

    def status(self, history: History, at: datetime) -> RequestStatus:
        """What is true of a request, as far as it was read."""
        claims = frozenset(k for k, s in self.policy.systems.items() if s.erasure is Erasure.NO_IDENTIFIER)
        return status_of(history, at, claims)

    def histories(self, refs: Sequence[str]) -> Iterator[History]:
        """All evidence of some requests, a part of them in memory at a time."""
        for start in range(0, len(refs), CHUNK):
            yield from histories(self.ledger.entries(runs=refs[start : start + CHUNK]))

    def read_on(self, known: Sequence[History]) -> None:
        """Take in what was written to the ledger since some requests were read."""
        if known:
            refs, start = [history.ref for history in known], min(history.last for history in known) + 1
            read_on(known, self.ledger.entries(runs=refs, start=start))

    def open_requests(self, batch: str | None = None) -> list[str]:
        """Ids of the requests whose key exists."""
        return [request.id for request in self.vault.requests(batch=batch)]
