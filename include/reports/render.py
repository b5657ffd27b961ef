"""The report as HTML, JSON and CSV. The same report gives the same bytes."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from pydantic import TypeAdapter

from include.ledger.instants import moment
from include.policy.coverage import Standing
from include.reports.charts import Bar, Column, Share, budget_chart, outcome_chart, trend_chart
from include.reports.model import SCHEMA, AuditReport, RuleRow, Severity
from include.retention.status import State

_TEMPLATES = Path(__file__).with_name("templates")

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters at which a spreadsheet takes a text for a formula (OWASP, CSV injection), full-width ones too."""

_NOTHING = "\u2013"

_STANDING = {
    Standing.ENFORCED: ("enforced", "good"),
    Standing.BEHIND: ("enforced, records left", "bad"),
    Standing.NEVER_RUN: ("enforced, no run yet", "kept"),
    Standing.VENDOR: ("left to vendor, unchecked", "kept"),
    Standing.LATER: ("not yet enforced", "bad"),
    Standing.CLAIMED: ("claimed, not checked", "kept"),
    Standing.DECLARED: ("for requests of persons", ""),
    Standing.GAP: ("gap in the text", "bad"),
    Standing.STATEMENT: ("no rule can keep it", ""),
    Standing.ROWS: ("see its rows", ""),
    Standing.NOTHING: ("nothing keeps it", "bad"),
}
"""How a standing is said in a narrow column, and its colour."""

_COLUMNS = (
    "run",
    "as_of",
    "rule",
    "name",
    "system",
    "sections",
    "action",
    "period",
    "confirmed",
    "state",
    "total",
    "due",
    "deleted",
    "anonymised",
    "absent",
    "elsewhere",
    "left_alone",
    "held",
    "remaining",
    "unknown",
    "unaccounted",
    "verified",
    "cutoff",
    "oldest",
    "newest",
    "until",
    "connector",
    "digest",
    "plan_entry",
    "verification_entry",
)


def as_html(report: AuditReport) -> str:
    """One page that needs nothing beside itself: no script, no font, no picture from elsewhere."""
    return (
        environment()
        .get_template("audit.html.j2")
        .render(
            report=report,
            style=style(),
            style_source=Markup(style_source()),  # noqa: S704 - made of our own file
            faults=_findings(report, Severity.FAULT),
            acts=_findings(report, Severity.ACT),
            notes=_findings(report, Severity.NOTE),
            outcomes=outcome_chart(_bars(report)),
            budgets=budget_chart(_shares(report)),
            trend=trend_chart([Column(night.as_of, night.due, night.gone) for night in report.nights]),
            systems=len({row.system for row in report.rules}),
        )
    )


def as_json(report: AuditReport) -> str:
    """The whole report, in the form of ``schema/retention-report-1.json``."""
    return json.dumps(_adapter().dump_python(report, mode="json"), indent=2, ensure_ascii=False) + "\n"


def json_schema() -> dict[str, Any]:
    """JSON Schema of :func:`as_json`: every key is there, and no other. Docstrings are no part of it."""
    return closed_schema(_adapter(), SCHEMA)


def closed_schema(adapter: TypeAdapter[Any], name: str) -> dict[str, Any]:
    """JSON Schema of what an adapter writes, named ``name``: each key is required, and no other is allowed."""
    schema = adapter.json_schema(mode="serialization")
    for part in (schema, *schema["$defs"].values()):
        part.pop("description", None)
        if part.get("type") == "object":
            part.update(additionalProperties=False, required=list(part["properties"]))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name, **schema}


def as_csv(report: AuditReport) -> str:
    """One row per rule and system, for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for row in report.rules:
        writer.writerow([_cell(value) for value in _values(report, row)])
    return text.getvalue()


@cache
def _adapter() -> TypeAdapter[AuditReport]:
    return TypeAdapter(AuditReport)


@cache
def environment() -> Environment:
    """The templates of this room; every value is escaped and a missing one is an error."""
    found = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(
        number=_number,
        minute=_minute,
        day=_day,
        entry=_entry,
        state=_state,
        standing=lambda row: _STANDING[row.standing][0],
        standing_kind=lambda row: _STANDING[row.standing][1],
        groups=lambda rows: [(part, list(group)) for part, group in groupby(rows, key=lambda row: row.part)],
    )
    return found


@cache
def style() -> Markup:
    """The style sheet, to be put into a page."""
    return Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file


def style_source() -> str:
    """The one style that a page allows, as Content-Security-Policy names it."""
    return source_of(style())


def source_of(sheet: str) -> str:
    """A style sheet inside of a page, as Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()}'"


def _values(report: AuditReport, row: RuleRow) -> list[str | int | bool | None]:
    counts = row.counts
    return [
        report.run.run,
        report.run.as_of.isoformat(),
        row.rule,
        row.name,
        row.system,
        " ".join(row.sections),
        row.action,
        row.period,
        row.confirmed,
        row.state,
        counts.total,
        counts.due,
        counts.deleted,
        counts.anonymised,
        counts.absent,
        counts.elsewhere,
        counts.left_alone,
        counts.held,
        counts.remaining,
        counts.unknown,
        counts.unaccounted,
        row.verified,
        row.cutoff,
        row.oldest,
        row.newest,
        row.until,
        row.connector,
        row.digest,
        row.trace.plan,
        row.trace.verification,
    ]


def _cell(value: str | int | bool | None) -> str | int:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _findings(report: AuditReport, severity: Severity) -> list[Any]:
    return [finding for finding in report.findings if finding.severity is severity]


def _bars(report: AuditReport) -> list[Bar]:
    systems: dict[str, Bar] = {}
    for row in report.rules:
        before = systems.get(row.system, Bar(row.system_name))
        counts = row.counts
        systems[row.system] = Bar(
            label=row.system_name,
            gone=before.gone + counts.gone + counts.gone_already,
            held=before.held + counts.held,
            left=before.left + counts.remaining + counts.left_alone,
            lost=before.lost + max(0, counts.unaccounted),
        )
    return list(systems.values())


def _shares(report: AuditReport) -> list[Share]:
    return [
        Share(f"{row.rule} · {row.system}", (row.counts.due - row.counts.held) * 100 / row.counts.total, budget)
        for row in report.rules
        if row.counts.total and (budget := row.budget_percent) is not None
    ]


def _state(row: RuleRow) -> str:
    """The state of a rule for people."""
    if row.state == State.ABSENT:
        return "nothing due" if row.counts.due == 0 else "gone already"
    if row.state == State.VERIFIED_GONE:
        return "gone, verified"
    if row.state == State.HELD:
        return "rest held" if row.counts.gone else "held"
    return row.state


def _number(value: int) -> str:
    return f"{value:,}"


def _minute(value: datetime | str) -> str:
    at = moment(value) if isinstance(value, str) else value
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _day(value: datetime | str | None) -> str:
    if not value:
        return _NOTHING
    return f"{moment(value) if isinstance(value, str) else value:%Y-%m-%d}"


def _entry(index: int | None) -> str:
    return _NOTHING if index is None else f"#{index}"
