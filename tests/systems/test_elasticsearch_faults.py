"""Elasticsearch that fails at any call: never a wrong count, and the next call completes."""

import pytest

from include.connection import Connection
from include.errors import Refused, Throttled, Unavailable
from include.sandbox.elasticsearch import ElasticsearchSandbox, byquery
from include.sandbox.faults import Fault, FaultKind, Faults, Journal
from include.systems.contract import Swept
from include.systems.elasticsearch import ElasticsearchSystem
from tests.loopback import serve
from tests.systems.elastic import OLD, Sandbox, Store

CALLS = ["GET /test-", "_refresh", "_search", "_count"]
KINDS = [(FaultKind.STATUS, 503), (FaultKind.STATUS, 500), (FaultKind.DROP, 0), (FaultKind.LOST_ANSWER, 0)]


def fault(kind: FaultKind, operation: str, status: int = 503, **more) -> Fault:
    return Fault("elasticsearch", kind, operation, status=status, **more)


@pytest.mark.parametrize(("kind", "status"), KINDS)
@pytest.mark.parametrize("operation", CALLS)
def test_a_failing_look_is_unavailable_and_works_the_next_time(elastic, local, operation, kind, status):
    local.old_and_new(5, 1)
    elastic.faults.add(fault(kind, operation, status))
    with pytest.raises(Unavailable):
        local.system.survey(local.selection(), None)
    assert local.system.survey(local.selection(), None).due == 5


@pytest.mark.parametrize(("kind", "status"), KINDS)
def test_a_start_that_fails_or_loses_its_answer_deletes_at_most_once(elastic, local, kind, status):
    local.old_and_new(50, 2)
    (batch,) = local.system.batches(local.selection(), None)
    elastic.faults.add(fault(kind, "_delete_by_query", status))
    with pytest.raises(Unavailable):
        local.system.expire(local.selection(), batch)
    starts = [operation for operation in elastic.operations() if "_delete_by_query" in operation]
    assert len(starts) == 1
    again = local.system.expire(local.selection(), batch)
    assert again.gone == (0 if kind is FaultKind.LOST_ANSWER else 50)
    assert local.system.read_back(local.selection(), None).remaining == 0
    assert len(local.sources()) == 2


def test_a_task_whose_start_answer_got_lost_is_waited_for(elastic, local):
    """It still runs when the engine comes again: that run lets it end before it counts."""
    local.old_and_new(40, 0)
    slow(elastic, local)
    assert len(running(local)) == 1
    assert list(local.system.batches(local.selection(), None)) == []
    assert running(local) == []
    assert local.system.read_back(local.selection(), None).remaining == 0


def test_an_old_task_that_does_not_end_is_cancelled(elastic, local):
    local.old_and_new(40, 0)
    slow(elastic, local, requests_per_second=1)
    system = ElasticsearchSystem(
        Connection("elasticsearch", host=elastic.url, extra={"task_timeout": 0.05}), sleep=local.system._sleep
    )
    swept = [system.expire(local.selection(), batch) for batch in system.batches(local.selection(), None)]
    assert swept[-1].gone > 0
    assert running(local) == []
    assert local.system.read_back(local.selection(), None).remaining == 0
    system.close()


def slow(elastic: Sandbox, local: Store, requests_per_second: int = 200) -> None:
    """Leave a throttled task of ours behind, its start answer lost."""
    local.client.options(opaque_id=f"clique-privacy/{local.index}").delete_by_query(
        index=local.index,
        query={"match_all": {}},
        requests_per_second=requests_per_second,
        scroll_size=10,
        wait_for_completion=False,
        conflicts="proceed",
        refresh=True,
    )


def running(local: Store) -> list[str]:
    answer = local.client.perform_request("GET", "/_tasks?actions=*byquery", headers={"accept": "application/json"})
    return [task for node in answer.body["nodes"].values() for task in node["tasks"]]


def test_tasks_of_others_are_left_alone(elastic, local):
    local.old_and_new(40, 0)
    local.client.options(opaque_id="someone-else").update_by_query(
        index=local.index, requests_per_second=5, scroll_size=5, wait_for_completion=False, conflicts="proceed"
    )
    assert next(local.system.batches(local.selection(), None)).count == 40
    assert len(running(local)) == 1


def test_a_task_that_takes_too_long_is_cancelled_and_unavailable(elastic, local, monkeypatch):
    local.old_and_new(40, 0)
    monkeypatch.setattr(byquery, "_speed", lambda call: 20.0)
    system = ElasticsearchSystem(
        Connection("elasticsearch", host=elastic.url, extra={"task_timeout": 0.02}), sleep=lambda seconds: None
    )
    (batch,) = system.batches(local.selection(), None)
    with pytest.raises(Unavailable, match="cancelled"):
        system.expire(local.selection(), batch)
    assert any(operation.endswith("_cancel") for operation in elastic.operations())
    monkeypatch.undo()
    local.sweep(local.selection())
    assert local.system.read_back(local.selection(), None).remaining == 0
    system.close()


