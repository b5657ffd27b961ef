"""Who of the invented company asked for a demonstration or wrote by the website: some users, strangers, prospects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from include.sandbox import traces
from include.sandbox.draw import DAY, YEAR, ago
from include.sandbox.estate import Estate
from include.sandbox.identities import as_typed
from include.sandbox.wix.model import Contact, Conversation, Member, Record, Submission

if TYPE_CHECKING:
    from include.sandbox.wix import WixSandbox

_FORMS = ("5f0e7a11-0000-4000-8000-0000000000d1", "5f0e7a11-0000-4000-8000-0000000000c2")
_SAID = ("Please show me the platform.", "What does it cost?", "Can you call me?")


def fill(estate: Estate, twin: WixSandbox) -> None:
    """Contacts of 20 % of the users and more of the strangers; submissions, a few members and conversations."""
    rng = estate.rng("wix")
    twin.seed(_records(estate, rng))


def _records(estate: Estate, rng: Random) -> Iterator[Record]:
    for person in estate.people:
        addresses = (person.email, *estate.identities[person.uid].past_emails)
        if rng.random() < 0.20:
            yield from _visitor(estate, rng, person.name, addresses)
    for name, address in traces.strangers(estate):
        yield from _visitor(estate, rng, name, (address,))


def _visitor(estate: Estate, rng: Random, name: str, addresses: tuple[str, ...]) -> Iterator[Record]:
    created = ago(estate.as_of, rng, DAY, 5 * YEAR, skew=1.2)
    contact, (first, _, last) = _uuid(rng), name.partition(" ")
    known, member = rng.random() < 0.8, rng.random() < 0.08
    # Whoever logs in is active: Wix keeps the contact of a member, however old it is.
    age = ago(estate.as_of, rng, timedelta(), YEAR) if member else ago(estate.as_of, rng, timedelta(), 5 * YEAR)
    active = max(created, age)
    if known:
        yield Contact(contact, tuple(address.lower() for address in addresses), first, last, created, active)
    if rng.random() < 0.9:
        typed = {"first_name_1": first, "email_2": as_typed(rng, rng.choice(addresses)), "message_3": rng.choice(_SAID)}
        yield Submission(_uuid(rng), rng.choice(_FORMS), created, typed, contact=contact if known else "")
    if known and member:
        yield Member(_uuid(rng), addresses[0].lower(), contact, created)
    if known and rng.random() < 0.15:
        yield Conversation(_uuid(rng), contact, addresses[0], rng.choice(_SAID))


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
