"""Instagram on loopback: the company's professional account with media, comments, answers and conversations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.meta.model import INSTAGRAM, PAGE, SYSTEM_TOKEN, Settings, Text, Thread
from include.sandbox.meta.people import fill_profile
from include.sandbox.meta.profile import MetaSandbox
from include.sandbox.service import Service

__all__ = ["SERVICE", "InstagramSandbox", "Settings", "Text", "Thread"]

SCOPES = (
    "business_management",
    "instagram_basic",
    "instagram_manage_comments",
    "instagram_manage_messages",
    "pages_manage_metadata",
    "pages_read_engagement",
)


class InstagramSandbox(MetaSandbox):
    """The account."""

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        super().__init__("instagram", INSTAGRAM, faults, journal, clock)
        self.settings.scopes = SCOPES


def fill(estate: Estate, twin: InstagramSandbox) -> None:
    """Comments and conversations of those whose account is known."""
    fill_profile(estate, estate.rng("instagram"), twin.held, "instagram", visitors=False)


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How to connect to it."""
    extra = {"page_id": PAGE, "instagram_id": INSTAGRAM, "calls_per_second": 1000, "content_per_page": 100}
    return {"instagram": {"host": url, "password": SYSTEM_TOKEN, "extra": extra}}


SERVICE = Service(InstagramSandbox, fill, connections)
