"""A site of Wix on loopback: contacts, members, submissions of forms, and the conversations of its inbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.faults import Faults, Journal
from include.sandbox.rest import serve
from include.sandbox.service import Service
from include.sandbox.wix.api import SITE, WixApi, error
from include.sandbox.wix.fill import fill
from include.sandbox.wix.model import Contact, Conversation, Member, Settings, Submission

__all__ = ["SERVICE", "SITE", "Contact", "Conversation", "Member", "Settings", "Submission", "WixSandbox"]


class WixSandbox:
    """The service and what it holds. Any API key is accepted for the one site, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://www.wixapis.com``. ``settings`` can be
    changed while it runs.

    Args:
        faults: shared with the other services of the sandbox; this one is ``wix``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._api = WixApi(clock)
        self.settings: Any = self._api.settings
        self.app: ASGIApp = serve(self._api.handle, "wix", faults, journal, error)

    def seed(self, records: Iterable[Contact | Member | Submission | Conversation]) -> None:
        """Put records in."""
        for record in records:
            self._api.held.of(type(record))[record.id] = record

    def remove(self, collection: str, identifier: str) -> None:
        """Delete a record for good, as a person does it in the dashboard.

        Raises:
            KeyError: there is no such collection or record.
        """
        del self._api.held.collections[collection][identifier]

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        self._api.held.clear()

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record; ``trash`` is what can be restored."""
        for collection, held in self._api.held.collections.items():
            for record in tuple(held.values()):
                yield collection, asdict(record)


def _connections(url: str) -> dict[str, dict[str, object]]:
    return {"wix": {"host": url, "password": "sandbox", "extra": {"site_id": SITE, "calls_per_second": 1000}}}


SERVICE = Service(WixSandbox, fill, _connections)
