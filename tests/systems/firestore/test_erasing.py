"""Persons are erased from Firestore: exactly their documents, trees with what is below, links without their records."""

import pytest

from include.errors import Refused, Throttled, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import FaultKind
from include.systems.erasing import Did, Stays
from include.systems.places import PROTECTED
from tests.systems.persons import ACCOUNT_DELETION, HOSTILE, Room, erase, known, place, places, subject, user

ANN = {"email": "ann@x.example", "workspace": "w1"}


@pytest.fixture
def room(company_sandbox):
    room = Room(company_sandbox, "firestore", "firestore")
    yield room
    room.close()


@pytest.fixture
def system(room):
    return room.connect()


def put(room, **documents):
    """Documents by path, with ``__`` for ``/``."""
    room.company.firestore.seed((path.replace("__", "/"), fields) for path, fields in documents.items())


def paths(room):
    return sorted(record["__name__"] for record in room.records().values())


def contact(source="event", email="ann@x.example", owner="u9"):
    return {"source": source, "email": email, "owner": owner, "name": "Ann"}


def named(room, *uids):
    """Keys of all that names a user, read from behind, without knowing what the module asks."""
    found = []
    for key, record in room.records().items():
        parts = record["__name__"].split("/")
        mine = record.get("uid") in uids or record.get("author") in uids or record.get("owner") in uids
        if mine or (parts[0] == "users" and parts[1] in uids):
            found.append(key)
    return found


def test_one_person_goes_and_nobody_else_changes(room, system):
    estate = room.estate(people=60)
    person = next(p for p in estate.people if len({key.split()[0] for key in named(room, p.uid)}) == 5)
    changes = named(room, person.uid)
    with room.unchanged(but=changes):
        (found,) = system.find([user(person)])
        assert found.total == len(changes)
        assert set(found.counts) == {"firestore.users", "firestore.contacts", "firestore.events", "firestore.posts"}
        assert erase(system, user(person)) == [Did.GONE]
    left = [record for key, record in room.records().items() if key in changes]
    assert left
    assert all(set(record) >= {"email", "source", "__name__"} and "owner" not in record for record in left)


def test_nothing_is_found_a_second_time(room, system):
    estate = room.estate(people=20)
    persons = [user(person) for person in estate.people[:5]]
    assert erase(system, *persons) == [Did.GONE] * 5
    with room.unchanged():
        assert erase(system, *persons) == [Did.ABSENT] * 5
    assert all(one.counts == {} for one in system.find(persons))


def test_contacts_go_stay_or_are_routed_by_their_source(room, system):
    put(
        room,
        workspaces__w__contacts__c1=contact("event"),
        workspaces__w__contacts__c1__interactions__i1={"note": "call"},
        workspaces__w__contacts__c2=contact("own_prospect"),
        workspaces__w__contacts__c3=contact("customer_prospect"),
        workspaces__w__contacts__c4=contact("event", email="joann@x.example"),
        workspaces__w__contacts__c5=contact("unheard of"),
    )
    (found,) = system.find([subject(email="ann@x.example")])
    assert found.counts == {"firestore.contacts": 3}
    (stays,) = found.stays
    assert (stays.what, stays.count, stays.routed) == ("firestore.contacts", 1, True)
    assert "controller" in stays.ground
    assert erase(system, subject(email="ann@x.example")) == [Did.GONE]
    assert paths(room) == [f"workspaces/w/contacts/c{n}" for n in (3, 4, 5)]
    (again,) = system.find([subject(email="ann@x.example")])
    assert (again.counts, again.stays) == ({}, (stays,))


