"""Documents of persons go by exact terms, links go without their documents, lost tasks are settled."""

from types import SimpleNamespace

import pytest

from include.errors import Refused, Unavailable
from include.sandbox.faults import FaultKind
from include.systems.elasticsearch.fields import check_persons
from include.systems.erasing import Did
from tests.systems.persons import ACCOUNT_DELETION, HOSTILE, Room, erase, place, places, subject, user

KEYWORDS = ("contact_id", "email", "source", "owner", "uid")
MAPPING = {"properties": {name: {"type": "keyword"} for name in KEYWORDS} | {"message": {"type": "text"}}}


@pytest.fixture
def room(company_sandbox):
    room = Room(company_sandbox, "elasticsearch", "elasticsearch")
    yield room
    room.close()


@pytest.fixture
def system(room):
    return room.connect()


def put(room, mapping=None, **indices):
    for name in ("contacts", "activity", "app_logs"):
        documents = {str(n): fields for n, fields in enumerate(indices.get(name, ()))}
        room.company.elasticsearch.seed(name.replace("_", "-"), documents.items(), mapping or MAPPING)


def contact(source="event", email="ann@x.example", owner="u9"):
    return {"source": source, "email": email, "owner": owner, "name": "Ann"}


def index(room, name):
    return dict(room.company.elasticsearch.documents(name))


def named(room, uid):
    return [key for key, record in room.records().items() if uid in (record.get("uid"), record.get("owner"))]


def test_one_person_goes_and_nobody_else_changes(room, system):
    estate = room.estate(people=40)
    person = next(p for p in estate.people if len({key.split()[0] for key in named(room, p.uid)}) == 3)
    changes = named(room, person.uid)
    with room.unchanged(but=changes):
        (found,) = system.find([user(person)])
        assert found.total == len(changes)
        assert erase(system, user(person)) == [Did.GONE]
    left = [record for key, record in room.records().items() if key in changes]
    assert left
    assert all("owner" not in record and record["email"] for record in left)
    with room.unchanged():
        assert erase(system, user(person)) == [Did.ABSENT]


def test_contacts_go_stay_or_are_routed_by_their_source(room, system):
    put(
        room,
        contacts=[contact(), contact("own_prospect"), contact("customer_prospect"), contact(email="joann@x.example")],
    )
    (found,) = system.find([subject(email="ann@x.example")])
    assert found.counts == {"elasticsearch.contacts": 2}
    assert [(one.what, one.count, one.routed) for one in found.stays] == [("elasticsearch.contacts", 1, True)]
    assert erase(system, subject(email="ann@x.example")) == [Did.GONE]
    assert sorted(index(room, "contacts")) == ["2", "3"]


def test_the_deletion_of_an_account_leaves_contacts_without_whoever_looked_after_them(room, system):
    put(room, contacts=[contact(owner="u1"), contact(owner="u2")], activity=[{"uid": "u1"}, {"uid": "u2"}])
    ann = subject(user_id="u1", email="ann@x.example", request=ACCOUNT_DELETION)
    (found,) = system.find([ann])
    assert found.counts == {"elasticsearch.contacts": 1, "elasticsearch.activity": 1}
    assert sorted(one.count for one in found.stays) == [1, 2]
    assert erase(system, ann) == [Did.GONE]
    without = {name: value for name, value in contact().items() if name != "owner"}
    assert index(room, "contacts") == {"0": without, "1": contact(owner="u2")}
    assert index(room, "activity") == {"1": {"uid": "u2"}}


def test_both_kinds_of_requests_go_in_one_batch(room, system):
    put(room, contacts=[contact(email="a@x.example"), contact(email="b@x.example")])
    persons = [
        subject("req_a", email="a@x.example", request=ACCOUNT_DELETION),
        subject("req_b", email="b@x.example"),
    ]
    assert erase(system, *persons) == [Did.ABSENT, Did.GONE]
    assert list(index(room, "contacts")) == ["0"]


def test_addresses_match_as_given_and_in_small_letters_and_never_in_part(room, system):
    kept = ("Ann@x.example.org", "joann@x.example", "ANN@X.EXAMPLE", "a\u212ann@x.example")
    put(room, contacts=[contact(email=email) for email in (*kept, "Ann@X.example", "ann@x.example")])
    assert erase(system, subject(email="Ann@X.example")) == [Did.GONE]
    assert sorted(index(room, "contacts")) == ["0", "1", "2", "3"]


def test_a_document_that_names_the_person_twice_goes_once(room, system):
    put(room, contacts=[contact(owner="u1")])
    assert erase(system, subject(user_id="u1", email="ann@x.example")) == [Did.GONE]
    assert index(room, "contacts") == {}


