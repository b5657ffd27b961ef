"""What is asked of tawk.to every night: does the key see the site, and has anybody left an address."""

import pytest

from include.connection import Connection
from include.errors import Refused
from include.sandbox.tawk_to import PROPERTY, Chat, Contact, TawkToSandbox, Ticket
from include.systems.tawk_to import connect_erasing
from tests.sandbox.services.kit import NOW, running
from tests.systems.conformance.means import Clock, means_at
from tests.systems.twins import claim


@pytest.fixture(scope="module")
def server():
    with running("tawk_to", TawkToSandbox) as server:
        yield server


def connected(server, **extra):
    known = {"property_id": PROPERTY, "rest_access": True, **extra}
    return connect_erasing(Connection("tawk_to", host=server.url, login="k", extra=known), means_at(Clock()))


@pytest.fixture
def tawk(server, quick):
    server.fresh()
    system = connected(server)
    yield system
    system.close()


def chat(number, text, person="", **more):
    return Chat(f"c{number}", NOW, person, (("v", text),), **more)


@pytest.mark.parametrize("whole", [True, False])
def test_conversations_with_an_address_anywhere_are_counted_and_none_is_shown(server, tawk, whole):
    server.twin.settings.whole_lists = whole
    chats = [chat(1, "hello"), chat(2, "I am ann@x.example"), chat(3, "again", "p1"), chat(4, "no", "p2")]
    ticket = Ticket("t1", 1, NOW, "Ann", "ann@x.example", "", "help", (("v", "please"),))
    people = [Contact("p1", "Ann", "ann@x.example"), Contact("p2", "Visitor", "")]
    server.twin.seed([*chats, chat(5, "bob@x.example", deleted=True)], [ticket], people)
    checked = tawk.check(claim("no_identifiers"))
    assert (checked.looked, checked.violations, checked.asked) == (6, 4, True)
    assert "ann" not in checked.note


def test_without_rest_access_nothing_can_be_asked(server):
    system = connected(server.fresh(), rest_access=False)
    assert system.check(claim("no_identifiers")).asked is False
    assert system.access().missing
    assert server.journal.as_json() == []


def test_a_key_must_see_the_site(server, tawk):
    assert tawk.access().missing == ()
    other = connected(server, property_id="another")
    assert other.access().missing == ("the site of 'property_id'",)
    server.twin.settings.rest_access = False
    with pytest.raises(Refused):
        tawk.access()
    other.close()
