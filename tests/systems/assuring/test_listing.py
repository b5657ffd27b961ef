"""What a list of everybody leaves out, and how it is read."""

import pytest

from include.policy.persons import IdentifierKind
from include.sandbox import mailgun, sendgrid
from include.sandbox.estate import BUCKET
from include.sandbox.storage.model import SeedObject
from include.systems import registry
from include.systems.firestore import listing
from tests.systems.persons import NOW, place

UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL


def values(people, kind):
    return sorted(one.value for one in people if one.kind is kind)


def test_contacts_that_a_customer_decides_about_are_not_listed(room_of):
    room = room_of("firestore")
    sources = ("event", "own_prospect", "customer_prospect", "unheard of")
    documents = [
        (f"workspaces/w/contacts/{source}", {"email": f"{source.split()[0]}@x.example", "source": source})
        for source in sources
    ]
    room.company.firestore.seed(documents)
    assert values(room.connect().people(), EMAIL) == ["event@x.example", "own_prospect@x.example"]


def test_all_that_a_profile_ties_together_is_listed_but_its_workspace(room_of):
    room = room_of("firestore")
    fields = {"email": "ann@x.example", "past_emails": ["old@x.example"], "workspace": "w1", "push_ids": ["p1", "p2"]}
    room.company.firestore.seed([("users/ann", fields)])
    people = list(room.connect().people())
    assert values(people, EMAIL) == ["ann@x.example", "old@x.example"]
    assert values(people, IdentifierKind.PUSH_ID) == ["p1", "p2"]
    assert values(people, IdentifierKind.WORKSPACE) == []
    assert set(values(people, UID)) == {"ann"}


@pytest.mark.parametrize("count", [0, 1, 3, 4, 7, 9])
def test_documents_are_read_page_by_page_to_the_last(room_of, monkeypatch, count):
    monkeypatch.setattr(listing, "_PAGE", 3)
    room = room_of("firestore")
    room.company.firestore.seed([(f"events/e{n}", {"uid": f"u{n}", "at": NOW}) for n in range(count)])
    assert set(values(room.connect().people(), UID)) == {f"u{n}" for n in range(count)}


def test_places_whose_records_stay_are_not_listed(room_of):
    room = room_of("redis")
    kept = place("redis.kept", {"pattern": "profile:{subject}"}, match="pattern", erasure="keep", ground="It must.")
    room.company._cache.set("profile:ann", "x")
    assert list(room.connect(places=(kept,)).people()) == []
    assert values(room.connect().people(), UID) == ["ann"]


def test_files_are_listed_by_folder_even_if_only_an_older_version_is_left(room_of):
    room = room_of("cloud_storage")
    older = SeedObject("users/old/0/a.pdf", NOW, b"x", noncurrent_since=NOW)
    live = [SeedObject(f"users/{uid}/{n}/a.pdf", NOW, b"x") for uid in ("ann", "ben") for n in range(3)]
    other = SeedObject("exports/2026/a.csv", NOW, b"x")
    room.company.storage.seed(BUCKET, [older, *live, other], versioning=True)
    assert values(room.connect().people(), UID) == ["ann", "ben", "old"]
    assert room.calls("/o") == 1


def test_files_deeper_down_are_listed_by_the_segment_that_names_somebody(room_of):
    room = room_of("cloud_storage")
    deep = place("cloud_storage.deep", {"bucket": BUCKET, "prefix": "users/{subject}/files/"}, match="prefix")
    names = ("users/ann/files/1.pdf", "users/ben/other/1.pdf", "users/ann/files/2.pdf")
    room.company.storage.seed(BUCKET, [SeedObject(name, NOW, b"x") for name in names])
    assert set(values(room.connect(places=(deep,)).people(), UID)) == {"ann"}


def test_suppressions_that_survive_are_not_listed_and_pages_are_read_to_the_end(room_of):
    room = room_of("sendgrid")
    account = room.company.sendgrid.account()
    for n in range(1001):
        account.suppressions["bounces"][f"b{n}@x.example"] = sendgrid.Suppressed(f"b{n}@x.example", n)
    account.suppressions["unsubscribes"]["u@x.example"] = sendgrid.Suppressed("u@x.example", 1)
    account.groups[next(iter(sendgrid.GROUPS))]["g@x.example"] = 1
    sub = room.company.sendgrid.account(sendgrid.SUBUSER)
    sub.suppressions["spam_reports"]["s@x.example"] = sendgrid.Suppressed("s@x.example", 1)
    kept = frozenset({"global_unsubscribes"})
    found = values(room.connect(keep_suppressions=kept).people(), EMAIL)
    assert sorted([f"b{n}@x.example" for n in range(1001)] + ["g@x.example", "s@x.example"]) == found
    assert "u@x.example" in values(room.connect().people(), EMAIL)


def test_unsubscribes_and_allowed_domains_are_not_listed_at_mailgun(room_of):
    room = room_of("mailgun")
    domain = room.company.mailgun.domain(mailgun.DOMAINS[0])
    for table in ("bounces", "unsubscribes", "complaints", "whitelists"):
        domain.add(table, mailgun.Entry(f"{table}@x.example", NOW))
    domain.add("whitelists", mailgun.Entry("whole-domain.example", NOW))
    members = {"m@x.example": mailgun.Member("M@x.example", "A", True)}
    room.company.mailgun.lists["l@clique.test"] = mailgun.MailingList("l@clique.test", "L", NOW, members)
    found = values(room.connect(keep_suppressions=frozenset({"unsubscribes"})).people(), EMAIL)
    assert found == ["M@x.example", "bounces@x.example", "complaints@x.example", "whitelists@x.example"]


def test_no_query_that_deletes_can_be_made_for_everybody(room_of):
    system = room_of("elasticsearch").connect()
    assert all("exists" in str(spot.everybody()) for spot in system._spots)
    with pytest.raises(AssertionError):
        system._spots[0].query([])
    assert registry.erasing_card("elasticsearch").key == "elasticsearch"
