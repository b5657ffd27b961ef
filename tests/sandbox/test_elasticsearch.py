"""What clients of the sandbox's Elasticsearch trip over, as they would with a real cluster."""

import threading

import pytest
import requests
from elasticsearch import ApiError, ConflictError, NotFoundError, helpers

from include.sandbox.faults import Fault, FaultKind
from tests.loopback import serve
from tests.sandbox.elastic_box import JSON, Box, refused


def test_seeded_documents_are_visible_and_can_be_inspected(box, es):
    box.server.seed("logs", [("1", {"at": "2024-01-01"}), ("2", {"at": "2025-01-01"})])
    assert es.count(index="logs", query={"range": {"at": {"lt": "2024-06-01"}}})["count"] == 1
    assert dict(box.server.documents("logs")) == {"1": {"at": "2024-01-01"}, "2": {"at": "2025-01-01"}}
    assert list(box.server.documents("absent")) == []
    box.server.reset()
    assert list(box.server.documents("logs")) == []


def test_a_write_is_found_by_id_at_once_and_by_search_after_a_refresh(es):
    es.indices.create(index="t", settings={"refresh_interval": "-1"})
    es.index(index="t", id="1", document={"a": 1})
    assert es.get(index="t", id="1")["_source"] == {"a": 1}
    assert es.count(index="t")["count"] == 0
    es.indices.refresh(index="t")
    assert es.count(index="t")["count"] == 1
    es.delete(index="t", id="1")
    assert es.count(index="t")["count"] == 1
    es.indices.refresh(index="t")
    assert es.count(index="t")["count"] == 0


def test_versions_and_sequence_numbers_guard_writes(es):
    first = es.index(index="t", id="1", document={"a": 1})
    second = es.index(index="t", id="1", document={"a": 2})
    assert (first["_version"], second["_version"]) == (1, 2)
    assert second["_seq_no"] > first["_seq_no"]
    with refused(ConflictError, "version_conflict"):
        es.index(index="t", id="1", document={}, if_seq_no=first["_seq_no"], if_primary_term=1)
    with refused(ConflictError, "version_conflict"):
        es.create(index="t", id="1", document={"a": 3})
    es.delete(index="t", id="1", if_seq_no=second["_seq_no"], if_primary_term=1)
    with pytest.raises(NotFoundError):
        es.delete(index="t", id="1")


def test_bulk_items_succeed_and_fail_by_themselves(es):
    answer = es.bulk(
        operations=[
            {"index": {"_index": "t", "_id": "1"}},
            {"n": 1},
            {"create": {"_index": "t", "_id": "1"}},
            {"n": 2},
            {"delete": {"_index": "t", "_id": "absent"}},
            {"update": {"_index": "t", "_id": "1"}},
            {"doc": {"n": 3}},
            {"index": {"_index": "t", "_id": "2"}},
            {"n": "no number"},
        ]
    )
    assert [next(iter(item.values()))["status"] for item in answer["items"]] == [201, 409, 404, 200, 400]
    assert answer["errors"]


def test_pages_follow_sort_search_after_and_point_in_time(box, es):
    box.server.seed("t", ((f"{n:03d}", {"n": n % 7}) for n in range(50)))
    point = es.open_point_in_time(index="t", keep_alive="1m")["id"]
    es.delete_by_query(index="t", query={"match_all": {}}, refresh=True)
    seen, after = [], {}
    while True:
        page = es.search(pit={"id": point, "keep_alive": "1m"}, sort=[{"n": "desc"}], size=8, **after)
        hits = page["hits"]["hits"]
        if not hits:
            break
        seen += [(hit["_source"]["n"], hit["_id"]) for hit in hits]
        after = {"search_after": hits[-1]["sort"]}
    assert len(seen) == len(set(seen)) == 50
    assert [n for n, _ in seen] == sorted((n for n, _ in seen), reverse=True)
    es.close_point_in_time(id=point)
    with pytest.raises(NotFoundError):
        es.search(pit={"id": point})


def test_a_scroll_reads_what_was_there_when_it_began(box, es):
    box.server.seed("t", ((str(n), {"n": n}) for n in range(25)))
    first = es.search(index="t", scroll="1m", size=10)
    es.delete_by_query(index="t", query={"match_all": {}}, refresh=True)
    pages = [es.scroll(scroll_id=first["_scroll_id"], scroll="1m") for _ in range(3)]
    assert [len(page["hits"]["hits"]) for page in [first, *pages]] == [10, 10, 5, 0]
    assert es.clear_scroll(scroll_id=first["_scroll_id"])["num_freed"] == 1


def test_totals_are_exact_up_to_ten_thousand_unless_asked_for(box, es):
    box.server.seed("t", ((str(n), {}) for n in range(10_001)))
    assert es.search(index="t", size=0)["hits"]["total"] == {"value": 10_000, "relation": "gte"}
    assert es.search(index="t", size=0, track_total_hits=True)["hits"]["total"]["value"] == 10_001
    assert "total" not in es.search(index="t", size=0, track_total_hits=False)["hits"]
    with refused(words="Result window"):
        es.search(index="t", size=10_001)


