"""Contacts of marketing campaigns: found by exact address, deleted by their ids, the vendor's job followed for a while.

https://www.twilio.com/docs/sendgrid/api-reference/contacts
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.errors import Refused, Unavailable
from include.systems.addresses import same
from include.systems.http import Answer
from include.systems.sendgrid.client import SYSTEM, Account, chunks

_SEARCHED = 100
"""Addresses of one search; the answer holds at most as many contacts."""
_LONGEST = 100
"""Characters of an address in ``search/emails``; longer ones are looked for as identifiers."""
_DELETED = 100
"""Ids of one deletion: they travel in the query, which stays below 4 KB."""
_POLLS = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between looks at jobs; whoever needs longer is looked at by ``verify``."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact: its id and its addresses, folded."""

    id: str = field(repr=False)
    addresses: frozenset[str] = field(repr=False)


def search(account: Account, addresses: Sequence[str]) -> list[Contact]:
    """The contacts that have one of the addresses, as their own or as an alternate one.

    Raises:
        Unavailable: a call failed.
        Refused: the key may not search.
    """
    short = [address for address in addresses if len(address) <= _LONGEST]
    long = [address for address in addresses if len(address) > _LONGEST]
    found: dict[str, Contact] = {}
    for some in chunks(short, _SEARCHED):
        found |= _search(some, lambda emails: _by_email(account, emails))
    for some in chunks(long, _SEARCHED):
        found |= _search(some, lambda emails: _by_identifier(account, emails))
    return list(found.values())


def delete(account: Account, ids: Collection[str]) -> dict[str, str]:
    """Start the deletion of contacts; the vendor's job of each id.

    Raises:
        Refused: an id is empty, or the key may not delete.
        Unavailable: a call failed.
    """
    tried = "delete contacts"
    if not all(ids) or any("," in each for each in ids):
        raise Refused(SYSTEM, tried, "A contact has no proper id: nothing was sent.")
    jobs: dict[str, str] = {}
    for some in chunks(sorted(ids), _DELETED):
        answer = account.calls.marketing.contacts.delete(query_params={"ids": ",".join(some)}, tried=tried)
        jobs |= dict.fromkeys(some, str(answer.json["job_id"]))
    return jobs


def unfinished(account: Account, jobs: Collection[str], sleep: Callable[[float], None]) -> set[str]:
    """The deletions that have not ended after some seconds of patience, in which all are waited for together.

    Raises:
        Unavailable: one failed, so that it has to be asked for again; or a call failed.
    """
    left = set(jobs)
    for wait in (*_POLLS, None):
        left = {job for job in sorted(left) if pending(account, job)}
        if not left or wait is None:
            break
        sleep(wait)
    return left


def pending(account: Account, job: str) -> bool:
    """Whether a job is still to be done; one that the account does not know is not.

    Raises:
        Unavailable: it failed, or a call did.
    """
    tried = "look at the deletion of contacts"
    answer = account.calls.marketing.contacts.imports._(job).get(tried=tried, also=(404,))
    status = None if answer.status == 404 else answer.json["status"]
    if status == "failed":
        raise Unavailable(SYSTEM, tried, "Run it again; the vendor's job failed.")
    return status == "pending"


def _search(addresses: Sequence[str], ask: Callable[[Sequence[str]], Answer]) -> dict[str, Contact]:
    """One bad address makes the vendor refuse all: halved until it stands alone. It then is no contact's."""
    answer = ask(addresses)
    if answer.status == 400 and len(addresses) > 1:
        middle = len(addresses) // 2
        return _search(addresses[:middle], ask) | _search(addresses[middle:], ask)
    if answer.status in (400, 404):
        return {}
    wanted = set(addresses)
    entries = (entry.get("contact") for entry in answer.json["result"].values())
    contacts = (_contact(entry) for entry in entries if entry)
    return {contact.id: contact for contact in contacts if contact.addresses & wanted}


def _by_email(account: Account, addresses: Sequence[str]) -> Answer:
    search_emails = account.calls.marketing.contacts.search.emails
    return _ask(search_emails, {"emails": list(addresses)})


def _by_identifier(account: Account, addresses: Sequence[str]) -> Answer:
    search_identifiers = account.calls.marketing.contacts.search.identifiers.email
    return _ask(search_identifiers, {"identifiers": list(addresses)})


def _ask(calls: Any, body: dict[str, list[str]]) -> Answer:
    answer: Answer = calls.post(request_body=body, tried="search contacts", also=(400, 404), repeatable=True)
    return answer


def _contact(entry: dict[str, Any]) -> Contact:
    own, others = entry.get("email"), entry.get("alternate_emails") or ()
    return Contact(str(entry["id"]), frozenset(same(address) for address in (own, *others) if address))
