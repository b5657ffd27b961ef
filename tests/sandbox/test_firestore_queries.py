"""Queries of the sandbox through the official client."""

from collections.abc import Iterator

import pytest
from google.api_core import exceptions as api
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import And, FieldFilter, Or

from tests.sandbox.firestore_kit import ROOT, Running, running

SEED = [
    ("c/1", {"n": 1, "tag": ["a", "b"], "kind": "x", "in": {"deep": 1}}),
    ("c/2", {"n": 2.5, "tag": ["b"], "kind": "x"}),
    ("c/3", {"n": 3, "tag": [], "kind": "y", "in": {"deep": 2}}),
    ("c/4", {"n": "text", "kind": None}),
    ("c/5", {"n": float("nan")}),
    ("c/6", {"other": 1}),
    ("p/1/c/7", {"n": 7, "kind": "x"}),
    ("p/1/cc/8", {"n": 8, "kind": "x"}),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as found:
        found.sandbox.seed(SEED)
        yield found


@pytest.fixture
def c(server):
    return server.client.collection("c")


def ids(query) -> list[str]:
    return [snapshot.id for snapshot in query.stream()]


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("n", "==", 3.0, "3"),
        ("n", "<", 3, "12"),
        ("n", "<=", 3, "123"),
        ("n", ">", 2, "23"),
        ("n", ">=", "", "4"),
        ("n", "!=", 1, "5234"),
        ("n", "in", [1, "text"], "14"),
        ("n", "not-in", [1, 3], "524"),
        ("tag", "array_contains", "b", "12"),
        ("tag", "array_contains_any", ["a", "z"], "1"),
        ("kind", "==", None, "4"),
        ("kind", "!=", None, "123"),
        ("n", "==", float("nan"), "5"),
        ("n", "!=", float("nan"), "1234"),
        ("in.deep", ">", 1, "3"),
        ("missing", "==", 1, ""),
    ],
)
def test_each_operator_finds_what_the_service_finds(c, field, operator, value, expected):
    assert "".join(ids(c.where(filter=FieldFilter(field, operator, value)))) == expected


def test_and_and_or_combine(c):
    either = Or([FieldFilter("n", "==", 1), And([FieldFilter("kind", "==", "y"), FieldFilter("n", ">", 1)])])
    assert ids(c.where(filter=either)) == ["1", "3"]


def test_order_is_by_type_then_value_then_name_and_skips_documents_without_the_field(c):
    assert ids(c.order_by("n")) == ["5", "1", "2", "3", "4"]
    assert ids(c.order_by("n", direction=firestore.Query.DESCENDING)) == ["4", "3", "2", "1", "5"]
    assert ids(c.order_by("kind").order_by("n", direction=firestore.Query.DESCENDING)) == ["4", "2", "1", "3"]


def test_cursors_limits_and_offsets_cut_the_result(c):
    ordered = c.order_by("n")
    third = c.document("2").get()
    assert ids(ordered.start_after(third)) == ["3", "4"]
    assert ids(ordered.start_at({"n": 2}).end_before({"n": "text"})) == ["2", "3"]
    assert ids(ordered.end_at(third)) == ["5", "1", "2"]
    assert ids(ordered.limit(2).offset(1)) == ["1", "2"]
    assert ids(ordered.offset(9)) == []
    assert [s.id for s in ordered.limit_to_last(2).get()] == ["3", "4"]
    assert ids(c.order_by("__name__").start_after({"__name__": "4"})) == ["5", "6"]


def test_projection_gives_only_the_fields_asked_for(c):
    assert [s.to_dict() for s in c.where(filter=FieldFilter("n", "==", 1)).select(["in.deep", "kind"]).stream()] == [
        {"in": {"deep": 1}, "kind": "x"}
    ]
    assert [s.to_dict() for s in c.limit(1).select([]).stream()] == [{}]


def test_a_collection_group_spans_all_depths_and_no_other_id(server):
    group = server.client.collection_group("c")
    assert ids(group.where(filter=FieldFilter("kind", "==", "x"))) == ["1", "2", "7"]
    assert ids(server.client.collection("p/1/c")) == ["7"]


def test_documents_below_a_parent_are_found_whatever_their_collection(server):
    query = {"from_": [{"all_descendants": True}]}
    request = {"parent": f"{ROOT}/p/1", "structured_query": query}
    names = [answer.document.name.removeprefix(f"{ROOT}/") for answer in server.stub.run_query(request=request)]
    assert names == ["p/1/c/7", "p/1/cc/8"]


def test_aggregations_count_sum_and_average(server, c):
    group = server.client.collection_group("c")
    assert group.count().get()[0][0].value == 7
    assert c.limit(2).count().get()[0][0].value == 2
    numbers = c.where(filter=FieldFilter("n", "<", 100))
    values = {r.alias: r.value for r in numbers.count("n").sum("n", alias="s").avg("n", alias="v").get()[0]}
    assert values == {"n": 3, "s": 6.5, "v": pytest.approx(6.5 / 3)}


def test_aggregations_leave_out_documents_without_the_field(c):
    values = {r.alias: r.value for r in c.count("all").sum("in.deep", alias="s").get()[0]}
    assert values == {"all": 2, "s": 3}


def test_the_average_of_nothing_is_null(server):
    asked = {
        "structured_query": {"from_": [{"collection_id": "c"}]},
        "aggregations": [{"avg": {"field": {"field_path": "nothing"}}, "alias": "v"}],
    }
    request = {"parent": ROOT, "structured_aggregation_query": asked}
    (answer,) = server.stub.run_aggregation_query(request=request)
    assert "null_value" in answer.result.aggregate_fields["v"]


def test_partitions_cover_a_group_once(server):
    server.sandbox.seed((f"many/{n % 7}/parts/{n:03}", {"n": n}) for n in range(100))
    group = server.client.collection_group("parts")
    partitions = list(group.get_partitions(4))
    assert len(partitions) == 5
    found = [s.get("n") for part in partitions for s in part.query().stream()]
    assert sorted(found) == list(range(100))


def test_a_partition_query_with_a_filter_is_refused(server):
    query = {
        "from_": [{"collection_id": "c", "all_descendants": True}],
        "where": {"field_filter": {"field": {"field_path": "n"}, "op": "EQUAL", "value": {"integer_value": 1}}},
    }
    with pytest.raises(api.InvalidArgument):
        server.stub.partition_query(
            request={"parent": ROOT, "structured_query": query, "partition_count": 2}, retry=None
        )


def test_pages_by_cursor_see_each_document_once_while_the_ones_before_are_deleted(server):
    server.sandbox.seed((f"log/{n:03}", {"at": n // 3}) for n in range(60))
    query = server.client.collection("log").order_by("at").limit(7)
    seen: list[str] = []
    page = list(query.stream())
    while page:
        seen += [s.id for s in page]
        batch = server.client.batch()
        for snapshot in page[:-1]:
            batch.delete(snapshot.reference)
        batch.commit()
        page = list(query.start_after(page[-1]).stream())
    assert seen == [f"{n:03}" for n in range(60)]
