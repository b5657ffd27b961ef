"""Many requests in one table: where each stands, what became of it in how many systems, what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from include.erasure.desk import Desk
from include.erasure.standing import next_of
from include.erasure.status import RequestStatus, Stage
from include.subjects.listing import Place, newest
from include.subjects.register import Request

PAGE = 50
"""Requests of one page."""
SCANNED = 2000
"""Most requests that are looked at for one page of a filtered table, and for the figures of a batch."""

_PART = 200


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One request in a table.

    Args:
        id: ``req_…``.
        batch: ``bat_…`` if it came with others.
        type: what was asked for.
        received_at: when the person asked.
        stage: where it stands.
        outcomes: in how many systems which outcome is true, most frequent first; none before there is a plan.
        next_step: what comes next.
    """

    id: str
    batch: str | None
    type: str
    received_at: datetime
    stage: str
    outcomes: tuple[tuple[str, int], ...]
    next_step: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some requests in their order; ``older`` is where the next page begins, if there are more."""

    rows: tuple[RequestRow, ...]
    older: Place | None


def page_of(desk: Desk, *, before: Place | None = None, stage: Stage | None = None, batch: str | None = None) -> Page:
    """A page of requests.

    Args:
        desk: the means.
        before: go on after this place.
        stage: only those that stand there. A page may then be short, or empty, and yet have a next one.
        batch: only those of a batch.

    Raises:
        Unavailable: vault or ledger did not answer.
    """
    rows: list[RequestRow] = []
    scanned = 0
    part = PAGE if stage is None else _PART
    while scanned < SCANNED:
        requests = newest(desk.vault, limit=part + 1, before=before, batch=batch)
        for request, row in zip(requests[:part], _rows(desk, requests[:part]), strict=True):
            before = (request.received_at, request.id)
            if stage is None or row.stage == stage.value:
                rows.append(row)
                if len(rows) == PAGE:
                    return Page(tuple(rows), before if request is not requests[-1] else None)
        scanned += part
        if len(requests) <= part:
            return Page(tuple(rows), None)
    return Page(tuple(rows), before)


def approved_page(desk: Desk) -> Page:
    """The open requests that a push works on, oldest receipt first, among the ``SCANNED`` oldest that are open.

    Raises:
        Unavailable: vault or ledger did not answer.
    """
    oldest = desk.vault.requests(limit=SCANNED + 1)
    requests = {request.id: request for request in oldest[:SCANNED]}
    statuses = [status for status in desk.statuses(list(requests), desk.clock()) if status.approved]
    known = {status.ref: status for status in statuses}
    rows = tuple(_row(requests[ref], known[ref]) for ref in requests if ref in known)
    return Page(rows, (oldest[SCANNED].received_at, oldest[SCANNED].id) if len(oldest) > SCANNED else None)


def stages_of(desk: Desk, refs: Sequence[str]) -> dict[str, int]:
    """How many of some requests stand in which stage, in the order of the work."""
    counts = Counter(status.stage for status in desk.statuses(refs, desk.clock()))
    return {stage.value: counts[stage] for stage in Stage if counts[stage]}


def _rows(desk: Desk, requests: Sequence[Request]) -> list[RequestRow]:
    known = {status.ref: status for status in desk.statuses([one.id for one in requests], desk.clock())}
    return [_row(request, known.get(request.id)) for request in requests]


def _row(request: Request, status: RequestStatus | None) -> RequestRow:
    """``status`` is None for a moment, or after a crash: the vault has the request and the ledger not yet."""
    outcomes = Counter(row.outcome.value for row in status.rows) if status is not None and status.digest else Counter()
    return RequestRow(
        id=request.id,
        batch=request.batch,
        type=request.type.value,
        received_at=request.received_at,
        stage=Stage.RECEIVED.value if status is None else status.stage.value,
        outcomes=tuple(outcomes.most_common()),
        next_step="It is being opened." if status is None else next_of(status),
    )
