"""The summary of a request as JSON and as one page that needs nothing beside itself. Pure: values in, text out."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup
from pydantic import TypeAdapter

from include.erasure.status import CLEAN, DATED, Outcome, Stage
from include.erasure.summary import SCHEMA, Summary
from include.erasure.telling import TYPES
from include.reports.render import closed_schema, environment, source_of, style

_SHEET = Path(__file__).with_name("templates") / "requests.css"
_WAITS = frozenset({*DATED, Outcome.HELD, Outcome.DEFERRED, Outcome.MANUAL_PENDING, Outcome.NOT_CONNECTED})
_BAD = frozenset({Outcome.FAILED, Outcome.RESIDUAL_FOUND})
_ASKS = frozenset({Stage.AMBIGUOUS, Stage.PLANNED, Stage.WAITING})
_ENDED = frozenset({Stage.DONE, Stage.CLOSED, Stage.NO_MATCH})


def as_json(summary: Summary) -> str:
    """The summary in the form of ``schema/subject-request-2.json``."""
    return json.dumps(_adapter().dump_python(summary, mode="json"), indent=2, ensure_ascii=False) + "\n"


def json_schema() -> dict[str, Any]:
    """JSON Schema of :func:`as_json`."""
    return closed_schema(_adapter(), SCHEMA)


def as_html(summary: Summary) -> str:
    """The summary as a page to keep: no script, no form, no link, nothing from elsewhere."""
    source = Markup(source_of(sheet()))  # noqa: S704 - made of our own files
    return (
        templates().get_template("requests/alone.html.j2").render(summary=summary, style=sheet(), style_source=source)
    )


@cache
def templates() -> Environment:
    """The templates, with the filters that pages about requests need."""
    found = environment().overlay()
    found.filters = {
        **environment().filters,
        "kind_of_outcome": _kind_of_outcome,
        "kind_of_stage": lambda stage: "kept" if stage in _ASKS else "good" if stage in _ENDED else "",
        "type": lambda name: TYPES.get(name, name),
    }
    return found


@cache
def sheet() -> Markup:
    """The style sheet of pages about requests: that of the reports, and forms."""
    return Markup(style() + Markup(_SHEET.read_text(encoding="utf-8")))  # noqa: S704 - our own files


@cache
def _adapter() -> TypeAdapter[Summary]:
    return TypeAdapter(Summary)


def _kind_of_outcome(name: str) -> str:
    outcome = Outcome(name)
    if outcome in _WAITS:
        return "kept"
    return "good" if outcome in CLEAN else "bad" if outcome in _BAD else ""
