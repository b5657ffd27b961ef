"""Accounts of persons go in batches, found by ids alone; identities are found by whatever an account ties together."""

import pytest

from include.errors import Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import FaultKind
from include.sandbox.identitytoolkit.model import Account
from include.systems.erasing import Did
from tests.systems.persons import ACCOUNT_DELETION, ERASURE, HOSTILE, Room, erase, known, means, place, subject, user

GOOGLE = {
    "providerId": "google.com",
    "federatedId": "https://accounts.google.com/77",
    "rawId": "77",
    "email": "o@g.test",
}
PASSWORD = {"providerId": "password", "federatedId": "ann@x.example", "email": "ann@x.example"}


@pytest.fixture
def room(company_sandbox):
    room = Room(company_sandbox, "firebase_auth", "identitytoolkit")
    yield room
    room.close()


@pytest.fixture
def system(room):
    return room.connect()


def put(room, *accounts):
    room.company.identitytoolkit.seed(accounts)


def ann(**more):
    return Account("u1", **{"email": "ann@x.example", "providers": [PASSWORD, GOOGLE], **more})


def test_exactly_the_persons_accounts_go(room, system):
    estate = room.estate(people=60)
    persons = estate.people[:3]
    with room.unchanged(but=[f"accounts {person.uid}" for person in persons]):
        assert erase(system, *map(user, persons)) == [Did.GONE] * 3
    with room.unchanged():
        assert erase(system, *map(user, persons)) == [Did.ABSENT] * 3


@pytest.mark.parametrize("request_type", [ERASURE, ACCOUNT_DELETION])
def test_every_account_of_a_person_goes_enabled_or_not(room, system, request_type):
    put(room, ann(), Account("u2", disabled=True), Account("u3"))
    both = subject(user_id=["u1", "u2"], request=request_type)
    (found,) = system.find([both])
    assert found.counts == {"firebase_auth.accounts": 2}
    assert erase(system, both) == [Did.GONE]
    assert [account.local_id for account in room.company.identitytoolkit.accounts()] == ["u3"]


def test_an_account_is_not_found_by_its_address(room, system):
    put(room, ann())
    with room.unchanged():
        assert erase(system, subject(email="ann@x.example", phone="+4912345")) == [Did.ABSENT]


def test_a_kept_account_stays_on_its_ground(room):
    put(room, ann())
    system = room.connect(
        places=(place("a", {}, match="localId", erasure="keep", ground="A contract runs."),), identity={}
    )
    (found,) = system.find([subject(user_id="u1")])
    assert (found.counts, [(one.count, one.ground) for one in found.stays]) == ({}, [(1, "A contract runs.")])
    with room.unchanged():
        assert erase(system, subject(user_id="u1")) == [Did.ABSENT]


def test_accounts_of_a_tenant_are_another_place(room):
    put(room, Account("u1", tenant="customers"), Account("u1"))
    system = room.connect(places=(place("a", {"tenant": "customers"}, match="localId"),), identity={})
    assert erase(system, subject(user_id="u1")) == [Did.GONE]
    assert [account.local_id for account in room.company.identitytoolkit.accounts()] == ["u1"]
    assert list(room.company.identitytoolkit.accounts("customers")) == []


def test_a_thousand_persons_are_eleven_calls_and_one_turn(room):
    given = means("firebase_auth")
    system = room.connect(budgets=given.budgets)
    put(room, *(Account(f"u{n}") for n in range(1001)))
    found = system.find([subject(f"req_{n}", user_id=f"u{n}") for n in range(1000)])
    assert all(receipt.did is Did.GONE for receipt in system.erase(found))
    assert room.calls() == 11
    assert given.budgets.paced.total() == 1
    assert [account.local_id for account in room.company.identitytoolkit.accounts()] == ["u1000"]


