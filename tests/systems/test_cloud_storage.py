"""The connector for Cloud Storage against the sandbox over loopback; the round trip also against a real bucket."""

import os
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.connection import Connection
from include.errors import Refused, Throttled, Unavailable
from include.policy.actions import Action, Anonymisation
from include.sandbox.faults import FaultKind
from include.sandbox.google import Trouble
from include.sandbox.storage import SeedObject
from include.sandbox.storage.store import Store
from include.systems import cloud_storage
from include.systems.cloud_storage import NEVER
from include.systems.cloud_storage_prefix import Prefix
from include.systems.contract import Batch, ReadBack, Selection, Survey, Swept
from tests.google_twins import NOW, ago, storage_client, storage_connection, storage_twin

BUCKET = "files"
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def served():
    with storage_twin() as twin:
        yield twin


@pytest.fixture
def twin(served):
    with served.fresh() as twin:
        twin.sandbox.seed(BUCKET, versioning=True)
        yield twin


@pytest.fixture
def system(twin):
    system = cloud_storage.connect(storage_connection(twin.url))
    yield system
    system.close()


def rule(prefix="users/{subject}/", trigger="customTime", days=30, **more):
    subject = "prefix" if "{subject}" in prefix else None
    given = {"subject": subject, "location": {"bucket": BUCKET, "prefix": prefix}, **more}
    return Selection(rule="r1", trigger_field=trigger, cutoff=ago(days=days), period_seconds=days * 86_400, **given)


def put(twin, *names, days=40, **more):
    twin.sandbox.seed(BUCKET, (SeedObject(name, ago(days=days), custom_time=ago(days=days), **more) for name in names))


def names(twin, **which):
    return [version.name for version in twin.sandbox.objects(BUCKET, **{"versions": True, **which})]


def sweep(system, selection, on_hold=None):
    swept = [system.expire(selection, batch) for batch in system.batches(selection, on_hold)]
    return Swept(
        gone=sum(s.gone for s in swept),
        absent=sum(s.absent for s in swept),
        changed=sum(s.changed for s in swept),
        blocked=sum(s.blocked for s in swept),
        until=max((s.until for s in swept if s.until), default=None),
    )


def only_batch(system, selection):
    (batch,) = system.batches(selection, None)
    return batch


def test_due_objects_go_and_the_others_stay(twin, system):
    put(twin, "users/a/old", "users/b/old", days=31)
    put(twin, "users/a/new", days=29)
    put(twin, "users/readme", "exports/a/old", days=99)
    twin.sandbox.seed(BUCKET, [SeedObject("users/a/without", ago(days=99))])
    assert system.survey(rule(), None) == Survey(4, 2, 0, ago(days=31), ago(days=31))
    assert sweep(system, rule()) == Swept(2, until=NOW + WEEK)
    assert names(twin) == ["exports/a/old", "users/a/new", "users/a/without", "users/readme"]
    assert system.read_back(rule(), None) == ReadBack(0, 0, until=NOW + WEEK)


def test_the_cutoff_itself_is_not_due(twin, system):
    put(twin, "users/a/at", days=30)
    put(twin, "users/a/before", days=30 + 1 / 86_400)
    assert sweep(system, rule()).gone == 1
    assert names(twin) == ["users/a/at"]


@pytest.mark.parametrize(("trigger", "left"), [("timeCreated", ["e/young"]), ("updated", ["e/touched", "e/young"])])
def test_every_object_has_a_creation_and_an_update(twin, system, trigger, left):
    twin.sandbox.seed(BUCKET, [SeedObject("e/old", ago(days=99)), SeedObject("e/young", ago(days=1))])
    twin.sandbox.seed(BUCKET, [SeedObject("e/touched", ago(days=99))])
    with storage_client(twin.url) as client:
        blob = client.bucket(BUCKET).blob("e/touched")
        blob.metadata = {"k": "v"}
        blob.patch()
    assert system.survey(rule("e/", trigger), None).total == 3
    assert sweep(system, rule("e/", trigger)).gone == 3 - len(left)
    assert names(twin) == left