def test_aggregations(box, es):
    months = ["2024-01-05", "2024-01-20", "2024-03-01"]
    box.server.seed("t", ((str(n), {"at": months[n % 3], "k": f"k{n % 2}", "n": n}) for n in range(6)), KEYWORDS)
    aggs = {
        "terms": {"terms": {"field": "k"}, "aggs": {"most": {"max": {"field": "n"}}}},
        "different": {"cardinality": {"field": "k"}},
        "months": {"date_histogram": {"field": "at", "calendar_interval": "month"}},
        "least": {"min": {"field": "at"}},
        "count": {"value_count": {"field": "n"}},
        "some": {"filter": {"range": {"n": {"gte": 4}}}},
    }
    found = es.search(index="t", size=0, aggs=aggs)["aggregations"]
    assert [(b["key"], b["doc_count"], b["most"]["value"]) for b in found["terms"]["buckets"]] == [
        ("k0", 3, 4.0),
        ("k1", 3, 5.0),
    ]
    assert found["different"]["value"] == 2
    assert [b["doc_count"] for b in found["months"]["buckets"]] == [4, 0, 2]
    assert found["least"]["value_as_string"] == "2024-01-05T00:00:00.000Z"
    assert (found["count"]["value"], found["some"]["doc_count"]) == (6, 2)


def test_a_composite_is_read_page_by_page(box, es):
    box.server.seed("t", ((str(n), {"k": f"k{n % 5}"}) for n in range(20)), KEYWORDS)
    keys, after = [], {}
    while True:
        composite = {"size": 2, "sources": [{"k": {"terms": {"field": "k"}}}], **after}
        page = es.search(index="t", size=0, aggs={"c": {"composite": composite}})["aggregations"]["c"]
        if not page["buckets"]:
            break
        keys += [(bucket["key"]["k"], bucket["doc_count"]) for bucket in page["buckets"]]
        after = {"after": page["after_key"]}
    assert keys == [(f"k{n}", 4) for n in range(5)]


KEYWORDS = {"properties": {"k": {"type": "keyword"}, "at": {"type": "date"}, "n": {"type": "long"}}}


@pytest.mark.parametrize(
    "query",
    [
        {"nested": {"path": "a", "query": {"match_all": {}}}},
        {"term": {"a": {"value": 1, "fuzzy": True}}},
        {"range": {"a": {"below": 1}}},
        {"bool": {"filters": []}},
        {"term": {"a": 1}, "range": {"b": {}}},
        {"terms": {"a": list(range(65_537))}},
    ],
)
def test_what_is_not_understood_in_a_query_is_refused(box, es, query):
    box.server.seed("t", [("1", {"a": 1})])
    for call in (es.count, es.search, es.delete_by_query):
        with refused():
            call(index="t", query=query)
    assert len(dict(box.server.documents("t"))) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/t/_search?limit=1", None),
        ("POST", "/t/_delete_by_query?dry_run=true", {"query": {"match_all": {}}}),
        ("POST", "/t/_delete_by_query", {"query": {"match_all": {}}, "limit": 1}),
        ("POST", "/t/_delete_by_query", {}),
        ("POST", "/t/_search", {"querry": {}}),
        ("POST", "/t/_count", {"size": 1}),
        ("POST", "/t/_update_by_query", {"script": {"source": "ctx._source.a = ", "lang": "painless"}}),
        ("PUT", "/u", {"settings": {"number_of_shard": 1}}),
        ("PUT", "/u", {"mappings": {"properties": {"a": {"type": "dense"}}}}),
        ("PUT", "/U", {}),
        ("POST", "/t/_unknown", None),
    ],
)
def test_unknown_parameters_keys_and_paths_are_refused(box, es, method, path, body):
    box.server.seed("t", [("1", {"a": 1})])
    with refused():
        es.perform_request(method, path, headers={**JSON, "content-type": "application/json"}, body=body)
    assert dict(box.server.documents("t")) == {"1": {"a": 1}}


def test_write_blocks_refuse_writes_and_fail_by_query_items(box, es):
    box.server.seed("t", [("1", {"n": 1})])
    es.indices.put_settings(index="t", settings={"index.blocks.write": True})
    for call in (
        lambda: es.index(index="t", document={}),
        lambda: es.delete(index="t", id="1"),
        lambda: es.delete_by_query(index="t", query={"match_all": {}}),
    ):
        with pytest.raises(ApiError) as caught:
            call()
        assert caught.value.status_code == 403


