"""Elasticsearch documents, page by page from one point in time: what is written meanwhile shifts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from include.analytics.reading.pages import PAGE, Wanted, page
from include.connection import Connection
from include.errors import Unavailable
from include.ledger.instants import instant
from include.systems.elasticsearch.client import SYSTEM, connect_client, speaking

_KEEP_ALIVE = "5m"


def events(wanted: Wanted, connection: Connection) -> Iterator[pl.DataFrame]:
    """Documents whose time lies in the period.

    Raises:
        Refused: the index is not there, or the account lacks a right.
        Unavailable: the cluster or a shard of it did not answer.
    """
    bounds = {"gte": instant(wanted.since), "lt": instant(wanted.until), "format": "strict_date_optional_time"}
    query = {"range": {wanted.source.at: bounds}}
    for found in _pages(connection, wanted.source.location, query, wanted.fields, wanted.tried):
        yield page(wanted, ([_value(hit["_source"], name) for name in wanted.fields] for hit in found))


def marked(location: Mapping[str, str], field: str, equals: bool | int | str, connection: Connection) -> Iterator[str]:
    """Ids of the documents of a location in which a field has a value.

    Raises:
        Refused: the index is not there, or the account lacks a right.
        Unavailable: the cluster or a shard of it did not answer.
    """
    query = {"term": {field: equals}}
    for found in _pages(connection, location["index"], query, (), f"read which records are marked '{field}'"):
        yield from (hit["_id"] for hit in found)


def _pages(
    connection: Connection, index: str, query: Mapping[str, Any], fields: Sequence[str], tried: str
) -> Iterator[list[Any]]:
    client = connect_client(connection)
    behind: list[Any] | None = None
    try:
        with speaking(tried):
            point = client.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE)["id"]
        while True:
            with speaking(tried):
                answer = client.search(
                    pit={"id": point, "keep_alive": _KEEP_ALIVE},
                    query=query,
                    sort=["_shard_doc"],
                    size=PAGE,
                    search_after=behind,
                    source={"includes": list(fields)} if fields else False,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                )
            if answer["timed_out"] or answer.get("_shards", {}).get("failed"):
                raise Unavailable(SYSTEM, tried, "A part of the index did not answer: it is tried again.")
            point, found = answer.get("pit_id", point), answer["hits"]["hits"]
            yield found
            if len(found) < PAGE:
                with speaking("close a point in time"):
                    client.close_point_in_time(id=point)
                return
            behind = found[-1]["sort"]
    finally:
        client.close()


def _value(source: Mapping[str, Any], name: str) -> Any:
    """The value of a field, written with dots or as objects in objects."""
    if name in source:
        return source[name]
    first, _, rest = name.partition(".")
    inner = source.get(first)
    return _value(inner, rest) if rest and isinstance(inner, Mapping) else None