def test_the_deletion_of_an_account_leaves_posts_and_contacts_without_their_author(room, system):
    post = {"author": "u1", "author_name": "Ann", "text": "Hello", "public": True}
    put(
        room,
        users__u1=ANN,
        posts__p1=post,
        posts__p2={**post, "author": "u2"},
        workspaces__w__contacts__c1=contact("event"),
        workspaces__w__contacts__c2=contact("customer_prospect"),
        workspaces__w__contacts__c3=contact("event", email="bo@x.example", owner="u1"),
    )
    ann = subject(user_id="u1", email="ann@x.example", request=ACCOUNT_DELETION)
    (found,) = system.find([ann])
    assert found.counts == {"firestore.users": 1, "firestore.posts": 1, "firestore.contacts": 1}
    assert sorted((one.what, one.count, one.routed) for one in found.stays) == [
        ("firestore.contacts", 1, False),
        ("firestore.contacts", 1, False),
        ("firestore.contacts", 1, False),
        ("firestore.posts", 1, False),
    ]
    changed = ("users users/u1", "posts posts/p1", "contacts workspaces/w/contacts/c3")
    with room.unchanged(but=changed):
        assert erase(system, ann) == [Did.GONE]
    records = room.records()
    assert records["posts posts/p1"] == {"text": "Hello", "public": True, "__name__": "posts/p1"}
    assert "owner" not in records["contacts workspaces/w/contacts/c3"]


def test_an_erasure_removes_posts(room, system):
    put(room, posts__p1={"author": "u1", "author_name": "Ann"})
    assert erase(system, subject(user_id="u1")) == [Did.GONE]
    assert paths(room) == []


def test_what_lies_below_a_missing_profile_is_found_too(room, system):
    put(room, users__u1__files__f1={"path": "x"}, users__u1__files__f1__parts__p={"n": 1}, users__u2=ANN)
    (found,) = system.find([subject(user_id="u1")])
    assert found.counts == {"firestore.users": 2}
    assert erase(system, subject(user_id="u1")) == [Did.GONE]
    assert paths(room) == ["users/u2"]


def test_protected_documents_stay_with_all_that_is_above_them(room, system):
    put(
        room,
        users__u1=ANN,
        users__u1__files__f1={"path": "x"},
        users__u1__devices__d1={"os": "y"},
        users__u1__devices__d1__consents__c1={"given": True},
        users__u1__devices__d1__consents__c1__proofs__p={"given": True},
    )
    (found,) = system.find([subject(user_id="u1")])
    assert found.counts == {"firestore.users": 1}
    assert found.stays == (Stays("firestore.users", 4, PROTECTED),)
    assert erase(system, subject(user_id="u1")) == [Did.GONE]
    assert len(paths(room)) == 4
    assert erase(system, subject(user_id="u1")) == [Did.ABSENT]


def test_a_tree_of_several_pages_goes_whole(room, system):
    files = {f"users__u1__files__f{n}": {"path": "x"} for n in range(2100)}
    put(room, users__u1=ANN, **files)
    assert system.find([subject(user_id="u1")])[0].counts == {"firestore.users": 2101}
    assert erase(system, subject(user_id="u1")) == [Did.GONE]
    assert paths(room) == []


def test_two_persons_on_one_document_are_both_served(room, system):
    put(room, workspaces__w__contacts__c1=contact("event", owner="u1"), workspaces__w__contacts__c2=contact("event"))
    ann, owner = subject("req_a", email="ann@x.example"), subject("req_b", user_id="u1")
    assert erase(system, owner, ann) == [Did.GONE, Did.GONE]
    assert paths(room) == []


def test_a_routed_contact_that_the_person_looked_after_too_is_only_unlinked(room, system):
    put(room, workspaces__w__contacts__c1=contact("customer_prospect", owner="u1"))
    (found,) = system.find([subject(user_id="u1", email="ann@x.example")])
    assert found.counts == {"firestore.contacts": 1}
    assert sorted(one.routed for one in found.stays) == [False, True]
    assert erase(system, subject(user_id="u1", email="ann@x.example")) == [Did.GONE]
    (record,) = room.records().values()
    assert record["email"] == "ann@x.example"
    assert "owner" not in record


def test_addresses_match_as_given_and_in_small_letters_and_never_in_part(room, system):
    kept = ("Ann@x.example.org", "joann@x.example", "ANN@X.EXAMPLE", "a\u212ann@x.example", "ann@x.exampl")
    documents = {f"workspaces__w__contacts__k{n}": contact(email=email) for n, email in enumerate(kept)}
    documents |= {
        f"workspaces__w__contacts__g{n}": contact(email=e) for n, e in enumerate(("Ann@X.example", ANN["email"]))
    }
    put(room, **documents)
    assert erase(system, subject(email="Ann@X.example")) == [Did.GONE]
    assert paths(room) == [f"workspaces/w/contacts/k{n}" for n in range(len(kept))]


