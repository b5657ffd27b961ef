"""SendGrid on loopback: contacts, suppressions, activity, erasure of addresses, and mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from include.sandbox.faults import Faults, Journal
from include.sandbox.rest import serve
from include.sandbox.sendgrid.api import SUBUSER, SendGridApi
from include.sandbox.sendgrid.errors import error
from include.sandbox.sendgrid.model import GROUPS, Account, Contact, Message, Sent, Suppressed
from include.sandbox.sendgrid.settings import Settings

__all__ = ["GROUPS", "SUBUSER", "Contact", "Message", "SendGridSandbox", "Sent", "Settings", "Suppressed"]

_NAMES = {"unsubscribes": "global_unsubscribes"}


class SendGridSandbox:
    """The service and what it holds, for the account (``""``) and a subuser. Any API key is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://api.sendgrid.com``. ``settings`` can be
    changed while it runs, ``sent`` are the mails that were handed over, in their order.

    Args:
        faults: shared with the other services of the sandbox; this one is ``sendgrid``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._api = SendGridApi(clock)
        self.settings = self._api.settings
        self.app = serve(self._api.handle, "sendgrid", faults, journal, error)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """Mails that were handed over."""
        return tuple(self._api.sent)

    def account(self, username: str = "") -> Account:
        """What is held for the account or a subuser.

        Raises:
            KeyError: there is no such subuser.
        """
        return self._api.accounts[username]

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        for account in self._api.accounts.values():
            account.clear()
        self._api.sent.clear()

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record; ``sent`` is what the recipients got, not the vendor."""
        self._api.settle()
        for account in self._api.accounts.values():
            whose = {"subuser": account.username}
            for contact in tuple(account.contacts.values()):
                yield "contacts", {**asdict(contact), **whose}
            for kind, entries in account.suppressions.items():
                for entry in tuple(entries.values()):
                    yield _NAMES.get(kind, kind), {**asdict(entry), **whose}
            for number, group in account.groups.items():
                for email, created in tuple(group.items()):
                    yield "group_unsubscribes", {"email": email, "group": number, "created": created, **whose}
            for message in tuple(account.activity.values()):
                yield "activity", {**asdict(message), **whose}
        for mail in self.sent:
            yield "sent", asdict(mail)
