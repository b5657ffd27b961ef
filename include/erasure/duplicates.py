"""Two requests of one person that only turn out to be the same once the person is identified."""

from __future__ import annotations

from collections.abc import Sequence

from include.erasure.approval import close
from include.erasure.desk import Desk
from include.erasure.status import Outcome, RequestStatus
from include.ledger.entry import Entry, Kind
from include.policy.persons import IdentifierKind, RequestType

JOINED = "joined"
"""Reason for which the later request is closed."""


def join(desk: Desk, refs: Sequence[str]) -> dict[str, str]:
    """Close identified requests whose person an older open one covers that has not been begun.

    Two are of the same person if they know the same user ids, at least one. An erasure covers an account deletion, not
    the other way round.

    Returns:
        the request that each closed one joined.

    Raises:
        Unavailable: vault or ledger did not answer; run again.
    """
    joined: dict[str, str] = {}
    for ref in refs:
        others = [other for other in desk.vault.same_person(ref) if other not in joined]
        if not others:
            continue
        *older, here = _up_to(ref, list(desk.statuses([ref, *others], desk.clock())))
        same = next((there.ref for there in older if _same(desk, there, here)), None)
        if same is not None:
            desk.ledger.append(
                [
                    Entry(Kind.OPERATOR_ACTION, same, body={"what": "joined", "request": ref}),
                    Entry(Kind.OPERATOR_ACTION, ref, body={"what": "same person", "request": same}),
                ]
            )
            close(desk, [ref], JOINED)
            joined[ref] = same
    return joined


def _up_to(ref: str, opened: Sequence[RequestStatus]) -> Sequence[RequestStatus]:
    """Those that were opened before a request, in the ledger's order, and itself."""
    return opened[: next(number for number, status in enumerate(opened, 1) if status.ref == ref)]


def _same(desk: Desk, there: RequestStatus, here: RequestStatus) -> bool:
    one, two = (frozenset(known.values(IdentifierKind.USER_ID)) for known in desk.vault.subjects([there.ref, here.ref]))
    covers = there.type in {here.type, RequestType.ERASURE.value}
    return covers and _not_begun(there) and bool(one) and one == two


def _not_begun(status: RequestStatus) -> bool:
    untouched = all(row.outcome in {Outcome.TO_DO, Outcome.NOT_CONNECTED} for row in status.rows)
    return untouched and not status.cancelled and status.closed is None
