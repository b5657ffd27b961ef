"""The gRPC side: method table, faults, journal and statuses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Never

import grpc  # type: ignore[import-untyped]
from google.cloud.firestore_v1 import types
from google.protobuf import any_pb2  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.rpc import error_details_pb2  # type: ignore[import-untyped]

from include.sandbox.faults import Fault, FaultKind, Faults, Journal
from include.sandbox.firestore.service import Service
from include.sandbox.firestore.wire import Empty, Refusal, Status, invalid

SERVICE = "firestore"
MAX_REQUEST_BYTES = 10 * 1024 * 1024
_READABLE_BYTES = 64 * 1024 * 1024
_WORKERS = 16
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}
_BY_HTTP = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ABORTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_STREAMS = {"BatchGetDocuments", "RunQuery", "RunAggregationQuery"}
_REQUESTS: dict[str, Any] = {
    "BatchGetDocuments": types.BatchGetDocumentsRequest.pb(),
    "RunQuery": types.RunQueryRequest.pb(),
    "RunAggregationQuery": types.RunAggregationQueryRequest.pb(),
    "ListDocuments": types.ListDocumentsRequest.pb(),
    "ListCollectionIds": types.ListCollectionIdsRequest.pb(),
    "PartitionQuery": types.PartitionQueryRequest.pb(),
    "BeginTransaction": types.BeginTransactionRequest.pb(),
    "Rollback": types.RollbackRequest.pb(),
    "Commit": types.CommitRequest.pb(),
    "BatchWrite": types.BatchWriteRequest.pb(),
    "GetDocument": types.GetDocumentRequest.pb(),
    "CreateDocument": types.CreateDocumentRequest.pb(),
    "UpdateDocument": types.UpdateDocumentRequest.pb(),
    "DeleteDocument": types.DeleteDocumentRequest.pb(),
}


def _code(fault: Fault) -> grpc.StatusCode:
    """The status of a fault, given as a gRPC or an HTTP number."""
    return _BY_NUMBER.get(fault.status) or _BY_HTTP.get(fault.status, grpc.StatusCode.UNKNOWN)


def serve(service: Service, faults: Faults, journal: Journal, address: str) -> tuple[grpc.Server, int]:
    """Start a server.

    Returns:
        The server and its port.
    """
    server = grpc.server(
        ThreadPoolExecutor(_WORKERS, thread_name_prefix="firestore"),
        options=[("grpc.max_receive_message_length", _READABLE_BYTES), ("grpc.so_reuseport", 0)],
    )
    table = {name: _handler(name, service, faults, journal) for name in _REQUESTS}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("google.firestore.v1.Firestore", table),))
    port = server.add_insecure_port(address)
    server.start()
    return server, port


def _handler(name: str, service: Service, faults: Faults, journal: Journal) -> grpc.RpcMethodHandler:
    method = getattr(service, "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_"))
    call = _Call(name, method, faults, journal)
    if name in _STREAMS:
        return grpc.unary_stream_rpc_method_handler(call.stream, None, _bytes)
    return grpc.unary_unary_rpc_method_handler(call.answer, None, _bytes)


def _bytes(message: Any) -> bytes:
    content: bytes = message.SerializeToString()
    return content


class _Call:
    """One RPC: decodes the request, obeys the fault that is planned for it, notes the outcome."""

    def __init__(self, name: str, method: Callable[..., Any], faults: Faults, journal: Journal) -> None:
        self._name = name
        self._method = method
        self._faults = faults
        self._journal = journal

    def answer(self, content: bytes, context: grpc.ServicerContext) -> Any:
        """Serve a call with one answer."""
        return self._guarded(content, context, lambda result: result)

    def stream(self, content: bytes, context: grpc.ServicerContext) -> Iterator[Any]:
        """Serve a call with many answers."""
        yield from self._guarded(content, context, self._streamed)

    def _streamed(self, result: Iterator[Any]) -> Iterator[Any]:
        """Run up to the first answer, where all refusals happen, before the call counts as served."""
        first = next(result, Empty())
        return _chain(first, result)

    def _guarded(self, content: bytes, context: grpc.ServicerContext, serve_result: Callable[[Any], Any]) -> Any:
        fault = self._faults.take(SERVICE, self._name)
        try:
            self._before(fault)
            result = serve_result(self._bound(fault)(self._decode(content)))
            if fault and fault.kind is FaultKind.LOST_ANSWER:
                raise Refusal(grpc.StatusCode.UNAVAILABLE, "The connection was closed.")
        except Refusal as refusal:
            self._refuse(context, refusal, fault)
        self._journal.add(SERVICE, self._name, 0)
        return result

    def _before(self, fault: Fault | None) -> None:
        if fault is None:
            return
        if fault.kind is FaultKind.STATUS:
            raise Refusal(_code(fault), "The service failed.")
        if fault.kind is FaultKind.DROP:
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "The connection was closed.")
        if fault.kind is FaultKind.LATENCY:
            time.sleep(fault.seconds)

    def _bound(self, fault: Fault | None) -> Callable[[Any], Any]:
        if fault is None or fault.kind is not FaultKind.PARTIAL or self._name != "BatchWrite":
            return self._method
        refusal = Refusal(_code(fault), "This write failed.")
        return partial(self._method, fails=lambda place: refusal if place % 2 else None)

    def _decode(self, content: bytes) -> Any:
        if len(content) > MAX_REQUEST_BYTES:
            raise invalid(f"Request payload size exceeds the limit: {MAX_REQUEST_BYTES} bytes.")
        try:
            return _REQUESTS[self._name].FromString(content)
        except DecodeError:
            raise invalid("The request could not be read.") from None

    def _refuse(self, context: grpc.ServicerContext, refusal: Refusal, fault: Fault | None) -> Never:
        self._journal.add(SERVICE, self._name, refusal.code.value[0])
        if fault and fault.retry_after:
            context.set_trailing_metadata((("grpc-status-details-bin", _retry_info(refusal, fault.retry_after)),))
        context.abort(refusal.code, refusal.message)
        raise AssertionError  # abort always raises


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    if not isinstance(first, Empty):
        yield first
        yield from rest


def _retry_info(refusal: Refusal, seconds: int) -> bytes:
    detail = any_pb2.Any()
    info = error_details_pb2.RetryInfo()
    info.retry_delay.seconds = seconds
    detail.Pack(info)
    status = Status(code=refusal.code.value[0], message=refusal.message, details=[detail])
    content: bytes = status.SerializeToString()
    return content
