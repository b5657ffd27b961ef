"""Which objects of Cloud Storage go, which stay, and what is told of them."""

from datetime import timedelta

import pytest

from include.sandbox.storage import SeedObject
from include.systems.contract import ReadBack, Survey, Swept
from tests.google_twins import NOW, ago, only_batch, storage_client
from tests.systems.cloud_storage.kit import BUCKET, WEEK, names, put, rule, sweep


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


def test_records_hide_names(twin, system):
    put(twin, "users/secret/f")
    assert "secret" not in repr(only_batch(system, rule())) + repr(only_batch(system, rule()).records)
