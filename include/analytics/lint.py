"""Lint of a release specification: every mistake at once, each at its line, and tables that make no sense as warnings.

What a type can see is said by pydantic and put into a sentence here; what it can't see is checked entry by entry, so
that a mistake in one table does not hide those of the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from include.analytics import accounting, lint_tables
from include.analytics.forecast import forecast
from include.analytics.spec import BudgetCaps, Source, Specification, Table
from include.policy.document import Document, Trail
from include.policy.errors import Finding, PolicyInvalid, Severity
from include.policy.register import Model
from include.policy.structure import did_you_mean

Report: TypeAlias = Iterator[tuple[Trail, str]]
M = TypeVar("M", bound=Model)


def build(document: Document) -> Specification:
    """Type a document that was read.

    Raises:
        PolicyInvalid: it has mistakes; all of them are listed.
    """
    mistakes = [finding for finding in lint(document) if finding.severity is Severity.ERROR]
    if mistakes:
        raise PolicyInvalid(document.file, mistakes)
    return Specification.model_validate(document.data)


def lint(document: Document) -> list[Finding]:
    """All mistakes and warnings of a document, in the order of the file."""
    found = set(document.findings)
    if isinstance(document.data, dict):
        found |= {_finding(document, detail) for detail in _misfits(document.data)}
        reports = [*_meaning(document.data)]
        found |= {_at(document, trail, message, Severity.ERROR) for trail, message in reports}
        if not found:
            warnings = _warnings(Specification.model_validate(document.data))
            found |= {_at(document, trail, message, Severity.WARNING) for trail, message in warnings}
    return sorted(found)


def _at(document: Document, trail: Trail, message: str, severity: Severity) -> Finding:
    place = document.place(trail)
    return Finding(place.line, place.column, severity, message)


def _meaning(data: Mapping[str, Any]) -> Report:
    sources = {
        name: source
        for name, entry in _mapping(data.get("sources")).items()
        if isinstance(entry, Mapping) and (source := _typed(Source, {**entry, "id": name}))
    }
    entries = data.get("tables") if isinstance(data.get("tables"), tuple) else ()
    tables = {index: table for index, entry in enumerate(entries or ()) if (table := _typed(Table, entry))}
    ids = Counter(table.id for table in tables.values())
    for index, table in tables.items():
        if ids[table.id] > 1:
            yield ("tables", index, "id"), f"the id '{table.id}' is used {ids[table.id]} times"
        if table.source not in _mapping(data.get("sources")):
            known = list(_mapping(data.get("sources")))
            yield ("tables", index, "source"), f"there is no source '{table.source}'{did_you_mean(table.source, known)}"
        for trail, message in lint_tables.errors(table, sources.get(table.source)):
            yield ("tables", index, *trail), message
        inside = [other.period for other in tables.values() if other.internal and other.source == table.source]
        if table.internal and len(set(inside)) > 1:
            message = "internal tables of one source have one period: exact weeks and days differ by single people"
            yield ("tables", index, "period"), message
    for name, source in sources.items():
        for column in {source.user, source.at} & source.columns.keys():
            message = f"'{column}' says who or when; leave it out of the columns that tables may use"
            yield ("sources", name, "columns", column), message
    caps = _typed(BudgetCaps, data.get("budget"))
    if caps:
        yield from _overdrafts(list(tables.values()), caps)


def _overdrafts(tables: list[Table], caps: BudgetCaps) -> Report:
    most = accounting.month(tables)
    for name, spent, cap in (
        ("rho_month", most.rho, caps.rho_month),
        ("delta_month", most.delta, caps.delta_month),
    ):
        if spent > cap:
            message = f"all tables together may spend {spent:f} in a month, above the cap of {cap:f}; lower a table"
            yield ("budget", name), message


def _warnings(specification: Specification) -> Report:
    for index, (table, outlook) in enumerate(zip(specification.tables, forecast(specification), strict=True)):
        if not outlook.sensible:
            yield ("tables", index), f"'{table.id}' makes no sense at this size: {outlook.sentence}"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _typed(model: type[M], entry: Any) -> M | None:
    try:
        return model.model_validate(entry)
    except ValidationError:
        return None


def _misfits(data: Mapping[str, Any]) -> list[ErrorDetails]:
    try:
        Specification.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        # A list whose entries have mistakes is too short for pydantic as well; the entries' own mistakes say enough.
        above = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
        return [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in above]
    return []


def _finding(document: Document, detail: ErrorDetails) -> Finding:
    trail, kind = detail["loc"], detail["type"]
    place = document.place(trail, key=kind == "extra_forbidden")
    return Finding(place.line, place.column, Severity.ERROR, _sentence(trail, kind, detail["msg"]))


def _sentence(trail: Trail, kind: str, said: str) -> str:
    name = next((part for part in reversed(trail) if isinstance(part, str) and part != "[key]"), "the file")
    owner, accepted = _field(trail)
    if kind == "extra_forbidden":
        known = [key for key in owner.model_fields if key != "id" or owner is Table]
        return f"unknown key '{name}'{did_you_mean(name, known)}"
    if kind == "missing":
        return f"'{name}' is missing" + (f": {accepted}" if accepted else "")
    if kind == "value_error":
        return f"'{name}' can't be read: {said.removeprefix('Value error, ')}"
    return f"'{name}' is not accepted as it is; " + (f"accepted: {accepted}" if accepted else said.lower())


def _field(trail: Trail) -> tuple[type[BaseModel], str | None]:
    """The model that a location of pydantic leads into, and what the field at its end accepts."""
    owner: type[BaseModel] = Specification
    accepted = None
    for part in trail:
        info = owner.model_fields.get(part) if isinstance(part, str) else None
        if info is not None:
            accepted = info.description
            if part != trail[-1]:
                owner = _model_in(info.annotation) or owner
    return owner, accepted


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one))), None)
