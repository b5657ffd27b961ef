"""The query engine against a naive one, on random documents and queries."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from include.sandbox.firestore import engine
from include.sandbox.firestore.paths import Names, key_of
from include.sandbox.firestore.query import parse
from include.sandbox.firestore.store import Store, Stored
from include.sandbox.firestore.values import from_python, sort_key, to_python
from include.sandbox.firestore.wire import Document, Refusal
from tests.sandbox.firestore_kit import DOCUMENTS, PROJECT, VALUES, message_of, queries
from tests.sandbox.firestore_reference import answer, compare

NAMES = Names(PROJECT)


def _stored(document_id: str, fields: dict[str, Any]) -> Stored:
    path = f"c/{document_id}"
    values = {name: from_python(value) for name, value in fields.items()}
    return Stored(key_of(path), Document(name=f"{NAMES.root}/{path}", fields=values), 1, 1)


def _parsed(query: dict[str, Any]):
    message = message_of(query)
    try:
        return parse(type(message).pb(message), (), NAMES)
    except Refusal:
        return None


def _ids(store: Store, parsed, at: int | None = None) -> list[str]:
    return [NAMES.path(found.key).removeprefix("c/") for found in engine.run(store, parsed, at)[0]]


@settings(max_examples=400, deadline=None)
@given(documents=DOCUMENTS, query=queries())
def test_a_query_gives_what_the_naive_engine_gives(documents, query):
    parsed = _parsed(query)
    assume(parsed is not None)
    store = Store()
    store.load(_stored(name, fields) for name, fields in documents.items())
    assert _ids(store, parsed) == answer(documents, query)


@settings(max_examples=150, deadline=None)
@given(before=DOCUMENTS, after=DOCUMENTS, query=queries())
def test_indexes_follow_writes_and_the_past_stays_readable(before, after, query):
    parsed = _parsed(query)
    assume(parsed is not None)
    store = Store()
    store.load(_stored(name, fields) for name, fields in before.items())
    engine.run(store, parsed)
    then = store.now()
    gone = {key_of(f"c/{name}"): None for name in before.keys() - after.keys()}
    new = {key_of(f"c/{name}"): _stored(name, fields) for name, fields in after.items()}
    store.apply(store.tick(), {**gone, **new})
    assert _ids(store, parsed) == answer(after, query)
    assert _ids(store, parsed, then) == answer(before, query)


@given(left=VALUES, right=VALUES)
def test_values_sort_as_the_naive_order_says(left, right):
    one, other = sort_key(from_python(left)), sort_key(from_python(right))
    assert (one > other) - (one < other) == compare(left, right)


@given(value=VALUES)
def test_a_value_survives_the_way_to_protobuf_and_back(value):
    assert compare(to_python(from_python(value)), value) == 0


@given(st.text(min_size=1, max_size=12).filter(lambda t: "\x00" not in t), st.integers(-(2**63), 2**63 - 1))
def test_names_survive_the_way_to_keys_and_back(text, number):
    text = text.replace("/", "|")
    if text in {".", ".."} or (text.startswith("__") and text.endswith("__") and len(text) >= 4):
        with pytest.raises(Refusal):
            key_of(f"c/{text}")
    else:
        assert NAMES.path(key_of(f"c/{text}")) == f"c/{text}"
    assert NAMES.path(key_of(f"c/__id{number}__")) == f"c/__id{number}__"
