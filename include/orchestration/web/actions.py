"""What people do to a request: start it, cancel it, record work that was done by hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import RedirectResponse

from include.erasure.approval import cancel as cancel_request
from include.erasure.manual import record
from include.errors import Refused
from include.orchestration.decision import REASON
from include.orchestration.web.access import OPENS_REQUESTS, User
from include.orchestration.web.airflow import Caller
from include.orchestration.web.desks import Around, AtDesk, BatchId, RequestId, path_of, staff
from include.orchestration.web.forms import Sent, sent
from include.orchestration.web.requests import may_start, shown
from include.reports.request_pages import Typed
from include.subjects.vault import ATTACHMENT_BYTES

router = APIRouter(dependencies=[OPENS_REQUESTS])

Fields = Annotated[Sent, Depends(sent(0))]
_PLAIN = "Give a ticket or 3 to 80 plain characters; no @."


@router.post("/batches/{ref}/start")
def start_batch(ref: BatchId, given: Fields, desk: AtDesk, shell: Around, airflow: Caller) -> Response:
    """Start the work on a batch that was received and not started, or whose run failed."""
    if not desk.open_requests(batch=ref):
        raise Refused("request", "start the batch", "No request of it is open.")
    airflow.start_again(ref)
    return RedirectResponse(f"{shell.root}{path_of(ref)}", 303)


@router.post("/requests/{ref}/start")
def start(ref: RequestId, given: Fields, desk: AtDesk, shell: Around, airflow: Caller) -> Response:
    """Start the work on a request that was received and not started, or that needs a new plan."""
    status = next(desk.statuses([ref], desk.clock()), None)
    if status is None or not may_start(status):
        raise Refused("request", "start it", "It is closed, approved already, or not known.")
    airflow.start_again(ref)
    return RedirectResponse(f"{shell.root}/requests/{ref}?done=started", 303)


@router.post("/requests/{ref}/cancel")
def cancel(ref: RequestId, given: Fields, desk: AtDesk, shell: Around, user: User, airflow: Caller) -> Response:
    """Ask every task to stop working on a request."""
    reason = given.fields.get("reason", "").strip()
    if not REASON.fullmatch(reason):
        wrong = Typed({"reason": reason}, (("reason", _PLAIN),))
        return shown(ref, desk, shell, airflow, wrong={"cancel": wrong})
    cancel_request(desk, ref, by=staff(desk, user), reason=reason)
    return RedirectResponse(f"{shell.root}/requests/{ref}?done=cancelled", 303)


@router.post("/requests/{ref}/manual")
def manual(
    ref: RequestId,
    given: Annotated[Sent, Depends(sent(ATTACHMENT_BYTES))],
    desk: AtDesk,
    shell: Around,
    user: User,
    airflow: Caller,
) -> Response:
    """Record work that was done by hand in a system."""
    system, proof = given.fields.get("system", ""), given.fields.get("proof", "").strip()
    if not REASON.fullmatch(proof):
        wrong = Typed({"system": system, "proof": proof}, (("proof", _PLAIN),))
        return shown(ref, desk, shell, airflow, wrong={"manual": wrong})
    record(desk, ref, system, by=staff(desk, user), proof=proof, file=given.file)
    return RedirectResponse(f"{shell.root}/requests/{ref}?done=recorded", 303)
