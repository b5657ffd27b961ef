"""The retention contract over Elasticsearch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from include.connection import Connection
from include.errors import Unavailable
from include.policy.actions import Action
from include.systems.contract import (
    Batch,
    Card,
    Expiry,
    Expunged,
    OnHold,
    Proof,
    ReadBack,
    Selection,
    Survey,
    Swept,
)
from include.systems.elasticsearch.anonymising import script
from include.systems.elasticsearch.client import SYSTEM, client_options, connect_client, speaking
from include.systems.elasticsearch.fields import check
from include.systems.elasticsearch.lifecycles import lifecycles, set_lifecycle
from include.systems.elasticsearch.selecting import (
    TARGETS,
    Query,
    Reader,
    due,
    index_of,
    only,
    residual,
    subject_field,
    without,
)
from include.systems.elasticsearch.tasks import Tasks, task_options, task_patience

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

CARD = Card(
    key=SYSTEM,
    version="1",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE, Action.ANONYMISE}),
    location_keys={"index": "an index, alias or data stream by its exact name, or a pattern that ends in '-*'"},
    subject_forms={"field:<name>": "the keyword field with the id of the person a document belongs to"},
    trigger_fields=frozenset(),
    batch_size=50_000,
    documentation="https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-delete-by-query",
    horizon="Deleted documents stay on the disk, unseen by searches, until their segments are merged; snapshots keep "
    "them until the snapshots are deleted.",
)

_SCROLL_SIZE = 5_000
_MERGE_PATIENCE = 900.0


class ElasticsearchSystem:
    """Deletes and anonymises by query.

    Args:
        connection: see :func:`include.systems.elasticsearch.client.client_options`; ``extra`` may also hold
            ``task_timeout``, the seconds that one batch may take (900), and ``requests_per_second``, the documents per
            second to which the cluster holds a task back (no limit).
        sleep: waits for a number of seconds.
    """

    card = CARD

    def __init__(self, connection: Connection, sleep: Callable[[float], None] = time.sleep) -> None:
        client_options(connection)
        self._connection = connection
        self._sleep = sleep
        self._settled: set[str] = set()

    @cached_property
    def _client(self) -> Elasticsearch:
        return connect_client(self._connection)

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Count what there is, what is due and what of it is held."""
        query, subject, reader = due(selection), subject_field(selection), self._reader(selection)
        check(self._client, selection, holds=on_hold is not None, writes=False)
        reader.refresh()
        extent = reader.extent(query, selection.trigger_field)
        held = reader.held(query, subject, on_hold)
        held_count = reader.count(only(query, subject, held)) if held else 0
        total = reader.count({"match_all": {}})
        return Survey(total, extent.count, held_count, extent.oldest, extent.newest)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield bounded tasks until nothing due is left, or a whole round changed nothing.

        A batch is a query with a limit: which documents it takes is the cluster's choice, so it has no ``oldest`` and
        ``newest``. With several shards a task may end below its limit; the next round counts again what it left.
        """
        subject, reader = subject_field(selection), self._reader(selection)
        check(self._client, selection, holds=on_hold is not None, writes=True)
        self._tasks(selection).settle()
        self._settled.add(index_of(selection))
        reader.refresh()
        query = without(due(selection), subject, reader.held(due(selection), subject, on_hold))
        left, before = reader.count(query), 0
        while left and (left < before or not before):
            before = left
            for start in range(0, before, CARD.batch_size):
                yield Batch(min(CARD.batch_size, before - start), None, None, query)
            left = reader.count(query)

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Run one task over at most ``batch.count`` documents.

        Raises:
            Unavailable: it failed, timed out, or its start got no answer; it may still be running and is settled first
                by the next call.
            Refused: a block, a missing right or the mapping stands in the way.
        """
        tasks, index = self._tasks(selection), index_of(selection)
        if index not in self._settled:
            tasks.settle()
        self._settled.discard(index)
        limits: dict[str, Any] = {
            "max_docs": batch.count,
            "slices": "auto" if batch.count == CARD.batch_size else 1,
            "scroll_size": min(_SCROLL_SIZE, batch.count),
            **task_options(self._connection),
        }
        query: Query = batch.records
        if selection.action is Action.ANONYMISE and selection.anonymisation:
            change = script(selection.anonymisation)
            counts = tasks.run(lambda client: client.update_by_query(index=index, query=query, script=change, **limits))
        else:
            counts = tasks.run(lambda client: client.delete_by_query(index=index, query=query, **limits))
        self._settled.add(index)
        gone = int(counts.get("deleted", 0)) + int(counts.get("updated", 0))
        return Swept(gone=gone, changed=int(counts["version_conflicts"]))

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """Count again after a refresh, with ``_count`` and the holds as they are now."""
        query, subject, reader = due(selection), subject_field(selection), self._reader(selection)
        reader.refresh()
        held = reader.held(query, subject, on_hold)
        leftovers = residual(selection)
        return ReadBack(
            remaining=reader.count(without(query, subject, held)),
            held=reader.count(only(query, subject, held)) if held else 0,
            residual_fields=reader.count(leftovers) if leftovers else 0,
        )

    def expiry(self, selection: Selection) -> list[Expiry]:
        """ILM policies and data stream lifecycles that govern the location."""
        return lifecycles(self._client, selection)

    def set_expiry(self, selection: Selection) -> Expiry:
        """Set the lifecycle of a data stream, or the delete phase of an ILM policy that only this location uses.

        The cluster then deletes whole indices whatever the legal holds: use it only where no subject can be held.
        """
        return set_lifecycle(self._client, selection)

    def expunge(self, selection: Selection) -> Expunged:
        """Merge segments so that deleted documents leave the disk.

        It is not part of a sweep: a merge cannot be cancelled, competes with searches for the disk, and leaves segments
        alone of which less than ``index.merge.policy.expunge_deletes_allowed`` (10 %) is deleted. It runs at a quiet
        hour of its own.
        https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-forcemerge
        """
        index = index_of(selection)
        before = self._deleted_docs(index)
        with speaking("merge segments"):
            self._client.options(request_timeout=_MERGE_PATIENCE).indices.forcemerge(
                index=index, only_expunge_deletes=True, **TARGETS
            )
        return Expunged("forcemerge only_expunge_deletes", before, self._deleted_docs(index))

    def close(self) -> None:
        """Close the connections, if there are any."""
        if "_client" in self.__dict__:
            self._client.close()

    def _deleted_docs(self, index: str) -> int:
        with speaking("read the index statistics"):
            stats = self._client.indices.stats(index=index, expand_wildcards="open,hidden")
        if stats["_shards"]["failed"]:
            raise Unavailable(SYSTEM, "read the index statistics", "Some shards did not answer. Try again.")
        return int(stats["_all"]["primaries"]["docs"]["deleted"])

    def _reader(self, selection: Selection) -> Reader:
        return Reader(self._client, index_of(selection))

    def _tasks(self, selection: Selection) -> Tasks:
        mark = f"clique-privacy/{index_of(selection)}"
        return Tasks(self._client, mark, task_patience(self._connection), self._sleep)


def connect(connection: Connection) -> ElasticsearchSystem:
    """Build the system; no call is made and the client is not imported until it is used.

    Raises:
        Refused: the connection lacks a host, or an option has the wrong form.
    """
    return ElasticsearchSystem(connection)
