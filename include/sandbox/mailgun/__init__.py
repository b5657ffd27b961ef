"""Mailgun on loopback: suppressions of two domains, mailing lists, events, and mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from include.sandbox.faults import Faults, Journal
from include.sandbox.mailgun.api import DOMAINS, MailgunApi
from include.sandbox.mailgun.errors import error
from include.sandbox.mailgun.model import Domain, Entry, Event, MailingList, Member, Sent
from include.sandbox.mailgun.settings import Settings
from include.sandbox.rest import serve

__all__ = ["DOMAINS", "Entry", "Event", "MailgunSandbox", "MailingList", "Member", "Sent", "Settings"]


class MailgunSandbox:
    """The service and what it holds. The user is ``api``; any key is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://api.mailgun.net``. ``settings`` can be
    changed while it runs.

    Args:
        faults: shared with the other services of the sandbox; this one is ``mailgun``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._api = MailgunApi(clock)
        self.settings = self._api.settings
        self.app = serve(self._api.handle, "mailgun", faults, journal, error)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """Mails that were handed over."""
        return tuple(self._api.sent)

    @property
    def lists(self) -> dict[str, MailingList]:
        """Mailing lists by address."""
        return self._api.lists

    def domain(self, name: str) -> Domain:
        """What is held for a domain.

        Raises:
            KeyError: there is no such domain.
        """
        return self._api.domains[name]

    def reset(self) -> None:
        """Forget all data; the domains and the settings stay."""
        for domain in self._api.domains.values():
            domain.clear()
        self._api.lists.clear()
        self._api.sent.clear()

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record; ``sent`` is what the recipients got, not the vendor."""
        self._api.settle()
        for domain in self._api.domains.values():
            for table, entries in domain.tables.items():
                for entry in tuple(entries.values()):
                    yield table, {**asdict(entry), "domain": domain.name}
            for event in tuple(domain.events.values()):
                yield "events", {**asdict(event), "domain": domain.name}
        for address, mailing in tuple(self._api.lists.items()):
            for member in tuple(mailing.members.values()):
                yield "members", {**asdict(member), "list": address}
        for mail in self.sent:
            yield "sent", asdict(mail)
