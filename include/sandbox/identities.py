"""The people of the invented company and all that they are known by: what a look for one person must find.

Phone numbers are of the range that Ofcom reserves for drama (+44 7700 900xxx), extended by digits that no network has.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from include.sandbox import names
from include.sandbox.draw import YEAR, ago, identifier
from include.sandbox.records import Fields, Identity, Person

_URL_SAFE = string.ascii_letters + string.digits + "-_"
_TOKENS = string.ascii_letters + string.digits


def person(rng: Random, as_of: datetime, workspaces: Sequence[str]) -> Person:
    """A user of one of the workspaces, with a past of up to six years."""
    workspace = rng.choice(workspaces)
    name, local = names.person(rng)
    created = ago(as_of, rng, timedelta(), 6 * YEAR)
    spent = as_of - created
    login = created + (1 - rng.random() ** 0.55) * spent if rng.random() > 0.04 else None
    closed = rng.random() < 0.08
    domain = workspaces.index(workspace)
    return Person(
        uid=identifier(rng, 28),
        name=name,
        email=f"{local}@customer{domain}.test" if rng.random() < 0.8 else f"{local}@example.com",
        workspace=workspace,
        verified=rng.random() > 0.06,
        created_at=created,
        last_login_at=login,
        closed_at=(login or created) + rng.random() * (as_of - (login or created)) if closed else None,
    )


def identity(rng: Random, person: Person, workspaces: Sequence[str]) -> Identity:
    """The identity of a person, drawn from ``rng``."""
    second = [rng.choice(workspaces)] if rng.random() < 0.10 else []
    made = int(person.created_at.timestamp())
    return Identity(
        workspaces=list(dict.fromkeys([person.workspace, *second])),
        past_emails=[_past(rng, person)] if rng.random() < 0.15 else [],
        analytics_client_ids=[f"{rng.randrange(10**8, 10**10)}.{made + n}" for n in range(rng.choice((1, 1, 2)))],
        analytics_app_instance_ids=[f"{rng.getrandbits(128):032x}"] if rng.random() < 0.4 else [],
        push_ids=[str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(rng.choice((0, 1, 1, 2)))],
        installation_ids=["".join(rng.choices(_URL_SAFE, k=22)) for _ in range(rng.choice((0, 1, 1, 2)))],
        oauth_tokens=_oauth_tokens(rng),
        external_ids=[],
        notification_channels=[],
        phone=f"+447700900{rng.randrange(10**5):05}" if rng.random() < 0.10 else "",
        provider=_provider(rng, person.email) if rng.random() < 0.15 else {},
    )


def profile_fields(known: Identity) -> Fields:
    """The part of an identity that the profile of a user holds."""
    return {
        "workspaces": known.workspaces,
        "past_emails": known.past_emails,
        "analytics_client_ids": known.analytics_client_ids,
        "analytics_app_instance_ids": known.analytics_app_instance_ids,
        "push_ids": known.push_ids,
        "installation_ids": known.installation_ids,
        "oauth_tokens": known.oauth_tokens,
        "external_ids": known.external_ids,
        "notification_channels": known.notification_channels,
    }


def connected(rng: Random, known: Identity) -> Identity:
    """The same identity with what the person connected: accounts at other services, and channels of a calendar."""
    has = {token.partition(":")[0] for token in known.oauth_tokens}
    digits = {"facebook": (0.15, 16), "instagram": (0.10, 17), "twitter": (0.10, 18)}
    accounts = [
        f"{service}:{rng.randrange(10 ** (length - 1), 10**length)}"
        for service, (share, length) in digits.items()
        if rng.random() < share
    ]
    if rng.random() < 0.20:
        accounts.append("linkedin:" + "".join(rng.choices(string.ascii_lowercase, k=12)))
    if "microsoft" in has:
        accounts.append(f"microsoft:{UUID(int=rng.getrandbits(128), version=4)}")
    channel = f"google:{UUID(int=rng.getrandbits(128), version=4)}/{''.join(rng.choices(_URL_SAFE, k=27))}"
    signed_in = known.provider.get("providerId") == "oidc.linkedin"
    return replace(
        known,
        oauth_tokens=[*known.oauth_tokens, *(["linkedin:AQ" + "".join(rng.choices(_URL_SAFE, k=80))] * signed_in)],
        external_ids=accounts,
        notification_channels=[channel] if "google" in has and rng.random() < 0.5 else [],
    )


def look_alike(rng: Random, address: str) -> str:
    """Another person's address that holds this one, or that a careless comparison takes for it."""
    local, _, domain = address.partition("@")
    return rng.choice((f"jo{address}", f"jo-{address}", f"{local}+shop@{domain}", f"{address}.example"))


def as_typed(rng: Random, address: str) -> str:
    """The address as some people type it: with capitals."""
    return address.title() if rng.random() < 0.3 else address


def _past(rng: Random, person: Person) -> str:
    local, _, domain = person.email.partition("@")
    if rng.random() < 0.2:
        return f"jo{local}@{domain}"
    return f"{local.rstrip(string.digits)}{rng.randrange(10_000, 100_000)}@past{rng.randrange(60)}.example"


def _oauth_tokens(rng: Random) -> list[str]:
    tokens = []
    if rng.random() < 0.30:
        tokens.append("google:1//0" + "".join(rng.choices(_URL_SAFE, k=60)))
    if rng.random() < 0.10:
        tokens.append("microsoft:M.C5" + "".join(rng.choices(_TOKENS, k=60)))
    return tokens


def _provider(rng: Random, email: str) -> dict[str, str]:
    if rng.random() < 0.7:
        raw = str(rng.randrange(10**20, 10**21))
        return {"providerId": "google.com", "federatedId": f"https://accounts.google.com/{raw}"} | _raw(raw, email)
    raw = "".join(rng.choices(_TOKENS, k=10))
    return {"providerId": "oidc.linkedin", "federatedId": raw} | _raw(raw, email)


def _raw(identifier: str, email: str) -> dict[str, str]:
    return {"rawId": identifier, "email": email}
