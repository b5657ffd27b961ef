"""A Mailgun for the tests of the module: the calls that it makes, on state that a test can look into."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from tests.openapi import fields
from tests.vendor import Call, Reply

KINDS = ("bounces", "unsubscribes", "complaints", "whitelists")
_NOT_FOUND = {
    "bounces": "Address not found in bounces table",
    "unsubscribes": "Address not found in unsubscribers table",
    "complaints": "No spam complaints found for this address",
    "whitelists": "Address/Domain not found in allowlist table",
}


@dataclass
class MailgunTwin:
    """``answer`` is the vendor's handler. ``faults`` maps a method and a part of a path to replies that come first."""

    url: str
    domains: dict[str, str] = field(default_factory=lambda: {"mg.example.com": ""})
    """Each with the id of its subaccount."""
    suppressed: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """By domain and kind."""
    lists: dict[str, dict[str, list[str]]] = field(default_factory=lambda: {"": {}})
    """Members by subaccount and list."""
    events: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)
    log: bool = True
    page: int = 10**9
    """Most entries that a page has, whatever is asked for."""

    def hold(self, kind: str, *emails: str, domain: str = "mg.example.com") -> None:
        self.suppressed.setdefault((domain, kind), []).extend(emails)

    def happened(self, at: datetime, recipient: str, **more: Any) -> None:
        self.events.append(
            {
                "id": f"e{len(self.events)}",
                "event": "delivered",
                "@timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "domain": {"name": "mg.example.com"},
                "recipient": recipient,
                **more,
            }
        )

    def everything(self) -> set[str]:
        """All addresses that somebody has to remove."""
        members = [emails for lists in self.lists.values() for emails in lists.values()]
        return set().union(*self.suppressed.values(), *members)

    def answer(self, call: Call) -> Reply:
        for (method, part), replies in self.faults.items():
            if call.method == method and part in call.path and replies:
                return replies.pop(0)
        path = call.segments
        if path == ["v4", "domains"]:
            return self._domains(call)
        if path[:2] == ["v1", "analytics"]:
            return self._log(call)
        if path[1] == "lists":
            return self._lists(call, path[2:])
        assert call.headers.get("x-mailgun-on-behalf-of", "") == self.domains[path[1]]
        if path[2] == "events":
            return self._events(call)
        if path[2] == "messages":
            return self._send(call)
        return self._suppressions(call, path[1], path[2], path[3:])

    def _domains(self, call: Call) -> Reply:
        query = dict(call.query)
        items = [
            {"name": name, "id": name, "state": "active"} | ({"subaccount_id": subaccount} if subaccount else {})
            for name, subaccount in self.domains.items()
            if query.get("include_subaccounts") == "true" or not subaccount
        ]
        skip, limit = int(query["skip"]), int(query["limit"])
        return Reply(200, {"items": items[skip : skip + limit], "total_count": len(items)})

    def _suppressions(self, call: Call, domain: str, kind: str, rest: list[str]) -> Reply:
        held = self.suppressed.setdefault((domain, kind), [])
        name = "value" if kind == "whitelists" else "address"
        if not rest:
            assert call.method == "GET", "the whole list"
            return self._page(call, [{name: email} for email in held])
        found = [email for email in held if email.lower() == rest[0].lower()]
        if not found:
            return Reply(404, {"message": _NOT_FOUND[kind]})
        if call.method == "DELETE":
            held.remove(found[0])
            return Reply(200, {"message": "removed", name: rest[0]})
        return Reply(200, {name: found[0], "created_at": "Thu, 11 Dec 2025 01:49:40 UTC"})

    def _lists(self, call: Call, rest: list[str]) -> Reply:
        lists = self.lists[call.headers.get("x-mailgun-on-behalf-of", "")]
        if rest == ["pages"]:
            return self._page(call, [{"address": each, "members_count": len(lists[each])} for each in lists])
        members = lists[rest[0]]
        if rest[2] == "pages":
            return self._page(call, [{"address": email, "subscribed": True} for email in members])
        if rest[2] not in members:
            return Reply(404, {"message": f"Member {rest[2]} of mailing list {rest[0]} not found"})
        if call.method == "DELETE":
            members.remove(rest[2])
            return Reply(200, {"member": {"address": rest[2]}, "message": "Mailing list member has been deleted"})
        return Reply(200, {"member": {"address": rest[2]}})

    def _page(self, call: Call, items: list[dict[str, Any]]) -> Reply:
        query = dict(call.query)
        size = min(self.page, int(query["limit"]))
        start = int(query.get("page", 0))
        following = f"{self.url}{call.path}?limit={query['limit']}&page={start + size}"
        return Reply(200, {"items": items[start : start + size], "paging": {"next": following}})

    def _log(self, call: Call) -> Reply:
        if not self.log:
            return Reply(404, {"message": "not found"})
        body = call.json
        [wanted] = body["filter"]["AND"]
        assert wanted["attribute"] == "recipient"
        start, end = parsedate_to_datetime(body["start"]), parsedate_to_datetime(body["end"])
        found = [
            event
            for event in self.events
            if wanted["values"][0]["value"] in event["recipient"]
            and start <= datetime.fromisoformat(event["@timestamp"]) <= end
        ]
        found.sort(key=lambda event: str(event["@timestamp"]), reverse=True)
        first = int(body["pagination"].get("token", 0))
        size = min(self.page, body["pagination"]["limit"], 100)
        paging = {"next": str(first + size)} if first + size < len(found) else {}
        answer = {
            "start": body["start"],
            "end": body["end"],
            "items": found[first : first + size],
            "pagination": paging,
        }
        return Reply(200, answer)

    def _events(self, call: Call) -> Reply:
        query = dict(call.query)
        first, limit = int(query.get("page", 0)), int(query.get("limit", 300))
        found = [event for event in self.events if event["recipient"] == query.get("recipient", event["recipient"])]
        items = [
            {**event, "timestamp": datetime.fromisoformat(event["@timestamp"]).timestamp()}
            for event in found[first : first + min(limit, self.page)]
        ]
        for item in items:
            del item["@timestamp"]
        following = f"{self.url}{call.path}?page={first + len(items)}&recipient={quote(query['recipient'])}"
        return Reply(200, {"items": items, "paging": {"next": following}})

    def _send(self, call: Call) -> Reply:
        form = dict(fields(call))
        self.happened(
            datetime.fromisoformat("2026-03-01T02:00:31Z"),
            form["to"],
            message={"headers": {"message-id": form["h:Message-Id"].strip("<>"), "to": form["to"]}},
            **{"user-variables": json.dumps({"key": form["v:key"]})},
        )
        return Reply(200, {"id": form["h:Message-Id"], "message": "Queued. Thank you."})
