"""SendGrid's Web API v3 as far as a person's data needs it, with its traps.

Contacts are deleted by a job that is pending when it is first asked about; ``delete_all_contacts`` is obeyed; the
erasure of addresses has no status; the activity feed shows 37 days; a subuser's data is reached with ``on-behalf-of``
only. ``X-RateLimit-Reset`` is seconds since 1970, and on the erasure endpoint seconds to wait.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window
from include.sandbox.sendgrid import mail
from include.sandbox.sendgrid.activity import FEED, LOGS, BadQuery, Language, parse
from include.sandbox.sendgrid.contacts import Contacts
from include.sandbox.sendgrid.errors import is_address, refused
from include.sandbox.sendgrid.model import Account, Erasure, Message, Sent, rfc3339
from include.sandbox.sendgrid.settings import Settings
from include.sandbox.sendgrid.suppressions import Suppressions

MAX_ERASED = 5000
MAX_ERASE_BYTES = 256 * 1024
MAX_MESSAGES = 1000
SUBUSER = "clique-events"


class SendGridApi:
    """Routes calls to the account or to a subuser."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self.accounts = {"": Account(), SUBUSER: Account(SUBUSER, 5001)}
        self.sent: list[Sent] = []
        self._contacts = Contacts(self._account, clock, self.settings)
        self._calls, self._erase_calls = Window(), Window()
        self._routes = Routes(
            {
                "GET /v3/scopes": self._scopes,
                "GET /v3/subusers": self._subusers,
                "POST /v3/recipients/erasejob": self._erase,
                "GET /v3/messages": self._messages,
                "POST /v3/logs": self._logs,
                "GET /v3/logs/{}": self._log,
                "POST /v3/mail/send": self._send,
                **self._contacts.table,
                **Suppressions(self._account, clock).table,
            }
        )

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        erasing = ask.path.rstrip("/") == "/v3/recipients/erasejob"
        granted, headers = self._count(erasing)
        if not granted and erasing:
            raise Refusal(429, None, headers | {"X-Envoy-Ratelimited": "true"})
        if not granted:
            raise refused(429, "too many requests", None, headers)
        if not ask.bearer:
            raise refused(401, "authorization required", "" if erasing else None, headers)
        self.settle()
        try:
            operation = self._routes.find(ask)
        except Refusal:
            raise refused(405, "method not allowed", None, headers) from None
        if operation is None:
            raise refused(404, "not found", None, headers)
        try:
            reply = operation()
        except Refusal as refusal:
            raise Refusal(refusal.reply.status, refusal.reply.body, headers) from None
        return Reply(reply.status, reply.body, {**headers, **reply.headers})

    def settle(self) -> None:
        """Carry out what is due by now."""
        now = self._clock()
        for account in self.accounts.values():
            self._contacts.settle(account)
            account.settle(now)

    def _count(self, erasing: bool) -> tuple[bool, dict[str, str]]:
        window = self._erase_calls if erasing else self._calls
        limit = self.settings.erase_jobs_per_minute if erasing else self.settings.calls_per_minute
        granted, left, end = window.take(limit)
        reset = window.left(end) if erasing else int(end)
        named = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": left, "X-RateLimit-Reset": reset}
        return granted, {name: str(value) for name, value in named.items()}

    def _account(self, ask: Ask) -> Account:
        account = self.accounts.get(ask.headers.get("on-behalf-of", ""))
        if account is None:
            raise refused(401, "authorization required")
        return account

    def _scopes(self, ask: Ask) -> Reply:
        self._account(ask)
        return Reply(body={"scopes": list(self.settings.scopes)})

    def _subusers(self, ask: Ask) -> Reply:
        subusers = [account for account in self.accounts.values() if account.username]
        try:
            limit, offset = int(ask.query.get("limit", 500)), int(ask.query.get("offset", 0))
        except ValueError:
            raise refused(400, "limit and offset must be whole numbers") from None
        shown = [
            {"disabled": False, "email": f"{one.username}@clique.test", "id": one.number, "username": one.username}
            for one in subusers[offset : offset + limit]
            if ask.query.get("username", one.username) == one.username
        ]
        return Reply(body=shown)

    def _erase(self, ask: Ask) -> Reply:
        if "recipients.erasejob.create" not in self.settings.scopes:
            raise refused(403, "access forbidden", "")
        emails = ask.json.get("email_addresses") if isinstance(ask.json, dict) else None
        if not isinstance(emails, list) or not 1 <= len(emails) <= MAX_ERASED or len(ask.body) > MAX_ERASE_BYTES:
            raise refused(400, "email_addresses must have 1 to 5000 addresses in at most 256 KB", "email_addresses")
        wrong = [email for email in emails if not is_address(email)]
        if wrong:
            entries = [{"message": f"Email_address {one} is not valid", "field": "email_addresses"} for one in wrong]
            raise Refusal(400, {"errors": entries})
        due = self._clock() + timedelta(seconds=self.settings.erase_seconds)
        chosen = emails[:: 2 if ask.partial else 1]
        erasure = Erasure(str(uuid.uuid4()), frozenset(email.lower() for email in chosen), due)
        self._account(ask).erasures.append(erasure)
        return Reply(202, {"job_id": erasure.job_id})

    def _messages(self, ask: Ask) -> Reply:
        self._need_feed()
        limit = ask.query.get("limit", "10")
        shown = self._matching(self._account(ask), FEED, ask.query.get("query", ""), limit)
        return Reply(body={"messages": [_activity(message) for message in shown]})

    def _logs(self, ask: Ask) -> Reply:
        body = ask.json if isinstance(ask.json, dict) else {}
        chosen = body.get("subusers") or [str(self._account(ask).number)]
        if not isinstance(chosen, list) or len(chosen) > 1:
            raise refused(400, "subusers must have the id of one subuser", "subusers")
        account, limit = self._numbered(chosen[0]), str(body.get("limit", 10))
        shown = self._matching(account, LOGS, body.get("query") or "", limit)
        return Reply(body={"messages": [_log(message) for message in shown]})

    def _log(self, ask: Ask, message_id: str) -> Reply:
        account = self._numbered(ask.query["subuser"]) if "subuser" in ask.query else self._account(ask)
        message = account.activity.get(message_id)
        if message is None or message.at > self._clock():
            raise refused(404, "message not found", "sg_message_id")
        return Reply(body=_details(message))

    def _numbered(self, number: Any) -> Account:
        account = {str(one.number): one for one in self.accounts.values()}.get(str(number))
        if account is None:
            raise refused(400, "subusers must have the id of one subuser", "subusers")
        return account

    def _need_feed(self) -> None:
        if not self.settings.activity_feed:
            raise refused(403, "access forbidden")

    def _matching(self, account: Account, language: Language, query: str, limit: str) -> list[Message]:
        if not limit.isdecimal() or not 1 <= int(limit) <= MAX_MESSAGES:
            raise refused(400, f"limit must be between 1 and {MAX_MESSAGES}", "limit")
        try:
            asked = parse(query, language)
        except BadQuery as problem:
            raise refused(400, str(problem), "query") from None
        now = self._clock()
        found = [one for one in account.messages(asked.recipient) if one.at <= now and asked.holds(one)]
        found.sort(key=lambda message: (message.at, message.msg_id), reverse=True)
        return found[: int(limit)]

    def _send(self, ask: Ask) -> Reply:
        if ask.headers.get("on-behalf-of"):
            raise refused(403, "access forbidden")
        now, message_id = self._clock(), uuid.uuid4().hex[:22]
        visible = now + timedelta(seconds=self.settings.activity_seconds)
        self.sent += mail.send(self.accounts[""], ask.json, message_id, now, visible)
        return Reply(202, None, {"X-Message-Id": message_id})


