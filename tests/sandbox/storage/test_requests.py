"""Buckets, conditions and settings: what is understood, and what is refused."""

import pytest
from google.api_core import exceptions

from tests.discovery import discovery
from tests.sandbox.storage.kit import call


def test_preconditions_hold_for_reading_writing_and_deleting(bucket):
    blob = bucket.blob("a")
    blob.upload_from_string(b"", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("a").upload_from_string(b"", if_generation_match=0)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.delete_blob("a", generation=blob.generation, if_generation_match=blob.generation + 1)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.delete_blob("a", generation=blob.generation, if_metageneration_match=2)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.delete_blob("a", if_generation_not_match=blob.generation)
    bucket.delete_blob("a", if_generation_match=blob.generation, if_metageneration_match=1)
    with pytest.raises(exceptions.NotFound):
        bucket.delete_blob("a", generation=blob.generation)


def test_lifecycle_rules_are_kept_and_checked(twin, bucket):
    bucket.add_lifecycle_delete_rule(days_since_custom_time=30, matches_prefix=["users/"])
    bucket.patch()
    rule = {"action": {"type": "Delete"}, "condition": {"daysSinceCustomTime": 30, "matchesPrefix": ["users/"]}}
    assert [dict(found) for found in bucket.lifecycle_rules] == [rule]
    for wrong in (
        {},
        {"age": -1},
        {"age": True},
        {"ages": 3},
        {"createdBefore": "2026-1-1"},
        {"matchesPrefix": "users/"},
    ):
        body = {"lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": wrong}]}}
        assert call(twin, "PATCH", "/storage/v1/b/files", json=body)[0] == 400
    twin.problems.clear()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/storage/v1/b/files/o?prefx=a", None),
        ("GET", "/storage/v1/b/files/o?matchGlob=a", None),
        ("GET", "/storage/v1/b/files/o?versions=yes", None),
        ("GET", "/storage/v1/b/files/o?versions=true&softDeleted=true", None),
        ("GET", "/storage/v1/b/files/o?maxResults=-1", None),
        ("GET", "/storage/v1/b/files/o?pageToken=x", None),
        ("GET", "/storage/v1/b/files/o?fields=items(name", None),
        ("GET", "/storage/v1/b/files/o/a?softDeleted=true", None),
        ("DELETE", "/storage/v1/b/files/o/a?generation=-1", None),
        ("PATCH", "/storage/v1/b/files/o/a", {"customtime": "2026-11-01T00:00:00Z"}),
        ("PATCH", "/storage/v1/b/files/o/a", {"customTime": "yesterday"}),
        ("PATCH", "/storage/v1/b/files/o/a", {"temporaryHold": "true"}),
        ("PATCH", "/storage/v1/b/files/o/a", {"generation": "1"}),
        ("PATCH", "/storage/v1/b/files", {"softDeletePolicy": {"retentionDurationSeconds": "60"}}),
        ("PATCH", "/storage/v1/b/files", {"versions": {"enabled": True}}),
    ],
)
def test_what_google_does_not_know_is_refused(twin, bucket, method, path, body):
    bucket.blob("a").upload_from_string(b"")
    status, answer = call(twin, method, path, json=body)
    assert (status, answer["error"]["code"]) == (400, 400)
    twin.problems.clear()


def test_buckets_are_listed_and_deleted_when_empty(client, bucket):
    client.create_bucket("other")
    assert [found.name for found in client.list_buckets()] == ["files", "other"]
    assert [found.name for found in client.list_buckets(prefix="o")] == ["other"]
    with pytest.raises(exceptions.Conflict):
        client.create_bucket("other")
    bucket.blob("a").upload_from_string(b"")
    with pytest.raises(exceptions.Conflict):
        bucket.delete()
    client.bucket("other").delete()
    assert client.lookup_bucket("other") is None


def test_methods_are_recognised_by_the_discovery_document(twin, versioned):
    discovery("storage.v1")  # skips where Google's description is not at hand; then nothing was checked
    versioned.blob("a").upload_from_string(b"")
    versioned.blob("a").reload()
    wanted = ["storage.buckets.insert", "storage.buckets.patch", "storage.objects.insert", "storage.objects.get"]
    assert twin.seen == wanted