def test_each_generation_is_judged_by_itself_and_deleted_for_good(twin, system):
    put(twin, "users/a/f", days=90, noncurrent_since=ago(days=80))
    put(twin, "users/a/f", days=80, noncurrent_since=ago(days=10))
    put(twin, "users/a/f", days=10)
    assert system.survey(rule(), None).due == 2
    assert sweep(system, rule()).gone == 2
    assert [version.live for version in twin.sandbox.objects(BUCKET, versions=True)] == [True]
    assert len(names(twin, soft_deleted=True)) == 2


def test_a_live_object_leaves_no_noncurrent_version_behind(twin, system):
    put(twin, "users/a/f")
    sweep(system, rule())
    assert names(twin) == []


def test_held_subjects_are_counted_and_left(twin, system):
    put(twin, "users/ab/f", "users/abc/f", "users/b/f")

    def on_hold(subject):
        return subject == "ab"

    assert system.survey(rule(), on_hold) == Survey(3, 3, 1, ago(days=40), ago(days=40))
    assert sweep(system, rule(), on_hold).gone == 2
    assert names(twin) == ["users/ab/f"]
    assert system.read_back(rule(), on_hold) == ReadBack(0, 1, until=NOW + WEEK)
    assert system.read_back(rule(), None).remaining == 1


HOSTILE = ["..", "%2F", "a%2Fb", "Zoë", "契約", "?generation=1", "#", " ", "&prefix=", "\u202e"]


@pytest.mark.parametrize("segment", HOSTILE)
def test_a_hostile_segment_is_one_subject_and_only_its_objects_go(twin, system, segment):
    put(twin, f"users/{segment}/f", "users/other/f", f"users/{segment}x/f")
    asked = []

    def on_hold(subject):
        asked.append(subject)
        return subject != segment

    assert sweep(system, rule(), on_hold).gone == 1
    assert sorted(names(twin)) == sorted(["users/other/f", f"users/{segment}x/f"])
    assert sorted(asked) == sorted([segment, "other", f"{segment}x"])


@pytest.mark.parametrize("hold", ["temporary_hold", "event_based_hold"])
def test_an_object_hold_is_blocked_and_not_remaining(twin, system, hold):
    put(twin, "users/a/held", **{hold: True})
    put(twin, "users/a/free")
    assert sweep(system, rule()) == Swept(1, blocked=1, until=NOW + WEEK)
    assert system.read_back(rule(), None) == ReadBack(0, 0, blocked=1, until=NOW + WEEK)


def test_a_retention_policy_is_blocked_until_it_is_over(twin, system):
    put(twin, "users/a/f")
    with storage_client(twin.url) as client:
        bucket = client.bucket(BUCKET)
        bucket.retention_period = 41 * 86_400
        bucket.patch()
    assert sweep(system, rule()) == Swept(0, blocked=1)
    assert system.read_back(rule(), None) == ReadBack(0, 0, blocked=1)
    twin.now = NOW + timedelta(days=2)
    assert sweep(system, rule()).gone == 1


def test_a_change_after_the_selection_saves_the_object(twin, system):
    put(twin, "users/a/f", "users/a/g")
    batch = only_batch(system, rule())
    with storage_client(twin.url) as client:
        blob = client.bucket(BUCKET).blob("users/a/f")
        blob.custom_time = ago(days=1)
        blob.patch()
    assert system.expire(rule(), batch) == Swept(1, changed=1, until=NOW + WEEK)
    assert names(twin) == ["users/a/f"]


def test_a_new_generation_after_the_selection_is_left(twin, system):
    put(twin, "users/a/f")
    batch = only_batch(system, rule())
    with storage_client(twin.url) as client:
        client.bucket(BUCKET).blob("users/a/f").upload_from_string(b"new")
    assert system.expire(rule(), batch) == Swept(1, until=NOW + WEEK)
    assert [version.content for version in twin.sandbox.objects(BUCKET)] == [b"new"]


def test_what_is_gone_already_is_absent(twin, system):
    put(twin, "users/a/f")
    batch = only_batch(system, rule())
    system.expire(rule(), batch)
    assert system.expire(rule(), batch) == Swept(0, absent=1)


