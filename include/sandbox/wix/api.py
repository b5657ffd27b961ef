"""The interface of Wix as far as a person's data needs it, with its traps.

Contacts and members as the vendor's own description has them; submissions as the pages say:
https://dev.wix.com/docs/rest/crm/forms/form-submissions. A bulk deletion takes whatever its filter lets through, also
an empty one; a member's contact can't be deleted (428), in bulk it is only counted as failed; a submission goes to the
trash unless ``permanent`` is said; a person's conversation is made by the call that looks for it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from include.sandbox.rest import Ask, Reply, Routes, Window
from include.sandbox.wix import filters
from include.sandbox.wix.filters import matches, ordered, refused
from include.sandbox.wix.model import Contact, Conversation, Held, Job, Settings, time

SITE = "2f6c1a9e-0000-4000-8000-00000000c11c"
MAX_CONTACTS = 1000
MAX_MEMBERS = MAX_SUBMISSIONS = 100
_WORDS = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}


class WixApi:
    """The operations on one site."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self.held = Held()
        self._window = Window()
        self._routes = Routes(
            {
                "POST /contacts/v4/contacts/query": self._contacts,
                "POST /contacts/v4/bulk/contacts/delete": self._delete_contacts,
                "GET /contacts/v4/bulk/jobs/{}": self._job,
                "DELETE /contacts/v4/contacts/{}": self._delete_contact,
                "POST /members/v1/members/query": self._members,
                "DELETE /members/v1/members/{}": self._delete_member,
                "POST /form-submission-service/v4/submissions/namespace/query": self._submissions,
                "DELETE /form-submission-service/v4/submissions/{}": self._delete_submission,
                "POST /inbox/v2/conversations": self._conversation,
            }
        )

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if not self._window.take(self.settings.calls_per_minute)[0]:
            raise refused(429, "too many requests", "RESOURCE_EXHAUSTED")
        if not ask.headers.get("authorization"):
            raise refused(401, "no authorization", "UNAUTHENTICATED")
        if ask.headers.get("wix-site-id") != SITE or "wix-account-id" in ask.headers:
            raise refused(403, "the key may not manage this site", "PERMISSION_DENIED")
        operation = self._routes.find(ask)
        if operation is None:
            raise refused(404, "no such method", "NOT_FOUND")
        return operation()

    def _contacts(self, ask: Ask) -> Reply:
        self._need("Manage Contacts")
        query = _body(ask).get("query") or {}
        page = _paging(query.get("paging"), 50, MAX_CONTACTS)
        shown = [contact.shown() for contact in (*self._table("contacts").values(), *self._fading())]
        found = [one for one in shown if matches(one, query.get("filter") or {}, filters.CONTACTS)]
        some, metadata = _page(ordered(found, query.get("sort"), filters.CONTACTS), page)
        return Reply(body={"contacts": some, "pagingMetadata": metadata})

    def _delete_contacts(self, ask: Ask) -> Reply:
        self._need("Manage Contacts")
        body = _body(ask)
        if "filter" not in body and "search" not in body:
            raise refused(400, "filter or search is required")
        held = self._table("contacts").values()
        ids = [one.id for one in held if matches(one.shown(), body.get("filter") or {}, filters.CONTACTS)]
        job = Job(str(uuid4()), ids, self._clock(), self.settings.job_polls)
        self.held.jobs[job.id] = job
        self._work(job)
        return Reply(body={"jobId": job.id})

    def _job(self, ask: Ask, number: str) -> Reply:
        self._need("Manage Contacts")
        job = self.held.jobs.get(number)
        if job is None:
            raise refused(404, "no such job", "NOT_FOUND")
        self._work(job)
        shown: dict[str, Any] = {"id": job.id, "type": "DELETE", "startedDate": time(job.started), "errors": []}
        shown |= {"status": "COMPLETED" if job.done else "RUNNING", "totalItems": len(job.ids)}
        shown |= {"successTotal": len(job.ids) - job.failed if job.done else 0, "failedTotal": job.failed}
        if job.failed:
            shown["errors"] = [{"count": job.failed, "code": "CANNOT_DELETE_SITE_MEMBERS", "message": "Not deleted"}]
        return Reply(body={"job": shown})

    def _work(self, job: Job) -> None:
        """Each look brings a job nearer to its end."""
        if job.polls:
            job.polls -= 1
        elif not job.done:
            kept = [number for number in job.ids if self._is_in_use(number)]
            for number in set(job.ids) - set(kept):
                self._drop(number)
            job.failed, job.done = len(kept), True

    def _delete_contact(self, ask: Ask, number: str) -> Reply:
        self._need("Manage Contacts")
        if number not in self._table("contacts"):
            raise refused(404, "no such contact", "CONTACT_NOT_FOUND")
        if self._is_in_use(number):
            raise refused(428, "the contact is a member or a contributor", "CANNOT_DELETE_SITE_MEMBERS")
        self._drop(number)
        return Reply(body={})

    def _members(self, ask: Ask) -> Reply:
        self._need("Manage Members")
        query = _body(ask).get("query") or {}
        page = _paging(query.get("paging"), 50, MAX_MEMBERS)
        shown = [member.shown() for member in self._table("members").values()]
        found = [one for one in shown if matches(one, query.get("filter") or {}, filters.MEMBERS)]
        some, metadata = _page(sorted(found, key=lambda one: str(one["createdDate"])), page)
        return Reply(body={"members": some, "metadata": metadata})

    def _delete_member(self, ask: Ask, number: str) -> Reply:
        self._need("Manage Members")
        if self._table("members").pop(number, None) is None:
            raise refused(404, "no such member", "MEMBER_NOT_FOUND")
        return Reply(body={})

    def _submissions(self, ask: Ask) -> Reply:
        self._need("Manage Submissions")
        body = _body(ask)
        query = body.get("query") or {}
        paging = query.get("cursorPaging") or {}
        if paging.get("cursor"):
            if query.keys() - {"cursorPaging"}:
                raise refused(400, "a cursor stands for filter and sort")
            query, last = self._asked_before(paging["cursor"])
        else:
            last = ""
        if "namespace" not in (query.get("filter") or {}):
            raise refused(400, "filter by namespace is required")
        size = _paging(paging, 50, MAX_SUBMISSIONS)[0]
        seen = self._table("submissions").values() if body.get("onlyYourOwn") is False else ()
        shown = [one.shown() for one in seen]
        found = [one for one in shown if matches(one, query["filter"], filters.SUBMISSIONS)]
        found.sort(key=_place)
        rest = [one for one in ordered(found, query.get("sort"), filters.SUBMISSIONS) if _place(one) > last]
        more = len(rest) > size
        cursors = {"next": self._cursor(query, _place(rest[size - 1]))} if more else {}
        metadata = {"count": len(rest[:size]), "cursors": cursors, "hasNext": more}
        return Reply(body={"submissions": rest[:size], "metadata": metadata})

    def _delete_submission(self, ask: Ask, number: str) -> Reply:
        self._need("Manage Submissions")
        submission = self._table("submissions").pop(number, None)
        if submission is None:
            raise refused(404, "no such submission", "SUBMISSION_NOT_FOUND")
        if ask.query.get("permanent") != "true":
            self._table("trash")[number] = submission
        return Reply(body={})

    def _conversation(self, ask: Ask) -> Reply:
        contact = str((_body(ask).get("participantId") or {}).get("contactId") or "")
        known = [one for one in self._table("conversations").values() if one.contact == contact]
        one = known[0] if known else Conversation(str(uuid4()), contact, "", "")
        self._table("conversations")[one.id] = one
        shown = {"id": one.id, "participant": {"contactId": contact}, "channels": ["CHAT"]}
        return Reply(body={"conversation": shown, "newConversation": not known})

    def _table(self, name: str) -> dict[str, Any]:
        return self.held.collections[name]

    def _is_in_use(self, number: str) -> bool:
        members = {member.contact for member in self._table("members").values()}
        contact = self._table("contacts").get(number)
        return number in members or (contact is not None and contact.contributor)

    def _drop(self, number: str) -> None:
        contact = self._table("contacts").pop(number, None)
        if contact is not None and self.settings.shown_after_deletion:
            self.held.fading[number] = (contact, self.settings.shown_after_deletion)

    def _fading(self) -> list[Contact]:
        shown = [contact for contact, _ in self.held.fading.values()]
        self.held.fading = {key: (one, left - 1) for key, (one, left) in self.held.fading.items() if left > 1}
        return shown

    def _need(self, right: str) -> None:
        if right not in self.settings.rights:
            raise refused(403, f"the key lacks {right}", "PERMISSION_DENIED")

    def _cursor(self, query: Mapping[str, Any], last: str) -> str:
        return base64.urlsafe_b64encode(json.dumps([query, last]).encode()).decode()

    def _asked_before(self, cursor: str) -> tuple[dict[str, Any], str]:
        try:
            query, last = json.loads(base64.urlsafe_b64decode(cursor))
        except ValueError:
            raise refused(400, "the cursor is not valid") from None
        return query, last


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault."""
    code = _WORDS.get(status, "INTERNAL")
    return {}, {"message": code, "details": {"applicationError": {"code": code, "description": code}}}


def _body(ask: Ask) -> dict[str, Any]:
    body = ask.json
    if not isinstance(body, dict):
        raise refused(400, "the body must be an object")
    return body


def _paging(paging: Any, default: int, most: int) -> tuple[int, int]:
    limit, offset = (paging or {}).get("limit", default), (paging or {}).get("offset", 0)
    if not isinstance(limit, int) or not isinstance(offset, int) or not 1 <= limit <= most or offset < 0:
        raise refused(400, f"limit is at most {most}")
    return limit, offset


def _page(found: list[Any], page: tuple[int, int]) -> tuple[list[Any], dict[str, Any]]:
    limit, offset = page
    some = found[offset : offset + limit]
    return some, {"count": len(some), "offset": offset, "total": len(found), "tooManyToCount": False}


def _place(shown: Mapping[str, Any]) -> str:
    return f"{shown['createdDate']} {shown['id']}"
