"""Structure: pydantic's findings on a document, said in a sentence and put at a line.

Each entry is checked by itself, so that a mistake in one does not hide those of the others. An entry whose mistakes are
in fields that nothing else depends on goes on with stand-ins for them, so that its other mistakes are found as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from include.policy.document import Document, Place, Trail
from include.policy.errors import Finding, Severity
from include.policy.model import Holding, Policy, Promise, Rule, expand
from include.policy.persons import Requests
from include.policy.register import Activity, Model, Protected, Section, System

M = TypeVar("M", bound=Model)
_NAMED = {"systems": "key", "holdings": "id"}
_STAND_INS: Mapping[str, Any] = {
    **dict.fromkeys(("name", "title", "purpose", "category", "operator", "says", "data", "starts", "how"), "-"),
    **dict.fromkeys(("legal_basis", "source"), "-"),
    **dict.fromkeys(("note", "gap", "range", "if_not_provided", "location", "safeguard"), None),
    "confirmed": {"by": "-", "on": "2000-01-01"},
    "enforced": "later",
    "erasure": "manual",
    "period": "1 day",
    "policy": ("0",),
    "role": "processor",
}
_COLLECTIONS = ("sections", "activities", "systems", "holdings", "rules", "promises")


@dataclass(slots=True)
class Draft:
    """What could be read of a document, each entry with its path.

    ``names`` holds the names of everything that was written, sound or not; ``broken`` the collections with an entry
    that could not be read: nothing is said there about what is absent. ``stand_ins`` leads to the fields that have one:
    nothing is said about those.
    """

    sections: dict[Trail, Section]
    activities: dict[Trail, Activity]
    systems: dict[Trail, System]
    holdings: dict[Trail, Holding]
    rules: dict[Trail, Rule]
    promises: dict[Trail, Promise]
    protected: dict[Trail, Protected]
    requests: Requests | None
    names: dict[str, frozenset[str]]
    stand_ins: frozenset[Trail]
    broken: frozenset[str] = frozenset()
    findings: list[Finding] = field(default_factory=list)


def draft(document: Document) -> Draft:
    """Check the structure of a document and keep what is sound."""
    data = expand(document.data if isinstance(document.data, dict) else {})
    written = {name: _names(data.get(name)) for name in _COLLECTIONS}
    reader = _Reader(data)
    result = Draft(
        sections=reader.entries("sections", Section),
        activities=reader.entries("activities", Activity),
        systems=reader.entries("systems", System),
        holdings=reader.entries("holdings", Holding),
        rules=reader.entries("rules", Rule),
        promises=reader.entries("promises", Promise),
        protected=reader.entries("protected", Protected),
        requests=reader.section("requests", Requests),
        names=written,
        stand_ins=frozenset(reader.stand_ins),
    )
    result.broken = frozenset(name for name in written if len(getattr(result, name)) < _size(data.get(name)))
    if isinstance(document.data, dict):
        result.findings = list(_findings(document))
    return result


def did_you_mean(word: str, known: Mapping[str, Any] | frozenset[str] | list[str]) -> str:
    """``; did you mean 'contacts'?``, or what is accepted when nothing is close and the list is short."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    if not names:
        return "; there are none"
    return f"; accepted: {', '.join(names)}" if len(names) <= 12 else f"; {len(names)} others are known"


def _names(collection: Any) -> frozenset[str]:
    if isinstance(collection, Mapping):
        return frozenset(collection)
    if isinstance(collection, tuple):
        return frozenset(str(entry["id"]) for entry in collection if isinstance(entry, Mapping) and "id" in entry)
    return frozenset()


def _size(collection: Any) -> int:
    return len(collection) if isinstance(collection, Mapping | tuple) else 0