def test_more_objects_than_a_page_go_in_bounded_batches(twin, system):
    put(twin, *(f"users/u{i:04}/f" for i in range(2101)))
    batches = system.batches(rule(), None)
    first = next(batches)
    assert first.count == len(first.records) == 1000
    assert twin.calls("GET /storage/v1/b/files/o") <= 2
    assert system.expire(rule(), first).gone == 1000
    assert twin.calls("POST /batch") == 10
    assert [system.expire(rule(), batch).gone for batch in batches] == [1000, 101]
    assert names(twin) == []


def test_nothing_due_sends_no_deletion(twin, system):
    put(twin, "users/a/f", days=1)
    assert list(system.batches(rule(), None)) == []
    assert sweep(system, rule()) == Swept(0)
    assert twin.calls("DELETE") == twin.calls("POST") == 0


def test_without_soft_delete_there_is_no_horizon(twin, system):
    twin.sandbox.reset()
    twin.sandbox.seed(BUCKET, soft_delete_seconds=0)
    put(twin, "users/a/f")
    assert sweep(system, rule()) == Swept(1, until=None)
    assert system.read_back(rule(), None) == ReadBack(0, 0)


def test_hidden_copies_of_others_do_not_count(twin, system):
    put(twin, "users/a/young", days=1)
    put(twin, "other/a")
    with storage_client(twin.url) as client:
        for blob in list(client.list_blobs(BUCKET)):
            client.bucket(BUCKET).delete_blob(blob.name, generation=blob.generation)
    assert system.read_back(rule(), None).until is None


def test_a_pause_of_hard_deletes_has_no_end_and_is_told(twin, system):
    put(twin, "users/a/f")
    with storage_client(twin.url) as client:
        bucket = client.bucket(BUCKET)
        bucket._patch_property("softDeletePolicy", {"hardDeletePause": {"enabled": True}})
        bucket.patch()
    sweep(system, rule())
    assert system.read_back(rule(), None).until == NEVER
    assert [entry.setting for entry in system.expiry(rule()) if not entry.agrees] == [
        "lifecycle of users/",
        "softDeletePolicy.hardDeletePause",
    ]


def test_a_read_that_fails_once_is_repeated(twin, system):
    put(twin, "users/a/f")
    twin.fail(FaultKind.STATUS, "GET /storage", status=503)
    assert system.survey(rule(), None).due == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 503}, Unavailable),
        ({"status": 500}, Unavailable),
        ({"status": 429, "retry_after": 7}, Throttled),
        ({"status": 403}, Refused),
        ({"status": 401}, Refused),
    ],
)
def test_a_refused_deletion_is_an_error_without_a_name_or_an_address(twin, system, fault, error):
    put(twin, "users/secret/f")
    batch = only_batch(system, rule())
    twin.fail(FaultKind.STATUS, "POST /batch", **fault)
    with pytest.raises(error) as caught:
        system.expire(rule(), batch)
    assert not {"secret", "127.0.0.1", BUCKET} & set(str(caught.value).replace("/", " ").split())
    assert caught.value.__suppress_context__
    assert getattr(caught.value, "retry_after", None) == (7 if error is Throttled else None)
    assert names(twin) == ["users/secret/f"]
    assert twin.calls("POST /batch") == 1


def test_a_dropped_deletion_is_unavailable_and_can_be_repeated(twin, system):
    put(twin, "users/a/f")
    batch = only_batch(system, rule())
    twin.fail(FaultKind.DROP, "POST /batch")
    with pytest.raises(Unavailable):
        system.expire(rule(), batch)
    assert system.expire(rule(), batch).gone == 1


def test_a_lost_answer_is_unavailable_and_the_repetition_finds_nothing(twin, system):
    put(twin, "users/a/f")
    batch = only_batch(system, rule())
    twin.fail(FaultKind.LOST_ANSWER, "POST /batch")
    with pytest.raises(Unavailable):
        system.expire(rule(), batch)
    assert names(twin) == []
    assert system.expire(rule(), batch) == Swept(0, absent=1)
    assert list(system.batches(rule(), None)) == []


