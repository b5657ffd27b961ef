"""Mailgun's API as far as a person's data needs it, with its traps.

Everything about suppressions is per domain; a path without an address is the whole table; nothing deletes an event;
mail to a suppressed address is queued and then fails.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from include.sandbox.mailgun.errors import refused
from include.sandbox.mailgun.events import Events
from include.sandbox.mailgun.lists import Lists
from include.sandbox.mailgun.model import Domain, Event, MailingList, Sent, rfc2822
from include.sandbox.mailgun.settings import Settings
from include.sandbox.mailgun.suppressions import Suppressions
from include.sandbox.rest import Ask, Refusal, Reply, Routes, Window

DOMAINS = ("mail.clique.test", "news.clique.test")
_ADDRESS = re.compile(r"(?:[^<>]*<)?([^\s@<>,]+@[^\s@<>,]+\.[^\s@<>,]+)>?")
_FOUNDED = datetime.fromisoformat("2020-03-01T09:00:00+00:00")


class MailgunApi:
    """Routes calls; holds the domains and the lists."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self.domains = {name: Domain(name, number) for number, name in enumerate(DOMAINS, 1)}
        self.lists: dict[str, MailingList] = {}
        self.sent: list[Sent] = []
        self._window = Window()
        self._routes = Routes(
            {
                "GET /v4/domains": self._list_domains,
                "POST /v3/{}/messages": self._send,
                **Lists(self.lists).table,
                **Events(self._domain, self.domains.values(), clock).table,
                **Suppressions(self._domain, clock, self.settings).table,
            }
        )

    def handle(self, ask: Ask) -> Reply:
        """Answer one call."""
        if ask.basic[0] != "api" or not ask.basic[1]:
            raise Refusal(401, "Forbidden" if ask.path.startswith("/v3") else {"message": "Invalid private key"})
        self.settle()
        try:
            operation = self._routes.find(ask)
        except Refusal:
            raise refused(405, "Method Not Allowed") from None
        if operation is None:
            raise refused(404, "Not Found")
        return operation()

    def settle(self) -> None:
        """Forget what is past its retention."""
        now = self._clock()
        for domain in self.domains.values():
            domain.settle(now)

    def _domain(self, name: str) -> Domain:
        domain = self.domains.get(name.lower())
        if domain is None:
            raise refused(404, f"Domain not found: {name}")
        return domain

    def _list_domains(self, ask: Ask) -> Reply:
        granted, _, end = self._window.take(self.settings.domain_calls_per_minute)
        if not granted:
            raise refused(429, "Too Many Requests", {"retry-seconds": self._window.left(end)})
        limit, skip = ask.query.get("limit") or "100", ask.query.get("skip") or "0"
        if not (limit.isdecimal() and skip.isdecimal() and 1 <= int(limit) <= 1000):
            raise refused(400, "limit must be between 1 and 1000")
        shown = list(self.domains.values())[int(skip) : int(skip) + int(limit)]
        return Reply(body={"total_count": len(self.domains), "items": [_shown(domain) for domain in shown]})

    def _send(self, ask: Ask, name: str) -> Reply:
        domain, form = self._domain(name), dict(ask.form)
        recipients = [
            part.strip() for key, value in ask.form if key in ("to", "cc", "bcc") for part in value.split(",")
        ]
        for field, value in (("from", form.get("from")), ("to", form.get("to"))):
            if not value:
                raise refused(400, f"{field} parameter is missing")
        if not all(_ADDRESS.fullmatch(part) for part in [*recipients, form["from"]]):
            raise refused(400, "to parameter is not a valid address. please check documentation")
        if not any(form.get(kind) for kind in ("text", "html", "amp-html", "template")):
            message = "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified"
            raise refused(400, message)
        given = next((value for field, value in form.items() if field.lower() == "h:message-id"), "")
        made = f"{self._clock():%Y%m%d%H%M%S}.{uuid.uuid4().hex[:16]}@{domain.name}"
        message_id = given.strip("<> ") or made
        for recipient in recipients:
            self._deliver(domain, _bare(recipient), form, message_id)
        return Reply(body={"id": f"<{message_id}>", "message": "Queued. Thank you."})

    def _deliver(self, domain: Domain, recipient: str, form: dict[str, str], message_id: str) -> None:
        now = self._clock()
        key = recipient.lower()
        blocked = next((t for t in ("bounces", "unsubscribes", "complaints") if key in domain.tables[t]), "")
        variables = {field.removeprefix("v:"): value for field, value in form.items() if field.startswith("v:")}
        sender, subject = _bare(form["from"]), form.get("subject", "")
        text = form.get("text") or form.get("html", "")
        self.sent.append(Sent(message_id, domain.name, recipient, sender, subject, text, variables, now, not blocked))
        visible = now + timedelta(seconds=self.settings.event_seconds)
        reason = f"suppress-{blocked.removesuffix('s')}" if blocked else ""
        for kind, why in (("accepted", ""), ("failed" if blocked else "delivered", reason)):
            number = uuid.uuid4().hex[:22]
            domain.add_event(Event(number, kind, visible, recipient, sender, subject, message_id, dict(variables), why))


def _bare(text: str) -> str:
    match = _ADDRESS.fullmatch(text.strip())
    return match[1] if match else text


def _shown(domain: Domain) -> dict[str, Any]:
    return {
        "created_at": rfc2822(_FOUNDED),
        "id": f"{domain.number:024x}",
        "is_disabled": False,
        "name": domain.name,
        "require_tls": True,
        "skip_verification": False,
        "smtp_login": f"postmaster@{domain.name}",
        "spam_action": "disabled",
        "state": "active",
        "type": "custom",
        "use_automatic_sender_security": False,
        "web_prefix": "email",
        "web_scheme": "https",
        "wildcard": False,
        "disabled": None,
        "encrypt_incoming_message": False,
        "message_ttl": 259_200,
    }
