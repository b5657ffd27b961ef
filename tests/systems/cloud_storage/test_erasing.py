"""Files of persons go, every generation; holds and retention block; hidden copies have the store's date."""

from datetime import timedelta

import pytest

from include.errors import Refused, Unavailable
from include.sandbox.estate import BUCKET
from include.sandbox.faults import FaultKind
from include.sandbox.storage import SeedObject
from include.systems.erasing import Did
from tests.systems.persons import HOSTILE, NOW, Room, erase, place, subject, user

WEEK = timedelta(days=7)
FILES = {"bucket": BUCKET, "prefix": "users/{subject}/"}


@pytest.fixture
def room(company_sandbox):
    room = Room(company_sandbox, "cloud_storage", "storage")
    room.company.clock.set(NOW)
    yield room
    room.close()


@pytest.fixture
def system(room):
    return room.connect()


def put(room, *names, versioning=True, soft_delete_seconds=604_800, **more):
    objects = [SeedObject(name, NOW - timedelta(days=100 - n), b"x", **more) for n, name in enumerate(names)]
    room.company.storage.seed(BUCKET, objects, versioning=versioning, soft_delete_seconds=soft_delete_seconds)


def names(room, **which):
    return [version.name for version in room.company.storage.objects(BUCKET, **(which or {"versions": True}))]


def bucket_settings(room):
    return room.company.storage._store.buckets[BUCKET]


def test_exactly_the_persons_files_go_in_every_generation(room, system):
    estate = room.estate(people=120)
    doubled = next(o for o in estate.objects() if o.noncurrent_since and o.name.startswith("users/"))
    person = next(p for p in estate.people if p.uid == doubled.name.split("/")[1])
    before = room.records()
    assert erase(system, user(person)) == [Did.GONE]
    after = room.records()
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    gone = [key for key in changed if key in before]
    assert len(gone) > 1
    assert {key.split("/")[1] for key in changed} == {person.uid}
    assert not any(f"users/{person.uid}/" in name for name in names(room))
    assert erase(system, user(person)) == [Did.ABSENT]


def test_hidden_copies_have_the_stores_date_and_end_on_it(room, system):
    put(room, "users/u1/a", "users/u1/b", "users/u2/a")
    ann = [subject(user_id="u1")]
    found = system.find(ann)
    assert found[0].clean_at == NOW + WEEK
    (receipt,) = system.erase(found)
    assert receipt.did is Did.GONE
    assert timedelta() <= receipt.until - (NOW + WEEK) < timedelta(minutes=1)
    (seen,) = system.verify(ann, [receipt])
    assert (seen.remaining, seen.until) == (0, receipt.until)
    (again,) = system.find(ann)
    assert (again.counts, again.clean_at) == ({}, receipt.until)
    room.company.clock.set(NOW + WEEK + timedelta(minutes=2))
    (last,) = system.verify(ann, [receipt])
    assert (last.remaining, last.until) == (0, None)


def test_without_soft_delete_a_file_is_gone_at_once(room, system):
    put(room, "users/u1/a", soft_delete_seconds=0)
    found = system.find([subject(user_id="u1")])
    assert found[0].clean_at is None
    assert system.erase(found)[0].until is None
    assert system.verify([subject(user_id="u1")], [])[0].until is None


def test_while_hard_deletes_are_paused_there_is_no_date(room, system):
    put(room, "users/u1/a")
    bucket_settings(room).hard_delete_pause = NOW
    ann = [subject(user_id="u1")]
    found = system.find(ann)
    assert found[0].clean_at.year == 9999
    assert system.verify(ann, system.erase(found))[0].until.year == 9999


def test_a_hold_blocks_without_a_date_and_the_rest_goes(room, system):
    put(room, "users/u1/a")
    put(room, "users/u1/held", temporary_hold=True)
    put(room, "users/u1/frozen", event_based_hold=True)
    ann = [subject(user_id="u1")]
    (receipt,) = receipts = system.erase(system.find(ann))
    assert (receipt.did, receipt.gone, receipt.blocked, receipt.until) == (Did.BLOCKED, 1, 2, None)
    (seen,) = system.verify(ann, receipts)
    assert (seen.remaining, seen.blocked) == (0, 2)
    assert names(room) == ["users/u1/frozen", "users/u1/held"]


def test_a_retention_blocks_until_its_end(room, system):
    put(room, "users/u1/old", "users/u1/new")
    bucket_settings(room).retention_seconds = int(timedelta(days=200).total_seconds())
    ann = [subject(user_id="u1")]
    found = system.find(ann)
    end = NOW + timedelta(days=101)
    assert found[0].clean_at == end + WEEK
    (receipt,) = receipts = system.erase(found)
    assert (receipt.did, receipt.gone, receipt.blocked, receipt.until) == (Did.BLOCKED, 0, 2, end)
    assert [(one.remaining, one.blocked) for one in system.verify(ann, receipts)] == [(0, 2)]


def test_ids_that_begin_like_another_are_another(room, system):
    put(
        room,
        "users/ab/x",
        "users/a/x",
        "users/a-b/x",
        "users/A/x",
        "users/a/b/x",
        "users/a%2Fb/x",
        "users/a",
        "xusers/a/x",
    )
    room.company.clock.set(NOW)
    assert erase(system, subject(user_id="a")) == [Did.GONE]
    assert sorted(names(room)) == sorted(
        ["users/ab/x", "users/a-b/x", "users/A/x", "users/a%2Fb/x", "users/a", "xusers/a/x"]
    )


