"""Requests that the service refuses, each with its status: checked against the sandbox and the official emulator."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.sandbox.firestore_kit import DATABASE, NAN, ROOT

OLD = {"update_time": datetime(2020, 1, 1, tzinfo=UTC)}


@dataclass(frozen=True)
class Case:
    """A request and its status. ``emulator`` is the emulator's status where it is known to differ from the service."""

    name: str
    rpc: str
    request: dict[str, Any]
    status: str
    emulator: str | None = None


def integer(number: int) -> dict[str, Any]:
    return {"integer_value": number}


def array(*values: dict[str, Any]) -> dict[str, Any]:
    return {"array_value": {"values": list(values)}}


def test_of(path: str, operator: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"field_filter": {"field": {"field_path": path}, "op": operator, "value": value}}


test_of.__test__ = False


def unary(path: str, operator: str) -> dict[str, Any]:
    return {"unary_filter": {"field": {"field_path": path}, "op": operator}}


def both(*filters: dict[str, Any], op: str = "AND") -> dict[str, Any]:
    return {"composite_filter": {"op": op, "filters": list(filters)}}


def order(path: str, direction: str = "ASCENDING") -> dict[str, Any]:
    return {"field": {"field_path": path}, "direction": direction}


def query(name: str, status: str = "INVALID_ARGUMENT", **parts: Any) -> Case:
    parts.setdefault("from_", [{"collection_id": "c"}])
    return Case(f"query {name}", "run_query", {"parent": ROOT, "structured_query": parts}, status)


def commit(name: str, status: str, *writes: dict[str, Any], **more: Any) -> Case:
    return Case(f"commit {name}", "commit", {"database": DATABASE, "writes": list(writes)}, status, **more)


def put(path: str, *, name: str = "", **fields: Any) -> dict[str, Any]:
    return {"update": {"name": name or f"{ROOT}/{path}", "fields": fields}}


def aggregate(name: str, *aggregations: dict[str, Any], **more: Any) -> Case:
    asked = {"structured_query": {"from_": [{"collection_id": "c"}]}, "aggregations": list(aggregations)}
    request = {"parent": ROOT, "structured_aggregation_query": asked}
    return Case(f"aggregate {name}", "run_aggregation_query", request, "INVALID_ARGUMENT", **more)


def transformed(name: str, *transforms: dict[str, Any], **more: Any) -> Case:
    write = {"update": {"name": f"{ROOT}/c/t"}, "update_transforms": list(transforms)}
    return commit(f"transform {name}", "INVALID_ARGUMENT", write, **more)


def nested(depth: int) -> dict[str, Any]:
    return {"map_value": {"fields": {"k": nested(depth - 1)}}} if depth else integer(1)


def listing(name: str, rpc: str, **parts: Any) -> Case:
    return Case(f"{rpc} {name}", rpc, {"parent": ROOT, **parts}, "INVALID_ARGUMENT")


ONE = integer(1)
SOME = array(ONE)
LIMIT_DIFFERS = {"emulator": "OK"}

