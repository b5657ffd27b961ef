"""The calls to Firestore: one method for each RPC used, with explicit time-outs, no silent retries, and mapped errors.

Retries belong to the scheduler, which also re-reads the holds; the client's own would hide how often a deletion was
sent. ``BulkWriter`` and ``recursive_delete`` of the client are not used: both lose errors of whole RPCs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc  # type: ignore[import-untyped]
import grpc.experimental  # type: ignore[import-untyped]
from google.api_core import exceptions as api
from google.auth.credentials import Credentials
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]

from include.connection import Connection
from include.errors import PrivacyError, Refused, Throttled, Unavailable
from include.systems.firestore import CARD
from include.systems.silence import silence

READ_SECONDS = 120.0
WRITE_SECONDS = 60.0
_CHANNEL = [
    # The caller's thread reads the stream itself: a quarter less processor time for each listed document.
    (grpc.experimental.ChannelOptions.SingleThreadedUnaryStream, 1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
]
_LATER = "Run it again later; what was done already is not done twice."
_RIGHTS = "Give the service account the role roles/datastore.user and check its key."
_BROKEN = "Check the rule's location and fields; the same request will be refused again."


class Gateway:
    """Firestore of one database.

    Args:
        connection: where; see :func:`include.systems.firestore.connect`.
        credentials: who, None for an emulator.
    """

    def __init__(self, connection: Connection, credentials: Credentials | None) -> None:
        silence("google.cloud.firestore_v1", "google.auth.transport")
        project = connection.text("project")
        self.database = f"projects/{project}/databases/{connection.text('database', '(default)')}"
        self.root = f"{self.database}/documents"
        self._metadata: list[tuple[str, str]] = [("google-cloud-resource-prefix", self.database)]
        if credentials is None:
            self._metadata.append(("authorization", "Bearer owner"))
            channel = grpc.insecure_channel(f"{connection.host}:{connection.port}", options=_CHANNEL)
            transport = FirestoreGrpcTransport(channel=channel)
        else:
            transport = FirestoreGrpcTransport(
                host=connection.host or FirestoreClient.DEFAULT_ENDPOINT, credentials=credentials, channel=_secure
            )
        self._client = FirestoreClient(transport=transport)

    def close(self) -> None:
        """Close the channel."""
        self._client.transport.close()  # type: ignore[no-untyped-call]

    def name(self, path: str) -> str:
        """The resource name of a document path, "" for the documents root."""
        return f"{self.root}/{path}" if path else self.root

    def query(self, parent: str, query: Any, tried: str, index: str = "") -> Iterator[Any]:
        """Stream the documents of a query.

        Args:
            parent: resource name of the document (or root) to search below.
            query: the structured query.
            tried: for the error message.
            index: the index it needs, in words, for the error message.
        """
        request = types.RunQueryRequest.pb()(parent=parent, structured_query=query)
        with mapped(tried, index):
            for response in self._client.run_query(
                types.RunQueryRequest.wrap(request), retry=None, timeout=READ_SECONDS, metadata=self._metadata
            ):
                raw = types.RunQueryResponse.pb(response)
                if raw.HasField("document"):
                    yield raw.document

    def count(self, parent: str, query: Any, tried: str, index: str = "") -> int:
        """The number of documents of a query, by the server's aggregation."""
        request = types.RunAggregationQueryRequest.pb()(parent=parent)
        request.structured_aggregation_query.structured_query.CopyFrom(query)
        request.structured_aggregation_query.aggregations.add(alias="n").count.SetInParent()
        with mapped(tried, index):
            for response in self._client.run_aggregation_query(
                types.RunAggregationQueryRequest.wrap(request),
                retry=None,
                timeout=READ_SECONDS,
                metadata=self._metadata,
            ):
                fields = types.RunAggregationQueryResponse.pb(response).result.aggregate_fields
                if "n" in fields:
                    return int(fields["n"].integer_value)
        raise Unavailable(CARD.key, tried, "The service gave no count. " + _LATER)

    def get(self, names: Iterable[str], mask: Iterable[str], tried: str) -> dict[str, Any]:
        """Those documents that exist, by name, with the fields of the mask."""
        request = types.BatchGetDocumentsRequest.pb()(database=self.database, documents=list(names))
        request.mask.field_paths.extend(mask)
        with mapped(tried):
            answers = self._client.batch_get_documents(
                types.BatchGetDocumentsRequest.wrap(request), retry=None, timeout=READ_SECONDS, metadata=self._metadata
            )
            raws = map(types.BatchGetDocumentsResponse.pb, answers)
            return {raw.found.name: raw.found for raw in raws if raw.HasField("found")}

    def batch_write(self, writes: Iterable[Any], tried: str) -> Any:
        """Apply each write for itself.

        Returns:
            The raw ``BatchWriteResponse``: a status for each write.
        """
        request = types.BatchWriteRequest.pb()(database=self.database, writes=writes)
        with mapped(tried):
            return types.BatchWriteResponse.pb(
                self._client.batch_write(
                    types.BatchWriteRequest.wrap(request), retry=None, timeout=WRITE_SECONDS, metadata=self._metadata
                )
            )

    def commit(self, writes: Iterable[Any], tried: str) -> bool:
        """Apply all writes or none.

        Returns:
            False if a precondition did not hold, which means that nothing was done.
        """
        request = types.CommitRequest.pb()(database=self.database, writes=writes)
        with mapped(tried):
            try:
                self._client.commit(
                    types.CommitRequest.wrap(request), retry=None, timeout=WRITE_SECONDS, metadata=self._metadata
                )
            except (api.FailedPrecondition, api.NotFound):
                return False
        return True


def _secure(host: str, **arguments: Any) -> grpc.Channel:
    return FirestoreGrpcTransport.create_channel(host, **{**arguments, "options": _CHANNEL})


@contextmanager
def mapped(tried: str, index: str = "") -> Iterator[None]:
    """Turn the client's exceptions into the product's."""
    try:
        yield
    except api.GoogleAPICallError as error:
        raise error_for(error.grpc_status_code, tried, retry_after=_retry_after(error), index=index) from None
    except (grpc.RpcError, api.RetryError):
        raise Unavailable(CARD.key, tried, _LATER) from None


def error_for(
    code: grpc.StatusCode | None, tried: str, *, retry_after: float | None = None, index: str = ""
) -> PrivacyError:
    """The product's error for a gRPC status, grouped by what helps."""
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Throttled(
            CARD.key, tried, "Wait, then run it again; if it stays, raise the quota.", retry_after=retry_after
        )
    if code in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED}:
        return Refused(CARD.key, tried, _RIGHTS)
    if code is grpc.StatusCode.FAILED_PRECONDITION and index:
        return Refused(CARD.key, tried, f"Create {index}, then run it again.")
    refusals = {
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNIMPLEMENTED,
    }
    if code in refusals:
        return Refused(CARD.key, tried, _BROKEN)
    return Unavailable(CARD.key, tried, _LATER)


def _retry_after(error: api.GoogleAPICallError) -> float | None:
    delays = (d.retry_delay for d in error.details if isinstance(d, RetryInfo))
    return next((delay.seconds + delay.nanos / 1e9 for delay in delays), None)
