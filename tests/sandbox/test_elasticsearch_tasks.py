"""By-query calls of the sandbox's Elasticsearch: conflicts, slices, scripts and background tasks."""

import time

import pytest
from elasticsearch import ConflictError, Elasticsearch, NotFoundError

from tests.sandbox.elastic_box import JSON, refused


def test_delete_by_query_counts_conflicts_and_leaves_changed_documents(box, es):
    es.indices.create(index="t", settings={"refresh_interval": "-1"})
    box.server.seed("t", ((str(n), {"n": n}) for n in range(4)))
    es.index(index="t", id="0", document={"n": 0})
    with refused(ConflictError):
        es.delete_by_query(index="t", query={"term": {"n": 0}})
    answer = es.delete_by_query(index="t", query={"match_all": {}}, conflicts="proceed", refresh=True)
    assert (answer["total"], answer["deleted"], answer["version_conflicts"]) == (4, 3, 1)
    assert set(dict(box.server.documents("t"))) == {"0"}


def test_slices_share_max_docs_rounded_down(box, es):
    es.indices.create(index="t", settings={"number_of_shards": 3})
    box.server.seed("t", ((str(n), {}) for n in range(100)))
    answer = es.delete_by_query(index="t", query={"match_all": {}}, max_docs=10, slices="auto", refresh=True)
    assert answer["deleted"] == 9
    with refused(words="max_docs"):
        es.delete_by_query(index="t", query={"match_all": {}}, max_docs=2, slices=3)


def start(es: Elasticsearch, **more) -> str:
    return str(
        es.options(opaque_id="me").delete_by_query(
            index="t", query={"match_all": {}}, wait_for_completion=False, scroll_size=10, **more
        )["task"]
    )


def task(es: Elasticsearch, task_id: str) -> dict:
    return es.perform_request("GET", f"/_tasks/{task_id}", headers=JSON).body


def test_a_task_runs_in_the_background_and_can_be_slowed_listed_and_cancelled(box, es):
    box.server.seed("t", ((str(n), {}) for n in range(100)))
    task_id = start(es, requests_per_second=50)
    listed = es.perform_request("GET", "/_tasks?actions=*byquery&detailed=true", headers=JSON).body["nodes"]
    (shown,) = [tasks["tasks"][task_id] for tasks in listed.values()]
    assert shown["headers"] == {"X-Opaque-Id": "me"}
    assert shown["status"]["requests_per_second"] == 50.0
    assert not task(es, task_id)["completed"]
    es.delete_by_query_rethrottle(task_id=task_id, requests_per_second=10)
    es.perform_request("POST", f"/_tasks/{task_id}/_cancel", headers=JSON)
    ended = wait_for(es, task_id)
    assert ended["response"]["canceled"] == "by user request"
    assert 0 < ended["response"]["deleted"] < 100
    es.delete(index=".tasks", id=task_id)
    with pytest.raises(NotFoundError):
        task(es, task_id)


def wait_for(es: Elasticsearch, task_id: str) -> dict:
    while not (found := task(es, task_id))["completed"]:
        time.sleep(0.01)
    return found


def test_other_calls_are_answered_while_a_task_runs(box, es):
    box.server.seed("t", ((str(n), {}) for n in range(100)))
    task_id = start(es, requests_per_second=100)
    assert es.count(index="t")["count"] == 100
    es.delete_by_query_rethrottle(task_id=task_id, requests_per_second=-1)
    assert wait_for(es, task_id)["response"]["deleted"] == 100


def test_update_by_query_runs_the_script_and_can_skip_and_delete(box, es):
    box.server.seed("t", ((str(n), {"n": n}) for n in range(4)))
    source = "if (ctx._source.n == 0) { ctx.op = 'noop' } else if (ctx._source.n == 1) { ctx.op = 'delete' }"
    source += " else { ctx._source.n += params.by; ctx._source.remove('x') }"
    answer = es.update_by_query(index="t", script={"source": source, "params": {"by": 10}}, refresh=True)
    assert (answer["updated"], answer["noops"], answer["deleted"]) == (2, 1, 1)
    assert dict(box.server.documents("t")) == {"0": {"n": 0}, "2": {"n": 12}, "3": {"n": 13}}


def test_a_failing_script_changes_nothing(box, es):
    box.server.seed("t", [("1", {"n": 1})])
    with refused(words="script_exception"):
        es.update_by_query(index="t", script={"source": "ctx._source.n.m.o = 1"})
    assert dict(box.server.documents("t")) == {"1": {"n": 1}}