def test_a_late_answer_is_an_answer(twin, system):
    put(twin, "users/a/f")
    twin.fail(FaultKind.LATENCY, "POST /batch", seconds=0.05)
    assert sweep(system, rule()).gone == 1


def test_a_failed_part_of_a_batch_is_never_counted_as_gone(twin, system):
    put(twin, *(f"users/u{i}/f" for i in range(10)))
    batch = only_batch(system, rule())
    twin.fail(FaultKind.PARTIAL, "POST /batch")
    with pytest.raises(Unavailable):
        system.expire(rule(), batch)
    assert len(names(twin)) == 5
    assert system.expire(rule(), batch) == Swept(5, absent=5, until=NOW + WEEK)


def test_a_missing_right_is_told_from_a_hold(twin, system, monkeypatch):
    def forbid(*_):
        raise Trouble(403, "forbidden", "The caller does not have storage.objects.delete access.")

    put(twin, "users/a/f")
    batch = only_batch(system, rule())
    monkeypatch.setattr(Store, "delete", forbid)
    with pytest.raises(Refused, match="right"):
        system.expire(rule(), batch)


def test_a_bucket_that_is_not_there_is_refused(system):
    with pytest.raises(Refused, match="location"):
        system.survey(rule(location={"bucket": "elsewhere", "prefix": "users/"}, subject=None), None)


@pytest.mark.parametrize("trigger", ["customTime", "timeCreated"])
def test_the_lifecycle_is_set_once_and_then_agrees(twin, system, trigger):
    (before,) = system.expiry(rule(trigger=trigger))
    assert (before.configured, before.agrees) == ("none", False)
    assert system.set_expiry(rule(trigger=trigger)).agrees
    assert system.set_expiry(rule(trigger=trigger)).agrees
    (after,) = system.expiry(rule(trigger=trigger))
    assert (after.configured, after.agrees) == (before.wanted, True)
    assert twin.calls("PATCH /storage/v1/b/files") == 1


def test_a_lifecycle_rule_of_someone_else_is_kept_and_told(twin, system):
    with storage_client(twin.url) as client:
        bucket = client.bucket(BUCKET)
        bucket.add_lifecycle_delete_rule(age=3)
        bucket.add_lifecycle_delete_rule(age=1, matches_prefix=["tmp/"])
        bucket.patch()
    system.set_expiry(rule())
    assert [(entry.configured, entry.agrees) for entry in system.expiry(rule())] == [
        ("age=3", False),
        ("daysSinceCustomTime=30", True),
    ]
    with storage_client(twin.url) as client:
        assert len(list(client.get_bucket(BUCKET).lifecycle_rules)) == 3


@pytest.mark.parametrize("selection", [rule(trigger="updated"), rule("users/{subject}/tmp/")])
def test_what_a_lifecycle_cannot_say_is_refused(system, twin, selection):
    with pytest.raises(Refused, match="sweep"):
        system.set_expiry(selection)
    assert twin.calls("PATCH") == 0


@pytest.mark.parametrize("prefix", ["", "/", "//", "{subject}/", "users/{subject}", "users/{subject}x/", "u/{uid}/"])
def test_a_prefix_that_could_mean_everything_or_nobody_is_refused(twin, system, prefix):
    with pytest.raises(Refused):
        system.survey(rule(prefix), None)
    assert twin.journal.as_json() == []


@pytest.mark.parametrize(
    "change",
    [
        {"location": {"bucket": BUCKET}},
        {"location": {"prefix": "users/"}},
        {"location": {"bucket": "", "prefix": "users/"}},
        {"location": {"bucket": BUCKET, "prefix": "users/", "versions": "false"}},
        {"trigger": "timeDeleted"},
        {"where": {"contentType": "text/plain"}},
        {"subject": "uid"},
        {"prefix": "exports/", "subject": "prefix"},
        {"action": Action.ANONYMISE, "anonymisation": Anonymisation(("a",))},
    ],
)
def test_a_rule_that_is_not_understood_is_refused_before_any_call(twin, system, change):
    selection = rule(**change)
    for operation in (
        lambda: system.survey(selection, None),
        lambda: next(system.batches(selection, None)),
        lambda: system.expire(selection, Batch(0, None, None, ())),
        lambda: system.read_back(selection, None),
        lambda: system.expiry(selection),
        lambda: system.set_expiry(selection),
    ):
        with pytest.raises(Refused):
            operation()
    assert twin.journal.as_json() == []


