"""The audit reports: their list, one in its frame, its files."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from include.orchestration.settings import Settings
from include.orchestration.web.access import READS_REPORTS
from include.orchestration.web.answers import REPORT_POLICY, root_of
from include.reports import pages, store
from include.retention.run import run_id

_TYPES = {".html": "text/html", ".json": "application/json", ".csv": "text/csv"}

router = APIRouter(dependencies=[READS_REPORTS])


def reports_folder() -> str:
    """Where the reports are."""
    return Settings.read().reports


Folder = Annotated[str, Depends(reports_folder)]


@router.get("/")
def reports(folder: Folder) -> HTMLResponse:
    """The list of reports."""
    return HTMLResponse(pages.list_page(store.listing(folder)))


@router.get("/view/{name}")
def view(name: str, folder: Folder) -> HTMLResponse:
    """One report in its frame."""
    store.read(folder, f"{name}.html")
    return HTMLResponse(pages.report_page(name))


@router.get("/files/{name}")
def file(name: str, folder: Folder) -> Response:
    """A report's page as it was written, or its JSON or CSV as a download."""
    ending = PurePath(name).suffix
    content = store.read(folder, name)
    if ending == ".html":
        headers = {"Content-Security-Policy": REPORT_POLICY}
    else:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_TYPES[ending], headers=headers)


def of_run(dag: str, airflow_run: str, folder: Folder, request: Request) -> Response:
    """The report of a DAG run, for the tab on the run's own page."""
    page, root = store.find(folder, run_id(dag, airflow_run)), root_of(request)
    if page is None:
        text = "A report is written when a run of the DAG retention closes."
        return HTMLResponse(pages.message_page("This run has no report", text, up=f"{root}/"), 404)
    return RedirectResponse(f"{root}/view/{page.removesuffix('.html')}", 303)
