"""Hotjar on loopback: surveys with their answers, and recordings, some of them tied to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.faults import Faults, Journal
from include.sandbox.hotjar.api import ORGANIZATION, SITE, SURVEYS, HotjarApi, error
from include.sandbox.hotjar.fill import fill
from include.sandbox.hotjar.model import Recording, Response, Settings
from include.sandbox.rest import serve
from include.sandbox.service import Service

__all__ = ["ORGANIZATION", "SERVICE", "SITE", "SURVEYS", "HotjarSandbox", "Recording", "Response", "Settings"]


class HotjarSandbox:
    """The service and what it holds. Any client id and secret get a token, none does not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://api.hotjar.io``. ``settings`` can be
    changed while it runs.

    Args:
        faults: shared with the other services of the sandbox; this one is ``hotjar``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._api = HotjarApi(clock)
        self.settings: Any = self._api.settings
        self.app: ASGIApp = serve(self._api.handle, "hotjar", faults, journal, error)

    def seed(self, responses: Iterable[Response] = (), recordings: Iterable[Recording] = ()) -> None:
        """Put records in."""
        self._api.responses.update((response.id, response) for response in responses)
        self._api.recordings.update((recording.id, recording) for recording in recordings)

    def remove(self, collection: str, identifier: str) -> None:
        """Delete the answers of one person to a survey, or a recording, as somebody does it in the dashboard.

        Raises:
            KeyError: there is no such collection or record.
        """
        held: dict[str, dict[str, Any]] = {"responses": self._api.responses, "recordings": self._api.recordings}
        del held[collection][identifier]

    def reset(self) -> None:
        """Forget all data; the settings and the tokens stay."""
        self._api.clear()

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record; ``reports`` are e-mails that people got."""
        self._api.settle()
        for response in tuple(self._api.responses.values()):
            yield "responses", asdict(response)
        for recording in tuple(self._api.recordings.values()):
            yield "recordings", asdict(recording)
        for email in tuple(self._api.reports):
            yield "reports", {"to": email}


def _connections(url: str) -> dict[str, dict[str, object]]:
    extra = {"sites": [SITE], "organization_id": ORGANIZATION, "calls_per_second": 1000}
    return {"hotjar": {"host": url, "login": "sandbox", "password": "sandbox", "extra": extra}}


SERVICE = Service(HotjarSandbox, fill, _connections)
