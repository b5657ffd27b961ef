"""The sandbox's Cloud Storage, driven by the official client and by plain requests."""

import io
from datetime import timedelta

import pytest
import requests
from google.api_core import exceptions

from include.sandbox.faults import FaultKind
from include.sandbox.storage import SeedObject
from tests.google_twins import NOW, ago, storage_client, storage_twin

HOSTILE = [
    "users/a/../b",
    "users/a/%2F/..%2e",
    "users/a/?generation=1#x",
    "users/a/ +&=;",
    "users/Zoë/契約書.pdf",
    "users//double",
    "\u202e/rtl",
]


@pytest.fixture(scope="module")
def served():
    with storage_twin() as twin:
        yield twin


@pytest.fixture
def twin(served):
    with served.fresh() as twin:
        yield twin


@pytest.fixture
def client(twin):
    with storage_client(twin.url) as client:
        yield client


@pytest.fixture
def bucket(client):
    return client.create_bucket("files")


@pytest.fixture
def versioned(bucket):
    bucket.versioning_enabled = True
    bucket.patch()
    return bucket


def names(client, **which):
    return [(blob.name, blob.generation) for blob in client.list_blobs("files", **which)]


def call(twin, method, path, **content):
    answer = requests.request(method, f"{twin.url}{path}", timeout=5, **content)
    return answer.status_code, answer.json() if answer.content else None


def reason(answer):
    return answer[1]["error"]["errors"][0]["reason"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_written_read_and_deleted_as_it_is(client, bucket, name):
    blob = bucket.blob(name)
    blob.upload_from_string(b"content")
    assert names(client) == [(name, blob.generation)]
    assert bucket.blob(name).download_as_bytes() == b"content"
    bucket.blob(name, generation=blob.generation).delete()
    assert names(client) == []


@pytest.mark.parametrize("name", ["a\nb", "a\rb", ".", "..", ".well-known/acme-challenge/x", "ü" * 513])
def test_a_name_that_google_forbids_is_refused(bucket, name):
    with pytest.raises(exceptions.BadRequest):
        bucket.blob(name).upload_from_string(b"")


@pytest.mark.parametrize("size", [0, 1, 262_144, 600_001])
def test_a_resumable_upload_comes_together(bucket, size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    blob = bucket.blob("big", chunk_size=262_144)
    blob.upload_from_file(io.BytesIO(content))
    assert bucket.blob("big").download_as_bytes() == content


def test_a_simple_upload_and_a_range_of_it(twin, bucket):
    status, resource = call(twin, "POST", "/upload/storage/v1/b/files/o?uploadType=media&name=a", data=b"0123456789")
    assert (status, resource["size"]) == (200, "10")
    answer = requests.get(
        f"{twin.url}/download/storage/v1/b/files/o/a?alt=media", headers={"Range": "bytes=2-4"}, timeout=5
    )
    assert (answer.status_code, answer.content) == (206, b"234")


def test_an_upload_with_a_wrong_checksum_is_refused(bucket):
    blob = bucket.blob("a")
    blob.md5_hash = "AAAAAAAAAAAAAAAAAAAAAA=="
    with pytest.raises(exceptions.BadRequest):
        blob.upload_from_string(b"content")


def test_metadata_and_custom_time_are_kept_and_change_the_metageneration(bucket):
    blob = bucket.blob("a")
    blob.custom_time = ago(days=3)
    blob.metadata = {"k": "v", "gone": "x"}
    blob.upload_from_string(b"")
    blob.metadata = {"k": "w", "gone": None}
    blob.patch()
    found = bucket.get_blob("a")
    assert (found.metadata, found.custom_time, found.metageneration) == ({"k": "w"}, ago(days=3), 2)


def test_custom_time_never_goes_back(bucket):
    blob = bucket.blob("a")
    blob.custom_time = ago(days=3)
    blob.upload_from_string(b"")
    blob.custom_time = ago(days=4)
    with pytest.raises(exceptions.BadRequest):
        blob.patch()


@pytest.mark.parametrize("page_size", [1, 2, 3, 1000])
def test_pages_of_a_listing_are_complete_and_in_order(twin, client, page_size):
    wanted = sorted(["a/1", "a/2", "b", "c/1", "c/2", "c/3", "d"])
    twin.sandbox.seed("files", (SeedObject(name, NOW) for name in reversed(wanted)))
    assert [name for name, _ in names(client, page_size=page_size)] == wanted
    assert [name for name, _ in names(client, page_size=page_size, prefix="c/")] == ["c/1", "c/2", "c/3"]
    assert [name for name, _ in names(client, page_size=page_size, start_offset="a/2", end_offset="c/2")] == [
        "a/2",
        "b",
        "c/1",
    ]
    listing = client.list_blobs("files", delimiter="/", page_size=page_size)
    assert [blob.name for blob in listing] == ["b", "d"]
    assert listing.prefixes == {"a/", "c/"}


def test_a_page_has_at_most_a_thousand_items_and_goes_on_after_a_deletion(twin, client):
    twin.sandbox.seed("files", (SeedObject(f"f{i:05}", NOW) for i in range(2500)))
    pages = client.list_blobs("files", page_size=5000).pages
    sizes = []
    for page in pages:
        blobs = list(page)
        sizes.append(len(blobs))
        for blob in blobs[-3:]:
            blob.delete()
    assert sizes == [1000, 1000, 500]


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


def test_fields_narrow_an_answer_down(twin, client, bucket):
    bucket.blob("a").upload_from_string(b"")
    _, body = call(twin, "GET", "/storage/v1/b/files/o?fields=items(name,size),nextPageToken")
    assert body == {"items": [{"name": "a", "size": "0"}]}
    _, body = call(twin, "GET", "/storage/v1/b/files/o?fields=items/name")
    assert body == {"items": [{"name": "a"}]}


def test_every_part_of_a_batch_has_its_own_answer(client, bucket):
    bucket.blob("a").upload_from_string(b"")
    bucket.blob("held").upload_from_string(b"")
    held = bucket.blob("held")
    held.temporary_hold = True
    held.patch()
    batch = client.batch(raise_exception=False)
    with batch:
        for name in ("a", "absent", "held"):
            bucket.delete_blob(name)
        bucket.delete_blob("a", if_generation_match=1)
    assert [answer.status_code for answer in batch._responses] == [204, 404, 403, 404]


def test_a_batch_takes_a_hundred_calls_and_not_one_more(client, bucket):
    batch = client.batch()
    client._push_batch(batch)
    for number in range(101):
        bucket.delete_blob(f"f{number}")
    client._pop_batch()
    with pytest.raises(exceptions.BadRequest):
        batch.finish()


def test_a_partial_fault_fails_every_second_part_of_a_batch(twin, client, bucket):
    twin.sandbox.seed("files", (SeedObject(f"f{i}", NOW) for i in range(4)))
    twin.fail(FaultKind.PARTIAL, "/batch")
    batch = client.batch(raise_exception=False)
    with batch:
        for number in range(4):
            bucket.delete_blob(f"f{number}")
    assert [answer.status_code for answer in batch._responses] == [204, 503, 204, 503]
    assert [name for name, _ in names(client)] == ["f1", "f3"]


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
    versioned.blob("a").upload_from_string(b"")
    versioned.blob("a").reload()
    wanted = ["storage.buckets.insert", "storage.buckets.patch", "storage.objects.insert", "storage.objects.get"]
    assert twin.seen == wanted
