"""Which ends of a request leave a tombstone, and that none is lost on the way."""

from __future__ import annotations

import pytest

from include.erasure import approval, sync
from include.errors import Unavailable
from include.ledger.entry import Kind
from include.sandbox import sendgrid
from include.sandbox.estate import Estate
from include.subjects import tombstones
from include.subjects.identifiers import Identifier
from include.subjects.vault import Vault
from tests.erasure import kit
from tests.erasure.office import Office


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=12)


def known(office: Office, ref: str) -> list[Identifier]:
    [subject] = office.desk.vault.subjects([ref])
    return [one for one in subject.identifiers if one.kind in tombstones.KINDS]


def test_a_request_that_was_carried_out_leaves_one_for_each_identifier(office: Office) -> None:
    ref = office.approved(kit.email(office.estate.people[0].email))
    identifiers = known(office, ref)
    assert len(identifiers) > 1
    approval.close(office.desk, [ref], approval.COMPLETE)
    assert all(tombstones.erased(office.desk.vault, identifiers))
    assert not office.desk.vault.requests(refs=[ref])
    text = "".join(str(one.entry) for one in office.desk.ledger.entries(run=ref))
    assert "tombstone" not in text


@pytest.mark.parametrize("reason", ["declined", "nothing found", "cancelled", "joined"])
def test_no_other_end_does(office: Office, reason: str) -> None:
    ref = office.approved(kit.email(office.estate.people[0].email))
    identifiers = known(office, ref)
    approval.close(office.desk, [ref], reason)
    assert not any(tombstones.erased(office.desk.vault, identifiers))


def test_a_crash_between_the_last_word_and_the_end_of_the_key_loses_none(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = office.approved(kit.email(office.estate.people[0].email))
    identifiers = known(office, ref)

    def dies(*_: object, **__: object) -> int:
        raise Unavailable("vault", "write tombstones", "Run again.")

    with monkeypatch.context() as broken:
        broken.setattr(tombstones, "bury", dies)
        with pytest.raises(Unavailable):
            approval.close(office.desk, [ref], approval.COMPLETE)
    assert office.desk.vault.requests(refs=[ref])
    with monkeypatch.context() as broken:
        broken.setattr(Vault, "destroy", dies)
        with pytest.raises(Unavailable):
            sync.close_finished(office.desk, as_of=office.time())
    assert all(tombstones.erased(office.desk.vault, identifiers))
    assert sync.close_finished(office.desk, as_of=office.time()) == {"complete": 1}
    assert not office.desk.vault.requests(refs=[ref])
    assert all(tombstones.erased(office.desk.vault, identifiers))
    assert len(office.written(Kind.KEY_DESTROYED, ref)) == 1


def test_where_something_stays_on_a_ground_the_person_is_expected(office: Office) -> None:
    contact = next(one for one in office.estate.contacts() if one.source == "customer_prospect")
    ref = office.approved(kit.email(contact.email))
    identifiers = known(office, ref)
    approval.close(office.desk, [ref], approval.COMPLETE)
    assert tombstones.returned(office.desk.vault, identifiers, "firestore") == []
    assert tombstones.returned(office.desk.vault, identifiers, "sendgrid") != []


def test_a_suppression_that_survives_is_no_reason_to_expect_the_person_there(office: Office) -> None:
    address = office.estate.people[0].email
    account = office.sandbox.company.sendgrid.account("")
    account.suppressions["unsubscribes"][address] = sendgrid.Suppressed(address, 1)
    ref = office.approved(kit.email(address))
    assert [stay.what for stay in office.row(ref, "sendgrid").stays] == ["global_unsubscribes"]
    identifiers = known(office, ref)
    approval.close(office.desk, [ref], approval.COMPLETE)
    assert tombstones.returned(office.desk.vault, identifiers, "sendgrid") != []