def _activity(message: Message) -> dict[str, Any]:
    return {
        "from_email": message.from_email,
        "msg_id": message.msg_id,
        "subject": message.subject,
        "to_email": message.to_email,
        "status": message.status,
        "opens_count": message.opens,
        "clicks_count": 0,
        "last_event_time": rfc3339(message.at),
    }


def _log(message: Message) -> dict[str, Any]:
    return {
        "from_email": message.from_email,
        "sg_message_id": message.msg_id,
        "subject": message.subject,
        "to_email": message.to_email,
        "status": "delivered" if message.status == "delivered" else "dropped",
        "sg_message_id_created_at": rfc3339(message.at),
    }


def _details(message: Message) -> dict[str, Any]:
    delivered = message.status == "delivered"
    event = {
        "event": "delivered" if delivered else "dropped",
        "email": message.to_email,
        "sg_message_id": message.msg_id,
        "sg_event_id": f"{message.msg_id}-1",
        "timestamp": int(message.at.timestamp()),
        "smtp-id": f"<{message.msg_id}@clique.test>",
        "custom_args": message.custom_args,
        **({"response": "250 OK", "ip": "192.0.2.25"} if delivered else {"reason": "Unsubscribed Address"}),
    }
    summary = {name: value for name, value in _log(message).items() if name != "sg_message_id_created_at"}
    more = {"api_key_id": "clique", "client_ip": "192.0.2.10", "custom_args": message.custom_args, "events": [event]}
    return {**summary, **more}