def test_hostile_identifiers_reach_nobody(room, system):
    room.estate(people=10)
    put(room, "users//x", "users/../x")
    everything = [subject(f"req_{n}", user_id=value) for n, value in enumerate((*HOSTILE, "u\n", "u\r", "x" * 1100))]
    with room.unchanged():
        assert erase(system, *everything) == [Did.ABSENT] * len(everything)


def test_a_batch_walks_the_bucket_instead_of_asking_for_each(room, system):
    estate = room.estate(people=400)
    persons = [user(person) for person in estate.people[:300]]
    survivors = {person.uid for person in estate.people[300:]}
    found = system.find(persons)
    assert room.calls(f"/b/{BUCKET}/o") < 8
    system.erase(found)
    left = {name.split("/")[1] for name in names(room) if name.startswith("users/")}
    held = {v.name.split("/")[1] for v in room.company.storage.objects(BUCKET, versions=True) if v.temporary_hold}
    assert left <= survivors | held
    assert left >= survivors - held


def test_persons_without_files_among_many_who_have_some_cost_no_calls_of_their_own(room, system):
    put(room, *(f"users/{n:04}/{k}" for n in range(0, 600, 2) for k in range(3)))
    found = system.find([subject(f"req_{n}", user_id=f"{n:04}") for n in range(1, 600, 2)])
    assert not any(one.total for one in found)
    assert room.calls(f"/b/{BUCKET}/o") < 8


def test_persons_far_apart_are_a_call_each(room, system):
    put(room, *(f"users/{n:04}/{k}" for n in range(300) for k in range(3)))
    persons = [subject(f"req_{n}", user_id=f"{n:04}") for n in (5, 150, 290)]
    system.find(persons)
    assert room.calls(f"/b/{BUCKET}/o") == 4
    assert sorted(name for one in persons for name in _found(system, one)) == sorted(
        f"users/{n:04}/{k}" for n in (5, 150, 290) for k in range(3)
    )


def _found(system, one):
    (found,) = system.find([one])
    return [version.name for versions in found.records.versions.values() for version in versions]


@pytest.mark.parametrize("many", [49, 50, 51, 1100])
def test_a_person_with_pages_of_files_is_found_whole(room, system, many):
    put(room, *(f"users/u1/{n:05}" for n in range(many)), "users/u0/x", "users/u2/x")
    (found,) = system.find([subject(user_id="u1")])
    assert found.counts == {"cloud_storage.files": many}


def test_generations_of_one_name_over_pages_are_found_whole(room, system):
    objects = [
        SeedObject("users/u1/a", NOW - timedelta(days=200 - n), noncurrent_since=NOW - timedelta(days=199 - n))
        for n in range(120)
    ]
    room.company.storage.seed(BUCKET, [*objects, SeedObject("users/u1/a", NOW)], versioning=True)
    assert system.find([subject(user_id="u1")])[0].total == 121
    assert erase(system, subject(user_id="u1")) == [Did.GONE]


@pytest.mark.parametrize("kind", [FaultKind.PARTIAL, FaultKind.LOST_ANSWER, FaultKind.DROP])
def test_a_failed_request_is_unavailable_and_the_next_run_ends_it(room, system, kind):
    put(room, *(f"users/u1/{n}" for n in range(5)), "users/u2/x")
    found = system.find([subject(user_id="u1")])
    room.fail(kind, "POST")
    with pytest.raises(Unavailable) as error:
        system.erase(found)
    assert "u1" not in str(error.value)
    assert erase(system, subject(user_id="u1")) == [Did.ABSENT if kind is FaultKind.LOST_ANSWER else Did.GONE]
    assert names(room) == ["users/u2/x"]


def test_what_is_gone_already_is_absent(room, system):
    put(room, "users/u1/a")
    found = system.find([subject(user_id="u1")])
    system.erase(found)
    assert [(one.did, one.gone) for one in system.erase(found)] == [(Did.ABSENT, 0)]


def test_new_metadata_does_not_save_a_file(room, system):
    put(room, "users/u1/a")
    found = system.find([subject(user_id="u1")])
    next(iter(room.company.storage.objects(BUCKET))).metageneration += 1
    assert [one.did for one in system.erase(found)] == [Did.GONE]


def test_kept_files_stay_on_their_ground(room):
    put(room, "users/u1/a")
    kept = place("files", FILES, match="prefix", erasure="keep", ground="A contract runs.")
    system = room.connect(places=(kept,))
    (found,) = system.find([subject(user_id="u1")])
    assert (found.counts, [(one.what, one.count) for one in found.stays]) == ({}, [("files", 1)])
    with room.unchanged():
        assert erase(system, subject(user_id="u1")) == [Did.ABSENT]


@pytest.mark.parametrize(
    "wrong",
    [
        place("f", {"bucket": BUCKET, "prefix": "exports/"}, match="prefix"),
        place("f", {"bucket": BUCKET}, match="prefix"),
        place("f", FILES, match="id"),
        place("f", FILES, match="prefix", where={"a": ("b",)}),
        place("f", FILES, match="prefix", erasure="unlink", unlink=("a",), ground="g"),
        place("f", {"bucket": BUCKET, "prefix": "{subject}/"}, match="prefix"),
    ],
)
def test_what_this_module_cannot_do_is_refused_before_any_call(room, wrong):
    with pytest.raises(Refused):
        room.connect(places=(wrong,))
    assert room.calls() == 0
