"""*Evidence* on a run: the request of a run of ``subject_request``, and what the nightly runs work on."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from include.erasure.overview import approved_page
from include.orchestration.web.access import READS_REPORTS, READS_REQUESTS, REQUESTS_DAG
from include.orchestration.web.airflow import Caller
from include.orchestration.web.answers import page
from include.orchestration.web.desks import Around, AtDesk, path_of
from include.orchestration.web.reports import of_run
from include.reports import request_pages

router = APIRouter(prefix="/runs")


@router.get(f"/{REQUESTS_DAG}/{{run:path}}", dependencies=[READS_REQUESTS])
def of_request(run: str, shell: Around, airflow: Caller) -> Response:
    """The request or the batch that a run is for."""
    ref = airflow.ref_of(run)
    if ref is None:
        text = "It was started without the id of a request: see its log for what it says about that."
        return page(request_pages.message_page(shell, "This run is for no request", text, request_pages.REQUESTS), 404)
    return RedirectResponse(f"{shell.root}{path_of(ref)}", 303)


@router.get("/deletion_push/{run:path}", dependencies=[READS_REQUESTS])
def of_push(desk: AtDesk, shell: Around) -> Response:
    """The approved requests that are open, with their outcomes."""
    return page(request_pages.open_page(shell, "Deletion push", approved_page(desk)))


@router.get("/third_party_sync/{run:path}", dependencies=[READS_REQUESTS])
def of_sync(desk: AtDesk, shell: Around) -> Response:
    """The same: the sync looks again at them."""
    return page(request_pages.open_page(shell, "Third-party sync", approved_page(desk)))


router.add_api_route("/{dag}/{airflow_run:path}", of_run, methods=["GET"], dependencies=[READS_REPORTS])
