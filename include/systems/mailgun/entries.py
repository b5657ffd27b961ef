"""Where an address is kept until somebody removes it: four suppression lists of each domain, and mailing lists.

A list is read page by page as long as that takes no more calls than asking for each address; what is left is asked for
one by one. Its first page is always read: that a list answers shows that a 404 for an address speaks of the address.
An entry is removed by its exact address alone; the same path without one would clear the list of the whole domain.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/bounces (and its neighbours)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from include.errors import Refused
from include.systems.addresses import same, sendable
from include.systems.http import Answer
from include.systems.mailgun.client import FULL, SYSTEM, Client, Domain, on_behalf_of

SUPPRESSIONS = ("bounces", "unsubscribes", "complaints", "whitelists")
MEMBERS = "list_members"
LISTS = (*SUPPRESSIONS, MEMBERS)
"""All kinds, by the names under which the policy file keeps one."""
_PAGE = 1000


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """An address in a place: ``within`` is the domain of a suppression or the address of a mailing list."""

    kind: str
    within: str
    subaccount: str
    email: str = field(repr=False)

    @property
    def address(self) -> str:
        """Folded."""
        return same(self.email)


def look(client: Client, addresses: Collection[str]) -> list[Entry]:
    """The entries of the addresses (folded) in the account and all its subaccounts.

    Raises:
        Unavailable: a call failed.
        Refused: the key may not read a list.
    """
    wanted = set(addresses)
    return [entry for place in _places(client, LISTS) for entry in _within(client, place, wanted)]


def everybody(client: Client, kinds: Collection[str]) -> Iterator[Entry]:
    """All entries of some kinds in the account and all its subaccounts; whole domains on an allowlist are left out.

    Raises:
        Unavailable: a call failed; the list is not complete.
        Refused: the key may not read a list.
    """
    for place in _places(client, kinds):
        for page in _pages(client, place):
            yield from (_at(place, email) for email in (_email(place, item) for item in page) if sendable(email))


def remove(client: Client, entry: Entry) -> bool:
    """Remove one exact entry; False when the vendor says that it was not there.

    Raises:
        Refused: the entry names no address, or the key may not remove it.
        Unavailable: a call failed.
    """
    tried = f"remove an address from {entry.kind}"
    if not sendable(entry.email):
        raise Refused(SYSTEM, tried, "An entry names no proper address: nothing was sent.")
    return _one(client, "DELETE", entry, tried).status != 404


def is_there(client: Client, entry: Entry) -> bool:
    """Whether an entry is there now.

    Raises:
        Unavailable: a call failed.
    """
    return any(_asked(client, entry, entry.email))


def items(client: Client, kind: str) -> Iterator[tuple[Entry, list[dict[str, Any]]]]:
    """The pages of a suppression list, domain by domain, as the vendor gives them.

    Raises:
        Unavailable: a call failed.
        Refused: the key may not read it.
    """
    for place in _places(client, [kind]):
        for page in _pages(client, place):
            yield place, page


def look_at(client: Client, entry: Entry) -> dict[str, Any] | None:
    """An entry as the vendor gives it; None where it is not there.

    Raises:
        Unavailable: a call failed.
        Refused: the key may not read it.
    """
    answer = _one(client, "GET", entry, f"look at an entry of {entry.kind}")
    return None if answer.status == 404 else dict(answer.json)


def _places(client: Client, kinds: Collection[str]) -> list[Entry]:
    domains = client.domains()
    places = [Entry(kind, d.name, d.subaccount, "") for d in domains for kind in SUPPRESSIONS if kind in kinds]
    return [*places, *(_mailing_lists(client, domains) if MEMBERS in kinds else ())]


def _mailing_lists(client: Client, domains: Collection[Domain]) -> Iterator[Entry]:
    for subaccount in sorted({"", *(domain.subaccount for domain in domains)}):
        tried = "list its mailing lists"
        for page in client.pages("/v3/lists/pages", limit=FULL, subaccount=subaccount, tried=tried):
            yield from (Entry(MEMBERS, str(item["address"]), subaccount, "") for item in page)


def _within(client: Client, place: Entry, wanted: set[str]) -> Iterator[Entry]:
    for number, page in enumerate(_pages(client, place), 1):
        emails = (_email(place, item) for item in page)
        yield from (_at(place, email) for email in emails if same(email) in wanted)
        if number >= len(wanted) and len(page) >= FULL:
            break
    else:
        return
    for address in sorted(wanted):
        yield from _asked(client, place, address)


def _pages(client: Client, place: Entry) -> Iterator[list[Any]]:
    path, limit = ("/v3/lists/{}/members/pages", FULL) if place.kind == MEMBERS else ("/v3/{}/" + place.kind, _PAGE)
    return client.pages(path, place.within, limit=limit, subaccount=place.subaccount, tried=f"read {place.kind}")


def _asked(client: Client, place: Entry, address: str) -> Iterator[Entry]:
    answer = _one(client, "GET", _at(place, address), f"look for an address in {place.kind}")
    item = {} if answer.status == 404 else answer.json
    email = _email(place, item.get("member") or item)
    if same(email) == same(address):
        yield _at(place, email)


def _one(client: Client, method: str, entry: Entry, tried: str) -> Answer:
    path = "/v3/lists/{}/members/{}" if entry.kind == MEMBERS else "/v3/{}/" + entry.kind + "/{}"
    headers = on_behalf_of(entry.subaccount)
    return client.http.call(method, path, entry.within, entry.email, tried=tried, headers=headers, also=(404,))


def _email(place: Entry, item: dict[str, Any]) -> str:
    return str(item.get("value" if place.kind == "whitelists" else "address") or "")


def _at(place: Entry, email: str) -> Entry:
    return Entry(place.kind, place.within, place.subaccount, email)
