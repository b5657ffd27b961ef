"""Firebase Authentication: the accounts of persons, and the identifiers that an account ties together.

A batch deletion names user ids and nothing else; it ignores ids that do not exist. An account is looked up by any of
its identifiers; values that can be none of them are left out, because one of them would fail a whole call.
Source: the discovery document of identitytoolkit v1, https://firebase.google.com/docs/auth/admin/manage-users.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.policy.persons import Disposal, IdentifierKind
from include.subjects.identifiers import Identifier, Subject
from include.systems.addresses import same
from include.systems.assuring import Access
from include.systems.erasing import (
    Budgets,
    Did,
    ErasingCard,
    ErasureProof,
    Found,
    Means,
    Place,
    Receipt,
    Seen,
)
from include.systems.firebase_auth_calls import KEY, PAGE, Calls, calls_to
from include.systems.places import Tally, check, known_by, pieces, usable

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset(
        {IdentifierKind.USER_ID, IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.FEDERATED_ID}
    ),
    proof=ErasureProof.READ_BACK,
    batch_size=PAGE,
    horizon=timedelta(),
    horizon_note="An account is gone at once, and no look-up finds it; its ID tokens stay valid for up to an hour, and "
    "Google removes the data from its own backup systems within 180 days.",
    documentation=(
        "https://firebase.google.com/docs/auth/admin/manage-users",
        "https://firebase.google.com/docs/auth/limits",
        "https://firebase.google.com/support/privacy",
    ),
    scopes=("firebaseauth.users.get", "firebaseauth.users.delete"),
)

_LONGEST_ID = 128
"""Characters of the longest user id (https://firebase.google.com/docs/auth/admin/manage-users)."""
_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f@\"]+@[^\s\x00-\x1f\x7f@\".]+(\.[^\s\x00-\x1f\x7f@\".]+)+")
_TELEPHONE = re.compile(r"\+[1-9][0-9]{1,14}", re.ASCII)
_OWN_PROVIDERS = frozenset({"password", "phone", "emailLink"})
"""Providers whose id is the account's own address or telephone number."""


def _is_id(value: str) -> bool:
    return usable(value) and len(value) <= _LONGEST_ID


def _is_address(value: str) -> bool:
    return usable(value) and _ADDRESS.fullmatch(value) is not None


def _is_federated(value: str) -> bool:
    provider, _, raw = value.partition(":")
    return usable(value) and bool(provider and raw)


def _federated(value: str) -> dict[str, str]:
    provider, _, raw = value.partition(":")
    return {"providerId": provider, "rawId": raw}


def _providers(user: Mapping[str, Any]) -> Iterator[str]:
    for info in user.get("providerUserInfo", ()):
        raw = info.get("rawId") or info.get("federatedId")
        if raw and info.get("providerId") not in _OWN_PROVIDERS:
            yield f"{info['providerId']}:{raw}"


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an account that holds identifiers: its name in a look-up, what fits, how it is sent and read."""

    name: str
    fits: Callable[[str], bool]
    sent: Callable[[str], Any] = str
    read: Callable[[Mapping[str, Any]], Iterator[str]] | None = None

    def values(self, user: Mapping[str, Any]) -> Iterator[str]:
        """The identifiers in an account."""
        if self.read is not None:
            yield from self.read(user)
        elif user.get(self.name):
            yield user[self.name]


_MEMBERS = {
    "localId": _Member("localId", _is_id),
    "email": _Member("email", _is_address),
    "initialEmail": _Member("initialEmail", _is_address),
    "phoneNumber": _Member("phoneNumber", lambda value: _TELEPHONE.fullmatch(value) is not None),
    "providerUserInfo": _Member("federatedUserId", _is_federated, _federated, _providers),
}
"""By their names in the policy file."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of one person, by tenant."""

    ids: Mapping[str, tuple[str, ...]] = field(repr=False)


class _SharedPace:
    """The pace of batch deletions, kept by all tasks of the deployment together."""

    def __init__(self, budgets: Budgets, per_second: float) -> None:
        self._budgets = budgets
        self._per_second = per_second

    def wait(self) -> None:
        """Return when the next deletion may go out."""
        with self._budgets.pace(f"{KEY}/batch_delete", self._per_second):
            return


