"""Opening, reading, adding to and closing requests, on a real PostgreSQL."""

from __future__ import annotations

import hashlib
import re
import threading
from datetime import timedelta

import pytest

from include.errors import Refused, Unavailable
from include.policy.persons import IdentifierKind, RequestType
from include.subjects.database import engine_for
from include.subjects.identifiers import Identifier, Subject
from include.subjects.keys import Keyring
from include.subjects.vault import ATTACHMENT_BYTES, Intake, Opened, Vault
from tests.conftest import MASTER_KEY, Clock
from tests.subjects.kit import RECEIVED, STAFF, email, intake, user

ANN = (email("Ann@Example.com"), user("u1"))


def open_one(vault: Vault, *identifiers: Identifier, type: RequestType = RequestType.ERASURE) -> str:
    [opened] = vault.open([intake(*identifiers, type=type)])
    assert not opened.joined
    return opened.id


def test_what_was_handed_in_comes_back_as_it_was_written(vault: Vault) -> None:
    ref = open_one(vault, *ANN)
    assert re.fullmatch(r"req_[a-z2-7]{16}", ref)
    assert vault.subjects([ref]) == [Subject(ref, RequestType.ERASURE, ANN)]


def test_the_register_tells_everything_but_who_it_is(vault: Vault) -> None:
    batch = "bat_aaaaaaaaaaaaaaaa"
    late = Intake(RequestType.ACCOUNT_DELETION, (user("u2"),), STAFF, "csv", RECEIVED + timedelta(days=1), answer=False)
    second, first = vault.open([late, intake(*ANN)], batch=batch)
    newest = open_one(vault, user("u3"))
    listed = vault.requests(batch=batch)
    assert [request.id for request in listed] == [first.id, second.id]
    assert (listed[1].type, listed[1].batch, listed[1].received_at) == (late.type, batch, late.received_at)
    assert (listed[1].opened_by, listed[1].source, listed[1].has_key, listed[1].answer) == (STAFF, "csv", True, False)
    assert {request.id for request in vault.requests()} == {first.id, second.id, newest}
    assert [request.id for request in vault.requests(refs=[newest])] == [newest]
    assert vault.requests(refs=[]) == []
    assert len(vault.requests(limit=2)) == 2


def test_persons_come_in_the_order_asked_for(vault: Vault) -> None:
    opened = vault.open([intake(user(f"u{number}")) for number in range(5)])
    refs = [one.id for one in reversed(opened)]
    assert [subject.identifiers[0].value for subject in vault.subjects(refs)] == ["u4", "u3", "u2", "u1", "u0"]


def test_a_person_known_in_another_case_joins_the_open_request(vault: Vault) -> None:
    ref = open_one(vault, *ANN)
    assert vault.open([intake(email(" ann@example.COM "))]) == [Opened(ref, joined=True)]
    assert vault.open([intake(user("u1"), email("ann@example.com"))]) == [Opened(ref, joined=True)]
    assert vault.subjects([ref])[0].identifiers == ANN
    assert len(vault.requests()) == 1


def test_user_ids_are_compared_with_their_case(vault: Vault) -> None:
    open_one(vault, user("abc"))
    open_one(vault, user("ABC"))


@pytest.mark.parametrize(
    ("before", "after", "joined"),
    [
        (RequestType.ERASURE, RequestType.ERASURE, True),
        (RequestType.ERASURE, RequestType.ACCOUNT_DELETION, True),
        (RequestType.ACCOUNT_DELETION, RequestType.ACCOUNT_DELETION, True),
        (RequestType.ACCOUNT_DELETION, RequestType.ERASURE, False),
    ],
)
def test_an_erasure_covers_an_account_deletion_and_not_the_other_way(
    vault: Vault, before: RequestType, after: RequestType, joined: bool
) -> None:
    open_one(vault, *ANN, type=before)
    assert vault.open([intake(*ANN, type=after)])[0].joined is joined


def test_who_is_known_in_part_only_gets_a_request_of_their_own_and_both_are_seen(vault: Vault) -> None:
    ref = open_one(vault, email("ann@example.com"))
    other = open_one(vault, email("ann@example.com"), user("u1"))
    assert vault.same_person(ref) == [other]
    assert vault.same_person(other) == [ref]
    third = open_one(vault, user("u9"))
    assert vault.same_person(third) == []
    vault.add(third, [email("ANN@example.com")], "firestore")
    assert vault.same_person(third) == sorted([ref, other])


