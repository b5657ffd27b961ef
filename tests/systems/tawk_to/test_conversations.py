"""What is found in conversations, what a person is told to do, and what a later look says."""

from datetime import timedelta

import pytest

from include.connection import Connection
from include.errors import Inconsistent, Refused, Throttled, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import Fault, FaultKind
from include.systems.erasing import Did, Receipt
from include.systems.tawk_to import ERASING_CARD, connect_erasing
from tests.loopback import serve
from tests.systems.conformance.means import NOW, Clock, Somebody, means_at
from tests.systems.tawk_to.vendor import TawkToVendor, connection

UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL
ANN = Somebody(1, {UID: ["u-ann"], EMAIL: ["ann@x.example", "old.ann@x.example"]})
BOB = Somebody(2, {UID: ["u-bob"], EMAIL: ["bob@x.example"]})
BACKUPS = timedelta(days=90)


@pytest.fixture(scope="module")
def served():
    vendor = TawkToVendor()
    with serve(vendor.app) as url:
        vendor.url = url
        yield vendor


@pytest.fixture
def vendor(served, quick):
    served.reset()
    return served


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tawk(vendor, clock):
    system = connect_erasing(connection(vendor.url), means_at(clock))
    yield system
    system.close()


def look(system, *persons):
    return system.find([person.subject() for person in persons])


@pytest.mark.parametrize("whole", [True, False])
def test_chats_tickets_and_contacts_of_a_person_are_counted(vendor, tawk, whole):
    vendor.whole = whole
    vendor.chat("c1", "hello", "I am Ann@X.example", contact="p1")
    vendor.chat("c2", "joann@x.example")
    vendor.chat("c3", "me again", contact="p2")
    vendor.ticket("t1", "please help", requester="old.ann@x.example")
    vendor.contacts = {"p1": {"id": "p1", "emails": []}, "p2": {"id": "p2", "primaryEmail": "ann@x.example"}}
    ann, bob = look(tawk, ANN, BOB)
    assert (ann.counts, bob.counts) == ({"chats": 2, "tickets": 1, "contacts": 1}, {})
    assert (ann.clean_at, bob.clean_at) == (NOW + BACKUPS, None)


def test_a_person_is_told_what_to_delete_and_how(vendor, tawk):
    vendor.chat("c1", "I am ann@x.example")
    vendor.chat("ann@x.example", "u-ann")
    (receipt,) = tawk.erase(look(tawk, ANN))
    assert (receipt.did, receipt.gone, receipt.until) == (Did.MANUAL, 0, None)
    assert receipt.next_action == f"To delete: 2 chats (c1). {ERASING_CARD.instructions}"


def test_long_lists_name_a_few(vendor, tawk):
    for number in range(9):
        vendor.chat(f"c{number}", "ann@x.example")
    (receipt,) = tawk.erase(look(tawk, ANN))
    assert "9 chats (c0, c1, c2, c3, c4)." in receipt.next_action


def test_who_is_in_no_conversation_is_absent(vendor, tawk):
    vendor.chat("c1", "joann@x.example, u-ann-2")
    receipts = tawk.erase(look(tawk, ANN))
    assert [receipt.did for receipt in receipts] == [Did.ABSENT]
    (seen,) = tawk.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.until, seen.proved) == (0, None, True)


def test_what_was_not_deleted_by_hand_remains(vendor, tawk):
    vendor.chat("c1", "ann@x.example")
    vendor.ticket("t1", "u-ann")
    receipts = tawk.erase(look(tawk, ANN))
    (seen,) = tawk.verify([ANN.subject()], receipts)
    assert (seen.remaining, seen.until) == (2, None)


def test_what_lies_in_the_trash_remains(vendor, tawk):
    vendor.chat("c1", "ann@x.example")
    vendor.trash = {"c1"}
    assert look(tawk, ANN)[0].counts == {"chats": 1}


def test_what_was_deleted_by_hand_lasts_in_backups_from_a_date_that_stays(vendor, tawk, clock):
    vendor.chat("c1", "ann@x.example")
    (receipt,) = tawk.erase(look(tawk, ANN))
    vendor.chats.clear()
    (seen,) = tawk.verify([ANN.subject()], [receipt])
    assert (seen.remaining, seen.until, seen.proved) == (0, NOW + BACKUPS, True)
    clock.now += timedelta(days=30)
    recorded = Receipt(receipt.ref, Did.MANUAL, until=seen.until)
    assert tawk.verify([ANN.subject()], [recorded])[0].until == NOW + BACKUPS


@pytest.mark.parametrize("totals", [True, False])
@pytest.mark.parametrize("largest", [10, 50, 100])
def test_all_pages_are_read_however_small_they_are(vendor, tawk, totals, largest):
    vendor.totals, vendor.largest = totals, largest
    for number in range(120):
        vendor.chat(f"c{number}", "ann@x.example" if number % 10 == 9 else "hello")
    assert look(tawk, ANN)[0].counts == {"chats": 12}


