"""What goes out: headers that keep a browser safe, and errors in a sentence, as a page or for machines as JSON.

No answer repeats what came in, and no foreign error is raised past this module: the web server would log its message.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from include.errors import PrivacyError, Refused
from include.orchestration.settings import ROOT
from include.reports import pages, request_pages

_ALWAYS = "base-uri 'none'; frame-ancestors 'self'"
_HEADERS = {
    "Content-Security-Policy": f"{pages.POLICY}; form-action 'none'; {_ALWAYS}",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
REPORT_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; sandbox; form-action 'none'; {_ALWAYS}"
"""A page that was stored names its one style itself; ``sandbox`` takes everything else from it, whatever is in it."""

_ABSENT = frozenset({"airflow", "reports", "request"})
"""Rooms whose refusal to show something means that it is not there."""
_SENTENCES = {
    401: "You are not logged in: log in to Airflow, or send its token in the header Authorization.",
    403: "Your account in Airflow does not have the right to do this.",
    404: "There is no such page.",
    405: "This page does not take that.",
}

log = structlog.get_logger(__name__)


class Rejected(HTTPException):
    """An answer with a status and a sentence that was written for whoever gets it."""


def page(html: str, status: int = 200, *, form: bool = False) -> HTMLResponse:
    """A page about requests; only one with a form may send one, and only to here."""
    target = "'self'" if form else "'none'"
    policy = f"{request_pages.policy()}; form-action {target}; {_ALWAYS}"
    return HTMLResponse(html, status, {"Content-Security-Policy": policy})


def root_of(request: Request) -> str:
    """The path under which the application is mounted."""
    return str(request.scope.get("root_path", ""))


def install(app: FastAPI) -> None:
    """Put headers and errors around an application."""
    app.middleware("http")(_protect)
    app.add_exception_handler(HTTPException, _say)
    app.add_exception_handler(RequestValidationError, lambda request, _: _answer(request, 404, _SENTENCES[404]))
    app.add_exception_handler(PrivacyError, _explain)


async def _protect(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        response = await call_next(request)
    except Exception as error:
        # Its message may quote what came in; class and place are enough to find the code.
        frames = traceback.extract_tb(error.__traceback__)
        frame = next((own for own in reversed(frames) if own.filename.startswith(str(ROOT / "include"))), frames[-1])
        place = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
        log.error("a page failed", error=type(error).__name__, place=place)
        response = _answer(request, 500, f"Something failed here: report {type(error).__name__} at {place}.")
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _say(request: Request, error: Exception) -> Response:
    if isinstance(error, Rejected):
        return _answer(request, error.status_code, str(error.detail))
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _answer(request, status, _SENTENCES.get(status, "It can't be done."))


def _explain(request: Request, error: Exception) -> Response:
    """404 for what is not there, 400 for what can't be done, 503 for what did not answer or is not set up."""
    status = 503
    if isinstance(error, Refused) and request.method != "GET":
        status = 400
    elif isinstance(error, Refused) and error.system in _ABSENT:
        status = 404
    return _answer(request, status, str(error))


def _answer(request: Request, status: int, sentence: str) -> Response:
    root = root_of(request)
    if request.url.path.removeprefix(root).startswith("/api/"):
        return JSONResponse({"error": sentence}, status)
    title = {401: "You are not logged in", 403: "This is not for your account"}.get(status, "This can't be shown")
    about_reports = request.url.path.removeprefix(root).startswith(("/view", "/files", "/runs/retention"))
    back = request_pages.REPORTS if about_reports else request_pages.REQUESTS
    return page(request_pages.message_page(request_pages.Shell(root), title, sentence, back), status)