def test_the_same_person_twice_in_one_file_is_one_request(vault: Vault) -> None:
    opened = vault.open([intake(*ANN), intake(user("u2")), intake(user("u1"))])
    assert opened[2] == Opened(opened[0].id, joined=True)
    assert len(vault.requests()) == 2


def test_who_is_found_to_have_another_address_is_known_by_it_too(vault: Vault) -> None:
    ref = open_one(vault, user("u1"))
    vault.add(ref, [email("past@example.com")], "firestore")
    assert vault.open([intake(email("past@example.com"))]) == [Opened(ref, joined=True)]


def test_a_closed_request_is_joined_by_nobody(vault: Vault) -> None:
    ref = open_one(vault, *ANN)
    other = open_one(vault, *ANN, user("u2"))
    assert vault.destroy([ref]) == 1
    assert vault.same_person(other) == []
    assert vault.open([intake(*ANN)]) == [Opened(other, joined=True)]


def test_two_that_open_for_one_person_at_the_same_time_share_a_request(vault_url: str) -> None:
    opened: list[Opened] = []
    barrier = threading.Barrier(6)

    def run() -> None:
        engine = engine_for(vault_url)
        one = Vault(engine, Keyring(MASTER_KEY), Clock())
        with engine.connect():
            barrier.wait()
        opened.extend(one.open([intake(*ANN)]))
        engine.dispose()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.id for one in opened}) == 1
    assert sorted(one.joined for one in opened) == [False, True, True, True, True, True]


def test_adding_twice_keeps_once_and_says_how_much_was_new(vault: Vault) -> None:
    ref, other = (one.id for one in vault.open([intake(user("u1")), intake(user("u2"))]))
    tokens = [Identifier(IdentifierKind.OAUTH_TOKEN, "google:1//0a"), email("a@example.com")]
    assert vault.add(ref, [*tokens, tokens[0]], "firestore") == 2
    assert vault.add(ref, tokens, "redis") == 0
    assert vault.add_all({ref: [*tokens, user("u1x")], other: [user("u2")]}, "redis") == {ref: 1}
    assert vault.subjects([ref])[0].identifiers == (user("u1"), *tokens, user("u1x"))


def test_what_a_store_holds_is_kept_as_it_is_even_if_no_form_would_take_it(vault: Vault) -> None:
    ref = open_one(vault, user("u1"))
    odd = [email("*"), email("a b@c"), Identifier(IdentifierKind.FILE_PREFIX, "users/../ü\n\ud800\0"), user("u" * 8192)]
    assert vault.add(ref, odd, "firestore") == len(odd)
    assert vault.subjects([ref])[0].identifiers == (user("u1"), *odd)
    for value in ("", "u" * 8193):
        with pytest.raises(Refused, match="empty or longer"):
            vault.add(ref, [user(value)], "firestore")


def test_adding_is_all_or_none(vault: Vault) -> None:
    ref = open_one(vault, user("u1"))
    with pytest.raises(Refused, match="no row for 1 of 2"):
        vault.add_all({ref: [user("x")], "req_aaaaaaaaaaaaaaaa": [user("y")]}, "firestore")
    assert vault.subjects([ref])[0].identifiers == (user("u1"),)


def test_a_proof_comes_back_and_its_commitment_reveals_nothing(vault: Vault) -> None:
    ref = open_one(vault, user("u1"))
    name = vault.attach(ref, "tawk_to.png", b"picture")
    assert re.fullmatch(r"[0-9a-f]{64}", name)
    assert name != hashlib.sha256(b"picture").hexdigest()
    assert vault.attach(ref, "tawk_to.png", b"picture") == name
    assert vault.attach(ref, "other.png", b"picture") != name
    assert vault.attachment(ref, "tawk_to.png") == b"picture"
    with pytest.raises(Refused, match="choose a new name"):
        vault.attach(ref, "tawk_to.png", b"another")
    with pytest.raises(Refused, match="none of that name"):
        vault.attachment(ref, "missing.png")