def test_hostile_identifiers_reach_nobody(room, system):
    room.estate(people=10)
    everything = [subject(f"req_{n}", user_id=value, email=value) for n, value in enumerate(HOSTILE)]
    with room.unchanged():
        assert erase(system, *everything) == [Did.ABSENT] * len(HOSTILE)
    assert system.profiles(known(*(("user_id", v) for v in HOSTILE), *(("email", v) for v in HOSTILE))) == []


def test_a_document_that_changed_meanwhile_is_judged_again(room, system):
    put(room, events__e1={"uid": "u1"}, events__e2={"uid": "u1"}, events__e3={"uid": "u1"}, posts__p1={"author": "u1"})
    found = system.find([subject(user_id="u1", request=ACCOUNT_DELETION)])
    put(room, events__e1={"uid": "u2"}, events__e2={"uid": "u1", "more": 1}, posts__p1={"author": "u1", "text": "new"})
    (receipt,) = system.erase(found)
    assert (receipt.did, receipt.gone) == (Did.GONE, 3)
    assert {r["__name__"]: r for r in room.records().values()} == {
        "events/e1": {"uid": "u2", "__name__": "events/e1"},
        "posts/p1": {"text": "new", "__name__": "posts/p1"},
    }


def test_a_contact_that_became_another_persons_keeps_its_history(room, system):
    put(room, workspaces__w__contacts__c1=contact(), workspaces__w__contacts__c1__interactions__i={"note": "call"})
    found = system.find([subject(email="ann@x.example")])
    put(room, workspaces__w__contacts__c1=contact(email="bo@x.example"))
    with room.unchanged():
        assert [one.did for one in system.erase(found)] == [Did.ABSENT]


def test_the_look_afterwards_sees_what_came_back(room, system):
    put(room, users__u1=ANN, events__e1={"uid": "u1"})
    ann = [subject(user_id="u1")]
    receipts = system.erase(system.find(ann))
    put(room, users__u1__files__new={"path": "x"}, events__e2={"uid": "u1"})
    assert [one.remaining for one in system.verify(ann, receipts)] == [2]


@pytest.mark.parametrize("kind", [FaultKind.PARTIAL, FaultKind.LOST_ANSWER, FaultKind.DROP])
def test_a_failed_write_is_unavailable_and_the_next_run_ends_it(room, system, kind):
    put(room, users__u1=ANN, users__u1__files__f={"path": "x"}, **{f"events__e{n}": {"uid": "u1"} for n in range(9)})
    found = system.find([subject(user_id="u1")])
    room.fail(kind, "BatchWrite")
    with pytest.raises(Unavailable) as error:
        system.erase(found)
    assert "users/u1" in paths(room)
    assert "u1" not in str(error.value)
    assert erase(system, subject(user_id="u1")) == [Did.GONE]
    assert paths(room) == []


def test_a_profile_never_goes_before_what_is_below_it(room, system):
    put(room, users__u1=ANN, users__u1__files__f={"path": "x"})
    found = system.find([subject(user_id="u1")])
    room.fail(FaultKind.STATUS, "BatchWrite", status=14, skip=1)
    with pytest.raises(Unavailable):
        system.erase(found)
    assert paths(room) == ["users/u1"]
    assert erase(system, subject(user_id="u1")) == [Did.GONE]


@pytest.mark.parametrize("operation", ["RunQuery", "BatchGetDocuments"])
def test_a_find_that_fails_says_so(room, system, operation):
    room.fail(FaultKind.STATUS, operation, status=8)
    with pytest.raises(Throttled):
        system.find([subject(user_id="u1")])


def test_a_count_that_fails_says_so(room, system):
    room.fail(FaultKind.STATUS, "RunAggregationQuery", status=14)
    with pytest.raises(Unavailable):
        system.verify([subject(user_id="u1")], [])


