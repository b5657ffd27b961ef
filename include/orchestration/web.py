"""The page of the audit reports inside Airflow's own web server. Loaded by that server alone.

Airflow does not authenticate the web applications of plugins, so this one does: each request needs a user of Airflow
who may read the DAG ``retention``, else it ends in 401 or 403. The helpers for that are Airflow's internal ones; this
is the only module that uses them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import PurePath
from typing import Annotated

from airflow.api_fastapi.core_api.security import get_user, requires_access_dag
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from include.errors import PrivacyError, Refused
from include.orchestration.settings import Settings
from include.reports import pages, store
from include.retention.run import run_id

DAG = "retention"

_ALWAYS = "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
_HEADERS = {
    "Content-Security-Policy": f"{pages.POLICY}; {_ALWAYS}",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_REPORT_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; sandbox; {_ALWAYS}"
"""A report names its one style itself; ``sandbox`` takes everything else from it, whatever is in the file."""

_TYPES = {".html": "text/html", ".json": "application/json", ".csv": "text/csv"}


def reports_folder() -> str:
    """Where the reports are."""
    return Settings.read().reports


Folder = Annotated[str, Depends(reports_folder)]

app = FastAPI(
    title="Privacy",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(get_user), Depends(requires_access_dag("GET", param_dag_id=DAG))],
)


@app.middleware("http")
async def protect(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Give every answer, refusals included, the headers that keep a browser safe."""
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


@app.exception_handler(PrivacyError)
def explain(request: Request, error: PrivacyError) -> HTMLResponse:
    """Say what is wrong: 404 for what is not there, 503 for what did not answer."""
    status = 404 if isinstance(error, Refused) else 503
    up = "../" * max(0, request.url.path.removeprefix(request.scope.get("root_path", "")).count("/") - 1)
    return HTMLResponse(pages.message_page("This can't be shown", str(error), up=up or "./"), status)


@app.get("/")
def reports(folder: Folder) -> HTMLResponse:
    """The list of reports."""
    return HTMLResponse(pages.list_page(store.listing(folder)))


@app.get("/view/{name}")
def view(name: str, folder: Folder) -> HTMLResponse:
    """One report in its frame."""
    store.read(folder, f"{name}.html")
    return HTMLResponse(pages.report_page(name))


@app.get("/files/{name}")
def file(name: str, folder: Folder) -> Response:
    """A report's page as it was written, or its JSON or CSV as a download."""
    ending = PurePath(name).suffix
    content = store.read(folder, name)
    if ending == ".html":
        headers = {"Content-Security-Policy": _REPORT_POLICY}
    else:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_TYPES[ending], headers=headers)


@app.get("/runs/{dag}/{airflow_run:path}")
def of_run(dag: str, airflow_run: str, folder: Folder, request: Request) -> Response:
    """The report of a DAG run, for the tab on the run's own page."""
    page = store.find(folder, run_id(dag, airflow_run))
    if page is None:
        text = "A report is written when a run of the DAG retention closes."
        return HTMLResponse(
            pages.message_page("This run has no report", text, up=f"{request.scope['root_path']}/"), 404
        )
    return RedirectResponse(f"{request.scope['root_path']}/view/{page.removesuffix('.html')}", 303)
