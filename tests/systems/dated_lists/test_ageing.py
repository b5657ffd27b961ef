"""Entries of suppression lists by their age: old ones go, who is on hold stays, unsubscribes are no part of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from include.errors import PrivacyError, Refused, Unavailable
from include.policy.actions import Action
from include.sandbox.faults import Fault, FaultKind
from include.systems import registry
from include.systems.dated_lists import Entry
from tests.openapi import Description
from tests.sandbox.services.test_mailgun import patch
from tests.systems.dated_lists.conftest import CUTOFF, DAY
from tests.vendor import Call


def test_old_entries_go_and_newer_ones_and_unsubscribes_stay(mail):
    mail.put("old@x.example", CUTOFF - DAY)
    mail.put("older@x.example", CUTOFF - 400 * DAY, other=True)
    mail.put("on-the-day@x.example", CUTOFF)
    mail.put("new@x.example", CUTOFF + DAY)
    unsubscribed = mail.left("unsubscribes")
    system = mail.connect()
    survey = system.survey(mail.selection, None)
    assert (survey.total, survey.due, survey.held) == (4, 2, 0)
    assert (survey.oldest, survey.newest) == (CUTOFF - 400 * DAY, CUTOFF - DAY)
    swept = mail.sweep(system=system)
    assert sum(one.gone for one in swept) == 2
    assert mail.left() == ["new@x.example", "on-the-day@x.example"]
    assert mail.left("unsubscribes") == unsubscribed
    again = mail.connect().read_back(mail.selection, None)
    assert (again.remaining, again.held) == (0, 0)


def test_whoever_is_on_hold_stays_in_whatever_letters(mail):
    mail.put("ann@x.example", CUTOFF - DAY)
    mail.put("ben@x.example", CUTOFF - DAY)
    hold = lambda subject: subject == "ann@x.example"  # noqa: E731 - a hold is a function
    system = mail.connect()
    assert system.survey(mail.selection, hold).held == 1
    mail.sweep(hold, system)
    assert mail.left() == ["ann@x.example"]
    again = mail.connect().read_back(mail.selection, hold)
    assert (again.remaining, again.held) == (0, 1)


@pytest.mark.parametrize("every", [1, 2, 7])
def test_long_lists_are_swept_page_by_page_around_those_on_hold(mail, every, monkeypatch):
    monkeypatch.setattr("include.systems.mailgun.entries._PAGE", 100)
    count = 1203 if mail.key == "sendgrid" else 203
    for number in range(count):
        mail.put(f"a{number:04}@x.example", CUTOFF - DAY - timedelta(minutes=number))
    hold = lambda subject: int(subject[1:5]) % 7 == 0 if every == 7 else int(subject[1:5]) % every != 0  # noqa: E731
    held = [f"a{number:04}@x.example" for number in range(count) if hold(f"a{number:04}@x.example")]
    swept = mail.sweep(hold)
    assert mail.left() == held
    assert sum(one.gone for one in swept) == count - len(held)
    assert all(one.gone <= mail.connect().card.batch_size for one in swept)


def test_an_address_that_bounced_again_meanwhile_stays(mail):
    mail.put("ann@x.example", CUTOFF - DAY)
    mail.put("ben@x.example", CUTOFF - DAY)
    system = mail.connect()
    (batch,) = list(system.batches(mail.selection, None))
    mail.put("ann@x.example", CUTOFF + 300 * DAY)
    swept = system.expire(mail.selection, batch)
    assert (swept.gone, swept.absent) == (1, 1)
    assert mail.left() == ["ann@x.example"]


def test_entries_that_are_gone_already_are_absent(mail):
    mail.put("ann@x.example", CUTOFF - DAY)
    system = mail.connect()
    (batch,) = list(system.batches(mail.selection, None))
    assert system.expire(mail.selection, batch).gone == 1
    again = system.expire(mail.selection, batch)
    assert (again.gone, again.absent) == (0, 1)


def test_a_list_that_does_not_empty_is_left_after_one_pass_and_read_back_says_so(mail, monkeypatch):
    for number in range(700):
        mail.put(f"a{number:03}@x.example", CUTOFF - DAY - timedelta(minutes=number))
    system = mail.connect()
    batches = list(system.batches(mail.selection, None))
    assert sum(batch.count for batch in batches) == 700
    assert system.read_back(mail.selection, None).remaining == 700


def test_batches_show_no_address(mail):
    mail.put("ann@x.example", CUTOFF - DAY)
    (batch,) = list(mail.connect().batches(mail.selection, None))
    assert "ann" not in f"{batch!r} {batch.records!r} {Entry(CUTOFF, 'ann@x.example', 'ann')!r}"


@pytest.mark.parametrize(
    "changes",
    [
        {"location": {}},
        {"location": {"list": "unsubscribes"}},
        {"location": {"list": "global_unsubscribes"}},
        {"location": {"list": "whitelists"}},
        {"location": {"list": "bounces", "domain": "x.example"}},
        {"trigger_field": "updated"},
        {"where": {"status": "550"}},
        {"subject": "id"},
        {"action": Action.ANONYMISE},
    ],
)
def test_what_it_does_not_understand_is_refused_before_any_call(mail, changes):
    system, odd = mail.connect(), mail.change(**changes)
    for call in (
        lambda: system.survey(odd, None),
        lambda: list(system.batches(odd, None)),
        lambda: system.read_back(odd, None),
        lambda: system.expiry(odd),
    ):
        with pytest.raises(Refused):
            call()
    assert mail.wire.exchanges == []


def test_there_is_no_expiry_of_its_own(mail):
    system = mail.connect()
    assert system.expiry(mail.selection) == []
    with pytest.raises(Refused):
        system.set_expiry(mail.selection)


@pytest.mark.parametrize(
    ("kind", "more"),
    [(FaultKind.STATUS, {"status": 500}), (FaultKind.DROP, {}), (FaultKind.STATUS, {"status": 429, "retry_after": 99})],
)
def test_a_failure_is_an_error_of_the_system_and_the_next_night_finishes(mail, kind, more):
    mail.put("ann@x.example", CUTOFF - DAY)
    system = mail.connect()
    (batch,) = list(system.batches(mail.selection, None))
    mail.faults.add(Fault(mail.key, kind, "DELETE", times=99, **more))
    with pytest.raises(Unavailable) as raised:
        system.expire(mail.selection, batch)
    assert raised.value.system == mail.key
    mail.faults.clear()
    mail.sweep()
    assert mail.left() == []


def test_an_answer_that_is_lost_is_asked_for_again(mail):
    mail.put("ann@x.example", CUTOFF - DAY)
    mail.faults.add(Fault(mail.key, FaultKind.LOST_ANSWER, "DELETE"))
    assert [one.gone for one in mail.sweep()] == [1]
    assert mail.left() == []


def test_an_entry_without_a_date_is_nobodys_to_judge(mail, monkeypatch):
    mail.put("ann@x.example", CUTOFF - DAY)
    module = "include.sandbox.sendgrid.suppressions._shown" if mail.key == "sendgrid" else (
        "include.sandbox.mailgun.suppressions.shown"
    )  # fmt: skip
    monkeypatch.setattr(module, lambda table, entry: {"email": "ann@x.example", "address": "ann@x.example"})
    with pytest.raises(PrivacyError):
        mail.connect().survey(mail.selection, None)
    assert mail.left() == ["ann@x.example"]


def test_a_list_is_never_cleared(mail):
    for number in range(30):
        mail.put(f"a{number}@x.example", CUTOFF - DAY)
    mail.sweep()
    deletions = [each for each in mail.wire.exchanges if each.method == "DELETE"]
    assert deletions
    for each in deletions:
        if mail.key == "sendgrid":
            assert each.sent.keys() == {"emails"}
            assert 0 < len(each.sent["emails"]) <= 500
        else:
            assert len(each.path.strip("/").split("/")) == 4


def test_what_is_sent_is_as_the_vendor_describes(mail):
    if mail.key == "sendgrid":
        names = ("suppressions", "scopes", "subusers")
        description = Description(*(f"sendgrid/tsg_{name}_v3.json" for name in names))
    else:
        description = Description("mailgun/mailgun-openapi.json", patch=patch)
    for number in range(3):
        mail.put(f"a{number}@x.example", CUTOFF - DAY, other=number == 2)
    mail.sweep()
    operations = set()
    for each in mail.wire.exchanges:
        if "page" not in each.query:
            call = Call(each.method, each.path, list(each.query.items()), each.headers, each.body)
            operations.add(description.check_call(call))
            description.check_answer(call, each.status, each.got)
    assert any(name.startswith("DELETE") for name in operations)


@pytest.mark.parametrize("key", ["sendgrid", "mailgun"])
def test_the_card_names_the_lists(key):
    card = registry.card(key)
    assert card.key == key
    assert "bounces" in card.location_keys["list"]
    assert "unsubscribe" not in card.location_keys["list"]
    assert replace(card, version="2") != card
