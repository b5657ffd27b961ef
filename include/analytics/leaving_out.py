"""Who is left out: people with an open request, people whose record says so, and people who were erased.

Their events are dropped as they arrive, before anything is counted and before anything is written down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from include.analytics.spec import LeftOut
from include.connection import Connection
from include.errors import Refused, Unavailable
from include.policy.model import Policy
from include.policy.persons import IdentifierKind

if TYPE_CHECKING:
    from include.subjects.vault import Vault

SYSTEMS = ("firestore", "elasticsearch")
"""Systems whose records can carry a mark."""

_REQUESTS = 500

AreErased = Callable[[Sequence[str]], Sequence[bool]]
"""Of each of some user ids, whether that person was erased, whatever has come back from a backup since."""


class LeavingOut:
    """Drops the events of people; each user id is asked about once.

    Args:
        users: ids of people to leave out.
        are_erased: tells of everybody else.
    """

    def __init__(self, users: Iterable[str], are_erased: AreErased) -> None:
        self._out = set(users)
        self._in: set[str] = set()
        self._are_erased = are_erased

    def __repr__(self) -> str:
        return "LeavingOut(…)"

    def drop_from(self, page: pl.DataFrame, user: str) -> pl.DataFrame:
        """A page without the events of people who are left out."""
        people = set(page[user].unique().to_list())
        new = sorted(people - self._in - self._out)
        for person, erased in zip(new, self._are_erased(new) if new else (), strict=True):
            (self._out if erased else self._in).add(person)
        leave = people & self._out
        return page.filter(~pl.col(user).is_in(leave)) if leave else page


def with_open_requests(vault: Vault) -> set[str]:
    """User ids of everybody whose erasure or account deletion is not closed yet.

    Raises:
        Unavailable: the vault did not answer, or a request was closed at this moment.
    """
    found: set[str] = set()
    refs = [request.id for request in vault.requests()]
    for start in range(0, len(refs), _REQUESTS):
        try:
            subjects = vault.subjects(refs[start : start + _REQUESTS])
        except Refused:
            step = "One was closed at this moment: it is tried again."
            raise Unavailable("vault", "read who asked to be erased", step) from None
        found.update(value for subject in subjects for value in subject.values(IdentifierKind.USER_ID))
    return found


def with_a_mark(entries: Iterable[LeftOut], policy: Policy, connection: Callable[[str], Connection]) -> set[str]:
    """User ids of everybody whose record carries one of the marks: restricted, objecting.

    Raises:
        Refused: a holding is unknown, or of a system that cannot be asked.
        Unavailable: a system did not answer.
    """
    found: set[str] = set()
    for entry in entries:
        holding = policy.holdings.get(entry.holding)
        if holding is None or holding.system not in SYSTEMS:
            step = f"'{entry.holding}' must be a holding of the policy file in one of {', '.join(SYSTEMS)}."
            raise Refused("analytics", "read who is left out", step)
        place = connection(holding.system)
        if holding.system == "firestore":
            from include.analytics.reading import documents

            found.update(documents.marked(dict(holding.location), entry.field, entry.equals, place))
        else:
            from include.analytics.reading import hits

            found.update(hits.marked(holding.location, entry.field, entry.equals, place))
    return found
