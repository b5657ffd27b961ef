"""A SendGrid for the tests of the module: the calls that it makes, on state that a test can look into."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.vendor import Call, Reply

LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports")


@dataclass
class Held:
    """What one account holds."""

    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in (*LISTS, "global")})
    groups: dict[str, list[str]] = field(default_factory=dict)
    erased: list[list[str]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)

    def contact(self, number: int, email: str, *others: str) -> None:
        self.contacts[f"c{number}"] = {"id": f"c{number}", "email": email, "alternate_emails": list(others)}

    def everything(self) -> set[str]:
        """All addresses that the account holds."""
        contacts = {
            each for contact in self.contacts.values() for each in (contact["email"], *contact["alternate_emails"])
        }
        return contacts.union(*self.lists.values(), *self.groups.values())


@dataclass
class SendGridTwin:
    """``answer`` is the vendor's handler. ``faults`` maps a method and a part of a path to replies that come first."""

    accounts: dict[str, Held] = field(default_factory=lambda: {"": Held()})
    scopes: list[str] = field(default_factory=lambda: ["mail.send", "recipients.erasejob.create"])
    invalid: set[str] = field(default_factory=set)
    """Addresses that searches and the erasure refuse."""
    job_state: str = "completed"
    faults: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)
    activity_feed: bool = True
    log: bool = True
    numbers: int = 0

    @property
    def own(self) -> Held:
        return self.accounts[""]

    def answer(self, call: Call) -> Reply:
        for (method, part), replies in self.faults.items():
            if call.method == method and part in call.path and replies:
                return replies.pop(0)
        held = self.accounts[call.headers.get("on-behalf-of", "")]
        _, *path = call.segments
        return self._route(call, path, held)

    def _route(self, call: Call, path: list[str], held: Held) -> Reply:
        handlers: dict[str, Callable[[Call, list[str], Held], Reply]] = {
            "scopes": lambda *_: Reply(200, {"scopes": self.scopes}),
            "subusers": lambda call, *_: self._subusers(call),
            "recipients": self._erase,
            "marketing": self._marketing,
            "suppression": self._suppression,
            "asm": self._asm,
            "mail": self._send,
            "logs": self._logs,
            "messages": self._activity,
        }
        return handlers[path[0]](call, path[1:], held)

    def _subusers(self, call: Call) -> Reply:
        names = sorted(name for name in self.accounts if name)
        query = dict(call.query)
        page = names[int(query["offset"]) :][: int(query["limit"])]
        return Reply(200, [{"username": name, "disabled": False, "email": "x@y.zz", "id": 1} for name in page])

    def _erase(self, call: Call, path: list[str], held: Held) -> Reply:
        emails = call.json["email_addresses"]
        assert 1 <= len(emails) <= 5000
        assert len(set(emails)) == len(emails)
        assert len(call.body) <= 256_000
        if bad := self.invalid.intersection(emails):
            errors = [{"message": f"Email_address {each} is not valid", "field": "email_addresses"} for each in bad]
            return Reply(400, {"errors": errors})
        held.erased.append(emails)
        self.numbers += 1
        return Reply(202, {"job_id": f"00000000-0000-4000-8000-{self.numbers:012}"})

    def _marketing(self, call: Call, path: list[str], held: Held) -> Reply:
        if call.method == "DELETE":
            query = dict(call.query)
            assert set(query) == {"ids"}
            return self._delete(query["ids"].split(","), held)
        if path[1] == "imports":
            state = held.jobs.get(path[2])
            return Reply(200, {"id": path[2], "status": state}) if state else Reply(404, {"errors": []})
        wanted = call.json["emails" if path[2] == "emails" else "identifiers"]
        assert 1 <= len(wanted) <= 100
        if self.invalid.intersection(wanted):
            return Reply(400, {"errors": [{"message": "invalid", "field": "emails"}]})
        found = {
            email: {"contact": contact}
            for email in wanted
            for contact in held.contacts.values()
            if email.lower() in {each.lower() for each in (contact["email"], *contact["alternate_emails"])}
        }
        missing = {email: {"error": "contact not found"} for email in wanted if email not in found}
        return Reply(200, {"result": {**found, **missing}}) if found else Reply(404, {"errors": [{"message": "none"}]})

    def _delete(self, ids: list[str], held: Held) -> Reply:
        assert all(ids)
        self.numbers += 1
        job = f"job-{self.numbers}"
        held.jobs[job] = self.job_state
        if self.job_state == "completed":
            for each in ids:
                held.contacts.pop(each, None)
        return Reply(202, {"job_id": job})

    def _suppression(self, call: Call, path: list[str], held: Held) -> Reply:
        name = "global" if path[0] == "unsubscribes" else path[0]
        listed = held.lists[name]
        if call.method == "DELETE":
            assert len(path) == 1
            assert set(call.json) == {"emails"}
            assert call.json["emails"]
            held.lists[name] = [email for email in listed if email not in call.json["emails"]]
            return Reply(204)
        if len(path) == 2:
            return Reply(200, [{"created": 1, "email": email} for email in listed if email.lower() == path[1].lower()])
        query = dict(call.query)
        page = listed[int(query["offset"]) :][: int(query["limit"])]
        return Reply(200, [{"created": 1, "email": email} for email in page])

    def _asm(self, call: Call, path: list[str], held: Held) -> Reply:
        if path == ["groups"]:
            return Reply(200, [{"id": int(each), "name": "g", "description": "g"} for each in held.groups])
        if path[0] == "groups" and path[-1] == "search":
            known = set(held.groups[path[1]])
            return Reply(200, [email for email in call.json["recipient_emails"] if email in known])
        if path[0] == "groups":
            assert call.method == "DELETE"
            held.groups[path[1]].remove(path[3])
            return Reply(204)
        if path[1] == "global":
            return self._global(call, path[2], held)
        groups = [
            {"id": int(each), "name": "g", "description": "", "is_default": False, "suppressed": path[1] in known}
            for each, known in held.groups.items()
        ]
        return Reply(200, {"suppressions": groups})

    def _global(self, call: Call, email: str, held: Held) -> Reply:
        if call.method == "DELETE":
            held.lists["global"].remove(email)
            return Reply(204)
        return Reply(200, {"recipient_email": email} if email in held.lists["global"] else {})

    def _send(self, call: Call, path: list[str], held: Held) -> Reply:
        body = call.json
        self.numbers += 1
        held.messages.append(
            {
                "from_email": body["from"]["email"],
                "sg_message_id": f"m{self.numbers}",
                "subject": body["subject"],
                "to_email": body["personalizations"][0]["to"][0]["email"],
                "status": "processed",
                "sg_message_id_created_at": "2026-03-01T02:00:30Z",
                "custom_args": body["personalizations"][0]["custom_args"],
                "api_key_id": "k",
                "client_ip": "",
                "events": [],
            }
        )
        return Reply(202)

    def _logs(self, call: Call, path: list[str], held: Held) -> Reply:
        if not self.log:
            return Reply(403, {"errors": []})
        if call.method == "GET":
            found = [message for message in held.messages if message["sg_message_id"] == path[0]]
            return Reply(200, found[0]) if found else Reply(404, {"errors": []})
        hidden = {"custom_args", "api_key_id", "client_ip", "events"}
        asked = re.fullmatch(
            r"(to_email = '([^']+)' AND )?sg_message_id_created_at >= TIMESTAMP \"[\dTZ:-]+\"", call.json["query"]
        )
        assert asked
        shown = [each for each in held.messages if asked[2] in (None, each["to_email"])]
        return Reply(200, {"messages": [{k: v for k, v in each.items() if k not in hidden} for each in shown]})

    def _activity(self, call: Call, path: list[str], held: Held) -> Reply:
        if not self.activity_feed:
            return Reply(403, {"errors": []})
        asked = re.match(r"unique_args\['key'\]=\"([^\"]+)\" AND last_event_time>=TIMESTAMP", dict(call.query)["query"])
        assert asked
        shown = [each for each in held.messages if each["custom_args"]["key"] == asked[1]]
        return Reply(200, {"messages": [{"to_email": each["to_email"], "subject": each["subject"]} for each in shown]})
