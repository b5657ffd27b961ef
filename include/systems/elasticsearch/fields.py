"""Whether the mapping lets a query see what it must see, and whether the indices can be written to.

Elasticsearch answers a query on a field it does not index with "nothing found", and compares text word by word. Each of
these would make a rule delete too little or too much in silence, so each is refused before anything is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from include.errors import Refused
from include.policy.actions import Action
from include.systems.contract import Selection
from include.systems.elasticsearch.client import SYSTEM, speaking
from include.systems.elasticsearch.selecting import TARGETS, declared, index_of, subject_field

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

_DATES = frozenset({"date", "date_nanos"})
_EXACT = frozenset(
    {"keyword", "constant_keyword", "boolean", "long", "integer", "short", "byte", "unsigned_long", "ip"}
)
_NAMES = frozenset({"keyword", "constant_keyword"})
_SUBJECTS = frozenset({"keyword", "constant_keyword", "long", "integer"})
_EVERY_STATE = {"expand_wildcards": "open,closed,hidden"}
_BLOCKS = ("index.blocks.write", "index.blocks.read_only", "index.blocks.read_only_allow_delete")


def check(client: Elasticsearch, selection: Selection, *, holds: bool, writes: bool) -> None:
    """Refuse a selection whose fields the mapping hides or compares in another way, and closed or blocked indices.

    Args:
        client: the client.
        selection: the rule's selection.
        holds: subjects are on hold, so the subject field matters.
        writes: documents are going to be deleted or changed, so blocks matter.

    Raises:
        Refused: with the field or the block, and what to change.
    """
    with speaking("read mapping and settings"):
        answer = client.indices.get(index=index_of(selection), flat_settings=True, **{**TARGETS, **_EVERY_STATE})
    for index in answer.body.values():
        _check_settings(index["settings"], writes=writes)
        _check_fields(index["mappings"], selection, holds=holds)


def check_persons(client: Elasticsearch, index: str, subject: str, others: Mapping[str, bool], *, writes: bool) -> None:
    """Refuse an index where persons would be recognised in another way than letter by letter.

    Args:
        client: the client.
        index: the index, alias, data stream or pattern.
        subject: the field with the identifier.
        others: further fields, and whether their values are compared.
        writes: documents are going to be deleted or changed, so blocks matter.

    Raises:
        Refused: with the field or the block, and what to change.
    """
    with speaking("read mapping and settings"):
        answer = client.indices.get(index=index, flat_settings=True, **{**TARGETS, **_EVERY_STATE})
    for found in answer.body.values():
        _check_settings(found["settings"], writes=writes)
        if _field(found["mappings"], subject, _NAMES).get("normalizer"):
            raise _refused(subject, "has a normalizer, so that one person cannot be told from another")
        for name, compared in others.items():
            _field(found["mappings"], name, _EXACT if compared else None)


def _check_fields(mapping: Mapping[str, Any], selection: Selection, *, holds: bool) -> None:
    trigger = _field(mapping, selection.trigger_field, _DATES)
    if trigger.get("null_value") is not None:
        raise _refused(selection.trigger_field, "has a null_value, so that documents without it would be due")
    for name in selection.where:
        _field(mapping, name, _EXACT)
    subject = subject_field(selection)
    if holds and subject and _field(mapping, subject, _SUBJECTS).get("normalizer"):
        raise _refused(subject, "has a normalizer, so that held subjects cannot be recognised")
    if selection.action is Action.ANONYMISE:
        _check_anonymised(mapping, selection)


def _check_anonymised(mapping: Mapping[str, Any], selection: Selection) -> None:
    for name in declared(selection):
        _field(mapping, name, None)
    for rule in selection.anonymisation.generalise if selection.anonymisation else ():
        if str(mapping.get("dynamic")).lower() == "strict" and not _find(mapping, rule.target):
            raise _refused(rule.target, "is new and the mapping is strict: add it to the mapping")


def _field(mapping: Mapping[str, Any], name: str, types: frozenset[str] | None) -> Mapping[str, Any]:
    """The definition of a field, {} when no document has had it yet."""
    definition = _find(mapping, name)
    if definition is None:
        if any(_hides(node) for node in _above(mapping, name)):
            raise _refused(name, "is not indexed ('dynamic' or 'enabled' is off): map it")
        return {}
    kind = definition.get("type", "object")
    if types is not None and kind not in types:
        raise _refused(name, f"is of type {kind}, not one of {', '.join(sorted(types))}")
    if any(node.get("type") == "nested" for node in _above(mapping, name)):
        raise _refused(name, "lies inside a nested object, where queries on documents do not look")
    if definition.get("index", True) is False and definition.get("doc_values", kind != "text") is False:
        raise _refused(name, "is mapped without index and doc_values: no query can see it")
    return definition


def _hides(node: Mapping[str, Any]) -> bool:
    return node.get("enabled") is False or str(node.get("dynamic", "true")).lower() in {"false", "runtime"}


def _above(mapping: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    node: Mapping[str, Any] = mapping
    yield node
    for part in name.split(".")[:-1]:
        node = node.get("properties", {}).get(part, {})
        yield node


def _find(mapping: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """A field by its dotted path; the last part may be a sub-field such as ``keyword``."""
    node: Mapping[str, Any] | None = mapping
    for part in name.split("."):
        below = {**node.get("fields", {}), **node.get("properties", {})} if node else {}
        node = below.get(part)
        if node is None:
            return None
    return node


def _refused(name: str, words: str) -> Refused:
    return Refused(SYSTEM, "select by the mapping", f"The field '{name}' {words}. Correct the rule or the mapping.")


def _check_settings(settings: Mapping[str, Any], *, writes: bool) -> None:
    tried = "use the index"
    if settings.get("index.verified_before_close") == "true":
        step = "A matching index is closed: open or delete it; what is in it cannot be seen."
        raise Refused(SYSTEM, tried, step)
    if writes and settings.get("index.store.type") == "snapshot":
        step = "It is a searchable snapshot: restore it, delete there and take a new one, or delete it all."
        raise Refused(SYSTEM, tried, step)
    for block in _BLOCKS if writes else ():
        if settings.get(block) == "true":
            raise Refused(SYSTEM, tried, f"It is blocked: set {block} to false, or delete it.")
