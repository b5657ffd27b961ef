"""A running sandbox with the official client, and random documents and queries for its query engine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import grpc
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from hypothesis import strategies as st

from include.sandbox.faults import Faults, Journal
from include.sandbox.firestore import FirestoreSandbox
from include.sandbox.firestore.values import from_python

PROJECT = "demo"
DATABASE = f"projects/{PROJECT}/databases/(default)"
ROOT = f"{DATABASE}/documents"
STREAMS = {"run_query", "run_aggregation_query", "batch_get_documents"}


@dataclass
class Running:
    """A sandbox that serves."""

    sandbox: FirestoreSandbox
    faults: Faults
    journal: Journal
    port: int
    client: firestore.Client
    stub: FirestoreClient


@contextmanager
def running() -> Iterator[Running]:
    """Start a sandbox and connect both layers of the official client to it."""
    faults, journal = Faults(), Journal()
    sandbox = FirestoreSandbox(faults, journal, PROJECT)
    port = sandbox.start()
    with mock.patch.dict(os.environ, {"FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{port}"}):
        client = firestore.Client(project=PROJECT, credentials=AnonymousCredentials())
        assert client.collection("warm").document("up").get().exists is False
    stub = stub_for(f"127.0.0.1:{port}")
    try:
        yield Running(sandbox, faults, journal, port, client, stub)
    finally:
        stub.transport.close()
        client.close()
        sandbox.stop()


class _Owner(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Emulators want to be told that the caller is an administrator."""

    def intercept_unary_unary(self, continuation, details, request):
        metadata = [*(details.metadata or []), ("authorization", "Bearer owner")]
        return continuation(details._replace(metadata=metadata), request)

    intercept_unary_stream = intercept_unary_unary


def stub_for(address: str) -> FirestoreClient:
    """The client's lower layer, which sends any message, also wrong ones."""
    channel = grpc.intercept_channel(grpc.insecure_channel(address), _Owner())
    return FirestoreClient(transport=FirestoreGrpcTransport(channel=channel))


# --- random documents and queries

NAN = float("nan")
INSTANTS = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=n * 7) for n in range(4)]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 2, -1, 2**53 + 1, -(2**63)]),
    st.sampled_from([0.5, 1.0, 2.5, -1.0, float(2**53), float("inf"), NAN]),
    st.sampled_from(["", "a", "b", "ab", "ß", "\uffee", "\U0001f600"]),
    st.sampled_from([b"", b"a", b"\xff"]),
    st.sampled_from(INSTANTS),
)
VALUES = st.one_of(
    SCALARS,
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(st.sampled_from(["x", "y"]), SCALARS, max_size=2),
)
FIELDS = ["a", "b", "c"]
DOCUMENTS = st.dictionaries(
    st.sampled_from([f"d{n}" for n in range(10)] + ["D", "é", "__id7__", "__id10__"]),
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3),
    max_size=12,
)
COMPARISONS = ["EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "NOT_EQUAL"]
LISTS = ["IN", "NOT_IN", "ARRAY_CONTAINS_ANY"]
UNARY = ["IS_NULL", "IS_NAN", "IS_NOT_NULL", "IS_NOT_NAN"]


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    """One test: field, operator, Python value."""
    field = draw(st.sampled_from([*FIELDS, "a.x"]))
    operator = draw(st.sampled_from([*COMPARISONS, *COMPARISONS, "ARRAY_CONTAINS", *LISTS, *UNARY]))
    if operator in UNARY:
        return {"field": field, "op": operator}
    value = draw(st.lists(SCALARS, min_size=1, max_size=3) if operator in LISTS else VALUES)
    return {"field": field, "op": operator, "value": value}


FILTERS = st.recursive(
    leaves(),
    lambda child: (
        st.fixed_dictionaries({"all": st.lists(child, min_size=1, max_size=2)})
        | st.fixed_dictionaries({"any": st.lists(child, min_size=1, max_size=2)})
    ),
    max_leaves=3,
)


@st.composite
def queries(draw: st.DrawFn) -> dict[str, Any]:
    """A query in plain Python."""
    orders = draw(st.lists(st.tuples(st.sampled_from(FIELDS), st.booleans()), max_size=2, unique_by=lambda o: o[0]))
    if draw(st.integers(0, 3)) == 0:
        orders.append(("__name__", draw(st.booleans()) if orders else False))
    query: dict[str, Any] = {
        "where": draw(st.none() | FILTERS),
        "orders": orders,
        "offset": draw(st.sampled_from([0, 0, 0, 1, 3])),
        "limit": draw(st.sampled_from([None, None, 0, 1, 3])),
        "group": draw(st.booleans()),
    }
    for side in ("start", "end"):
        if orders and draw(st.integers(0, 3)) == 0:
            width = draw(st.integers(1, len(orders)))
            values = [draw(st.just("d3") if name == "__name__" else VALUES) for name, _ in orders[:width]]
            query[side] = (values, draw(st.booleans()))
    return query


def message_of(query: dict[str, Any], root: str = ROOT) -> types.StructuredQuery:
    """The wire form of a query of :func:`queries` on the collection ``c``."""
    message = types.StructuredQuery.pb()()
    message.from_.add(collection_id="c", all_descendants=query["group"])
    if query["where"] is not None:
        _put_filter(message.where, query["where"])
    for name, descending in query["orders"]:
        message.order_by.add(direction=2 if descending else 1).field.field_path = name
    for side in ("start", "end"):
        if side in query:
            cursor = getattr(message, f"{side}_at")
            values, cursor.before = query[side]
            for (name, _), value in zip(query["orders"], values, strict=False):
                if name == "__name__":
                    cursor.values.add(reference_value=f"{root}/c/{value}")
                else:
                    cursor.values.append(from_python(value))
    message.offset = query["offset"]
    if query["limit"] is not None:
        message.limit.value = query["limit"]
    return types.StructuredQuery.wrap(message)


def _put_filter(message: Any, node: dict[str, Any]) -> None:
    if "op" not in node:
        either = "any" in node
        message.composite_filter.op = 2 if either else 1
        for child in node["any" if either else "all"]:
            _put_filter(message.composite_filter.filters.add(), child)
    elif "value" not in node:
        message.unary_filter.field.field_path = node["field"]
        message.unary_filter.op = types.StructuredQuery.UnaryFilter.Operator[node["op"]]
    else:
        message.field_filter.field.field_path = node["field"]
        message.field_filter.op = types.StructuredQuery.FieldFilter.Operator[node["op"]]
        message.field_filter.value.CopyFrom(from_python(node["value"]))
