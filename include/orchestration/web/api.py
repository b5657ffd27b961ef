"""For other systems: open a request, ask what became of it. JSON in, JSON out, with a token of Airflow as the bearer.

    POST …/api/requests          {"type", "email"?, "user_id"?, "received_on"?, "answer"?}
                                 → 201 {"request_id", "joined", "started", "url"}
    GET  …/api/requests/{id}     → 200, as ``include/reports/schema/subject-request-2.json`` says

Errors are ``{"error": sentence}``. A session's cookie opens nothing here: a page of another site would have it too.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from include.erasure.summary import summary_of
from include.orchestration.web.access import OPENS_REQUESTS, READS_REQUESTS, User, bearer
from include.orchestration.web.airflow import Caller
from include.orchestration.web.answers import Rejected, root_of
from include.orchestration.web.desks import AtDesk, RequestId, staff
from include.orchestration.web.forms import body
from include.orchestration.web.intake import begin
from include.reports.requests import as_json
from include.requests.intake import read_json
from include.requests.opening import open_requests

router = APIRouter(prefix="/api/requests")

MOST_BYTES = 16 * 1024
"""Largest body."""


async def _json(request: Request) -> Any:
    if bearer(request) is None:
        raise Rejected(401, "Send a token of Airflow in the header Authorization, as 'Bearer …'.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    content = await body(request, MOST_BYTES)
    try:
        if kind == "application/json":
            return json.loads(content)
    except (ValueError, RecursionError):
        pass
    raise Rejected(400, "The body must be JSON in UTF-8, with the header Content-Type: application/json.")


@router.post("", dependencies=[OPENS_REQUESTS])
def open_one(
    given: Annotated[Any, Depends(_json)], request: Request, desk: AtDesk, user: User, airflow: Caller
) -> Response:
    """Open a request for one person, or join it to the open one."""
    draft = read_json(given, desk.clock().date())
    opening = open_requests(
        desk.vault, desk.ledger, [draft], opened_by=staff(desk, user), source="rest", clock=desk.clock
    )
    started = begin(opening, airflow)
    (one,) = opening.opened
    url = f"{root_of(request)}/api/requests/{one.id}"
    answer = {"request_id": one.id, "joined": one.joined, "started": started, "url": url}
    return JSONResponse(answer, 201, {"Location": url})


@router.get("/{ref}", dependencies=[READS_REQUESTS])
def one(ref: RequestId, desk: AtDesk) -> Response:
    """What became of a request."""
    return Response(as_json(summary_of(desk, ref)), media_type="application/json")
