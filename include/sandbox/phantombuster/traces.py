"""What the people of the invented company left at PhantomBuster: leads of the last months, and results of runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from random import Random

from include.sandbox import names
from include.sandbox.draw import DAY, ago, identifier
from include.sandbox.estate import Estate
from include.sandbox.identities import as_typed
from include.sandbox.phantombuster.api import PhantomBusterSandbox
from include.sandbox.phantombuster.model import ALL, Edition, Lead, Run
from include.sandbox.traces import strangers

AGENTS = ("3010001", "3010002")


def leads(estate: Estate) -> Iterator[Lead]:
    """Leads of 15 % of the users and of strangers, collected in the last 90 days, some of them twice.

    Who connected a profile of LinkedIn is known by its name there, half of the others by an address only.
    """
    rng = estate.rng("phantombuster leads")
    for number, (name, address, profiles) in enumerate(_people(estate)):
        share = 0.15 if profiles is not None else 0.8
        if rng.random() > share:
            continue
        first = ago(estate.as_of, rng, timedelta(), 90 * DAY)
        again = [first + rng.random() * (estate.as_of - first)] if rng.random() < 0.3 else []
        given, _, family = name.partition(" ")
        emails = (as_typed(rng, address),) if not profiles or rng.random() < 0.5 else ()
        private = rng.random() < 0.3
        yield Lead(
            id=f"{8_000_000 + number}",
            slug=next(iter(profiles or ()), "") or f"{given.lower()}-{rng.randrange(10**6):06}",
            first_name=given,
            last_name=family,
            company=names.company(rng),
            editions=tuple(Edition(at, rng.choice(AGENTS)) for at in (first, *again)),
            professional_emails=() if private else emails,
            personal_emails=emails if private else (),
        )


def fill(estate: Estate, twin: PhantomBusterSandbox) -> None:
    """Leads, and runs of two agents whose results name 3 % of the users."""
    rng = estate.rng("phantombuster")
    twin.seed(leads(estate))
    rows = [_row(rng, name, address, profiles) for name, address, profiles in _people(estate) if rng.random() < 0.03]
    for start in range(0, len(rows), 3):
        at = ago(estate.as_of, rng, timedelta(), 30 * DAY)
        twin.seed(runs=[Run(identifier(rng, 12), rng.choice(AGENTS), at, tuple(rows[start : start + 3]))])
    twin.seed(runs=[Run(identifier(rng, 12), AGENTS[0], estate.as_of - DAY, None)])


def connections(url: str) -> Mapping[str, Mapping[str, object]]:
    """How an operator connects to it."""
    extra = {"list_id": ALL, "calls_per_second": 1000}
    return {"phantombuster": {"host": url, "password": "sandbox", "extra": extra}}


def _people(estate: Estate) -> Iterator[tuple[str, str, list[str] | None]]:
    """Name, address and names of LinkedIn profiles; None of the latter for strangers."""
    for person in estate.people:
        known = estate.identities[person.uid].external_ids
        yield person.name, person.email, [one.partition(":")[2] for one in known if one.startswith("linkedin:")]
    for name, address in strangers(estate):
        yield name, address, None


def _row(rng: Random, name: str, address: str, profiles: list[str] | None) -> dict[str, str]:
    slug = next(iter(profiles or ()), "") or f"{name.split()[0].lower()}-{rng.randrange(10**6):06}"
    row = {"profileUrl": f"https://www.linkedin.com/in/{slug}/", "fullName": name}
    return row if profiles else {**row, "email": as_typed(rng, address)}
