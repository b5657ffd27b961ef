"""Objects are written, read, listed and deleted as Cloud Storage does, in batches too."""

import io

import pytest
import requests
from google.api_core import exceptions

from include.sandbox.faults import FaultKind
from include.sandbox.storage import SeedObject
from tests.google_twins import NOW, ago
from tests.sandbox.storage.kit import call, names

HOSTILE = [
    "users/a/../b",
    "users/a/%2F/..%2e",
    "users/a/?generation=1#x",
    "users/a/ +&=;",
    "users/Zoë/契約書.pdf",
    "users//double",
    "\u202e/rtl",
]


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
