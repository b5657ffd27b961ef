"""Facebook on loopback: the company's page with comments and conversations, and the audiences of its ad account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256

from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.meta.model import AD_ACCOUNT, PAGE, SYSTEM_TOKEN, Audience, Settings, Text, Thread
from include.sandbox.meta.people import fill_profile
from include.sandbox.meta.profile import MetaSandbox
from include.sandbox.service import Service
from include.sandbox.traces import strangers

__all__ = ["SERVICE", "Audience", "FacebookSandbox", "Settings", "Text", "Thread"]

SCOPES = (
    "ads_management",
    "business_management",
    "pages_manage_engagement",
    "pages_messaging",
    "pages_read_engagement",
    "pages_read_user_content",
)


class FacebookSandbox(MetaSandbox):
    """The page and the ad account."""

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        super().__init__("facebook", PAGE, faults, journal, clock)
        self.settings.scopes = SCOPES


def fill(estate: Estate, twin: FacebookSandbox) -> None:
    """Two audiences with 40 % of the users, by all their addresses and numbers, and one that looks alike."""
    rng = estate.rng("facebook")
    fill_profile(estate, rng, twin.held, "facebook", visitors=True)
    lists = [Audience("601", "Users"), Audience("602", "Events"), Audience("603", "Lookalike", "LOOKALIKE")]
    twin.held.audiences.update((audience.id, audience) for audience in lists)
    for person in estate.people:
        known = estate.identities[person.uid]
        if rng.random() < 0.40:
            members = {("EMAIL_SHA256", hashed(address)) for address in (person.email, *known.past_emails)}
            members |= {("PHONE_SHA256", hashed(known.phone.lstrip("+")))} if known.phone else set()
            rng.choice(lists[:2]).members |= members
    for _, address in strangers(estate):
        lists[0].members.add(("EMAIL_SHA256", hashed(address)))


def hashed(value: str) -> str:
    """As people are uploaded to an audience."""
    return sha256(value.strip().lower().encode()).hexdigest()


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How to connect to it."""
    extra = {"page_id": PAGE, "ad_account_id": AD_ACCOUNT, "calls_per_second": 1000, "content_per_page": 100}
    return {"facebook": {"host": url, "password": SYSTEM_TOKEN, "extra": extra}}


SERVICE = Service(FacebookSandbox, fill, connections)