def test_deleted_documents_stay_counted_until_a_merge(box, es):
    box.server.seed("t", ((str(n), {}) for n in range(100)))
    es.delete_by_query(index="t", query={"ids": {"values": [str(n) for n in range(20)]}}, refresh=True)
    docs = lambda: es.indices.stats(index="t")["_all"]["primaries"]["docs"]  # noqa: E731
    assert docs() == {"count": 80, "deleted": 20}
    es.indices.forcemerge(index="t", only_expunge_deletes=True)
    assert docs() == {"count": 80, "deleted": 0}


def test_a_few_deletions_are_not_worth_a_merge_unless_the_setting_says_so(box, es):
    box.server.seed("t", ((str(n), {}) for n in range(100)))
    es.delete_by_query(index="t", query={"ids": {"values": ["1"]}}, refresh=True)
    es.indices.forcemerge(index="t", only_expunge_deletes=True)
    assert es.indices.stats(index="t")["_all"]["primaries"]["docs"]["deleted"] == 1
    es.indices.put_settings(index="t", settings={"index.merge.policy.expunge_deletes_allowed": 0})
    es.indices.forcemerge(index="t", only_expunge_deletes=True)
    assert es.indices.stats(index="t")["_all"]["primaries"]["docs"]["deleted"] == 0


def test_names_resolve_to_indices_aliases_and_patterns(box, es):
    for name in ("logs-a", "logs-b", ".hidden"):
        box.server.seed(name, [("1", {})])
    es.indices.put_alias(index="logs-a", name="current")
    assert es.count(index="logs-*")["count"] == 2
    assert es.count(index="logs-*,-logs-b")["count"] == 1
    assert es.count(index="current")["count"] == 1
    assert es.count()["count"] == 2
    assert es.count(expand_wildcards="open,hidden")["count"] == 3
    with pytest.raises(NotFoundError):
        es.count(index="absent")
    assert es.count(index="absent", ignore_unavailable=True)["count"] == 0
    with pytest.raises(NotFoundError):
        es.count(index="absent*", allow_no_indices=False)


def test_ids_with_slashes_and_other_signs_are_one_segment(es):
    for doc_id in ("a/b", "ü?#", "_x", "%2F"):
        es.index(index="t", id=doc_id, document={"id": doc_id})
        assert es.get(index="t", id=doc_id)["_source"] == {"id": doc_id}


SERVED = [(8, 9, 400), (8, 8, 200), (8, 7, 200), (9, 8, 200), (9, 7, 400)]


@pytest.mark.parametrize(("major", "named", "status"), SERVED)
def test_media_types_of_the_same_and_the_previous_major_are_served(major, named, status):
    with serve(Box(major).app) as url:
        accept = f"application/vnd.elasticsearch+json; compatible-with={named}"
        answer = requests.get(f"{url}/elasticsearch/", headers={"Accept": accept}, timeout=5)
    assert answer.status_code == status
    assert answer.headers["X-Elastic-Product"] == "Elasticsearch"
    if status == 400:
        assert answer.json()["error"]["type"] == "media_type_header_exception"
    else:
        assert answer.headers["Content-Type"] == f"application/vnd.elasticsearch+json;compatible-with={named}"


def test_faults_are_worded_as_elasticsearch_does(box, es):
    box.faults.add(Fault("elasticsearch", FaultKind.STATUS, "POST /t/_count", status=429, retry_after=3))
    with pytest.raises(ApiError) as caught:
        es.count(index="t")
    assert caught.value.meta.headers["retry-after"] == "3"
    assert caught.value.body["error"]["type"] == "es_rejected_execution_exception"
    assert box.journal.as_json() == [{"service": "elasticsearch", "operation": "POST /t/_count", "status": 429}]


def test_partial_bulk_calls_fail_every_second_item(box, es):
    box.faults.add(Fault("elasticsearch", FaultKind.PARTIAL, "_bulk"))
    done, errors = helpers.bulk(
        es, [{"_index": "t", "_id": str(n)} for n in range(4)], stats_only=False, raise_on_error=False
    )
    assert (done, [error["index"]["status"] for error in errors]) == (2, [429, 429])
    assert set(dict(box.server.documents("t"))) == {"0", "2"}


def test_partial_by_query_calls_report_failures(box, es):
    box.server.seed("t", ((str(n), {}) for n in range(4)))
    box.faults.add(Fault("elasticsearch", FaultKind.PARTIAL, "_delete_by_query"))
    with pytest.raises(ApiError) as caught:
        es.delete_by_query(index="t", query={"match_all": {}})
    assert caught.value.status_code == 429
    assert (caught.value.body["deleted"], len(caught.value.body["failures"])) == (2, 2)


def test_seeding_from_another_thread_does_not_disturb_calls(box, es):
    def seed() -> None:
        for part in range(20):
            box.server.seed("t", ((f"{part}-{n}", {"n": n}) for n in range(200)))

    box.server.seed("t", [])
    thread = threading.Thread(target=seed)
    thread.start()
    counts = []
    while thread.is_alive():
        counts.append(es.count(index="t")["count"])
    assert counts == sorted(counts)
    assert es.count(index="t")["count"] == 4000
