"""What a bucket keeps: versions, soft-deleted objects, holds and retention."""

from datetime import timedelta

import pytest
from google.api_core import exceptions

from tests.google_twins import NOW
from tests.sandbox.storage.kit import call, names, reason


def test_versions_are_listed_oldest_first_and_only_the_live_one_without(client, versioned):
    generations = []
    for content in (b"1", b"2", b"3"):
        blob = versioned.blob("a")
        blob.upload_from_string(content)
        generations.append(blob.generation)
    assert names(client) == [("a", generations[2])]
    assert names(client, versions=True) == [("a", generation) for generation in generations]
    assert versioned.blob("a", generation=generations[0]).download_as_bytes() == b"1"


def test_without_a_generation_a_versioned_bucket_only_hides_the_object(client, versioned):
    blob = versioned.blob("a")
    blob.upload_from_string(b"")
    versioned.blob("a").delete()
    assert names(client) == []
    assert names(client, versions=True) == [("a", blob.generation)]
    assert names(client, soft_deleted=True) == []


def test_with_its_generation_the_object_is_deleted_and_soft_deleted_for_a_week(twin, client, versioned):
    blob = versioned.blob("a")
    blob.upload_from_string(b"")
    versioned.blob("a", generation=blob.generation).delete()
    assert names(client, versions=True) == []
    hidden = versioned.get_blob("a", generation=blob.generation, soft_deleted=True)
    assert (hidden.soft_delete_time, hidden.hard_delete_time) == (NOW, NOW + timedelta(days=7))
    twin.now = NOW + timedelta(days=7)
    assert names(client, soft_deleted=True) == []


def test_a_paused_bucket_keeps_soft_deleted_objects_beyond_their_date(twin, client, bucket):
    call(twin, "PATCH", "/storage/v1/b/files", json={"softDeletePolicy": {"hardDeletePause": {"enabled": True}}})
    bucket.blob("a").upload_from_string(b"")
    bucket.blob("a").delete()
    twin.now = NOW + timedelta(days=700)
    assert len(names(client, soft_deleted=True)) == 1


def test_without_soft_delete_nothing_is_kept(twin, client, bucket):
    call(twin, "PATCH", "/storage/v1/b/files", json={"softDeletePolicy": {"retentionDurationSeconds": "0"}})
    bucket.blob("a").upload_from_string(b"")
    bucket.blob("a").delete()
    assert names(client, soft_deleted=True) == []


def test_a_soft_deleted_object_can_be_restored_under_a_new_generation(client, bucket):
    blob = bucket.blob("a")
    blob.upload_from_string(b"back")
    blob.delete()
    restored = bucket.restore_blob("a", generation=blob.generation)
    assert restored.generation > blob.generation
    assert bucket.blob("a").download_as_bytes() == b"back"
    assert names(client, soft_deleted=True) == []


@pytest.mark.parametrize("hold", ["temporaryHold", "eventBasedHold"])
def test_a_hold_forbids_deletion_and_overwriting_until_it_is_released(twin, bucket, hold):
    bucket.blob("a").upload_from_string(b"")
    path = "/storage/v1/b/files/o/a"
    call(twin, "PATCH", path, json={hold: True})
    refused = call(twin, "DELETE", path)
    assert (refused[0], reason(refused)) == (403, "objectUnderActiveHold")
    with pytest.raises(exceptions.Forbidden):
        bucket.blob("a").upload_from_string(b"new")
    call(twin, "PATCH", path, json={hold: False})
    assert call(twin, "DELETE", path)[0] == 204


def test_a_retention_policy_forbids_deletion_until_it_is_over(twin, bucket):
    bucket.retention_period = 86_400
    bucket.patch()
    bucket.blob("a").upload_from_string(b"")
    assert bucket.get_blob("a").retention_expiration_time == NOW + timedelta(days=1)
    refused = call(twin, "DELETE", "/storage/v1/b/files/o/a")
    assert (refused[0], reason(refused)) == (403, "retentionPolicyNotMet")
    twin.now = NOW + timedelta(days=1)
    assert call(twin, "DELETE", "/storage/v1/b/files/o/a")[0] == 204


def test_a_released_event_hold_starts_the_retention_anew(twin, bucket):
    bucket.retention_period = 86_400
    bucket.default_event_based_hold = True
    bucket.patch()
    blob = bucket.blob("a")
    blob.upload_from_string(b"")
    assert bucket.get_blob("a").event_based_hold
    twin.now = NOW + timedelta(days=5)
    blob.event_based_hold = False
    blob.patch()
    assert bucket.get_blob("a").retention_expiration_time == NOW + timedelta(days=6)


def test_a_locked_retention_can_grow_but_not_shrink(bucket):
    bucket.retention_period = 86_400
    bucket.patch()
    bucket.lock_retention_policy()
    bucket.retention_period = 2 * 86_400
    bucket.patch()
    bucket.retention_period = 86_400
    with pytest.raises(exceptions.Forbidden):
        bucket.patch()


def test_a_locked_object_retention_stays(twin, bucket):
    bucket.blob("a").upload_from_string(b"")
    path = "/storage/v1/b/files/o/a"
    body = {"retention": {"mode": "Locked", "retainUntilTime": "2026-12-01T00:00:00Z"}}
    assert call(twin, "PATCH", path, json=body)[0] == 200
    assert call(twin, "PATCH", path, json={"retention": None})[0] == 403
    assert call(twin, "DELETE", path)[0] == 403
