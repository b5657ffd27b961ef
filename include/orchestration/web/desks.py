"""What the pages work with: the desk of the engine, what surrounds a page, and the days as they see them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Path, Request

from include.erasure.desk import Desk
from include.orchestration import desk as clock
from include.orchestration.erasing import open_erasure_desk
from include.orchestration.web.access import MayOpen, User
from include.orchestration.web.answers import root_of
from include.orchestration.web.forms import token_for
from include.reports.request_pages import Shell
from include.subjects.listing import Place


def _desk() -> Iterator[Desk]:
    with open_erasure_desk() as desk:
        yield desk


def _shell(request: Request, user: User, may_open: MayOpen) -> Shell:
    return Shell(root_of(request), may_open, token_for(user, clock.now()) if may_open else "")


AtDesk = Annotated[Desk, Depends(_desk)]
"""Opened for one request, in a thread of its own: vault and ledger block."""
Around = Annotated[Shell, Depends(_shell)]
RequestId = Annotated[str, Path(pattern="^req_[a-z2-7]{16}$")]
BatchId = Annotated[str, Path(pattern="^bat_[a-z2-7]{16}$")]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"([0-9]{1,18})~(req_[a-z2-7]{16})", re.ASCII)


def staff(desk: Desk, user: User) -> str:
    """The pseudonym of whoever is logged in, the same as that of whoever answers a Required Action."""
    return desk.pseudonyms.staff(str(user.get_id()))


def place_in(text: str | None) -> Place | None:
    """Where a page of a list begins, from a query; None for the first one, also for what is no place."""
    found = _PLACE.fullmatch(text or "")
    if found is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=int(found[1])), found[2]
    except OverflowError:
        return None


def query_of(place: Place) -> str:
    """The inverse of :func:`place_in`."""
    at, ref = place
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}~{ref}"


def path_of(ref: str) -> str:
    """The path of the page of a request or of a batch, below the root."""
    return f"/batches/{ref}" if ref.startswith("bat_") else f"/requests/{ref}"