@pytest.mark.parametrize(("kind", "status"), KINDS)
def test_lost_polls_do_not_lose_the_task(elastic, local, kind, status):
    local.old_and_new(20, 0)
    (batch,) = local.system.batches(local.selection(), None)
    elastic.faults.add(fault(kind, "GET /_tasks/", status, times=3))
    assert local.system.expire(local.selection(), batch) == Swept(gone=20)


def test_polls_that_never_come_back_are_unavailable(elastic, local):
    local.old_and_new(20, 0)
    (batch,) = local.system.batches(local.selection(), None)
    elastic.faults.add(fault(FaultKind.DROP, "GET /_tasks/", times=100))
    with pytest.raises(Unavailable):
        local.system.expire(local.selection(), batch)
    elastic.faults.clear()
    assert local.sweep(local.selection()) == Swept(gone=0)
    assert local.system.read_back(local.selection(), None).remaining == 0


@pytest.mark.parametrize(("kind", "status"), [*KINDS, (FaultKind.STATUS, 403)])
def test_a_result_that_cannot_be_deleted_does_not_matter(elastic, local, kind, status):
    local.old_and_new(20, 0)
    elastic.faults.add(fault(kind, "DELETE /.tasks", status, times=9))
    assert local.sweep(local.selection()) == Swept(gone=20)


def test_items_that_fail_in_a_task_are_throttled_and_the_next_sweep_completes(elastic, local):
    local.old_and_new(20, 0)
    (batch,) = local.system.batches(local.selection(), None)
    elastic.faults.add(fault(FaultKind.PARTIAL, "_delete_by_query"))
    with pytest.raises(Throttled):
        local.system.expire(local.selection(), batch)
    assert local.system.read_back(local.selection(), None).remaining == 10
    assert local.sweep(local.selection()) == Swept(gone=10)


def test_a_request_to_slow_down_says_for_how_long(elastic, local):
    local.old_and_new(1, 0)
    elastic.faults.add(fault(FaultKind.STATUS, "_search", 429, retry_after=7))
    with pytest.raises(Throttled) as caught:
        local.system.survey(local.selection(), None)
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("status", [401, 403])
def test_missing_rights_are_refused(elastic, local, status):
    local.old_and_new(1, 0)
    elastic.faults.add(fault(FaultKind.STATUS, "_search", status))
    with pytest.raises(Refused):
        local.system.survey(local.selection(), None)


def test_an_incomplete_read_back_is_no_read_back(elastic, local):
    local.old_and_new(3, 0)
    elastic.faults.add(fault(FaultKind.DROP, "_count"))
    with pytest.raises(Unavailable):
        local.system.read_back(local.selection(), None)
    assert local.system.read_back(local.selection(), None).remaining == 3


def test_errors_carry_no_personal_data(elastic, local):
    local.create()
    local.seed([{"at": OLD, "uid": "ann@example.org"}])
    elastic.faults.add(fault(FaultKind.STATUS, "_count", 500))
    with pytest.raises(Unavailable) as caught:
        local.system.survey(local.selection(), lambda subject: True)
    assert "ann" not in str(caught.value)


def test_a_server_that_is_not_there_is_unavailable(local):
    system = ElasticsearchSystem(Connection("elasticsearch", host="http://127.0.0.1:9"))
    with pytest.raises(Unavailable):
        system.survey(local.selection(), None)
    system.close()


def test_a_server_that_is_not_elasticsearch_is_refused(local):
    async def other(scope, receive, send):
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    with serve(other) as url:
        system = ElasticsearchSystem(Connection("elasticsearch", host=url))
        with pytest.raises(Refused, match="does not answer as Elasticsearch"):
            system.survey(local.selection(), None)
        system.close()


def test_a_cluster_of_version_8_is_spoken_to_in_its_own_media_type():
    sandbox = ElasticsearchSandbox(Faults(), Journal(), major=8)
    with serve(sandbox.app) as url:
        plain = ElasticsearchSystem(Connection("elasticsearch", host=url))
        eight = Connection("elasticsearch", host=url, extra={"compatible_with": 8})
        store = Store(eight)
        store.old_and_new(3, 1)
        with pytest.raises(Refused, match="compatible_with"):
            plain.survey(store.selection(), None)
        assert store.sweep(store.selection()) == Swept(gone=3)
        plain.close()
        store.close()
