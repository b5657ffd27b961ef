"""Ortto's interface for people: search with filters, the archive, archiving and deletion in bulk, a queue, a pace.

Contract by hand, there is no description by the vendor:
https://help.ortto.com/a-258-retrieve-one-or-more-people-get,
https://help.ortto.com/developer/latest/api-reference/person/archive.html, https://help.ortto.com/a-235-rate-limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from include.sandbox.ortto.model import Account, Person, Settings, Wish
from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window

MOST = 500
BULK = 100
DEFAULT = 50
_CODES = {400: "bad-request", 401: "unauthorized", 403: "forbidden", 404: "not-found", 429: "rate-limit"}


class OrttoApi:
    """Routes calls; holds the people."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self.account = Account()
        self._window = Window(1.0)
        self._routes = Routes(
            {
                "POST /v1/person/get": self._get,
                "POST /v1/person/get-by-ids": self._by_ids,
                "POST /v1/person/get/activities": self._activities,
                "PUT /v1/person/archive": lambda ask: self._bulk(ask, "archive", "archived_contacts"),
                "PUT /v1/person/restore": lambda ask: self._bulk(ask, "restore", "restored_contacts"),
                "DELETE /v1/person/delete": lambda ask: self._bulk(ask, "delete", "deleted_contacts"),
            }
        )

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if not self._window.take(self.settings.calls_per_second)[0]:
            raise refused(429)
        if not ask.headers.get("x-api-key"):
            raise refused(401)
        self.account.settle(self._clock())
        operation = self._routes.find(ask)
        if operation is None:
            raise refused(404)
        if not isinstance(ask.json, dict):
            raise refused(400)
        return operation()

    def _get(self, ask: Ask) -> Reply:
        body = ask.json
        if body.get("type") == "archived":
            return self._archive(body)
        test = _test(body["filter"]) if body.get("filter") else lambda person: True
        found = [person for person in self.account.people.values() if person.archived_at is None and test(person)]
        order = str(body.get("sort_by_field_id") or "c")
        down = body.get("sort_order", "desc") != "asc"
        found.sort(key=lambda person: (str(person.fields.get(order, "")), person.id), reverse=down)
        limit = body.get("limit", DEFAULT)
        limit = limit if isinstance(limit, int) and 1 <= limit <= MOST else DEFAULT
        offset = body.get("offset", 0)
        fields = body.get("fields") or ()
        return _page([_shown(person, fields) for person in found[offset : offset + limit]], offset, len(found))

    def _archive(self, body: Mapping[str, Any]) -> Reply:
        """Only a text may go with it; it is found anywhere in the fields."""
        if body.keys() - {"type", "q"}:
            raise refused(400)
        text = str(body.get("q", "")).lower()
        people = [person for person in self.account.people.values() if person.archived_at is not None]
        found = [person for person in people if text in " ".join(map(str, person.fields.values())).lower()]
        fields = ("str::email", "str::first", "str::last", "str::ei") if self.settings.archive_fields else ()
        return _page([_shown(person, fields) for person in found[: self.settings.archive_page]], 0, len(found))

    def _by_ids(self, ask: Ask) -> Reply:
        ids, fields = ask.json.get("contact_ids"), ask.json.get("fields") or ()
        if not isinstance(ids, list) or not ids or len(ids) > 150 or len(fields) > 20:
            raise refused(400)
        people = (self.account.people.get(number) for number in ids)
        return Reply(body={"contacts": {person.id: _shown(person, fields) for person in people if person}})

    def _activities(self, ask: Ask) -> Reply:
        person = self.account.people.get(str(ask.json.get("person_id")))
        if person is None:
            raise refused(404)
        offset, limit = ask.json.get("offset", 0), min(ask.json.get("limit", 40), 50)
        shown = [
            {"activity_id": "act::c", "activity_name": "Clicked email", "timestamp": at, "fields": {}}
            for at in person.activities[offset : offset + limit]
        ]
        total = len(person.activities)
        meta = {"total_count": total, "has_next": offset + limit < total}
        return Reply(body={"activities": shown, "meta": meta, "offset": offset, "next_offset": offset + len(shown)})

    def _bulk(self, ask: Ask, operation: str, counter: str) -> Reply:
        ids = ask.json.get("inclusion_ids") or []
        if ask.json.get("all_rows_selected"):
            fits = [p.id for p in self.account.people.values() if (p.archived_at is None) is (operation == "archive")]
            ids = sorted(set(fits) - set(ask.json.get("exclusion_ids") or ()))
        elif not ids or len(ids) > BULK:
            raise refused(400)
        ids = ids[::2] if ask.partial else ids
        now, wait = self._clock(), timedelta(seconds=self.settings.queue_seconds)
        if wait:
            self.account.queue.append(Wish(now + wait, operation, tuple(ids)))
            return Reply(body={"scheduled_contacts": len(ids), counter: 0})
        return Reply(body={"scheduled_contacts": 0, counter: self.account.do(operation, ids, now)})


def refused(status: int) -> Refusal:
    """An error in the vendor's form."""
    return Refusal(status, error(status)[1])


def error(status: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The body of a planned fault. How long to wait is said in it and in no header."""
    code = _CODES.get(status, "internal")
    body: dict[str, Any] = {"code": code, "message": code.replace("-", " ")}
    return {}, {"error": body | ({"try-in-seconds": 1} if status == 429 else {})}


def _test(given: Any) -> Callable[[Person], bool]:
    """A filter as a function. Texts are compared whatever their letters, as search engines do."""
    if not isinstance(given, dict) or len(given) != 1:
        raise refused(400)
    ((operator, inner),) = given.items()
    if operator in ("$or", "$and"):
        tests = [_test(one) for one in inner]
        every = any if operator == "$or" else all
        return lambda person: every(test(person) for test in tests)
    if not isinstance(inner, dict) or "field_id" not in inner or operator not in ("$str::is", "$has_any_value"):
        raise refused(400)
    name, value = inner["field_id"], str(inner.get("value", "")).lower()
    if operator == "$has_any_value":
        return lambda person: name in person.fields
    return lambda person: str(person.fields.get(name, "")).lower() == value


def _page(shown: list[dict[str, Any]], offset: int, total: int) -> Reply:
    following = offset + len(shown)
    meta = {"total_contacts": total, "total_matches": total, "total_accounts": 0, "total_subscribers": total}
    body = {"contacts": shown, "meta": meta, "offset": offset, "next_offset": following}
    return Reply(body={**body, "cursor_id": "00609c898a4490c5800a5453", "has_more": following < total})


def _shown(person: Person, fields: Any) -> dict[str, Any]:
    return {"id": person.id, "fields": {name: person.fields[name] for name in fields if name in person.fields}}