REFUSED = [
    query("of two collections", from_=[{"collection_id": "c"}, {"collection_id": "d"}]),
    query("of a path", from_=[{"collection_id": "a/b"}]),
    query("of a reserved collection", from_=[{"collection_id": "__x__"}]),
    query("with a negative limit", limit=-1),
    query("with a negative offset", offset=-1),
    query("with a test of the name for null", where=unary("__name__", "IS_NULL")),
    query("with an unknown unary test", where=unary("a", "OPERATOR_UNSPECIFIED")),
    query("with an unknown test", where=test_of("a", "OPERATOR_UNSPECIFIED", ONE)),
    query("with a test without a value", where={"field_filter": {"field": {"field_path": "a"}, "op": "EQUAL"}}),
    query("with a test without a field", where={"field_filter": {"op": "EQUAL", "value": ONE}}),
    query("with an empty filter", where={}),
    query("with an unknown combination", where=both(test_of("a", "EQUAL", ONE), op="OPERATOR_UNSPECIFIED")),
    query("with IN without an array", where=test_of("a", "IN", ONE)),
    query("with IN of nothing", where=test_of("a", "IN", array())),
    query("with IN of 31", where=test_of("a", "IN", array(*map(integer, range(31))))),
    query("with NOT_IN of nothing", where=test_of("a", "NOT_IN", array())),
    query("with NOT_IN of 11", where=test_of("a", "NOT_IN", array(*map(integer, range(11))))),
    query("with ARRAY_CONTAINS_ANY of 31", where=test_of("a", "ARRAY_CONTAINS_ANY", array(*map(integer, range(31))))),
    query(
        "with two array tests",
        where=both(test_of("a", "ARRAY_CONTAINS", ONE), test_of("b", "ARRAY_CONTAINS_ANY", SOME)),
    ),
    query("with two negations", where=both(test_of("a", "NOT_EQUAL", ONE), test_of("b", "NOT_EQUAL", ONE))),
    query("with != and not null", where=both(test_of("a", "NOT_EQUAL", ONE), unary("b", "IS_NOT_NULL"))),
    query("with NOT_IN and IN", where=both(test_of("a", "NOT_IN", SOME), test_of("b", "IN", SOME))),
    query("with NOT_IN in OR", where=both(test_of("a", "NOT_IN", SOME), test_of("b", "EQUAL", ONE), op="OR")),
    query(
        "with 36 disjunctions",
        where=both(*(test_of(name, "IN", array(*map(integer, range(6)))) for name in "ab")),
    ),
    query("with 11 inequalities", where=both(*(test_of(f"f{n}", "GREATER_THAN", ONE) for n in range(11)))),
    query("with 101 tests", where=both(*(test_of(f"f{n}", "EQUAL", ONE) for n in range(101)))),
    query("by descending name", "FAILED_PRECONDITION", order_by=[order("__name__", "DESCENDING")]),
    query("by a field after the name", order_by=[order("__name__"), order("a")]),
    query("by name only, with a range", where=test_of("a", "LESS_THAN", ONE), order_by=[order("__name__")]),
    query("by a field twice", order_by=[order("a"), order("a", "DESCENDING")]),
    query("by no field", order_by=[{"direction": "ASCENDING"}]),
    query("with a name that is a number", where=test_of("__name__", "EQUAL", ONE)),
    query("with a name that is a text", where=test_of("__name__", "EQUAL", {"string_value": "d1"})),
    query("with a name of a collection", where=test_of("__name__", "EQUAL", {"reference_value": f"{ROOT}/c"})),
    query(
        "with a name in another database",
        where=test_of("__name__", "EQUAL", {"reference_value": "projects/o/databases/(default)/documents/c/d"}),
    ),
    query("with a name as an array", where=test_of("__name__", "ARRAY_CONTAINS", {"reference_value": f"{ROOT}/c/d"})),
    query("with a longer cursor", order_by=[order("a")], start_at={"values": [ONE, ONE], "before": True}),
    query("with a text as name cursor", order_by=[order("__name__")], end_at={"values": [{"string_value": "d"}]}),
    query("of a broken field", select={"fields": [{"field_path": "a..b"}]}),
    query("of an empty field", select={"fields": [{"field_path": ""}]}),
    query("of an unquoted field", where=test_of("a-b", "EQUAL", ONE)),
    query("of a reserved field", where=test_of("__x__", "EQUAL", ONE)),
    Case("query below a collection", "run_query", {"parent": f"{ROOT}/c", "structured_query": {}}, "INVALID_ARGUMENT"),
    Case("query below nonsense", "run_query", {"parent": "foo", "structured_query": {}}, "INVALID_ARGUMENT"),
    aggregate("nothing"),
    aggregate("without an operator", {"alias": "a"}),
    aggregate("twice the same name", {"count": {}, "alias": "n"}, {"count": {}, "alias": "n"}),
    aggregate("under a reserved name", {"count": {}, "alias": "__n__"}),
    aggregate("the document name", {"sum": {"field": {"field_path": "__name__"}}, "alias": "s"}),
    aggregate("six at a time", *({"count": {}, "alias": f"n{n}"} for n in range(6)), emulator="UNKNOWN"),
    commit("of an empty write", "INVALID_ARGUMENT", {}),
    commit("of a collection", "INVALID_ARGUMENT", {"delete": f"{ROOT}/c"}),
    commit("of nonsense", "INVALID_ARGUMENT", {"delete": "foo"}),
    commit("of the id '.'", "INVALID_ARGUMENT", put("c/.")),
    commit("of the id '..'", "INVALID_ARGUMENT", put("c/..")),
    commit("of a reserved id", "INVALID_ARGUMENT", put("c/__a__")),
    commit("of an empty id", "INVALID_ARGUMENT", put("c/")),
    commit("of a long id", "INVALID_ARGUMENT", put("c/" + "x" * 1501)),
    commit("of a long path", "INVALID_ARGUMENT", put("/".join(["x" * 1000] * 8)), **LIMIT_DIFFERS),
    commit("of a reserved field", "INVALID_ARGUMENT", put("c/d", __x__=ONE)),
    commit("of an empty field name", "INVALID_ARGUMENT", put("c/d", **{"": ONE})),
    commit("of a long field name", "INVALID_ARGUMENT", put("c/d", **{"x" * 1501: ONE})),
    commit("of an array in an array", "INVALID_ARGUMENT", put("c/d", a=array(array(ONE)))),
    commit("of an empty value", "INVALID_ARGUMENT", put("c/d", a={})),
    commit("of 21 levels", "INVALID_ARGUMENT", put("c/d", a=nested(21))),
    commit("of a long value", "INVALID_ARGUMENT", put("c/d", a={"bytes_value": b"x" * 1_048_488})),
    commit(
        "of a large document",
        "INVALID_ARGUMENT",
        put("c/d", a={"bytes_value": b"x" * 600_000}, b={"string_value": "x" * 600_000}),
    ),
    commit("of a broken mask", "INVALID_ARGUMENT", {**put("c/d"), "update_mask": {"field_paths": ["a..b"]}}),
    commit("of a deletion of nothing", "NOT_FOUND", {"delete": f"{ROOT}/c/no", "current_document": {"exists": True}}),
    commit(
        "of a deletion of an old version", "FAILED_PRECONDITION", {"delete": f"{ROOT}/c/d", "current_document": OLD}
    ),
    commit("of an update of nothing", "NOT_FOUND", {**put("c/no"), "current_document": {"exists": True}}),
    commit("of an update of no version", "FAILED_PRECONDITION", {**put("c/no"), "current_document": OLD}),
    commit("of a second creation", "ALREADY_EXISTS", {**put("c/d"), "current_document": {"exists": False}}),
    transformed("of an unknown server value", {"field_path": "s", "set_to_server_value": 0}),
    transformed("of nothing", {"field_path": "s"}),
    transformed("by a text", {"field_path": "s", "increment": {"string_value": "1"}}),
    transformed("of 501 fields", *({"field_path": f"f{n}", "increment": ONE} for n in range(501)), **LIMIT_DIFFERS),
    commit("of no transform", "INVALID_ARGUMENT", {"transform": {"document": f"{ROOT}/c/t"}}),
    Case(
        "batch write of a document twice",
        "batch_write",
        {"database": DATABASE, "writes": [{"delete": f"{ROOT}/c/x"}] * 2},
        "INVALID_ARGUMENT",
    ),
    Case(
        "batch write of 501",
        "batch_write",
        {"database": DATABASE, "writes": [{"delete": f"{ROOT}/c/x{n}"} for n in range(501)]},
        "INVALID_ARGUMENT",
        emulator="OK",
    ),
    Case("get of nothing", "get_document", {"name": f"{ROOT}/c/no"}, "NOT_FOUND"),
    Case(
        "create under a name",
        "create_document",
        {"parent": ROOT, "collection_id": "c", "document": {"name": f"{ROOT}/c/n"}},
        "INVALID_ARGUMENT",
    ),
    listing("by a broken order", "list_documents", collection_id="c", order_by="a foo"),
    listing("of the missing by order", "list_documents", collection_id="c", order_by="a", show_missing=True),
    listing("of a negative page", "list_documents", collection_id="c", page_size=-1),
    listing("at a broken token", "list_documents", collection_id="c", page_token="zz"),
    listing("at a broken token", "list_collection_ids", page_token="zz"),
    Case("rollback of no transaction", "rollback", {"database": DATABASE, "transaction": b"zz"}, "INVALID_ARGUMENT"),
    Case("commit of no transaction", "commit", {"database": DATABASE, "transaction": b"zz"}, "INVALID_ARGUMENT"),
    Case(
        "read long ago",
        "batch_get_documents",
        {"database": DATABASE, "documents": [f"{ROOT}/c/d"], "read_time": OLD["update_time"]},
        "FAILED_PRECONDITION",
    ),
    Case(
        "read in the future",
        "batch_get_documents",
        {"database": DATABASE, "documents": [f"{ROOT}/c/d"], "read_time": datetime(2090, 1, 1, tzinfo=UTC)},
        "INVALID_ARGUMENT",
    ),
]

ANSWERED = [
    query("for null by equality", "OK", where=test_of("a", "EQUAL", {"null_value": 0})),
    query("below null", "OK", where=test_of("a", "LESS_THAN", {"null_value": 0})),
    query("above NaN", "OK", where=test_of("a", "GREATER_THAN_OR_EQUAL", {"double_value": NAN})),
    query("for nothing but null", "OK", where=test_of("a", "IN", array({"null_value": 0}))),
    query("of a quoted field", "OK", where=test_of("`a-b`", "EQUAL", ONE)),
    query("with 30 disjunctions", "OK", where=test_of("a", "IN", array(*map(integer, range(30))))),
    query("by the equal field, backwards", "OK", where=test_of("a", "EQUAL", ONE), order_by=[order("a", "DESCENDING")]),
    query("with an empty cursor", "OK", start_at={"values": [], "before": True}),
    commit("of a deletion of nothing, unconditional", "OK", {"delete": f"{ROOT}/c/no"}),
    commit("of a numeric id", "OK", put("c/__id7__")),
    commit("of 20 levels", "OK", put("c/deep", a=nested(20))),
    commit("of one document twice", "OK", put("c/t", a=ONE), {"delete": f"{ROOT}/c/t"}),
    commit("of nothing", "OK"),
]
