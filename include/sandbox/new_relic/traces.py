"""What the people of the invented company left at New Relic: hardly anybody, as the policy says, and yet somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from random import Random
from urllib.parse import quote

from include.sandbox.draw import DAY, ago
from include.sandbox.estate import Estate
from include.sandbox.identities import as_typed
from include.sandbox.new_relic.api import ACCOUNT, Event, NewRelicSandbox
from include.sandbox.traces import strangers

_PAGES = ("/people", "/imports", "/calendar", "/settings")


def fill(estate: Estate, twin: NewRelicSandbox) -> None:
    """Requests and views of pages without anybody; addresses of 3 % of the users, and strangers, in errors and URLs."""
    rng = estate.rng("new_relic")
    twin.seed(_nobody(estate, rng))
    people = [as_typed(rng, person.email) for person in estate.people if rng.random() < 0.03]
    for address in [*people, *(address for _, address in strangers(estate) if rng.random() < 0.3)]:
        at = ago(estate.as_of, rng, timedelta(), 8 * DAY)
        if rng.random() < 0.5:
            twin.seed([Event("Log", at, {"level": "error", "message": f"cannot invite {address}: mailbox is full"})])
        else:
            url = f"https://app.clique.test/join?email={quote(address, safe='')}"
            twin.seed([Event("PageView", at, {"pageUrl": url, "duration": 0.4})])


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How an operator connects to it."""
    extra = {"account_id": ACCOUNT, "calls_per_second": 1000}
    return {"new_relic": {"host": url, "password": "NRAK-SANDBOX", "extra": extra}}


def _nobody(estate: Estate, rng: Random) -> Iterator[Event]:
    for _ in range(3 * len(estate.people)):
        at, page = ago(estate.as_of, rng, timedelta(), 8 * DAY), rng.choice(_PAGES)
        yield Event("Transaction", at, {"request.uri": page, "duration": round(rng.random(), 3)})
