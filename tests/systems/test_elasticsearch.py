"""Elasticsearch documents selected, deleted, held and read back."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.connection import Connection
from include.errors import Refused
from include.systems.contract import Expunged, Swept
from include.systems.elasticsearch import CARD, connect
from include.systems.elasticsearch import selecting as selecting_module
from tests.systems.elastic import MAPPING, NEW, OLD


def test_a_sweep_deletes_what_is_older_than_the_cutoff_and_nothing_else(store):
    store.create()
    store.seed([{"at": OLD}, {"at": NEW}, {"uid": "no trigger"}, {"at": ["2020-01-01", NEW]}, {"at": None}])
    survey = store.system.survey(store.selection(), None)
    assert (survey.total, survey.due, survey.held) == (5, 2, 0)
    assert survey.oldest == datetime(2020, 1, 1, tzinfo=UTC)
    assert store.sweep(store.selection()) == Swept(gone=2)
    assert set(store.sources()) == {"1", "2", "4"}
    back = store.system.read_back(store.selection(), None)
    assert (back.remaining, back.held, back.residual_fields) == (0, 0, 0)


def test_documents_that_were_not_refreshed_are_seen(store):
    store.create()
    store.seed([{"at": OLD}], refresh=False)
    assert store.system.survey(store.selection(), None).due == 1
    assert store.sweep(store.selection()) == Swept(gone=1)


def test_an_empty_index_has_nothing_due(store):
    store.create()
    survey = store.system.survey(store.selection(), None)
    assert (survey.total, survey.due, survey.oldest, survey.newest) == (0, 0, None, None)
    assert list(store.system.batches(store.selection(), None)) == []


def test_where_narrows_the_selection(store):
    store.create()
    store.seed([{"at": OLD, "kind": "a"}, {"at": OLD, "kind": "b"}, {"at": OLD}])
    assert store.sweep(store.selection(where={"kind": "a"})) == Swept(gone=1)
    assert set(store.sources()) == {"1", "2"}


def test_held_subjects_stay_and_are_counted(store):
    store.create()
    store.seed([{"at": OLD, "uid": f"u{n % 3}"} for n in range(30)] + [{"at": OLD}])
    survey = store.system.survey(store.selection(), lambda subject: subject == "u1")
    assert (survey.due, survey.held) == (31, 10)
    assert store.sweep(store.selection(), lambda subject: subject == "u1") == Swept(gone=21)
    assert {doc["uid"] for doc in store.sources().values()} == {"u1"}
    back = store.system.read_back(store.selection(), lambda subject: subject == "u1")
    assert (back.remaining, back.held) == (0, 10)


def test_held_subjects_are_found_on_every_page(store, monkeypatch):
    monkeypatch.setattr(selecting_module, "_PAGE", 7)
    store.create()
    store.seed([{"at": OLD, "uid": f"u{n:03d}"} for n in range(50)])
    held = {"u000", "u006", "u007", "u049"}
    assert store.system.survey(store.selection(), held.__contains__).held == 4
    assert store.sweep(store.selection(), held.__contains__) == Swept(gone=46)
    assert {doc["uid"] for doc in store.sources().values()} == held


def test_a_document_of_several_people_is_held_with_one_of_them(store):
    store.create()
    store.seed([{"at": OLD, "uid": ["ann", "bob"]}, {"at": OLD, "uid": ["bob"]}])
    survey = store.system.survey(store.selection(), lambda subject: subject == "ann")
    assert (survey.due, survey.held) == (2, 1)
    assert store.sweep(store.selection(), lambda subject: subject == "ann") == Swept(gone=1)
    assert set(store.sources()) == {"0"}


def test_more_held_subjects_than_a_query_can_exclude_are_refused(store, monkeypatch):
    monkeypatch.setattr(selecting_module, "MAX_HELD", 3)
    store.create()
    store.seed([{"at": OLD, "uid": f"u{n}"} for n in range(4)])
    with pytest.raises(Refused, match="held"):
        store.system.survey(store.selection(), lambda subject: True)


@pytest.mark.parametrize("shards", [1, 3])
def test_batches_are_bounded_and_cover_everything(store, shards):
    store.create(shards=shards)
    store.seed({"at": OLD if n % 10 else NEW} for n in range(CARD.batch_size + 3000))
    due = store.system.survey(store.selection(), None).due
    gone = 0
    for batch in store.system.batches(store.selection(), None):
        assert 0 < batch.count <= CARD.batch_size
        swept = store.system.expire(store.selection(), batch)
        assert swept.gone <= batch.count
        gone += swept.gone
    assert gone == due
    assert store.system.read_back(store.selection(), None).remaining == 0


def test_asking_for_batches_without_expiring_them_ends(store):
    store.old_and_new(5, 1)
    assert [batch.count for batch in store.system.batches(store.selection(), None)] == [5]


def test_expiring_a_batch_twice_counts_nothing_twice(store):
    store.old_and_new(5, 1)
    (batch,) = store.system.batches(store.selection(), None)
    assert store.system.expire(store.selection(), batch) == Swept(gone=5)
    assert store.system.expire(store.selection(), batch) == Swept(gone=0)


def test_documents_that_changed_meanwhile_are_left_alone_and_counted(store):
    store.old_and_new(5, 0)
    (batch,) = store.system.batches(store.selection(), None)
    store.client.index(index=store.index, id="0", document={"at": NEW})
    assert store.system.expire(store.selection(), batch) == Swept(gone=4, changed=1)
    assert set(store.sources()) == {"0"}


def test_an_alias_and_a_pattern_are_locations(store):
    store.old_and_new(4, 1)
    alias = f"{store.index}-alias"
    store.client.indices.put_alias(index=store.index, name=alias)
    assert store.system.survey(store.selection(location={"index": alias}), None).due == 4
    pattern = store.index.rpartition("-")[0] + "-*"
    assert store.system.survey(store.selection(location={"index": pattern}), None).due >= 4
    assert store.sweep(store.selection(location={"index": alias})) == Swept(gone=4)


@pytest.mark.parametrize("name", ["", "*", "_all", "a,b", "*-logs", "logs*", "-logs", "lo*gs", "a/b", "x y", "r:logs"])
def test_locations_that_could_mean_more_are_refused(store, name):
    with pytest.raises(Refused, match="index"):
        store.system.survey(store.selection(location={"index": name}), None)


@pytest.mark.parametrize("name", ["test-absent", "test-absent-*"])
def test_a_location_that_is_not_there_is_refused(store, name):
    with pytest.raises(Refused, match="not there"):
        store.system.survey(store.selection(location={"index": name}), None)


@pytest.mark.parametrize("subject", ["uid", "field:", "path:uid"])
def test_a_subject_in_another_form_is_refused(store, subject):
    store.create()
    with pytest.raises(Refused, match="subject"):
        store.system.survey(store.selection(subject=subject), None)


@pytest.mark.parametrize(
    ("mapping", "changes"),
    [
        ({"properties": {"at": {"type": "keyword"}}}, {}),
        ({"properties": {"at": {"type": "long"}}}, {}),
        ({"properties": {"at": {"type": "date", "index": False, "doc_values": False}}}, {}),
        ({"dynamic": False, "properties": {"uid": {"type": "keyword"}}}, {}),
        ({"properties": {"log": {"enabled": False}}}, {"trigger_field": "log.at"}),
        (MAPPING, {"where": {"text": "closed"}}),
        (MAPPING, {"where": {"at": "2024"}}),
        (MAPPING, {"subject": "field:text"}),
    ],
)
def test_fields_that_a_query_cannot_compare_are_refused(store, mapping, changes):
    store.create(mapping)
    with pytest.raises(Refused, match="mapping"):
        store.system.survey(store.selection(**changes), lambda subject: False)


def test_a_write_block_is_refused_with_the_next_step(store):
    store.old_and_new(2, 0)
    store.client.indices.put_settings(index=store.index, settings={"index.blocks.write": True})
    assert store.system.survey(store.selection(), None).due == 2
    with pytest.raises(Refused, match=r"index\.blocks\.write"):
        next(store.system.batches(store.selection(), None))
    store.client.indices.put_settings(index=store.index, settings={"index.blocks.write": False})


def test_a_block_set_during_the_sweep_is_refused(store):
    store.old_and_new(2, 0)
    (batch,) = store.system.batches(store.selection(), None)
    store.client.indices.put_settings(index=store.index, settings={"index.blocks.write": True})
    with pytest.raises(Refused, match="blocked"):
        store.system.expire(store.selection(), batch)
    store.client.indices.put_settings(index=store.index, settings={"index.blocks.write": False})
    assert len(store.sources()) == 2


def test_a_closed_index_behind_a_pattern_is_refused(store):
    store.old_and_new(2, 0)
    store.client.indices.close(index=store.index)
    pattern = replace(store.selection(), location={"index": store.index.rpartition("-")[0] + "-*"})
    with pytest.raises(Refused, match=r"closed|not there"):
        next(store.system.batches(pattern, None))
    with pytest.raises(Refused, match="closed"):
        store.system.survey(store.selection(), None)


def test_batches_hide_queries_in_their_repr(store):
    store.create()
    store.seed([{"at": OLD, "uid": "ann@example.org"}, {"at": OLD, "uid": "bob"}])
    (batch,) = store.system.batches(store.selection(), lambda subject: subject == "ann@example.org")
    assert "ann" not in repr(batch)


def test_expunge_takes_deleted_documents_off_the_disk(store):
    store.old_and_new(50, 50)
    assert store.sweep(store.selection()) == Swept(gone=50)
    expunged = store.system.expunge(store.selection())
    assert expunged == Expunged("forcemerge only_expunge_deletes", before=50, after=0)


def test_a_task_leaves_no_stored_result_behind(elastic, local):
    local.old_and_new(5, 0)
    local.sweep(local.selection())
    assert list(elastic.server.documents(".tasks")) == []


def test_the_cutoff_is_never_rounded_up(store):
    store.create()
    store.seed([{"at": "2025-01-01T00:00:00.001Z"}, {"at": "2025-01-01T00:00:00.000Z"}])
    cutoff = datetime(2025, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)
    assert store.system.survey(store.selection(cutoff=cutoff), None).due == 1


def test_importing_the_module_does_not_import_the_client():
    code = "import include.systems.elasticsearch as e, sys; from include.connection import Connection"
    code += "; e.connect(Connection('elasticsearch', host='x')); sys.exit('elasticsearch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "host"),
        ({"host": "ftp://x"}, "host"),
        ({"host": "x", "extra": {"verify": False}}, "loopback"),
        ({"host": "x", "extra": {"request_timeout": "soon"}}, "request_timeout"),
        ({"extra": {"cloud_id": ""}}, "cloud_id"),
    ],
)
def test_a_connection_that_lacks_something_is_refused(fields, words):
    with pytest.raises(Refused, match=words):
        connect(Connection("elasticsearch", **fields))


@pytest.mark.parametrize(("speed", "gone"), [(1_000_000, 5), (0, None)])
def test_the_connection_can_hold_tasks_back(elastic, local, speed, gone):
    local.old_and_new(5, 1)
    slow = connect(Connection("elasticsearch", host=elastic.url, extra={"requests_per_second": speed}))
    (batch,) = slow.batches(local.selection(), None)
    if gone is None:
        with pytest.raises(Refused):
            slow.expire(local.selection(), batch)
    else:
        assert slow.expire(local.selection(), batch) == Swept(gone=gone)
    slow.close()
