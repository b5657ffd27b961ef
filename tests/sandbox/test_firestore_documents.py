"""Documents of the sandbox through the official client: writes, reads, transactions, listings."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions as api
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.sandbox.firestore_kit import DATABASE, ROOT, Running, running

WHEN = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture
def db(server) -> firestore.Client:
    server.sandbox.reset()
    return server.client


def test_every_type_comes_back_as_it_was_written(db):
    value = {
        "null": None,
        "bool": True,
        "int": -(2**63),
        "float": 1.5,
        "when": WHEN,
        "text": "ß\U0001f600",
        "bytes": b"\x00\xff",
        "place": firestore.GeoPoint(52.5, 13.4),
        "list": [1, "a", {"deep": None}],
        "map": {"a": {"b": []}},
    }
    db.document("c/d").set(value | {"reference": db.document("users/u1")})
    read = db.document("c/d").get().to_dict()
    assert read.pop("reference").path == "users/u1"
    assert read == value


def test_merge_and_update_touch_only_what_they_name(db):
    document = db.document("c/d")
    document.set({"a": {"x": 1, "y": 2}, "b": 1, "a.b": "dotted"})
    document.set({"a": {"z": 3}}, merge=True)
    document.update({"a.x": firestore.DELETE_FIELD, "`a.b`": "changed", "b": firestore.DELETE_FIELD})
    assert document.get().to_dict() == {"a": {"y": 2, "z": 3}, "a.b": "changed"}


def test_create_update_and_conditional_delete_mind_what_is_there(db):
    document = db.document("c/d")
    with pytest.raises(api.NotFound):
        document.update({"a": 1})
    first = document.create({"a": 1}).update_time
    with pytest.raises(api.AlreadyExists):
        document.create({"a": 1})
    document.update({"a": 2})
    with pytest.raises(api.FailedPrecondition):
        document.delete(option=db.write_option(last_update_time=first))
    document.delete(option=db.write_option(last_update_time=document.get().update_time))
    assert not document.get().exists


def test_a_write_that_changes_nothing_keeps_the_update_time(db):
    document = db.document("c/d")
    first = document.set({"a": 1}).update_time
    assert document.set({"a": 1}).update_time == first
    assert document.set({"a": 2}).update_time > first
    assert document.get().create_time == first


def test_transforms_compute_on_the_server(db):
    document = db.document("c/d")
    document.set({"n": 1, "f": 1, "list": [1, 2], "top": 5, "low": 5, "text": "x", "big": 2**63 - 1})
    document.update(
        {
            "at": firestore.SERVER_TIMESTAMP,
            "n": firestore.Increment(2),
            "f": firestore.Increment(0.5),
            "big": firestore.Increment(1),
            "text": firestore.Increment(3),
            "new": firestore.Increment(4),
            "list": firestore.ArrayUnion([2.0, 3, 3]),
            "top": firestore.Maximum(7.5),
            "low": firestore.Minimum(9),
        }
    )
    document.update({"list": firestore.ArrayRemove([1.0]), "none": firestore.ArrayRemove([1])})
    read = document.get().to_dict()
    assert abs(read.pop("at") - datetime.now(UTC)) < timedelta(minutes=1)
    assert read == {
        "n": 3,
        "f": 1.5,
        "big": 2**63 - 1,
        "text": 3,
        "new": 4,
        "list": [2, 3],
        "top": 7.5,
        "low": 5,
        "none": [],
    }


def test_a_batch_is_all_or_nothing(db):
    batch = db.batch()
    batch.set(db.document("c/new"), {"a": 1})
    batch.update(db.document("c/missing"), {"a": 1})
    with pytest.raises(api.NotFound):
        batch.commit()
    assert not db.document("c/new").get().exists


def test_batch_write_has_a_status_for_each_write(server, db):
    db.document("c/old").set({"a": 1})
    past = {"update_time": WHEN}
    answer = server.stub.batch_write(
        request={
            "database": DATABASE,
            "writes": [
                {"update": {"name": f"{ROOT}/c/new"}},
                {"delete": f"{ROOT}/c/old", "current_document": past},
                {"delete": f"{ROOT}/c/none", "current_document": {"exists": True}},
                {"delete": f"{ROOT}/c/nothing"},
            ],
        },
        retry=None,
    )
    assert [status.code for status in answer.status] == [0, 9, 5, 0]
    assert len(answer.write_results) == 4
    assert {path for path, _ in server.sandbox.documents()} == {"c/new", "c/old"}


def test_deleting_a_document_leaves_what_lies_below_it(db):
    db.document("w/1").set({})
    db.document("w/1/notes/n").set({"a": 1})
    db.document("w/1").delete()
    assert db.document("w/1/notes/n").get().exists
    assert [d.id for d in db.collection("w").list_documents()] == ["1"]
    assert [d.id for d in db.collection("w").stream()] == []
    assert [c.id for c in db.document("w/1").collections()] == ["notes"]


def test_listings_page_through_everything(server, db):
    server.sandbox.seed((f"c/{n:04}/s{n % 3}/x", {}) for n in range(700))
    server.sandbox.seed((f"c/{n:04}", {"n": n}) for n in range(0, 700, 2))
    assert [d.id for d in db.collection("c").list_documents(page_size=100)] == [f"{n:04}" for n in range(700)]
    server.sandbox.seed([("a/x", {}), ("a/x/deep/y", {}), ("zz/x", {})])
    pages = server.stub.list_collection_ids(request={"parent": ROOT, "page_size": 1})
    assert list(pages) == ["a", "c", "zz"]
    by_number = server.stub.list_documents(
        request={
            "parent": ROOT,
            "collection_id": "c",
            "order_by": "n desc",
            "page_size": 3,
            "mask": {"field_paths": ["n"]},
        }
    )
    assert [d.fields["n"].integer_value for d in by_number.documents] == [698, 696, 694]


def test_the_lower_layer_creates_gets_updates_and_deletes(server, db):
    created = server.stub.create_document(
        request={"parent": ROOT, "collection_id": "c", "document": {"fields": {"a": {"integer_value": 1}}}}
    )
    assert len(created.name.rsplit("/", 1)[1]) == 20
    changed = server.stub.update_document(
        request={
            "document": {"name": created.name, "fields": {"b": {"integer_value": 2}}},
            "update_mask": {"field_paths": ["b"]},
            "mask": {"field_paths": ["b"]},
        }
    )
    assert set(changed.fields) == {"b"}
    assert set(server.stub.get_document(request={"name": created.name}).fields) == {"a", "b"}
    server.stub.delete_document(request={"name": created.name})
    with pytest.raises(api.NotFound):
        server.stub.get_document(request={"name": created.name}, retry=None)


def test_get_all_tells_missing_documents(db):
    db.document("c/a").set({"x": 1, "y": 2})
    found = {s.id: s.to_dict() for s in db.get_all([db.document("c/a"), db.document("c/b")], field_paths=["x"])}
    assert found == {"a": {"x": 1}, "b": None}


def test_contended_transactions_lose_no_update(db):
    document = db.document("c/counter")
    document.set({"n": 0})

    def work() -> None:
        for _ in range(5):

            @firestore.transactional
            def add(transaction):
                number = document.get(transaction=transaction).get("n")
                transaction.update(document, {"n": number + 1})

            add(db.transaction(max_attempts=50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert document.get().get("n") == 20


def test_a_transaction_aborts_when_a_query_it_read_has_another_result(db):
    transaction = db.transaction(max_attempts=1)
    transaction._begin()
    assert list(db.collection("c").where(filter=FieldFilter("a", "==", 1)).stream(transaction=transaction)) == []
    db.document("c/new").set({"a": 1})
    transaction.set(db.document("c/result"), {"count": 0})
    with pytest.raises(api.Aborted):
        transaction._commit()
    assert not db.document("c/result").get().exists


def test_a_read_only_transaction_sees_one_moment_and_writes_nothing(db):
    db.document("c/a").set({"n": 1})
    transaction = db.transaction(read_only=True)
    transaction._begin()
    db.document("c/a").set({"n": 2})
    db.document("c/b").set({"n": 3})
    assert db.document("c/a").get(transaction=transaction).get("n") == 1
    assert [s.get("n") for s in db.collection("c").stream(transaction=transaction)] == [1]
    transaction._write_pbs.append({"delete": f"{ROOT}/c/a"})
    with pytest.raises(api.InvalidArgument):
        transaction._commit()
    assert db.document("c/a").get().exists


def test_a_read_in_the_past_sees_deleted_documents(db):
    db.document("c/a").set({"n": 1})
    then = db.document("c/a").set({"n": 2}).update_time
    db.document("c/a").delete()
    assert [s.get("n") for s in db.collection("c").stream(read_time=then)] == [2]
    assert db.document("c/a").get(read_time=then).get("n") == 2
    assert db.collection("c").count().get(read_time=then)[0][0].value == 1


def test_recursive_delete_of_the_client_finds_everything(server, db):
    server.sandbox.seed([("w/1", {}), ("w/1/a/x", {}), ("w/1/a/x/b/y", {}), ("w/10/a/x", {}), ("w2/1", {})])
    db.recursive_delete(db.document("w/1"))
    assert {path for path, _ in server.sandbox.documents()} == {"w/10/a/x", "w2/1"}
