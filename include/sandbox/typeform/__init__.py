"""Typeform on loopback: forms and answers, as an account with a personal access token sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.faults import Faults, Journal
from include.sandbox.rest import serve
from include.sandbox.service import Service
from include.sandbox.typeform.api import FORMS, Settings, TypeformApi, error
from include.sandbox.typeform.fill import fill
from include.sandbox.typeform.model import Answer

__all__ = ["FORMS", "SERVICE", "Answer", "Settings", "TypeformSandbox"]


class TypeformSandbox:
    """The service and what it holds. Any bearer token is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://api.typeform.com``. ``settings`` can be
    changed while it runs.

    Args:
        faults: shared with the other services of the sandbox; this one is ``typeform``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._api = TypeformApi()
        self.settings: Any = self._api.settings
        self.app: ASGIApp = serve(self._api.handle, "typeform", faults, journal, error)

    def seed(self, answers: Iterable[Answer]) -> None:
        """Put answers in; each names its form."""
        for answer in answers:
            self._api.answers[answer.form][answer.id] = answer

    def reset(self) -> None:
        """Forget all answers; the forms and the settings stay."""
        self._api.clear()

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for held in self._api.answers.values():
            for answer in tuple(held.values()):
                yield "answers", asdict(answer)


def _connections(url: str) -> dict[str, dict[str, object]]:
    return {"typeform": {"host": url, "password": "tfp_sandbox", "extra": {"calls_per_second": 1000}}}


SERVICE = Service(TypeformSandbox, fill, _connections)
