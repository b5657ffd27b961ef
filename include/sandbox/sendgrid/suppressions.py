"""The suppression lists: one path for each list, one for each entry, and the unsubscribe groups.

An address that is not on a list is answered by ``[]`` or ``{}``, and its deletion by 204. A deletion without an address
clears a list only with ``delete_all``; a wrong body is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from include.sandbox.rest import Ask, Refusal, Reply, whole
from include.sandbox.sendgrid.errors import refused
from include.sandbox.sendgrid.model import GROUPS, Account, Suppressed

MAX_PAGE = 500
_MEMBERS = {
    "bounces": ("created", "email", "reason", "status"),
    "blocks": ("created", "email", "reason", "status"),
    "invalid_emails": ("created", "email", "reason"),
    "spam_reports": ("created", "email", "ip"),
    "unsubscribes": ("created", "email"),
}


class Suppressions:
    """The operations, for the account that a request is made for."""

    def __init__(self, account: Callable[[Ask], Account], clock: Callable[[], datetime]) -> None:
        self._account = account
        self._clock = clock

    @property
    def table(self) -> dict[str, Callable[..., Reply]]:
        """Routes."""
        return {
            "GET /v3/suppression/{}": self._list,
            "DELETE /v3/suppression/{}": self._delete_many,
            "GET /v3/suppression/{}/{}": self._get,
            "DELETE /v3/suppression/{}/{}": self._delete,
            "GET /v3/asm/groups": self._groups,
            "GET /v3/asm/groups/{}/suppressions": self._group_list,
            "POST /v3/asm/groups/{}/suppressions": self._group_add,
            "POST /v3/asm/groups/{}/suppressions/search": self._group_search,
            "DELETE /v3/asm/groups/{}/suppressions/{}": self._group_delete,
            "POST /v3/asm/suppressions/global": self._global_add,
            "GET /v3/asm/suppressions/global/{}": self._global_get,
            "DELETE /v3/asm/suppressions/global/{}": self._global_delete,
            "GET /v3/asm/suppressions": self._group_entries,
            "GET /v3/asm/suppressions/{}": self._groups_of,
        }

    def _list(self, ask: Ask, kind: str) -> Reply:
        entries = self._entries(ask, kind)
        try:
            limit, offset = whole(ask, "limit", MAX_PAGE), whole(ask, "offset", 0)
            since, until = whole(ask, "start_time", 0), whole(ask, "end_time", 2**53)
        except ValueError:
            raise refused(400, "limit, offset, start_time and end_time must be whole numbers") from None
        if not 1 <= limit <= MAX_PAGE or offset < 0:
            raise refused(400, f"limit must be between 1 and {MAX_PAGE}", "limit")
        start = ask.query.get("email", "").lower()
        found = [e for e in entries.values() if since <= e.created <= until and e.email.startswith(start)]
        found.sort(key=lambda entry: (-entry.created, entry.email))
        return Reply(body=[_shown(kind, entry) for entry in found[offset : offset + limit]])

    def _get(self, ask: Ask, kind: str, email: str) -> Reply:
        if kind == "unsubscribes":
            raise refused(404, "not found")
        entry = self._entries(ask, kind).get(email.lower())
        return Reply(body=[_shown(kind, entry)] if entry else [])

    def _delete(self, ask: Ask, kind: str, email: str) -> Reply:
        if kind == "unsubscribes":
            raise refused(404, "not found")
        self._entries(ask, kind).pop(email.lower(), None)
        return Reply(204)

    def _delete_many(self, ask: Ask, kind: str) -> Reply:
        if kind == "unsubscribes":
            raise Refusal(405, {"errors": [{"message": "method not allowed", "field": None}]})
        entries = self._entries(ask, kind)
        body = ask.json if isinstance(ask.json, dict) else {}
        emails, everything = body.get("emails"), body.get("delete_all")
        if (emails is None) == (everything is None) or not _is_texts(emails or []):
            raise refused(400, "either delete_all or emails must be set")
        if everything is True:
            entries.clear()
        chosen = (emails or [])[:: 2 if ask.partial else 1]
        for email in chosen:
            entries.pop(email.lower(), None)
        return Reply(204)

    def _groups(self, ask: Ask) -> Reply:
        groups = self._account(ask).groups
        return Reply(body=[{**_group(number), "unsubscribes": len(groups[number])} for number in GROUPS])

    def _group_list(self, ask: Ask, number: str) -> Reply:
        return Reply(body=list(self._group(ask, number)))

    def _group_add(self, ask: Ask, number: str) -> Reply:
        emails = _recipients(ask)
        self._group(ask, number).update((email.lower(), self._now()) for email in emails)
        return Reply(201, {"recipient_emails": emails})

    def _group_search(self, ask: Ask, number: str) -> Reply:
        group = self._group(ask, number)
        return Reply(body=[email.lower() for email in _recipients(ask) if email.lower() in group])

    def _group_delete(self, ask: Ask, number: str, email: str) -> Reply:
        self._group(ask, number).pop(email.lower(), None)
        return Reply(204)

    def _global_add(self, ask: Ask) -> Reply:
        emails = _recipients(ask)
        for email in emails:
            self._account(ask).suppressions["unsubscribes"][email.lower()] = Suppressed(email.lower(), self._now())
        return Reply(201, {"recipient_emails": emails})

    def _global_get(self, ask: Ask, email: str) -> Reply:
        known = email.lower() in self._account(ask).suppressions["unsubscribes"]
        return Reply(body={"recipient_email": email.lower()} if known else {})

    def _global_delete(self, ask: Ask, email: str) -> Reply:
        self._account(ask).suppressions["unsubscribes"].pop(email.lower(), None)
        return Reply(204)

    def _group_entries(self, ask: Ask) -> Reply:
        groups = self._account(ask).groups
        return Reply(
            body=[
                {"email": email, "group_id": number, "group_name": GROUPS[number], "created_at": created}
                for number, entries in groups.items()
                for email, created in entries.items()
            ]
        )

    def _groups_of(self, ask: Ask, email: str) -> Reply:
        groups = self._account(ask).groups
        return Reply(body={"suppressions": [{**_group(n), "suppressed": email.lower() in groups[n]} for n in GROUPS]})

    def _entries(self, ask: Ask, kind: str) -> dict[str, Suppressed]:
        entries = self._account(ask).suppressions.get(kind)
        if entries is None:
            raise refused(404, "not found")
        return entries

    def _group(self, ask: Ask, number: str) -> dict[str, int]:
        group = self._account(ask).groups.get(int(number) if number.isdecimal() else -1)
        if group is None:
            raise refused(404, "group does not exist")
        return group

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _shown(kind: str, entry: Suppressed) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _MEMBERS[kind]}


def _group(number: int) -> dict[str, Any]:
    return {"id": number, "name": GROUPS[number], "description": GROUPS[number], "is_default": False}


def _recipients(ask: Ask) -> list[str]:
    emails = ask.json.get("recipient_emails") if isinstance(ask.json, dict) else None
    if not isinstance(emails, list) or not _is_texts(emails):
        raise refused(400, "recipient_emails must be a list of addresses", "recipient_emails")
    return emails


def _is_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