def test_a_connection_without_a_project_is_refused():
    with pytest.raises(Refused, match="project"):
        cloud_storage.connect(Connection("cloud_storage", host="http://127.0.0.1:1"))


def test_a_key_that_is_none_is_refused_without_showing_it():
    broken = Connection("cloud_storage", extra={"project": "p", "keyfile_dict": {"private_key": "hidden"}})
    with pytest.raises(Refused, match="keyfile_dict") as caught:
        cloud_storage.connect(broken).survey(rule(), None)
    assert "hidden" not in str(caught.value)


def test_records_hide_names(twin, system):
    put(twin, "users/secret/f")
    assert "secret" not in repr(only_batch(system, rule())) + repr(only_batch(system, rule()).records)


segments = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(segments, segments, st.text(max_size=8))
def test_a_name_belongs_to_exactly_one_subject(subject, other, rest):
    prefix = Prefix.parse("users/{subject}/")
    name = f"users/{subject}/{rest}"
    assert prefix.subject(name) == subject
    assert (prefix.subject(f"users/{other}/{rest}") == subject) == (other == subject)


@given(segments, st.text(max_size=20))
def test_a_tail_is_part_of_the_match(subject, rest):
    prefix = Prefix.parse("users/{subject}/files/")
    assert prefix.subject(f"users/{subject}/files/{rest}") == subject
    assert prefix.subject(f"users/{subject}/filesx") is None
    assert prefix.matches(f"users/{subject}") is False


@given(st.text(max_size=30))
def test_only_names_under_the_prefix_match(name):
    assert Prefix.parse("exports/").matches(name) == name.startswith("exports/")
    assert not Prefix.parse("users/{subject}/").matches(name) or name.startswith("users/")


def round_trip(client, system, bucket):
    """Two objects of a subject, one of them old; the old one goes, the young one stays."""
    folder = f"privacy-check-{uuid.uuid4().hex}"
    selection = Selection(
        rule="live",
        location={"bucket": bucket, "prefix": f"{folder}/{{subject}}/"},
        subject="prefix",
        trigger_field="customTime",
        cutoff=datetime(2020, 1, 1, tzinfo=UTC),
        period_seconds=86_400,
    )
    for name, moment in (("old ü%2F", datetime(2019, 1, 1, tzinfo=UTC)), ("young", datetime(2021, 1, 1, tzinfo=UTC))):
        blob = client.bucket(bucket).blob(f"{folder}/somebody/{name}")
        blob.custom_time = moment
        blob.upload_from_string(b"x")
    try:
        assert system.survey(selection, None).due == 1
        batch = only_batch(system, selection)
        assert system.expire(selection, batch).gone == 1
        assert system.expire(selection, batch).absent == 1
        after = system.read_back(selection, None)
        assert (after.remaining, after.held, after.blocked) == (0, 0, 0)
        assert [blob.name for blob in client.list_blobs(bucket, prefix=folder)] == [f"{folder}/somebody/young"]
    finally:
        for blob in client.list_blobs(bucket, prefix=f"{folder}/", versions=True):
            client.bucket(bucket).delete_blob(blob.name, generation=blob.generation)


def test_the_round_trip_of_a_real_bucket_works_in_the_sandbox(twin, system):
    with storage_client(twin.url) as client:
        round_trip(client, system, BUCKET)


@pytest.mark.live
@pytest.mark.skipif(
    "AIRFLOW_CONN_CLOUD_STORAGE_LIVE" not in os.environ,
    reason="AIRFLOW_CONN_CLOUD_STORAGE_LIVE, a connection with a 'bucket' in its extra, is not set",
)
def test_the_round_trip_works_on_a_real_bucket():
    connection = Connection.from_env("cloud_storage_live")
    system = cloud_storage.connect(connection)
    round_trip(system._calls._client, system, connection.text("bucket"))
    system.close()
