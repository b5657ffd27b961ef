"""Contacts of Marketing Campaigns: look-up by address, and deletion by a job that takes its time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from include.sandbox.rest import Ask, Refusal, Reply
from include.sandbox.sendgrid.errors import is_address, refused
from include.sandbox.sendgrid.model import Account, Contact, Job, rfc3339
from include.sandbox.sendgrid.settings import Settings

MAX_CONTACTS = 100
"""Contacts, and thereby addresses, of one search."""
MAX_SEARCHED = 100
"""Characters of an address that is searched for as an e-mail; as an identifier it may be longer."""


class Contacts:
    """The operations, for the account that a request is made for."""

    def __init__(self, account: Callable[[Ask], Account], clock: Callable[[], datetime], settings: Settings) -> None:
        self._account = account
        self._clock = clock
        self._settings = settings

    @property
    def table(self) -> dict[str, Callable[..., Reply]]:
        """Routes."""
        return {
            "POST /v3/marketing/contacts/search/emails": self._search,
            "POST /v3/marketing/contacts/search/identifiers/{}": self._search_identifiers,
            "GET /v3/marketing/contacts/imports/{}": self._job,
            "GET /v3/marketing/contacts/{}": self._contact,
            "DELETE /v3/marketing/contacts": self._delete_contacts,
        }

    def settle(self, account: Account) -> None:
        """End the jobs that nobody asks about."""
        latest = self._clock() - timedelta(seconds=self._settings.job_seconds)
        for job in account.jobs.values():
            if job.deleted is None and job.started <= latest:
                self._finish(account, job)

    def _search(self, ask: Ask) -> Reply:
        wanted = _addresses(ask, "emails")
        if wanted is None or any(len(email) > MAX_SEARCHED for email in wanted):
            raise refused(400, "one or more of the emails is invalid", "emails")
        entries = self._found(ask, wanted)
        if entries is None:
            raise refused(404, "contact not found", "emails")
        return Reply(body={"result": entries})

    def _search_identifiers(self, ask: Ask, kind: str) -> Reply:
        """The only operation whose errors are not in a list."""
        wanted = _addresses(ask, "identifiers") if kind == "email" else None
        if wanted is None:
            raise Refusal(400, {"message": "one or more of the identifiers is invalid", "field": "identifiers"})
        entries = self._found(ask, wanted)
        if entries is None:
            raise Refusal(404, {"message": "contact not found"})
        return Reply(body={"result": entries})

    def _found(self, ask: Ask, wanted: list[str]) -> dict[str, Any] | None:
        account = self._account(ask)
        found = {email: account.contact_of(email) for email in wanted}
        if not any(found.values()):
            return None
        return {
            email: {"contact": _shown(contact, ask.base)} if contact else {"error": "contact not found"}
            for email, contact in found.items()
        }

    def _contact(self, ask: Ask, identifier: str) -> Reply:
        contact = self._account(ask).contacts.get(identifier)
        if contact is None:
            raise refused(404, "contact not found", "id")
        return Reply(body=_shown(contact, ask.base))

    def _delete_contacts(self, ask: Ask) -> Reply:
        account, ids = self._account(ask), [part for part in ask.query.get("ids", "").split(",") if part]
        everything = ask.query.get("delete_all_contacts") == "true"
        if everything == bool(ids):
            raise refused(400, "either ids or delete_all_contacts must be set", "ids")
        chosen = tuple(account.contacts) if everything else tuple(ids)[:: 2 if ask.partial else 1]
        job = Job(str(uuid.uuid4()), chosen, self._clock())
        account.jobs[job.id] = job
        return Reply(202, {"job_id": job.id})

    def _job(self, ask: Ask, identifier: str) -> Reply:
        account = self._account(ask)
        job = account.jobs.get(identifier)
        if job is None:
            raise refused(404, "job not found", "id")
        job.polls += 1
        if job.deleted is None and job.polls > self._settings.job_polls:
            self._finish(account, job)
        body = {"id": job.id, "status": "pending", "job_type": "delete", "started_at": rfc3339(job.started)}
        if job.finished is None or job.deleted is None:
            return Reply(body=body)
        results = {"requested_count": len(job.ids), "deleted_count": job.deleted, "errored_count": 0}
        return Reply(body={**body, "status": "completed", "results": results, "finished_at": rfc3339(job.finished)})

    def _finish(self, account: Account, job: Job) -> None:
        job.deleted, job.finished = account.remove_contacts(job.ids), self._clock()


def _addresses(ask: Ask, member: str) -> list[str] | None:
    """What is searched for, in lower case; None if it is not a list of addresses of the right length."""
    values = ask.json.get(member) if isinstance(ask.json, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    wanted = [value.lower() for value in values if value]
    return wanted if 1 <= len(wanted) <= MAX_CONTACTS and all(map(is_address, wanted)) else None


def _shown(contact: Contact, base: str) -> dict[str, Any]:
    unknown = ("unique_name", "phone_number_id", "external_id", "anonymous_id", "address_line_1", "address_line_2")
    places = ("city", "state_province_region", "country", "postal_code", "phone_number", "whatsapp", "line", "facebook")
    created = rfc3339(contact.created_at)
    return {
        "id": contact.id,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email,
        "alternate_emails": list(contact.alternate_emails),
        **dict.fromkeys((*unknown, *places), ""),
        "list_ids": list(contact.list_ids),
        "segment_ids": [],
        "custom_fields": {},
        "created_at": created,
        "updated_at": created,
        "_metadata": {"self": f"{base}/v3/marketing/contacts/{contact.id}"},
    }
