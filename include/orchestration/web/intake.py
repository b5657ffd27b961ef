"""New requests: one by a form, many by a file. Nothing that is typed is stored anywhere but in the vault."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import RedirectResponse

from include.errors import PrivacyError
from include.orchestration.web.access import OPENS_REQUESTS, User
from include.orchestration.web.airflow import Airflow, Caller
from include.orchestration.web.answers import page
from include.orchestration.web.desks import Around, AtDesk, path_of, staff
from include.orchestration.web.forms import Sent, sent
from include.reports import request_pages
from include.reports.request_pages import Typed
from include.requests.intake import FIELDS, IntakeInvalid, read_form
from include.requests.opening import Opening, open_requests
from include.requests.table import MOST_BYTES, read_csv

router = APIRouter(dependencies=[OPENS_REQUESTS])


@router.get("/requests/new")
def form(desk: AtDesk, shell: Around) -> Response:
    """The form for one person."""
    return page(request_pages.new_page(shell, Typed(), today=f"{desk.clock():%Y-%m-%d}"), form=True)


@router.post("/requests/new")
def new(given: Annotated[Sent, Depends(sent(0))], desk: AtDesk, shell: Around, user: User, airflow: Caller) -> Response:
    """Open a request for one person, or say what is wrong with the form."""
    values = {name: given.fields.get(name, "") for name in FIELDS}
    try:
        draft = read_form(values, desk.clock().date())
        opening = open_requests(
            desk.vault, desk.ledger, [draft], opened_by=staff(desk, user), source="page", clock=desk.clock
        )
    except IntakeInvalid as error:
        typed = Typed(values, tuple((problem.field, problem.message) for problem in error.problems))
        html = request_pages.new_page(shell, typed, today=f"{desk.clock():%Y-%m-%d}")
        return page(html, 400, form=True)
    begin(opening, airflow)
    (one,) = opening.opened
    done = "joined" if one.joined else "opened"
    return RedirectResponse(f"{shell.root}/requests/{one.id}?done={done}", 303)


@router.get("/requests/upload")
def upload_form(shell: Around) -> Response:
    """The form for a file."""
    return page(request_pages.upload_page(shell), form=True)


@router.post("/requests/upload")
def upload(
    given: Annotated[Sent, Depends(sent(MOST_BYTES))], desk: AtDesk, shell: Around, user: User, airflow: Caller
) -> Response:
    """Open the requests of a file, or say line by line what is wrong with it."""
    if given.file is None:
        html = request_pages.upload_page(shell, problem="No file was chosen, or it is empty.")
        return page(html, 400, form=True)
    reading = read_csv(given.file.content, desk.clock().date())
    good = len(reading.rows)
    if not good or (reading.errors and given.fields.get("valid_rows") != "yes"):
        return page(request_pages.upload_page(shell, reading.errors, good=good), 400, form=True)
    opening = open_requests(
        desk.vault, desk.ledger, reading.rows, opened_by=staff(desk, user), source="csv", clock=desk.clock
    )
    begin(opening, airflow)
    if opening.run is None:
        return RedirectResponse(f"{shell.root}/requests?done=all_joined", 303)
    joined = sum(one.joined for one in opening.opened)
    skipped = len({error.line for error in reading.errors})
    rest = f"joined={joined}&skipped={skipped}" if opening.batch else "done=opened"
    return RedirectResponse(f"{shell.root}{path_of(opening.run)}?{rest}", 303)


def begin(opening: Opening, airflow: Airflow) -> bool:
    """Start the work on what was opened. If that fails the request stays, and its page offers to start it."""
    if opening.run is None:
        return False
    try:
        airflow.start(opening.run)
    except PrivacyError:
        return False
    return True
