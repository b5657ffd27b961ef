"""The pages about requests that only show: the list, one request, a batch, the summary to keep."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter, Response

from include.erasure.desk import Desk
from include.erasure.manual import is_waiting
from include.erasure.overview import SCANNED, page_of, stages_of
from include.erasure.status import Outcome, RequestStatus, Stage
from include.erasure.summary import summary_of
from include.errors import Refused
from include.orchestration.web.access import OPENS_REQUESTS, READS_REQUESTS
from include.orchestration.web.airflow import Airflow, Caller
from include.orchestration.web.answers import REPORT_POLICY, page
from include.orchestration.web.desks import Around, AtDesk, BatchId, RequestId, place_in, query_of
from include.reports import request_pages
from include.reports.request_pages import Offers, Shell, Started, Typed
from include.reports.requests import as_html, as_json
from include.subjects.listing import batch_size, newest

router = APIRouter(dependencies=[READS_REQUESTS])

NOTICES = {
    "opened": "The request is open.",
    "joined": "This person has an open request already: what was handed in was joined to it.",
    "all_joined": "All of them have open requests already: what was handed in was joined to those.",
    "started": "The work on it has been started.",
    "cancelled": "The request is cancelled: no task begins anything new for it.",
    "recorded": "The work by hand is recorded.",
}
"""What a page says after something was done, by the value of ``done`` in its query."""

_STARTABLE = frozenset({Stage.RECEIVED, Stage.AMBIGUOUS, Stage.SEARCHING, Stage.PLANNED})
_OVER = frozenset({Stage.CANCELLED, Stage.CLOSED})


@router.get("/requests")
def listing(desk: AtDesk, shell: Around, stage: str = "", before: str = "", done: str = "") -> Response:
    """All requests, newest first; can be narrowed to a stage."""
    chosen = next((one for one in Stage if one.value == stage), None)
    found = page_of(desk, before=place_in(before), stage=chosen)
    older = None
    if found.older is not None:
        older = urlencode({**({"stage": chosen.value} if chosen else {}), "before": query_of(found.older)})
    html = request_pages.list_page(shell, found, stage=chosen, older=older, notice=NOTICES.get(done, ""))
    return page(html, form=True)


@router.get("/requests/{ref}.json")
def data(ref: RequestId, desk: AtDesk) -> Response:
    """The summary for machines."""
    return Response(as_json(summary_of(desk, ref)), media_type="application/json")


@router.get("/requests/{ref}/summary.html")
def summary(ref: RequestId, desk: AtDesk) -> Response:
    """The summary as a file to keep."""
    name = {"Content-Disposition": f'attachment; filename="{ref}.html"', "Content-Security-Policy": REPORT_POLICY}
    return Response(as_html(summary_of(desk, ref)), media_type="text/html", headers=name)


@router.get("/requests/{ref}/proofs/{name}", dependencies=[OPENS_REQUESTS])
def proof(ref: RequestId, name: str, desk: AtDesk) -> Response:
    """A file that was attached to a request, for those who may attach one."""
    if all(done.file != name for row in summary_of(desk, ref).systems for done in row.by_hand):
        raise Refused("request", "find a proof", "It has none of that name.")
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": REPORT_POLICY}
    return Response(desk.vault.attachment(ref, name), media_type="application/octet-stream", headers=headers)


@router.get("/requests/{ref}")
def one(ref: RequestId, desk: AtDesk, shell: Around, airflow: Caller, done: str = "") -> Response:
    """One request."""
    return shown(ref, desk, shell, airflow, notice=NOTICES.get(done, ""))


@router.get("/batches/{ref}")
def batch(
    ref: BatchId, desk: AtDesk, shell: Around, airflow: Caller, before: str = "", joined: int = 0, skipped: int = 0
) -> Response:
    """The requests that came in together. ``joined`` and ``skipped`` count the other rows of the file."""
    size = batch_size(desk.vault, ref)
    if not size:
        raise Refused("request", "find the batch", "There is none with this id.")
    found = page_of(desk, before=place_in(before), batch=ref)
    html = request_pages.batch_page(
        shell,
        ref,
        found,
        size=size,
        stages=stages_of(desk, [request.id for request in newest(desk.vault, limit=SCANNED, batch=ref)]),
        older=None if found.older is None else urlencode({"before": query_of(found.older)}),
        started=airflow.of(ref),
        notice=_rest(joined, skipped),
    )
    return page(html, form=True)


def shown(
    ref: str,
    desk: Desk,
    shell: Shell,
    airflow: Airflow,
    *,
    notice: str = "",
    wrong: Mapping[str, Typed] | None = None,
) -> Response:
    """The page of a request, with what is wrong about a form of it that was refused."""
    told = summary_of(desk, ref)
    status = next(desk.statuses([ref], desk.clock()))
    refs = [ref] if status.batch is None else [ref, status.batch]
    startable = may_start(status)
    started = airflow.of(*refs) if startable else Started()
    offers = Offers(
        start=shell.may_open and startable and started.known and not started.active,
        cancel=shell.may_open and status.stage not in _OVER,
        by_hand=tuple(row.system for row in status.rows if shell.may_open and is_waiting(status, row.system)),
    )
    html = request_pages.request_page(shell, told, started=started, offers=offers, notice=notice, wrong=wrong)
    return page(html, 400 if wrong else 200, form=True)


def may_start(status: RequestStatus) -> bool:
    """Whether a run makes sense: nothing is approved yet, or a system asks for a new plan."""
    if status.stage in _OVER:
        return False
    return status.stage in _STARTABLE or any(row.outcome is Outcome.FAILED for row in status.rows)


def _rest(joined: int, skipped: int) -> str:
    parts = (
        f"{joined:,} row(s) of the file joined requests that were open already." if joined > 0 else "",
        f"{skipped:,} row(s) of the file had mistakes and were left out." if skipped > 0 else "",
    )
    return " ".join(filter(None, parts))