def test_accounts_refused_inside_an_answer_are_unavailable_and_go_the_next_time(room, system):
    put(room, *(Account(f"u{n}") for n in range(4)))
    everyone = subject(user_id=[f"u{n}" for n in range(4)])
    room.fail(FaultKind.PARTIAL, "batchDelete")
    with pytest.raises(Unavailable, match="2 were refused"):
        system.erase(system.find([everyone]))
    assert erase(system, everyone) == [Did.GONE]
    assert list(room.company.identitytoolkit.accounts()) == []


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.DROP])
def test_a_lost_answer_is_unavailable_and_reconciled_by_the_next_find(room, system, kind):
    put(room, ann())
    found = system.find([subject(user_id="u1")])
    room.fail(kind, "batchDelete")
    with pytest.raises(Unavailable) as error:
        system.erase(found)
    assert "u1" not in str(error.value)
    assert erase(system, subject(user_id="u1")) == [Did.ABSENT if kind is FaultKind.LOST_ANSWER else Did.GONE]


def test_the_look_afterwards_sees_an_account_that_came_back(room, system):
    put(room, ann())
    receipts = system.erase(system.find([subject(user_id="u1")]))
    put(room, ann())
    assert [one.remaining for one in system.verify([subject(user_id="u1")], receipts)] == [1]


def test_hostile_identifiers_reach_nobody_and_spoil_no_call(room, system):
    room.estate(people=10)
    everything = [subject(f"req_{n}", user_id=value, email=value) for n, value in enumerate(HOSTILE)]
    with room.unchanged():
        assert erase(system, *everything) == [Did.ABSENT] * len(HOSTILE)
    kinds = ("user_id", "email", "phone", "federated_id")
    assert system.profiles(known(*((kind, value) for kind in kinds for value in (*HOSTILE, "google.com:", ":7")))) == []


class TestIdentities:
    @pytest.mark.parametrize(
        "way",
        [
            ("user_id", "u1"),
            ("email", "ann@x.example"),
            ("email", "ANN@x.Example"),
            ("email", "old@x.example"),
            ("phone", "+4915112345"),
            ("federated_id", "google.com:77"),
        ],
    )
    def test_an_account_is_found_by_each_of_its_identifiers(self, room, system, way):
        put(room, ann(initial_email="old@x.example", phone_number="+4915112345"), Account("u2", email="bo@x.example"))
        (profile,) = system.profiles(known(way))
        assert profile == tuple(
            known(
                ("user_id", "u1"),
                ("email", "ann@x.example"),
                ("email", "old@x.example"),
                ("phone", "+4915112345"),
                ("federated_id", "google.com:77"),
            )
        )

    def test_what_nobody_has_finds_nobody(self, room, system):
        put(room, ann())
        strangers = known(("email", "nn@x.example"), ("federated_id", "linkedin.com:77"), ("push_id", "u1"))
        assert system.profiles(strangers) == []

    def test_the_providers_of_an_address_or_a_telephone_are_no_identifiers_of_their_own(self, room, system):
        put(room, ann(providers=[PASSWORD, {"providerId": "phone", "rawId": "+49", "phoneNumber": "+49"}]))
        (profile,) = system.profiles(known(("user_id", "u1")))
        assert {one.kind for one in profile} == {IdentifierKind.USER_ID, IdentifierKind.EMAIL}

    def test_a_thousand_identifiers_are_few_calls(self, room, system):
        put(room, *(Account(f"u{n}", email=f"{n}@x.example") for n in range(1000)))
        assert len(system.profiles(known(*(("user_id", f"u{n}") for n in range(1000))))) == 1000
        assert room.calls() == 10
        assert len(system.profiles(known(*(("email", f"{n}@x.example") for n in range(1000))))) == 1000
        assert room.calls() == 30


@pytest.mark.parametrize(
    "wrong",
    [
        {"places": (place("a", {"group": "users"}, match="localId"),)},
        {"places": (place("a", {}, match="id"),)},
        {"places": (place("a", {}, match="localId", where={"emailVerified": ("true",)}),)},
        {"places": (place("a", {}, match="localId", erasure="unlink", unlink=("email",), ground="g"),)},
        {"identity": {IdentifierKind.EMAIL: ("field:email",)}},
    ],
)
def test_what_this_module_cannot_do_is_refused_before_any_call(room, wrong):
    with pytest.raises(Refused):
        room.connect(**wrong)
    assert room.calls() == 0