class _Reader:
    """Reads entries one by one and remembers where a stand-in was needed."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.stand_ins: set[Trail] = set()

    def entries(self, name: str, model: type[M]) -> dict[Trail, M]:
        collection = self._data.get(name)
        pairs: list[tuple[str | int, Any]] = []
        if isinstance(collection, Mapping):
            pairs = list(collection.items())
        elif isinstance(collection, tuple):
            pairs = list(enumerate(collection))
        read = {(name, key): self._entry(model, entry, (name, key)) for key, entry in pairs}
        return {trail: entry for trail, entry in read.items() if entry is not None}

    def section(self, name: str, model: type[M]) -> M | None:
        """An optional part of the file that is no collection; None if it is absent or not sound."""
        return self._entry(model, self._data[name], (name,)) if self._data.get(name) is not None else None

    def _entry(self, model: type[M], entry: Any, trail: Trail) -> M | None:
        try:
            return model.model_validate(entry)
        except ValidationError as error:
            faulty = {detail["loc"][0] if detail["loc"] else "" for detail in error.errors()}
        if not isinstance(entry, Mapping) or not faulty <= _STAND_INS.keys() & model.model_fields.keys():
            return None
        try:
            mended = model.model_validate({**entry, **{str(name): _STAND_INS[str(name)] for name in faulty}})
        except ValidationError:
            return None  # a field of that name has another form in this model
        self.stand_ins |= {(*trail, name) for name in faulty}
        return mended


def _findings(document: Document) -> Iterator[Finding]:
    taken = {(finding.line, finding.column) for finding in document.findings}
    yield from _names_inside(document)
    try:
        Policy.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            trail = detail["loc"]
            if "budget" in trail[:3] and not document.has(trail):
                continue  # comes from 'guard', where it is reported
            place = _place(document, detail)
            if (place.line, place.column) not in taken:
                yield Finding(place.line, place.column, Severity.ERROR, _sentence(detail))


def _names_inside(document: Document) -> Iterator[Finding]:
    for collection, name in _NAMED.items():
        entries = document.data.get(collection)
        for key in entries if isinstance(entries, Mapping) else ():
            if document.has((collection, key, name)):
                place = document.place((collection, key, name), key=True)
                message = f"'{name}' is not written here: the name of the entry, '{key}', is the {name}"
                yield Finding(place.line, place.column, Severity.ERROR, message)


def _place(document: Document, detail: ErrorDetails) -> Place:
    trail = detail["loc"]
    if _is_name(trail):
        return document.place(trail[:2], key=True)
    return document.place(trail, key=detail["type"] == "extra_forbidden")


def _is_name(trail: Trail) -> bool:
    """Whether the fault is in the name of an entry, which the types carry inside the entry."""
    return len(trail) == 3 and _NAMED.get(str(trail[0])) == trail[2]


def _sentence(detail: ErrorDetails) -> str:
    trail, kind = detail["loc"], detail["type"]
    name = next((part for part in reversed(trail) if isinstance(part, str)), "the file")
    owner, info = _field(trail)
    accepted = info.description if info else None
    if _is_name(trail):
        form = "a lower-case word" if trail[0] == "systems" else "'<system>.<name>' in lower case"
        return f"the name '{detail['input']}' of an entry of '{trail[0]}' is not accepted; it is {form}"
    if kind == "extra_forbidden":
        known = [key for key in owner.model_fields if key != _NAMED.get(str(trail[0]))]
        comma = " (text with a comma needs quotes inside { })" if detail["input"] is None else ""
        return f"unknown key '{name}'{did_you_mean(name, known)}{comma}"
    if kind == "missing":
        return f"'{name}' is missing" + (f": {accepted}" if accepted else "")
    if kind == "value_error":
        return f"'{name}' can't be read: {detail['msg'].removeprefix('Value error, ')}"
    return f"'{name}' is not accepted as it is; " + (f"accepted: {accepted}" if accepted else detail["msg"].lower())


def _field(path: Trail) -> tuple[type[BaseModel], FieldInfo | None]:
    """The model that a location of pydantic leads into, and the field it ends at."""
    owner: type[BaseModel] = Policy
    info: FieldInfo | None = None
    for depth, part in enumerate(path):
        if isinstance(part, int):
            continue
        info = owner.model_fields.get(part)
        if info is not None and depth < len(path) - 1:
            owner = _model_in(info.annotation) or owner
    return owner, info


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _model_in(argument)
        if found is not None:
            return found
    return None