class FirebaseAuthErasing:
    """The accounts of one project and its tenants.

    Args:
        calls: the calls.
        means: see :class:`include.systems.erasing.Means`.
    """

    card = ERASING_CARD

    def __init__(self, calls: Calls, means: Means) -> None:
        self._calls = calls
        self._places = [(_tenant(place), place) for place in means.places]
        self._identity = {kind: _members(names) for kind, names in means.identity.items()}

    def profiles(self, identifiers: Sequence[Identifier]) -> list[tuple[Identifier, ...]]:
        """Every account that has at least one of the identifiers: all that it holds, its user id first.

        Case counts for nothing in an address, here as in the store.
        """
        asked: dict[tuple[str, str], Any] = {}
        for known in identifiers:
            for member in self._identity.get(known.kind, ()):
                if member.fits(known.value):
                    asked[member.name, known.value] = member.sent(known.value)
        wanted = {_comparable(known) for known in identifiers}
        calls = [(name, sent) for (name, _), sent in asked.items()]
        users = (user for tenant in self._tenants() for user in self._calls.users(tenant, calls))
        profiles = dict.fromkeys(self._held(user) for user in users)
        return sorted(held for held in profiles if any(_comparable(known) in wanted for known in held))

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Look up each person's accounts by their ids."""
        tallies, ids = self._look(subjects)
        return [
            tally.found(subject.ref, Accounts({tenant: tuple(known) for tenant, known in of_one.items()}))
            for subject, tally, of_one in zip(subjects, tallies, ids, strict=True)
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete the accounts that were found, up to 1000 in a call.

        Raises:
            Unavailable: a call failed, or accounts were refused inside its answer; any part may be done.
            Refused: the right to delete is missing.
        """
        due: dict[str, dict[str, None]] = {}
        for one in found:
            for tenant, ids in one.records.ids.items():
                due.setdefault(tenant, {}).update(dict.fromkeys(ids))
        for tenant, wanted in due.items():
            for piece in pieces(wanted, PAGE):
                refused = self._calls.batch_delete(tenant, piece)
                if refused:
                    tried = f"delete a batch of {len(piece)} accounts"
                    raise Unavailable(KEY, tried, f"Run it again; {refused} were refused.")
        return [Receipt(one.ref, Did.GONE if one.total else Did.ABSENT, gone=one.total) for one in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look up every id of each person afresh: an account that is gone is not in the answer."""
        tallies, _ = self._look(subjects)
        return [Seen(subject.ref, tally.total) for subject, tally in zip(subjects, tallies, strict=True)]

    def access(self) -> Access:
        """Count the accounts, which shows nobody."""
        for tenant in self._tenants():
            self._calls.count(tenant)
        return Access(shown=False, note="It may look up; that it may delete shows with the first account that goes.")

    def people(self) -> Iterator[Identifier]:
        """Everything that each account ties together."""
        for tenant in self._tenants():
            for user in self._calls.everybody(tenant):
                yield Identifier(IdentifierKind.USER_ID, user["localId"])
                yield from self._held(user)

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _look(self, subjects: Sequence[Subject]) -> tuple[list[Tally], list[dict[str, list[str]]]]:
        tallies = [Tally() for _ in subjects]
        ids: list[dict[str, list[str]]] = [{} for _ in subjects]
        for tenant, place in self._places:
            index = known_by(subjects, place.person.identifier, _is_id)
            for local_id in self._calls.look_up(tenant, list(index)):
                for position in index.get(local_id, ()):
                    disposal = place.disposal(subjects[position].request)
                    tallies[position].add(place, disposal)
                    if disposal is Disposal.DELETE:
                        ids[position].setdefault(tenant, []).append(local_id)
        return tallies, ids

    def _tenants(self) -> list[str]:
        return list(dict.fromkeys(tenant for tenant, _ in self._places))

    def _held(self, user: Mapping[str, Any]) -> tuple[Identifier, ...]:
        kinds = sorted(self._identity, key=lambda kind: kind is not IdentifierKind.USER_ID)
        members = ((kind, member) for kind in kinds for member in self._identity[kind])
        return tuple(
            dict.fromkeys(Identifier(kind, value) for kind, member in members for value in member.values(user))
        )


def connect_erasing(connection: Connection, means: Means) -> FirebaseAuthErasing:
    """Build the connector; nothing is called yet.

    Args:
        connection: as for :func:`include.systems.firebase_auth.connect`. The rate of batch deletions is kept by all
            tasks together.
        means: a place names persons by ``localId``.

    Raises:
        Refused: the connection lacks something, or a place cannot be treated as it asks.
    """
    return FirebaseAuthErasing(calls_to(connection, lambda rate: _SharedPace(means.budgets, rate)), means)


def _tenant(place: Place) -> str:
    """The tenant of a place, "" for none; refuses what this module does not understand, before any call."""
    tried = f"read the persons of '{place.holding}'"
    check(KEY, place, {Disposal.DELETE, Disposal.KEEP, Disposal.ROUTE})
    if place.location.keys() - {"tenant"}:
        raise Refused(KEY, tried, "Its location can only have a 'tenant'.")
    if place.person.match != "localId" or place.person.where:
        raise Refused(KEY, tried, "Use 'localId' as its 'match', without 'where'.")
    return place.location.get("tenant", "")


def _members(names: Sequence[str]) -> tuple[_Member, ...]:
    if not set(names) <= _MEMBERS.keys():
        accepted = ", ".join(_MEMBERS)
        raise Refused(KEY, "read where identities are tied together", f"An account holds identifiers in {accepted}.")
    return tuple(_MEMBERS[name] for name in names)


def _comparable(known: Identifier) -> Identifier:
    return Identifier(known.kind, same(known.value)) if known.kind is IdentifierKind.EMAIL else known
