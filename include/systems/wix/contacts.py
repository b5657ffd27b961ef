"""Contacts of a site: found by exact address, deleted by their ids, the vendor's job followed and read back.

The bulk call deletes whatever its filter lets through, and everything if the filter is not understood. So it is sent
with explicit ids only, and the same filter is tried with a search right before: more than the ids in its result, and
nothing is deleted. https://dev.wix.com/docs/rest/crm/members-contacts/contacts/contacts/contact-v4/bulk-delete-contacts
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from include.errors import Inconsistent
from include.systems.addresses import same
from include.systems.wix import KEY
from include.systems.wix.site import NAMED, NOBODY, Site, check_ids, chunks, entries, instant, time

PAGE = 1000
"""Contacts in a page, the vendor's maximum."""
POLLS = (0.3, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each further look at a job, and at what a search still shows after it."""
FIELDS = {"lastActivity": "lastActivity.activityDate", "createdDate": "createdDate"}
"""What a contact can be dated by, in the words of a query."""
_SEARCH = "search contacts"
_IS_IN_USE = 428
_DONE = "COMPLETED"


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact: its id and its addresses, folded."""

    id: str
    addresses: frozenset[str] = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)

    def moment(self, trigger: str) -> datetime | None:
        """When it was made, or when something last happened with it (its making, if nothing did)."""
        activity = self.content.get("lastActivity") or {}
        last = time(activity.get("activityDate")) if trigger == "lastActivity" else None
        return last or time(self.content.get("createdDate"))


@dataclass(slots=True)
class Deleted:
    """What became of some contacts.

    Args:
        refused: ids that the vendor keeps: members, contributors, payers.
        waiting: ids whose job has not ended, or that a search still shows after it, each with the job.
    """

    refused: set[str] = field(default_factory=set)
    waiting: dict[str, str] = field(default_factory=dict)


def search(site: Site, addresses: Collection[str]) -> list[Contact]:
    """The contacts that have one of the addresses, as their first or as another one."""
    wanted = {same(address) for address in addresses}
    found: dict[str, Contact] = {}
    for some in chunks(sorted(addresses), NAMED):
        for contact in _query(site, {"info.emails.email": {"$in": list(some)}}):
            if contact.addresses & wanted:
                found[contact.id] = contact
    return list(found.values())


def everybody(site: Site) -> Iterator[Contact]:
    """All contacts."""
    return _query(site, {})


def count(site: Site) -> int:
    """How many contacts there are, as the vendor counts."""
    body = _page(site, {"paging": {"limit": 1, "offset": 0}})
    return int((body.get("pagingMetadata") or {}).get("total") or 0)


def attempt(site: Site) -> None:
    """Ask for a contact that can't be there, as a trial of the key."""
    _page(site, {"filter": {"id": {"$in": [NOBODY]}}})


def older(site: Site, trigger: str, before: datetime) -> Iterator[Contact]:
    """Contacts dated before an instant, the oldest first.

    A page starts at the date of the last contact that was given: pages by number would skip as many contacts as were
    deleted meanwhile.
    """
    name, since, seen = FIELDS[trigger], None, set[str]()
    while True:
        wanted: dict[str, str] = {"$lt": instant(before)} | ({"$gte": since} if since else {})
        query = {"filter": {name: wanted}, "sort": [{"fieldName": name, "order": "ASC"}]}
        paging = {"limit": PAGE, "offset": 0}
        page = _contacts(_page(site, {**query, "paging": paging}))
        while len(page) == PAGE and all(contact.id in seen for contact in page):
            paging["offset"] += PAGE
            page = _contacts(_page(site, {**query, "paging": paging}))
        new = [contact for contact in page if contact.id not in seen]
        if not new:
            return
        start, since = since, instant(new[-1].moment(trigger) or before)
        at_start = {contact.id for contact in page if contact.moment(trigger) == new[-1].moment(trigger)}
        seen = seen | at_start if since == start else at_start
        yield from new


