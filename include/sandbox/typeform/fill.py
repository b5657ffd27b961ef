"""What people of the invented company answered: a share of the users, some strangers, some prospects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from include.sandbox import traces
from include.sandbox.draw import DAY, YEAR, ago
from include.sandbox.estate import Estate
from include.sandbox.identities import as_typed
from include.sandbox.typeform.api import FORMS
from include.sandbox.typeform.model import Answer

if TYPE_CHECKING:
    from include.sandbox.typeform import TypeformSandbox

_SECOND = timedelta(seconds=1)
_SAID = ("We are a team of nine.", "Please call me.", "I found you at an event.", "It is all right so far.")


def fill(estate: Estate, twin: TypeformSandbox) -> None:
    """Answers of 25 % of the users and more of the strangers; one in six was never sent off."""
    rng = estate.rng("typeform")
    twin.seed(_answers(estate, rng))


def _answers(estate: Estate, rng: Random) -> Iterator[Answer]:
    for person in estate.people:
        addresses = (person.email, *estate.identities[person.uid].past_emails)
        for _ in range(rng.choice((1, 1, 2)) if rng.random() < 0.25 else 0):
            yield _answer(estate, rng, rng.choice(addresses), person.uid)
    for _, address in traces.strangers(estate):
        yield _answer(estate, rng, address, "")


def _answer(estate: Estate, rng: Random, address: str, uid: str) -> Answer:
    begun, typed = ago(estate.as_of, rng, DAY, 3 * YEAR, skew=1.3).replace(microsecond=0), as_typed(rng, address)
    place, number = rng.random(), f"{rng.getrandbits(128):032x}"
    return Answer(
        form=rng.choice(tuple(FORMS)),
        id=number,
        landed_at=begun,
        submitted_at=begun + rng.randrange(1800) * _SECOND if rng.random() > 0.16 else None,
        email=typed if place < 0.6 else "",
        text=f"{rng.choice(_SAID)} My address is {typed}." if 0.6 <= place < 0.8 else rng.choice(_SAID),
        hidden={"user_id": uid, "source": "app"} if uid and place >= 0.7 else {"email": typed} if place >= 0.8 else {},
        file_url=f"https://api.typeform.com/files/{number[:12]}/a.pdf" if rng.random() < 0.05 else "",
    )
