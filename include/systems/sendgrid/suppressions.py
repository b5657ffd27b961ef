"""Lists of who gets no mail any more: looked through for exact addresses, and entries removed one by one.

A list is read page by page as long as that takes no more calls than asking for each address; what is left is asked for
one by one, so that never more than twice the fewest calls are made, however long the list is. The vendor's own filter
by address matches beginnings and wildcards, and is not used.

https://www.twilio.com/docs/sendgrid/api-reference/suppressions-suppressions
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.systems.addresses import same
from include.systems.sendgrid.client import PAGE, Account, chunks

BULK = ("bounces", "blocks", "invalid_emails", "spam_reports")
"""Lists below ``/v3/suppression`` from which several addresses are removed by one call."""
GLOBAL = "global_unsubscribes"
GROUPS = "group_unsubscribes"
LISTS = (*BULK, GLOBAL, GROUPS)
"""All lists, by the names under which the policy file keeps one."""
_FEW = 3
"""Up to so many addresses are asked for one by one in all groups at once; more are looked for group by group."""
_SEARCH_ABOVE = 10_000
"""A group of that many addresses is searched; a smaller one is read as a whole, which is one call."""
_REMOVED = 500
"""Addresses in the body of one call."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """An address on a list, as the list writes it; ``group`` is the id of the group it unsubscribed from."""

    list: str
    email: str = field(repr=False)
    group: str = ""

    @property
    def address(self) -> str:
        """Folded."""
        return same(self.email)


def look(account: Account, addresses: Collection[str]) -> list[Entry]:
    """The entries of the addresses on all lists of an account.

    Raises:
        Unavailable: a call failed.
        Refused: the key may not read a list.
    """
    wanted = set(addresses)
    found = [Entry(name, email) for name in (*BULK, GLOBAL) for email in _on_list(account, name, wanted)]
    return [entry for entry in (*found, *_in_groups(account, wanted)) if entry.address in wanted]


def everybody(account: Account, lists: Collection[str]) -> Iterator[str]:
    """Every address on some of the lists of an account, as the list writes it.

    Raises:
        Unavailable: a call failed; the list is not complete.
        Refused: the key may not read a list.
    """
    for name in lists:
        if name == GROUPS:
            for group in account.calls.asm.groups.get(tried="read the groups of unsubscribes").json:
                yield from _members(account.calls.asm.groups._(str(group["id"])).suppressions)
        else:
            yield from (str(entry["email"]) for found in pages(account, name) for entry in found)


def pages(account: Account, name: str, **bounds: int) -> Iterator[list[dict[str, Any]]]:
    """One of the lists below ``/v3/suppression`` page by page, newest entries first.

    Args:
        account: whose list.
        name: of the list.
        bounds: ``start_time`` and ``end_time``, seconds since 1970: between which an entry was made.
    """
    offset = 0
    while True:
        found = page(account, name, offset, **bounds)
        yield found
        offset += PAGE
        if len(found) < PAGE:
            return


def page(account: Account, name: str, offset: int, **bounds: int) -> list[dict[str, Any]]:
    """One page of :func:`pages`, from an entry on."""
    calls = account.calls.suppression._("unsubscribes" if name == GLOBAL else name)
    params = {"limit": PAGE, "offset": offset, **bounds}
    found: list[dict[str, Any]] = calls.get(query_params=params, tried=f"read {name}").json
    return found


def remove(account: Account, entries: Collection[Entry]) -> None:
    """Take exact entries off their lists; one that is not there any more is no error.

    Raises:
        Unavailable: a call failed.
        Refused: the key may not do it.
    """
    for name in BULK:
        emails = sorted(entry.email for entry in entries if entry.list == name)
        for some in chunks(emails, _REMOVED):
            calls = account.calls.suppression._(name)
            calls.delete(request_body={"emails": list(some)}, tried=f"remove addresses from {name}", also=(404,))
    for entry in sorted(entries):
        if entry.list == GLOBAL:
            one = account.calls.asm.suppressions._("global")._(entry.email)
            one.delete(tried="remove a global unsubscribe", also=(404,))
        elif entry.list == GROUPS:
            one = account.calls.asm.groups._(entry.group).suppressions._(entry.email)
            one.delete(tried="remove an unsubscribe of a group", also=(404,))


def _on_list(account: Account, name: str, wanted: set[str]) -> Iterator[str]:
    for number in range(len(wanted)):
        found = page(account, name, number * PAGE)
        yield from (str(entry["email"]) for entry in found if same(str(entry["email"])) in wanted)
        if len(found) < PAGE:
            return
    for address in wanted:
        yield from _one(account, name, address)


def _one(account: Account, name: str, address: str) -> Iterator[str]:
    if name == GLOBAL:
        one, member = account.calls.asm.suppressions._("global")._(address), "recipient_email"
    else:
        one, member = account.calls.suppression._(name)._(address), "email"
    answer = one.get(tried=f"look for an address in {name}", also=(404,))
    entries = [] if answer.status == 404 else answer.json
    yield from (str(entry[member]) for entry in ([entries] if isinstance(entries, dict) else entries) if entry)


def _in_groups(account: Account, wanted: set[str]) -> Iterator[Entry]:
    if len(wanted) <= _FEW:
        for address in sorted(wanted):
            yield from _groups_of(account, address)
        return
    for group in account.calls.asm.groups.get(tried="read the groups of unsubscribes").json:
        members = account.calls.asm.groups._(str(group["id"])).suppressions
        whole = int(group.get("unsubscribes", _SEARCH_ABOVE + 1)) <= _SEARCH_ABOVE
        found = _members(members) if whole else _searched(members, sorted(wanted))
        yield from (Entry(GROUPS, email, str(group["id"])) for email in found)


def _members(calls: Any) -> list[str]:
    return [str(email) for email in calls.get(tried="read a group of unsubscribes").json]


def _searched(calls: Any, wanted: Sequence[str]) -> Iterator[str]:
    for some in chunks(wanted, _REMOVED):
        body = {"recipient_emails": list(some)}
        found = calls.search.post(request_body=body, tried="look for addresses in a group", repeatable=True).json
        yield from (str(email) for email in found)


def _groups_of(account: Account, address: str) -> Iterator[Entry]:
    answer = account.calls.asm.suppressions._(address).get(tried="look for an address in the groups", also=(404,))
    groups = [] if answer.status == 404 else answer.json["suppressions"]
    yield from (Entry(GROUPS, address, str(group["id"])) for group in groups if group["suppressed"])
