"""X on loopback: the audiences of an ad account, and the direct messages of the company's account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from starlette.types import ASGIApp

from include.sandbox.draw import DAY, ago
from include.sandbox.estate import Estate
from include.sandbox.faults import Faults, Journal
from include.sandbox.rest import serve
from include.sandbox.service import Service
from include.sandbox.traces import strangers
from include.sandbox.twitter.api import (
    ACCESS_TOKEN,
    AD_ACCOUNT,
    OWN,
    Audience,
    Message,
    Settings,
    TwitterApi,
    error,
)

__all__ = ["OWN", "SERVICE", "Audience", "Message", "Settings", "TwitterSandbox", "conversation"]

KEY, KEY_SECRET, TOKEN_SECRET = "sandbox-key", "sandbox-key-secret", "sandbox-token-secret"


class TwitterSandbox:
    """The service and what it holds.

    ``app`` is the ASGI application; its base URL takes the place of ``https://api.x.com`` and of
    ``https://ads-api.x.com``. ``settings`` can be changed while it runs.

    Args:
        faults: shared with the other services of the sandbox; this one is ``twitter``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._api = TwitterApi(clock, (KEY_SECRET, TOKEN_SECRET))
        self.settings = self._api.settings
        self.app: ASGIApp = serve(self._api.handle, "twitter", faults, journal, error)

    @property
    def audiences(self) -> dict[str, Audience]:
        """Audiences by id."""
        return self._api.audiences

    @property
    def messages(self) -> dict[str, Message]:
        """Direct messages on our side by id, those too that are older than the API shows."""
        return self._api.messages

    def reset(self) -> None:
        """Forget all data; the settings stay."""
        self._api.clear()

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        self._api.settle()
        for message in tuple(self.messages.values()):
            yield "messages", asdict(message)
        for audience in tuple(self.audiences.values()):
            for kind, value in sorted(audience.members):
                yield "audience_members", {"audience": audience.id, "kind": kind, "hash": value}


def fill(estate: Estate, twin: TwitterSandbox) -> None:
    """An audience with 30 % of the users, one of visitors, messages of those with an account, most of them recent."""
    rng = estate.rng("twitter")
    users = Audience("2a01", "Users")
    twin.audiences.update({"2a01": users, "2a02": Audience("2a02", "Visitors", "WEB")})
    numbers = iter(range(1_700_000_000_000_000_000, 1_700_000_000_009_000_000))
    for person in estate.people:
        known = estate.identities[person.uid]
        if rng.random() < 0.30:
            users.members |= {("email", hashed(address)) for address in (person.email, *known.past_emails)}
        for account in (one.removeprefix("twitter:") for one in known.external_ids if one.startswith("twitter:")):
            users.members |= {("twitter_id", hashed(account))} if rng.random() < 0.5 else set()
            for other in (account, *([f"{account}1"] if rng.random() < 0.1 else [])):
                for place in range(rng.choice((0, 0, 1, 2, 3))):
                    youngest, oldest = (timedelta(), 20 * DAY) if place else (60 * DAY, 300 * DAY)
                    at = ago(estate.as_of, rng, youngest, oldest)
                    number, sender = str(next(numbers)), rng.choice((other, OWN))
                    text = f"Hello, this is {person.name}" if sender == other else "Thank you for writing."
                    twin.messages[number] = Message(number, sender, conversation(other), at, text)
    users.members |= {("email", hashed(address)) for _, address in strangers(estate)}


def hashed(value: str) -> str:
    """As people are uploaded to an audience."""
    return sha256(value.strip().lower().encode()).hexdigest()


def conversation(account: str) -> str:
    """Id of the conversation of two accounts."""
    return "-".join(sorted((account, OWN), key=lambda number: (len(number), number)))


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How to connect to it."""
    extra = {
        "access_token": ACCESS_TOKEN,
        "access_token_secret": TOKEN_SECRET,
        "ad_account_id": AD_ACCOUNT,
        "calls_per_second": 1000,
        "reads_per_window": 10_000,
        "deletions_per_window": 10_000,
        "deletions_per_day": 10_000,
    }
    return {"twitter": {"host": url, "login": KEY, "password": KEY_SECRET, "extra": extra}}


SERVICE = Service(TwitterSandbox, fill, connections)