def test_conversations_of_the_same_instant_are_not_lost(vendor, tawk):
    for number in range(120):
        vendor.chat(f"c{number}", "ann@x.example", at=number // 40 + 1)
    assert look(tawk, ANN)[0].counts == {"chats": 120}


@pytest.mark.parametrize("totals", [True, False])
def test_a_list_that_does_not_advance_is_no_proof(vendor, tawk, totals):
    for number in range(220):
        vendor.chat(f"c{number}", "hello")
    vendor.stuck, vendor.totals, vendor.largest = True, totals, 100
    with pytest.raises(Inconsistent):
        look(tawk, ANN)


def test_what_was_deleted_since_it_was_listed_holds_nobody(vendor, tawk):
    vendor.chat("c1", "hello", contact="p1")
    vendor.chat("c2", "ann@x.example", contact="p1")
    assert look(tawk, ANN)[0].counts == {"chats": 1}


def test_an_excerpt_in_a_list_is_not_taken_for_the_whole(vendor, tawk):
    vendor.chat("c1", "hello", "ann@x.example")
    listed = {**vendor.chats["c1"], "messages": [{"msg": "hello"}]}
    vendor.chats = Excerpts(vendor.chats, listed)
    assert look(tawk, ANN)[0].counts == {"chats": 1}


class Excerpts(dict):
    """Lists show less than a look at one of them."""

    def __init__(self, held, listed):
        super().__init__(held)
        self._listed = listed

    def items(self):
        return [("c1", self._listed)]


def test_the_conversations_are_read_once_for_all_persons(vendor, tawk):
    for number in range(60):
        vendor.chat(f"c{number}", f"p{number}@x.example", contact="p1")
    vendor.contacts = {"p1": {"id": "p1"}}
    persons = [Somebody(number, {EMAIL: [f"p{number}@x.example"]}) for number in range(1000)]
    found = look(tawk, *persons)
    assert [each.ref for each in found] == [person.ref for person in persons]
    assert sum(each.total for each in found) == 60
    methods = [method for method, _ in vendor.asked]
    assert methods.count("chat.list") == 3
    assert methods.count("contact.person.get") == 1


def test_nothing_is_read_for_nobody(vendor, tawk):
    assert [found.counts for found in look(tawk, Somebody(1, {EMAIL: ["", "*"]}))] == [{}]
    assert vendor.asked == []


@pytest.mark.parametrize("extra", [{"rest_access": False}, {"rest_access": None}, {"rest_access": "true"}])
def test_without_access_everybody_is_by_hand_and_nothing_is_claimed(vendor, clock, extra):
    system = connect_erasing(connection(vendor.url, **extra), means_at(clock))
    found = look(system, ANN, BOB)
    assert [(each.counts, each.clean_at) for each in found] == [({}, NOW + BACKUPS)] * 2
    receipts = system.erase(found)
    assert {receipt.did for receipt in receipts} == {Did.MANUAL}
    assert all(receipt.next_action.startswith("Nothing could be looked at.") for receipt in receipts)
    seen = system.verify([ANN.subject(), BOB.subject()], receipts)
    assert [(each.remaining, each.until, each.proved) for each in seen] == [(0, None, False)] * 2
    system.close()
    assert vendor.asked == []


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"ok": False, "error": "rate_limited", "message": "slow"}, Throttled),
        ({"ok": False, "error": "auth_error", "message": "ann@x.example"}, Refused),
        ({"data": []}, Refused),
        ([], Inconsistent),
        ({"ok": True}, Inconsistent),
    ],
)
def test_an_answer_that_is_none_is_no_proof(vendor, tawk, answers, error):
    vendor.answers = answers
    with pytest.raises(error) as raised:
        look(tawk, ANN)
    assert "ann" not in str(raised.value)


def test_a_reading_call_is_asked_again(vendor, tawk):
    vendor.chat("c1", "ann@x.example")
    vendor.faults.add(Fault("tawk_to", FaultKind.LOST_ANSWER, times=2))
    assert look(tawk, ANN)[0].counts == {"chats": 1}


def test_a_call_that_fails_says_nothing(vendor, tawk):
    vendor.faults.add(Fault("tawk_to", FaultKind.STATUS, "ticket.list", status=500, times=99))
    with pytest.raises(Unavailable):
        look(tawk, ANN)


@pytest.mark.parametrize("lacking", [{"login": None}, {"extra": {"rest_access": True}}])
def test_a_connection_that_lacks_something_is_refused(lacking):
    fields = {"login": "key", "extra": {"rest_access": True, "property_id": "1"}, **lacking}
    with pytest.raises(Refused):
        connect_erasing(Connection("tawk_to", **fields), means_at(Clock()))
