"""What Hotjar saw of the invented company: visits without a name, and a few people who typed an address themselves."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from include.sandbox import traces
from include.sandbox.draw import DAY, ago, identifier
from include.sandbox.estate import Estate
from include.sandbox.hotjar.api import KEPT, SURVEYS
from include.sandbox.hotjar.model import Recording, Response
from include.sandbox.identities import as_typed

if TYPE_CHECKING:
    from include.sandbox.hotjar import HotjarSandbox

_SAID = ("I miss an export.", "It was too slow.", "All is well.", "I could not find the price.")


def fill(estate: Estate, twin: HotjarSandbox) -> None:
    """Recordings of visits, answers of 8 % of the users, of whom one in eight left an address; and of strangers."""
    rng = estate.rng("hotjar")
    for person in estate.people:
        if rng.random() < 0.3:
            twin.seed(recordings=[Recording(identifier(rng), ago(estate.as_of, rng, DAY, KEPT - DAY))])
        if rng.random() < 0.08:
            _answer(estate, rng, twin, person.email if rng.random() < 0.125 else "")
    for _, address in traces.strangers(estate):
        _answer(estate, rng, twin, address)


def _answer(estate: Estate, rng: Random, twin: HotjarSandbox, address: str) -> None:
    at, typed = ago(estate.as_of, rng, DAY, KEPT - DAY), as_typed(rng, address)
    said = rng.choice(_SAID)
    asked = rng.random() < 0.5
    text = said if asked or not address else f"{said} Write to {typed}."
    answer = Response(identifier(rng), rng.choice(tuple(SURVEYS)), at, text, typed if asked else "")
    tied = [Recording(identifier(rng), at, typed)] if address and asked else []
    twin.seed([answer], tied)
