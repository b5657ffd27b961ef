"""From a rule's selection to queries, and which subjects of the due documents are on hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from include.errors import Refused, Unavailable
from include.policy.actions import Action
from include.systems.contract import OnHold, Selection
from include.systems.elasticsearch.client import SYSTEM, speaking

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

Query: TypeAlias = dict[str, Any]

MAX_HELD = 65_536
"""``index.max_terms_count`` of a cluster that nobody has changed."""

TARGETS: dict[str, Any] = {"allow_no_indices": False, "ignore_unavailable": False, "expand_wildcards": "open,hidden"}
"""A location that means nothing is an error, never an empty answer."""

_PAGE = 1000
_INDEX = re.compile(r"[^\s*?,\"<>|\\/#:_+\-][^\s*?,\"<>|\\/#:]*(-\*)?")


def index_of(selection: Selection) -> str:
    """The index, alias or data stream of a selection, or a pattern that ends in ``-*``.

    Raises:
        Refused: it is missing, or could mean more than one family of indices.
    """
    return index_at(selection.location)


def index_at(location: Mapping[str, str]) -> str:
    """The same of a location.

    Raises:
        Refused: it is missing, or could mean more than one family of indices.
    """
    name = location.get("index", "")
    if not _INDEX.fullmatch(name):
        step = "Give one index, alias or data stream, or a pattern such as 'logs-*'; never '*' or '_all'."
        raise Refused(SYSTEM, "read the location's 'index'", step)
    return name


def subject_field(selection: Selection) -> str | None:
    """The field with the subject's id.

    Raises:
        Refused: the form is not ``field:<name>``.
    """
    if selection.subject is None:
        return None
    return field_of(selection.subject, "read the holding's subject")


def field_of(form: str, tried: str) -> str:
    """The field that a form names.

    Raises:
        Refused: it is not ``field:<name>``.
    """
    kind, _, name = form.partition(":")
    if kind != "field" or not name:
        raise Refused(SYSTEM, tried, "Write it as 'field:<name of a keyword field>'.")
    return name


def due(selection: Selection) -> Query:
    """What is due: older than the cut-off, equal in ``where`` and, to be anonymised, with a declared field left."""
    cutoff = selection.cutoff.astimezone(UTC)
    before = f"{cutoff:%Y-%m-%dT%H:%M:%S}.{cutoff.microsecond // 1000:03d}Z"
    filters: list[Query] = [
        {"range": {selection.trigger_field: {"lt": before, "format": "strict_date_optional_time"}}},
        *({"term": {name: value}} for name, value in selection.where.items()),
    ]
    if selection.action is Action.ANONYMISE:
        filters.append(_any_of(declared(selection)))
    return {"bool": {"filter": filters}}


def declared(selection: Selection) -> tuple[str, ...]:
    """The fields that an anonymised document no longer has.

    Raises:
        Refused: the selection anonymises nothing.
    """
    gone = selection.anonymisation.gone if selection.anonymisation else ()
    if not gone:
        raise Refused(SYSTEM, "anonymise", "Declare the fields to remove or to generalise in the rule.")
    return gone


def residual(selection: Selection) -> Query | None:
    """Documents that were anonymised, as their generalised fields show, and still carry a declared field."""
    if selection.action is not Action.ANONYMISE or not selection.anonymisation:
        return None
    markers = tuple(rule.target for rule in selection.anonymisation.generalise)
    return {"bool": {"filter": [_any_of(markers), _any_of(declared(selection))]}} if markers else None


def _any_of(fields: tuple[str, ...]) -> Query:
    return {"bool": {"should": [{"exists": {"field": name}} for name in fields], "minimum_should_match": 1}}


def without(query: Query, field: str | None, values: list[Any]) -> Query:
    """The query without the documents of some subjects."""
    return {"bool": {**query["bool"], "must_not": [{"terms": {field: values}}]}} if values else query


def only(query: Query, field: str | None, values: list[Any]) -> Query:
    """The query's documents of some subjects."""
    return {"bool": {"filter": [*query["bool"]["filter"], {"terms": {field: values}}]}}


@dataclass(frozen=True, slots=True)
class Extent:
    """How many documents match, and the least and greatest trigger among them."""

    count: int
    oldest: datetime | None
    newest: datetime | None


class Reader:
    """Counts of one location. An answer without some of the shards counts as no answer."""

    def __init__(self, client: Elasticsearch, index: str) -> None:
        self._client = client
        self._index = index

    def refresh(self) -> None:
        """Make what was written visible to the counts that follow."""
        with speaking("refresh the index"):
            answer = self._client.indices.refresh(index=self._index, **TARGETS)
        _complete(answer.body, "refresh the index")

    def count(self, query: Query) -> int:
        """How many documents match."""
        with speaking("count documents"):
            answer = self._client.count(index=self._index, query=query, **TARGETS)
        _complete(answer.body, "count documents")
        return int(answer["count"])

    def extent(self, query: Query, trigger: str) -> Extent:
        """How many match, and the bounds of their trigger."""
        bounds: dict[str, Any] = {"oldest": {"min": {"field": trigger}}, "newest": {"max": {"field": trigger}}}
        answer = self._aggregate(query, bounds, track_total_hits=True)
        found = answer["aggregations"]
        total = int(answer["hits"]["total"]["value"])
        return Extent(total, _moment(found["oldest"]["value"]), _moment(found["newest"]["value"]))

    def held(self, query: Query, field: str | None, on_hold: OnHold | None) -> list[Any]:
        """The subjects of matching documents that are on hold, as the store writes them. Only in memory.

        Documents of a holding without a subject belong to nobody who could be on hold.

        Raises:
            Refused: more of them than a query can exclude.
        """
        if on_hold is None or field is None:
            return []
        held: list[Any] = []
        for key, _ in self.values(query, field):
            if on_hold(str(key)):
                held.append(key)
            if len(held) > MAX_HELD:
                raise Refused(SYSTEM, "respect legal holds", f"More than {MAX_HELD} subjects are held: split the rule.")
        return held

    def values(self, query: Query, field: str) -> Iterator[tuple[Any, int]]:
        """The values of a field in matching documents, each with the number of documents that have it."""
        after: dict[str, Any] = {}
        while True:
            composite = {"size": _PAGE, "sources": [{"subject": {"terms": {"field": field}}}], **after}
            page = self._aggregate(query, {"subjects": {"composite": composite}})["aggregations"]["subjects"]
            yield from ((bucket["key"]["subject"], int(bucket["doc_count"])) for bucket in page["buckets"])
            if len(page["buckets"]) < _PAGE:
                return
            after = {"after": page["after_key"]}

    def _aggregate(self, query: Query, aggs: dict[str, Any], *, track_total_hits: bool = False) -> dict[str, Any]:
        tried = "look at the due documents"
        with speaking(tried):
            answer = self._client.search(
                index=self._index,
                query=query,
                aggs=aggs,
                size=0,
                track_total_hits=track_total_hits,
                allow_partial_search_results=False,
                **TARGETS,
            )
        _complete(answer.body, tried)
        return dict(answer.body)


def _complete(answer: dict[str, Any], tried: str) -> None:
    if answer["_shards"]["failed"] or answer.get("timed_out"):
        raise Unavailable(SYSTEM, tried, "Some shards did not answer. The engine tries again.")


def _moment(millis: float | None) -> datetime | None:
    return None if millis is None else datetime.fromtimestamp(millis / 1000, UTC)