def present(site: Site, ids: Collection[str]) -> list[Contact]:
    """Those of some contacts that a search finds."""
    return [c for some in chunks(sorted(ids), NAMED) for c in _query(site, _named(some)) if c.id in some]


def delete(site: Site, ids: Collection[str]) -> Deleted:
    """Delete exact contacts for good: one by itself, several by the vendor's job.

    Raises:
        Refused: an id is none, and nothing was sent; or the key may not delete.
        Inconsistent: the vendor does not understand the filter; nothing was sent.
        Unavailable: a call failed or its answer was lost; any part may be done.
    """
    done = Deleted()
    for some in chunks(sorted(ids), NAMED):
        check_ids(some)
        if len(some) == 1:
            status = site.delete("/contacts/v4/contacts/{}", some[0], "delete a contact", (404, _IS_IN_USE))
            done.refused |= set(some) if status == _IS_IN_USE else set()
        else:
            _delete_together(site, some, done)
    return done


def pending(site: Site, job: str) -> bool:
    """Whether a job is still to be done; one that the vendor has forgotten is not."""
    body = _job(site, job)
    return body is not None and body.get("status") != _DONE


def _delete_together(site: Site, ids: Sequence[str], done: Deleted) -> None:
    tried = "delete contacts"
    tried_out = _page(site, {"filter": _named(ids), "paging": {"limit": PAGE, "offset": 0}})
    total = (tried_out.get("pagingMetadata") or {}).get("total") or 0
    if total > len(ids) or any(contact.id not in ids for contact in _contacts(tried_out)):
        raise Inconsistent(KEY, tried, "A search for these ids finds more than them: nothing was deleted.")
    job = str(site.post("/contacts/v4/bulk/contacts/delete", tried, {"filter": _named(ids)}, repeatable=False)["jobId"])
    running = pending(site, job)
    for wait in POLLS if running else ():
        site.pause(wait)
        if not (running := pending(site, job)):
            break
    if running:
        done.waiting |= dict.fromkeys(ids, job)
        return
    _read_back(site, ids, job, done)


def _read_back(site: Site, ids: Sequence[str], job: str, done: Deleted) -> None:
    """The job tells how many it left, not which; a search may show for a moment what is gone."""
    failed = int((_job(site, job) or {}).get("failedTotal") or 0)
    left = {contact.id for contact in present(site, ids)}
    for wait in POLLS if len(left) > failed else ():
        site.pause(wait)
        left = {contact.id for contact in present(site, left)}
        if len(left) <= failed:
            break
    if len(left) <= failed:
        done.refused |= left
    else:
        done.waiting |= dict.fromkeys(left, job)


def _job(site: Site, job: str) -> Any:
    body = site.get("/contacts/v4/bulk/jobs/{}", "look at the deletion of contacts", job)
    return None if body is None else body.get("job") or {}


def _named(ids: Sequence[str]) -> dict[str, Any]:
    check_ids(ids)
    return {"id": {"$in": list(ids)}}


def _query(site: Site, wanted: Mapping[str, Any]) -> Iterator[Contact]:
    offset = 0
    while True:
        query: dict[str, Any] = {"paging": {"limit": PAGE, "offset": offset}}
        page = _contacts(_page(site, {**query, "filter": wanted} if wanted else query))
        yield from page
        offset += len(page)
        if len(page) < PAGE:
            return


def _page(site: Site, query: Mapping[str, Any]) -> Any:
    return site.post("/contacts/v4/contacts/query", _SEARCH, {"query": {**query, "fieldsets": ["FULL"]}})


def _contacts(body: Any) -> list[Contact]:
    return [_contact(entry) for entry in entries(body, "contacts", _SEARCH)]


def _contact(entry: Mapping[str, Any]) -> Contact:
    items = ((entry.get("info") or {}).get("emails") or {}).get("items") or ()
    written = [(entry.get("primaryInfo") or {}).get("email"), *(item.get("email") for item in items)]
    return Contact(str(entry["id"]), frozenset(same(address) for address in written if address), entry)
