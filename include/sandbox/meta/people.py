"""What the people of the invented company left on a profile: comments, answers, conversations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from include.sandbox.draw import DAY, YEAR, ago
from include.sandbox.estate import Estate
from include.sandbox.meta.model import Held, Text, Thread

_SAID = ("Great event!", "When is the next one?", "My name is {name}.", "Could you call me back?", "Thank you.")
_CONTENT = 24
"""Posts or media of the company."""


def fill_profile(estate: Estate, rng: Random, held: Held, name: str, *, visitors: bool) -> None:
    """Content of the company, and below it what those wrote whose account there is known, and strangers.

    Args:
        estate: the company.
        rng: of the service.
        held: is filled.
        name: of the service, as it stands before the ids of accounts.
        visitors: whether people can post on the profile themselves.
    """
    content = [
        Text(f"{1000 + place}", "", "Clique", "News", ago(estate.as_of, rng, 300 * DAY, YEAR))
        for place in range(_CONTENT)
    ]
    held.add(*content)
    numbers = iter(range(5_000_000, 9_000_000))
    for account, person in accounts(estate, rng, name):
        for _ in range(rng.choice((0, 1, 1, 2))):
            post = rng.choice(content)
            comment = _text(rng, estate, f"{post.id}_{next(numbers)}", account, person, post.id)
            held.add(comment)
            if rng.random() < 0.3:
                held.add(_text(rng, estate, f"{post.id}_{next(numbers)}", "", "Clique", comment.id))
            if rng.random() < 0.15:
                held.add(_text(rng, estate, f"{post.id}_{next(numbers)}", f"7{account}", "Jo", comment.id))
        if visitors and rng.random() < 0.1:
            held.add(_text(rng, estate, f"{next(numbers)}", account, person, ""))
        if rng.random() < 0.5:
            thread, at = f"t_{next(numbers)}", ago(estate.as_of, rng, timedelta(), YEAR)
            said = (False, rng.choice(_SAID).format(name=person)), (True, "We come back to you.")
            held.threads[thread] = Thread(thread, account, person, at, said)


def accounts(estate: Estate, rng: Random, name: str) -> Iterator[tuple[str, str]]:
    """Ids and names of people at a service; now and then a stranger whose id holds that of a user."""
    for person in estate.people:
        for known in estate.identities[person.uid].external_ids:
            service, _, number = known.partition(":")
            if service == name:
                yield number, person.name
                if rng.random() < 0.1:
                    yield f"{number}1", "Jo Stranger"


def _text(rng: Random, estate: Estate, number: str, author: str, name: str, parent: str) -> Text:
    at = ago(estate.as_of, rng, timedelta(), 300 * DAY)
    return Text(number, author, name, rng.choice(_SAID).format(name=name), at, parent)