@pytest.mark.parametrize(
    ("name", "content"), [("Ann@x", b"1"), ("", b"1"), ("../x", b"1"), ("x", b""), ("x", bytes(ATTACHMENT_BYTES + 1))]
)
def test_a_proof_without_a_fitting_name_or_size_is_refused(vault: Vault, name: str, content: bytes) -> None:
    ref = open_one(vault, user("u1"))
    with pytest.raises(Refused, match="keep a proof"):
        vault.attach(ref, name, content)


def test_a_destroyed_key_takes_everything_with_it_and_never_comes_back(vault: Vault) -> None:
    ref, other = (one.id for one in vault.open([intake(*ANN), intake(user("u2"))]))
    vault.attach(ref, "proof", b"1")
    assert vault.destroy([ref]) == 1
    assert vault.destroy([ref, other]) == 1
    for call in (
        lambda: vault.subjects([other, ref]),
        lambda: vault.add(ref, ANN, "firestore"),
        lambda: vault.attach(ref, "proof", b"1"),
        lambda: vault.attachment(ref, "proof"),
    ):
        with pytest.raises(Refused, match="closed and its key destroyed: nobody can read it any more"):
            call()
    assert vault.requests() == []
    assert [request.has_key for request in vault.requests(open_only=False)] == [False, False]
    assert vault.intake_counts([ref]) == {ref: {}}
    with vault.engine.connect() as connection:
        for table in ("vault_identifier", "vault_attachment", "vault_fingerprint"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0  # noqa: S608


def test_destroying_is_all_or_none(vault: Vault) -> None:
    ref = open_one(vault, user("u1"))
    with pytest.raises(Refused, match="no row for 1 of 2"):
        vault.destroy([ref, "req_aaaaaaaaaaaaaaaa"])
    assert vault.requests()[0].has_key


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (intake(), "names nobody"),
        (intake(email("*")), "one @"),
        (intake(user("a/b")), "user id"),
        (intake(user("u1"), received_at=RECEIVED + timedelta(days=30)), "future"),
        (intake(user("u1"), received_at=RECEIVED.replace(tzinfo=None)), "UTC"),
        (Intake(RequestType.ERASURE, ANN, "ann", "page", RECEIVED), "opened_by"),
        (Intake(RequestType.ERASURE, ANN, STAFF, "letter", RECEIVED), "source"),
    ],
)
def test_one_bad_intake_opens_none(vault: Vault, wrong: Intake, why: str) -> None:
    with pytest.raises(Refused, match=why):
        vault.open([intake(*ANN), wrong])
    assert vault.requests() == []


def test_a_thousand_requests_go_in_and_come_out_in_one_call_each(vault: Vault) -> None:
    people = [(email(f"person{number}@example.com"), user(f"u{number}")) for number in range(1000)]
    refs = [one.id for one in vault.open([intake(*person) for person in people], batch="bat_aaaaaaaaaaaaaaaa")]
    assert len(set(refs)) == 1000
    assert [subject.identifiers for subject in vault.subjects(refs)] == people
    more = {ref: [Identifier(IdentifierKind.FILE_PREFIX, f"users/u{number}/")] for number, ref in enumerate(refs)}
    assert vault.add_all(more, "cloud_storage") == dict.fromkeys(refs, 1)
    assert vault.intake_counts(refs) == {ref: {"email": 1, "user_id": 1} for ref in refs}
    assert vault.destroy(refs) == 1000


def test_a_vault_that_does_not_answer_says_so_and_nothing_else() -> None:
    vault = Vault(engine_for("postgresql://w:hidden@127.0.0.1:1/vault"), Keyring(MASTER_KEY), Clock())
    with pytest.raises(Unavailable) as caught:
        vault.open([intake(*ANN)])
    assert str(caught.value) == "vault: could not open 1 requests. Check that its PostgreSQL answers, then run again."
    assert caught.value.__cause__ is None


def test_identifiers_of_somebody_else_are_forgotten_with_their_fingerprints(vault: Vault) -> None:
    mine, foreign = user("u1"), email("b@x.test")
    ref = open_one(vault, mine, foreign)
    vault.forget(ref, [foreign, email("never.there@x.test")])
    vault.forget(ref, [foreign])
    assert vault.subjects([ref])[0].identifiers == (mine,)
    assert vault.same_person(open_one(vault, foreign)) == []
