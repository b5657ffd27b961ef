"""What the bucket itself keeps and deletes: soft-deleted copies and its lifecycle."""

import pytest

from include.errors import Refused
from include.systems.cloud_storage import NEVER
from include.systems.contract import ReadBack, Swept
from tests.google_twins import storage_client
from tests.systems.cloud_storage.kit import BUCKET, put, rule, sweep


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
