"""The RPCs of ``google.firestore.v1.Firestore``: each reads its request, works under the store's lock and answers.

Requests and answers are raw protobuf messages. Whatever a request sets beyond what is written here is refused.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from google.cloud.firestore_v1 import types

from include.sandbox.firestore import aggregate, engine, listing
from include.sandbox.firestore.paths import FieldPath, Key, Names, check_id
from include.sandbox.firestore.projection import mask_of, projected
from include.sandbox.firestore.query import Query, parse
from include.sandbox.firestore.store import Store, Stored
from include.sandbox.firestore.transactions import Transaction, Transactions
from include.sandbox.firestore.wire import (
    Document,
    Empty,
    Refusal,
    Status,
    StatusCode,
    Write,
    WriteResult,
    invalid,
    micros,
    only,
    timestamp,
)
from include.sandbox.firestore.writes import stage, target

_CONSISTENCY = ("transaction", "new_transaction", "read_time")
_MAX_BATCH = 500
FailItem = Callable[[int], Refusal | None]


class Service:
    """The operations.

    Args:
        store: the documents.
        names: the names of the database.
    """

    def __init__(self, store: Store, names: Names) -> None:
        self._store = store
        self._names = names
        self.transactions = Transactions()

    # --- reads

    def _view(self, request: Any) -> tuple[Transaction | None, bytes, int | None]:
        """What a read looks at: its transaction, the id of a new one, and a time in the past (None for now)."""
        kind = request.WhichOneof("consistency_selector")
        if kind == "read_time":
            return None, b"", self._past(request.read_time)
        if kind is None:
            return None, b"", None
        new = self._begin(request.new_transaction) if kind == "new_transaction" else b""
        found = self.transactions.get(new or request.transaction)
        return found, new, found.read_at if found.read_only else None

    def _past(self, at: Any) -> int:
        wanted = micros(at)
        if wanted > self._store.now():
            raise invalid("The requested 'read_time' cannot be in the future.")
        if wanted < self._store.oldest_readable:
            raise Refusal(StatusCode.FAILED_PRECONDITION, "The requested 'read_time' is too old.")
        return wanted

    def _read_time(self, at: int | None) -> Any:
        return timestamp(self._store.now() if at is None else at)

    def batch_get_documents(self, request: Any) -> Iterator[Any]:
        """BatchGetDocuments."""
        only(request, "database", "documents", "mask", *_CONSISTENCY)
        self._names.check_database(request.database)
        keys = list(dict.fromkeys(map(self._names.document, request.documents)))
        fields = mask_of(request)
        response = types.BatchGetDocumentsResponse.pb()
        with self._store.lock:
            seen, new, at = self._view(request)
            then = {} if at is None else self._store.as_of(at)
            found = [(key, then[key] if key in then else self._store.documents.get(key)) for key in keys]
            read_time = self._read_time(at)
        if new:
            yield response(transaction=new)
        for key, stored in found:
            if seen:
                seen.saw(key, stored)
            if stored:
                yield response(found=projected(stored, fields), read_time=read_time)
            else:
                yield response(missing=self._names.name(key), read_time=read_time)

    def get_document(self, request: Any) -> Any:
        """GetDocument."""
        only(request, "name", "mask", "transaction", "read_time")
        key = self._names.document(request.name)
        with self._store.lock:
            seen, _, at = self._view(request)
            then = {} if at is None else self._store.as_of(at)
            stored = then[key] if key in then else self._store.documents.get(key)
        if seen:
            seen.saw(key, stored)
        if stored is None:
            raise Refusal(StatusCode.NOT_FOUND, f"Document ({request.name}) not found.")
        return projected(stored, mask_of(request))

    def run_query(self, request: Any) -> Iterator[Any]:
        """RunQuery."""
        only(request, "parent", "structured_query", *_CONSISTENCY)
        query = self._query(request.structured_query, request.parent)
        response = types.RunQueryResponse.pb()
        with self._store.lock:
            seen, new, at = self._view(request)
            results, skipped = engine.run(self._store, query, at)
            read_time = self._read_time(at)
        if seen and not seen.read_only:
            seen.found(query, results)
        if new:
            yield response(transaction=new)
        if skipped or not results:
            yield response(read_time=read_time, skipped_results=skipped, **({} if results else {"done": True}))
        for stored in results:
            yield response(document=projected(stored, query.fields), read_time=read_time)

    def run_aggregation_query(self, request: Any) -> Iterator[Any]:
        """RunAggregationQuery."""
        only(request, "parent", "structured_aggregation_query", *_CONSISTENCY)
        asked = request.structured_aggregation_query
        only(asked, "structured_query", "aggregations")
        named = aggregate.check(asked.aggregations)
        query = aggregate.narrowed(self._query(asked.structured_query, request.parent), named.values())
        response = types.RunAggregationQueryResponse.pb()
        with self._store.lock:
            seen, new, at = self._view(request)
            results, _ = engine.run(self._store, query, at)
            read_time = self._read_time(at)
        if seen and not seen.read_only:
            seen.found(query, results)
        values = {alias: aggregate.compute(message, results) for alias, message in named.items()}
        yield response(result={"aggregate_fields": values}, read_time=read_time, transaction=new)

    def _query(self, message: Any, parent: str) -> Query:
        return parse(message, self._names.parent(parent), self._names)

    def list_documents(self, request: Any) -> Any:
        """ListDocuments (of the present)."""
        only(request, "parent", "collection_id", "page_size", "page_token", "order_by", "mask", "show_missing")
        fields = mask_of(request)
        with self._store.lock:
            rows, token = listing.documents(self._store, self._names, request)
        found = [
            projected(row, fields) if isinstance(row, Stored) else Document(name=self._names.name(row)) for row in rows
        ]
        return types.ListDocumentsResponse.pb()(documents=found, next_page_token=token)

    def list_collection_ids(self, request: Any) -> Any:
        """ListCollectionIds (of the present)."""
        only(request, "parent", "page_size", "page_token")
        with self._store.lock:
            ids, token = listing.collection_ids(self._store, self._names, request)
        return types.ListCollectionIdsResponse.pb()(collection_ids=ids, next_page_token=token)

    def partition_query(self, request: Any) -> Any:
        """PartitionQuery (of the present, in one page)."""
        only(request, "parent", "structured_query", "partition_count", "page_size")
        query = self._query(request.structured_query, request.parent)
        with self._store.lock:
            cuts = listing.partitions(self._store, query, request.partition_count)
        cursors = [{"values": [{"reference_value": self._names.name(cut)}], "before": True} for cut in cuts]
        return types.PartitionQueryResponse.pb()(partitions=cursors)

    # --- transactions and writes

    def _begin(self, options: Any) -> bytes:
        only(options, "read_only", "read_write")
        only(options.read_only, "read_time")
        only(options.read_write, "retry_transaction")
        past = options.HasField("read_only") and options.read_only.HasField("read_time")
        at = self._past(options.read_only.read_time) if past else self._store.now()
        return self.transactions.begin(read_only=options.HasField("read_only"), read_at=at)

    def begin_transaction(self, request: Any) -> Any:
        """BeginTransaction."""
        only(request, "database", "options")
        self._names.check_database(request.database)
        with self._store.lock:
            return types.BeginTransactionResponse.pb()(transaction=self._begin(request.options))

    def rollback(self, request: Any) -> Any:
        """Rollback."""
        only(request, "database", "transaction")
        self._names.check_database(request.database)
        self.transactions.roll_back(request.transaction)
        return Empty()

    def commit(self, request: Any) -> Any:
        """Commit: all writes or none."""
        only(request, "database", "writes", "transaction")
        self._names.check_database(request.database)
        with self._store.lock:
            if request.transaction:
                ending = self.transactions.close(request.transaction)
                if ending.read_only and request.writes:
                    raise invalid("Cannot modify entities in a read-only transaction.")
                if not ending.read_only:
                    ending.check(self._store)
            at = self._store.tick()
            staging, results = stage(self._store, self._names, request.writes, at)
            staging.apply()
        return types.CommitResponse.pb()(write_results=results, commit_time=timestamp(at))

    def batch_write(self, request: Any, fails: FailItem = lambda _: None) -> Any:
        """BatchWrite: each write for itself, with a status for each.

        Args:
            request: the request.
            fails: the refusal that the write at a place must suffer, for rehearsing partial failures.
        """
        only(request, "database", "writes", "labels")
        self._names.check_database(request.database)
        if len(request.writes) > _MAX_BATCH:
            raise invalid(f"maximum {_MAX_BATCH} writes allowed per request")
        keys = [target(write, self._names) for write in request.writes]
        if len(set(keys)) < len(keys):
            raise invalid("the same document cannot be written more than once in a single request")
        answer = types.BatchWriteResponse.pb()()
        with self._store.lock:
            for place, write in enumerate(request.writes):
                result, status = self._write_alone(write, fails(place))
                answer.write_results.append(result)
                answer.status.append(status)
        return answer

    def _write_alone(self, write: Any, refusal: Refusal | None) -> tuple[Any, Any]:
        try:
            if refusal:
                raise refusal
            staging, results = stage(self._store, self._names, [write], self._store.tick())
            staging.apply()
        except Refusal as refused:
            return WriteResult(), Status(code=refused.code.value[0], message=refused.message)
        return results[0], Status()

    def create_document(self, request: Any) -> Any:
        """CreateDocument."""
        only(request, "parent", "collection_id", "document_id", "document", "mask")
        if request.document.name:
            raise invalid("document.name must not be set")
        check_id(request.collection_id, collection=True)
        document_id = request.document_id or "".join(secrets.choice(string.ascii_letters) for _ in range(20))
        check_id(document_id, collection=False)
        parent = self._names.parent(request.parent)
        document = Document(fields=request.document.fields)
        document.name = self._names.name((*parent, request.collection_id, document_id))
        write = Write(update=document, current_document={"exists": False})
        return self._written(write, mask_of(request))

    def update_document(self, request: Any) -> Any:
        """UpdateDocument."""
        only(request, "document", "update_mask", "mask", "current_document")
        write = Write(update=request.document)
        if request.HasField("update_mask"):
            write.update_mask.CopyFrom(request.update_mask)
        if request.HasField("current_document"):
            write.current_document.CopyFrom(request.current_document)
        return self._written(write, mask_of(request))

    def delete_document(self, request: Any) -> Any:
        """DeleteDocument."""
        only(request, "name", "current_document")
        write = Write(delete=request.name)
        if request.HasField("current_document"):
            write.current_document.CopyFrom(request.current_document)
        self._one(write)
        return Empty()

    def _written(self, write: Any, fields: tuple[FieldPath, ...] | None) -> Any:
        with self._store.lock:
            key = self._one(write)
            return projected(self._store.documents[key], fields)

    def _one(self, write: Any) -> Key:
        writes: Sequence[Any] = [write]
        with self._store.lock:
            staging, _ = stage(self._store, self._names, writes, self._store.tick())
            staging.apply()
        return target(write, self._names)
