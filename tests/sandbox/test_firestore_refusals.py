"""What the sandbox refuses, with the status that the service has for it; nothing is ever ignored."""

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import GoogleAPICallError

from tests.sandbox.firestore_cases import ANSWERED, REFUSED, Case
from tests.sandbox.firestore_kit import DATABASE, ROOT, STREAMS, Running, running


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as found:
        yield found


def status_of(server: Running, case: Case) -> str:
    try:
        answer = getattr(server.stub, case.rpc)(request=case.request, retry=None)
        if case.rpc in STREAMS:
            list(answer)
    except GoogleAPICallError as error:
        return error.grpc_status_code.name
    return "OK"


@pytest.mark.parametrize("case", REFUSED + ANSWERED, ids=lambda case: case.name)
def test_a_request_has_the_status_of_the_service(server, case):
    server.sandbox.reset()
    server.sandbox.seed([("c/d", {"a": 1})])
    before = list(server.sandbox.documents())
    assert status_of(server, case) == case.status
    if case.status != "OK":
        assert list(server.sandbox.documents()) == before


LONG_AGO = {"read_time": {"seconds": 1}}
UNSERVED = [
    Case("explained query", "run_query", {"parent": ROOT, "structured_query": {}, "explain_options": {}}, ""),
    Case(
        "vector search",
        "run_query",
        {"parent": ROOT, "structured_query": {"find_nearest": {"vector_field": {"field_path": "v"}}}},
        "",
    ),
    Case("listing in the past", "list_documents", {"parent": ROOT, "collection_id": "c", **LONG_AGO}, ""),
    Case("listing of collections in the past", "list_collection_ids", {"parent": ROOT, **LONG_AGO}, ""),
    Case("listening", "listen", {}, ""),
]


@pytest.mark.parametrize("case", UNSERVED, ids=lambda case: case.name)
def test_what_is_not_served_is_said_to_be_unimplemented(server, case):
    if case.rpc == "listen":
        with pytest.raises(GoogleAPICallError) as refusal:
            list(server.stub.listen(requests=iter([{"database": DATABASE}]), retry=None))
        assert refusal.value.grpc_status_code.name == "UNIMPLEMENTED"
    else:
        assert status_of(server, case) == "UNIMPLEMENTED"


def test_another_project_is_not_found(server):
    case = Case("", "commit", {"database": "projects/other/databases/(default)"}, "")
    assert status_of(server, case) == "NOT_FOUND"
    assert status_of(server, Case("", "commit", {"database": "foo"}, "")) == "INVALID_ARGUMENT"


def test_a_request_of_more_than_ten_mebibytes_is_refused(server):
    writes = [
        {"update": {"name": f"{ROOT}/c/b{n}", "fields": {"a": {"bytes_value": b"x" * 1_000_000}}}} for n in range(11)
    ]
    assert status_of(server, Case("", "commit", {"database": DATABASE, "writes": writes}, "")) == "INVALID_ARGUMENT"
    assert status_of(server, Case("", "commit", {"database": DATABASE, "writes": writes[:10]}, "")) == "OK"
