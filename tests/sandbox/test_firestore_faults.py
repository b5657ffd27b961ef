"""Faults, journal, seeding, inspection and the admin API of the sandbox's Firestore."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
from google.api_core import exceptions as api
from starlette.applications import Starlette
from starlette.routing import Mount

from include.sandbox.faults import Fault, FaultKind
from include.sandbox.firestore.wire import Refusal
from tests.loopback import serve
from tests.sandbox.firestore_kit import DATABASE, PROJECT, ROOT, Running, running


@pytest.fixture(scope="module")
def running_server() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture
def server(running_server) -> Running:
    running_server.sandbox.reset()
    running_server.faults.clear()
    running_server.journal.clear()
    return running_server


def paths(server: Running, group: str | None = None) -> set[str]:
    return {path for path, _ in server.sandbox.documents(group)}


def write(server: Running, *ids: str):
    writes = [{"update": {"name": f"{ROOT}/c/{name}"}} for name in ids]
    return server.stub.batch_write(request={"database": DATABASE, "writes": writes}, retry=None)


def fault(kind: FaultKind, operation: str = "BatchWrite", **more) -> Fault:
    return Fault("firestore", kind, operation, **more)


@pytest.mark.parametrize(
    ("status", "error"), [(8, api.ResourceExhausted), (429, api.TooManyRequests), (7, api.Forbidden)]
)
def test_a_status_fault_does_nothing_and_is_journalled(server, status, error):
    server.faults.add(fault(FaultKind.STATUS, status=status, retry_after=3))
    with pytest.raises(error) as refusal:
        write(server, "a")
    assert [detail.retry_delay.seconds for detail in refusal.value.details] == [3]
    assert paths(server) == set()
    write(server, "a")
    assert [(call["operation"], call["status"]) for call in server.journal.as_json()] == [
        ("BatchWrite", 7 if status == 7 else 8),
        ("BatchWrite", 0),
    ]


def test_a_dropped_call_is_not_done_and_one_with_a_lost_answer_is(server):
    server.faults.add(fault(FaultKind.DROP))
    server.faults.add(fault(FaultKind.LOST_ANSWER))
    with pytest.raises(api.ServiceUnavailable):
        write(server, "dropped")
    with pytest.raises(api.ServiceUnavailable):
        write(server, "lost")
    assert paths(server) == {"c/lost"}


def test_a_partial_failure_leaves_every_second_write_undone(server):
    server.faults.add(fault(FaultKind.PARTIAL, status=10))
    answer = write(server, "a", "b", "c", "d")
    assert [status.code for status in answer.status] == [0, 10, 0, 10]
    assert paths(server) == {"c/a", "c/c"}


def test_a_stream_can_fail_and_be_late(server):
    server.sandbox.seed([("c/a", {})])
    server.faults.add(fault(FaultKind.STATUS, "RunQuery", status=14))
    server.faults.add(fault(FaultKind.LATENCY, "RunQuery", seconds=0.3))
    request = {"parent": ROOT, "structured_query": {"from_": [{"collection_id": "c"}]}}
    with pytest.raises(api.ServiceUnavailable):
        list(server.stub.run_query(request=request, retry=None))
    with pytest.raises(api.DeadlineExceeded):
        list(server.stub.run_query(request=request, retry=None, timeout=0.1))
    assert len(list(server.stub.run_query(request=request, retry=None))) == 1


def test_seeded_documents_are_served_and_listed(server):
    fields = {
        "s": "x",
        "i": 1,
        "f": 1.5,
        "b": True,
        "n": None,
        "at": datetime(2024, 1, 1, tzinfo=UTC),
        "l": [{"m": b""}],
    }
    server.sandbox.seed([("w/1/c/a", fields), ("w/1/d/b", {})])
    assert server.client.document("w/1/c/a").get().to_dict() == fields
    assert dict(server.sandbox.documents("c")) == {"w/1/c/a": fields}
    assert paths(server) == {"w/1/c/a", "w/1/d/b"}
    with pytest.raises(Refusal):
        server.sandbox.seed([("w/1/c", {})])
    with pytest.raises(TypeError):
        server.sandbox.seed([("w/1", {"a": object()})])


def test_many_documents_are_seeded_and_found(server):
    server.sandbox.seed((f"c/{n}", {"n": n}) for n in range(20_000))
    assert server.client.collection("c").order_by("n").limit(1).offset(15_000).get()[0].id == "15000"


@pytest.fixture(scope="module")
def admin_url(running_server) -> Iterator[str]:
    with serve(Starlette(routes=[Mount("/below", running_server.sandbox.admin_app)])) as url:
        yield f"{url}/below"


@pytest.fixture
def admin(server, admin_url) -> str:
    return f"{admin_url}/v1/projects/{PROJECT}/databases/(default)"


def test_a_time_to_live_is_set_and_becomes_active_when_its_operation_is_done(admin):
    field = f"{admin}/collectionGroups/c/fields/at"
    assert "ttlConfig" not in requests.get(field, timeout=5).json()
    body = {"ttlConfig": {"expirationOffset": "86400s"}}
    operation = requests.patch(field, params={"updateMask": "ttlConfig"}, json=body, timeout=5).json()
    assert requests.get(field, timeout=5).json()["ttlConfig"] == {"state": "CREATING", "expirationOffset": "86400s"}
    base = admin.split("/v1/")[0]
    assert requests.get(f"{base}/v1/{operation['name']}", timeout=5).json()["done"] is True
    assert requests.get(field, timeout=5).json()["ttlConfig"]["state"] == "ACTIVE"
    listed = requests.get(f"{admin}/collectionGroups/c/fields", params={"filter": "ttlConfig:*"}, timeout=5).json()
    assert [item["name"].rsplit("/", 1)[1] for item in listed["fields"]] == ["at"]
    requests.patch(field, params={"updateMask": "ttlConfig"}, json={}, timeout=5)
    assert "ttlConfig" not in requests.get(field, timeout=5).json()


@pytest.mark.parametrize(
    ("params", "body"),
    [
        ({}, {"ttlConfig": {}}),
        ({"updateMask": "indexConfig"}, {"ttlConfig": {}}),
        ({"updateMask": "ttlConfig"}, {"ttlConfig": {"expirationOffset": "1.5s"}}),
        ({"updateMask": "ttlConfig"}, {"ttlConfig": {"expirationOffset": "2147483648s"}}),
        ({"updateMask": "ttlConfig"}, {"ttlConfig": {"days": 3}}),
        ({"updateMask": "ttlConfig"}, {"unknown": 1}),
    ],
)
def test_a_wrong_time_to_live_is_refused(admin, params, body):
    field = f"{admin}/collectionGroups/c/fields/at"
    assert requests.patch(field, params=params, json=body, timeout=5).status_code == 400
    assert "ttlConfig" not in requests.get(field, timeout=5).json()


def test_a_group_has_one_time_to_live_and_other_databases_are_not_found(admin):
    fields = f"{admin}/collectionGroups/c/fields"
    params, body = {"updateMask": "ttlConfig"}, {"ttlConfig": {}}
    assert requests.patch(f"{fields}/at", params=params, json=body, timeout=5).status_code == 200
    assert requests.patch(f"{fields}/until", params=params, json=body, timeout=5).status_code == 400
    other = admin.replace(PROJECT, "other")
    assert requests.get(f"{other}/collectionGroups/c/fields/at", timeout=5).status_code == 404


def test_the_admin_api_obeys_faults(server, admin):
    server.faults.add(fault(FaultKind.STATUS, "GET /v1", status=503))
    field = f"{admin}/collectionGroups/c/fields/at"
    assert requests.get(field, timeout=5).status_code == 503
    assert requests.get(field, timeout=5).status_code == 200
    assert [call["status"] for call in server.journal.as_json()] == [503, 200]