@pytest.mark.slow
def test_a_thousand_persons_go_in_batches(room, system):
    estate = room.estate(people=1040)
    persons = [user(person) for person in estate.people[:1000]]
    survivors = {person.uid for person in estate.people[1000:]}
    room.company.journal.clear()
    assert set(erase(system, *persons)) == {Did.GONE}
    assert room.calls("BatchWrite") < 60
    assert room.calls() < 1000 * 3 + 600
    for record in room.records().values():
        parts = record["__name__"].split("/")
        assert parts[0] != "users" or parts[1] in survivors
        assert {record[name] for name in ("uid", "author", "owner") if name in record} <= survivors


class TestIdentities:
    def test_a_profile_is_found_by_each_of_its_identifiers(self, room, system):
        estate = room.estate(people=60)
        person = next(p for p in estate.people if _rich(estate.identities[p.uid]))
        other = estate.identities[person.uid]
        ways = [
            ("user_id", person.uid),
            ("email", person.email),
            ("email", person.email.upper()),
            ("email", other.past_emails[0]),
            ("analytics_client_id", other.analytics_client_ids[0]),
            ("push_id", other.push_ids[0]),
            ("oauth_token", other.oauth_tokens[0]),
        ]
        for way in ways:
            matching = [p for p in system.profiles(known(way)) if p[0].value == person.uid]
            assert len(matching) == 1, way[0]
            (profile,) = matching
            assert profile[0].kind is IdentifierKind.USER_ID
            assert set(known(*ways)) - set(profile) <= set(known(ways[2]))
            assert {one.value for one in profile if one.kind is IdentifierKind.WORKSPACE} == set(other.workspaces)

    def test_a_workspace_finds_nobody(self, room, system):
        put(room, users__u1=ANN)
        assert system.profiles(known(("workspace", "w1"))) == []
        assert room.calls() == 0

    def test_an_address_finds_everyone_who_has_it(self, room, system):
        put(
            room,
            users__u1=ANN,
            users__u2={"email": "b@x.example", "past_emails": [ANN["email"]]},
            users__u3={"email": "c"},
        )
        profiles = system.profiles(known(("email", ANN["email"])))
        assert [profile[0].value for profile in profiles] == ["u1", "u2"]

    def test_a_thousand_addresses_are_few_calls(self, room, system):
        put(room, **{f"users__u{n}": {"email": f"{n}@x.example"} for n in range(1000)})
        profiles = system.profiles(known(*(("email", f"{n}@x.example") for n in range(1000))))
        assert len(profiles) == 1000
        assert room.calls() == 4 * 34

    def test_without_identities_nothing_is_asked(self, room):
        assert room.connect(identity={}).profiles(known(("user_id", "u1"))) == []


def _rich(identity):
    return identity.past_emails and identity.push_ids and identity.oauth_tokens


@pytest.mark.parametrize(
    "wrong",
    [
        place("h", {"group": "users"}),
        place("h", {"group": "users", "parent": "users", "colour": "blue"}),
        place("h", {"group": "users", "parent": "users"}, match="parent"),
        place("h", {"group": "users", "parent": "users"}, match="field:a..b"),
        place("h", {"group": "posts"}, match="field:author", erasure="unlink", unlink=("author_name",), ground="g"),
        place("h", {"group": "posts"}, match="field:author", erasure="unlink", ground="g"),
        place("h", {"group": "users", "parent": "users"}, erasure="unlink", unlink=("a",), ground="g"),
    ],
)
def test_a_place_that_would_not_do_what_it_says_is_refused(room, wrong):
    with pytest.raises(Refused):
        room.connect(places=(wrong,), identity={})


@pytest.mark.parametrize("identity", [{IdentifierKind.EMAIL: ("column",)}, {IdentifierKind.EMAIL: ("field:",)}])
def test_an_identity_that_cannot_be_read_is_refused(room, identity):
    with pytest.raises(Refused):
        room.connect(identity=identity)
    with pytest.raises(Refused):
        room.connect(places=places("firestore")[1:])