def test_hostile_identifiers_reach_nobody(room, system):
    room.estate(people=10)
    everything = [subject(f"req_{n}", user_id=value, email=value) for n, value in enumerate(HOSTILE)]
    with room.unchanged():
        assert erase(system, *everything) == [Did.ABSENT] * len(HOSTILE)


def test_a_batch_is_a_few_tasks(room, system):
    put(room, activity=[{"uid": f"u{n}"} for n in range(1010)], contacts=[contact(owner=f"u{n}") for n in range(1010)])
    assert erase(system, *(subject(f"req_{n}", user_id=f"u{n}") for n in range(1000))) == [Did.GONE] * 1000
    assert room.calls("_delete_by_query") == 1
    assert room.calls("_update_by_query") == 1
    assert room.calls() < 80
    assert {record["uid"] for record in index(room, "activity").values()} == {f"u{n}" for n in range(1000, 1010)}
    assert {r["owner"] for r in index(room, "contacts").values() if "owner" in r} == {
        f"u{n}" for n in range(1000, 1010)
    }


def test_the_look_afterwards_sees_what_came_back(room, system):
    put(room, activity=[{"uid": "u1"}])
    receipts = system.erase(system.find([subject(user_id="u1")]))
    put(room, activity=[{"uid": "u1"}, {"uid": "u1"}, {"uid": "u2"}])
    persons = [subject(user_id="u1"), subject("req_b", user_id="u3")]
    assert [one.remaining for one in system.verify(persons, receipts)] == [2, 0]


@pytest.mark.parametrize("kind", [FaultKind.PARTIAL, FaultKind.DROP, FaultKind.LOST_ANSWER])
def test_a_failed_task_is_unavailable_and_the_next_run_ends_it(room, system, kind):
    put(room, activity=[{"uid": "u1"} for _ in range(6)] + [{"uid": "u2"}])
    found = system.find([subject(user_id="u1")])
    room.fail(kind, "_delete_by_query")
    with pytest.raises(Unavailable) as error:
        system.erase(found)
    assert "u1" not in str(error.value)
    assert erase(system, subject(user_id="u1")) in ([Did.GONE], [Did.ABSENT])
    assert index(room, "activity") == {"6": {"uid": "u2"}}


def test_a_count_without_all_shards_is_no_answer(room, system):
    put(room)
    room.fail(FaultKind.STATUS, "_count", status=503)
    with pytest.raises(Unavailable):
        system.verify([subject(user_id="u1")], [])


@pytest.mark.parametrize("kind", ["text", "long"])
def test_a_field_that_is_not_compared_letter_by_letter_is_refused(room, system, kind):
    put(room, {"properties": {**MAPPING["properties"], "uid": {"type": kind}}})
    with pytest.raises(Refused, match="uid"):
        system.find([subject(user_id="u1")])


def test_a_field_with_a_normalizer_is_refused():
    mapping = {"properties": {"uid": {"type": "keyword", "normalizer": "folded"}}}
    answer = SimpleNamespace(body={"i": {"settings": {}, "mappings": mapping}})
    client = SimpleNamespace(indices=SimpleNamespace(get=lambda **_: answer))
    with pytest.raises(Refused, match="normalizer"):
        check_persons(client, "i", "uid", {}, writes=False)


def test_a_closed_or_blocked_index_is_refused_before_a_task_starts(room, system):
    put(room, activity=[{"uid": "u1"}])
    found = system.find([subject(user_id="u1")])
    system._client.indices.put_settings(index="activity", settings={"index.blocks.write": True})
    with pytest.raises(Refused, match="blocked"):
        system.erase(found)
    assert room.calls("_delete_by_query") == 0


@pytest.mark.parametrize(
    "wrong",
    [
        place("i", {"index": "*"}, match="field:uid"),
        place("i", {"index": "a", "routing": "b"}, match="field:uid"),
        place("i", {"index": "a"}, match="id"),
        place("i", {"index": "a"}, match="field:uid", erasure="unlink", unlink=("name",), ground="g"),
    ],
)
def test_what_this_module_cannot_do_is_refused_before_any_call(room, wrong):
    with pytest.raises(Refused):
        room.connect(places=(wrong,))
    assert room.calls() == 0


def test_places_that_disagree_about_a_document_are_refused(room):
    keeps = place("i", {"index": "contacts"}, match="field:author", erasure="keep", ground="g")
    with pytest.raises(Refused, match="set them apart"):
        room.connect(places=(*places("elasticsearch"), keeps))
    room.connect(
        places=(*places("elasticsearch"), place("i", {"index": "other"}, match="field:a", erasure="keep", ground="g"))
    )
