"""The lint finds each mistake, alone, at its place, and all of them together."""

from __future__ import annotations

import pytest

from include.policy.actions import Action
from include.policy.document import parse
from include.policy.errors import Severity
from include.policy.lint import lint
from tests.policy import mistakes_of_form, mistakes_of_meaning
from tests.policy.lint_kit import GOOD, TODAY, Module, changed, errors

MISTAKES = [*mistakes_of_meaning.MISTAKES, *mistakes_of_form.MISTAKES]


@pytest.mark.parametrize(("old", "new", "at", "sentence"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_found_at_its_place(old: str, new: str, at: str, sentence: str) -> None:
    text = changed(old, new)
    found = errors(text)
    messages = [finding.at("policy") for finding in found]
    place = [finding for finding in found if sentence in finding.message]
    assert place, messages
    rest_of_text = "\n".join(text.splitlines()[place[0].line - 1 :])[place[0].column - 1 :]
    assert rest_of_text.startswith(at), (messages, rest_of_text[:60])


# Here the one mistake is a name that several other entries rightly refer to, or a place that two rules select.
SEEN_BY_OTHERS = {"name of a system", "holding of another system", "protected records"}


@pytest.mark.parametrize(("old", "new"), [m[1:3] for m in MISTAKES if m[0] not in SEEN_BY_OTHERS])
def test_one_mistake_gives_one_finding(old: str, new: str) -> None:
    assert len(errors(changed(old, new))) == 1, [finding.at("policy") for finding in errors(changed(old, new))]


def test_the_good_file_has_no_mistake_and_warns_of_the_gap_and_the_default() -> None:
    warnings = lint(parse(GOOD), None, TODAY)
    assert [finding.severity for finding in warnings] == [Severity.WARNING] * 2
    assert "section D of the published text has a gap: the heading has no text" in warnings[0].message
    assert warnings[1].message == "P1: 90 days is a default, not in the policy, until somebody confirms it"


def test_a_section_and_a_holding_that_nothing_covers_are_warnings() -> None:
    text = GOOD.replace(", note: Answered by the board.", "").replace(
        "\nguard:",
        "\n  order_book.wishes:\n    system: order_book\n    category: wishes\n    location: {table: wishes}\n"
        "    subject: null\n    triggers: {made: made_on}\n\nguard:",
    )
    messages = [finding.message for finding in lint(parse(text), None, TODAY)]
    assert any("how section C is kept" in message for message in messages)
    assert "no rule covers the holding 'order_book.wishes'" in messages


def test_all_mistakes_are_found_at_once_in_the_order_of_the_file() -> None:
    text = GOOD
    for old, new in (
        ("section: A\n    name: Newsletter", "section: F\n    name: Newsletter"),
        ("erasure: expire", "erasure: vanish"),
        ("trigger: payment", "trigger: paymnt"),
        ("period: 2 years", "period: 4 years"),
        ("period: 90 days", "period: soon"),
    ):
        text = text.replace(old, new)
    found = errors(text)
    assert len(found) == 5
    assert found == sorted(found)


def test_one_unreadable_rule_does_not_hide_the_mistake_of_another() -> None:
    text = changed("period: 10 weeks", "period: ten weeks").replace("trigger: delivery", "trigger: delivry")
    assert len(errors(text)) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    subjects: [subscribers]\n", ""),
        ("  - id: P1\n    name", "  - name"),
        ("    trigger: delivery\n", ""),
    ],
    ids=["an activity", "a promise", "a rule"],
)
def test_what_an_unreadable_entry_mentions_is_not_called_unmentioned(old: str, new: str) -> None:
    lonely = changed(old, new).replace(", note: Answered by the board.", "")
    messages = [
        finding.message for finding in lint(parse(lonely), None, TODAY) if "is a default" not in finding.message
    ]
    assert len([message for message in messages if "is missing" in message]) == 1
    assert len(messages) == 2  # the missing key and the gap of section D


def test_a_holding_of_unreadable_rules_is_not_called_uncovered() -> None:
    text = changed("    trigger: delivery\n", "").replace("    trigger: payment\n", "")
    assert not [finding for finding in lint(parse(text), None, TODAY) if "no rule covers" in finding.message]


def test_the_other_mistakes_of_a_rule_are_found_beside_its_unreadable_period() -> None:
    text = changed("    period: 10 weeks", "    period: soon").replace(
        "where: {channel: shop}", "where: {channel: shp}"
    )
    text = text.replace("trigger: payment", "trigger: paymnt").replace(
        'on: "2025-02-01"}\n    budget', "on: x}\n    budget"
    )
    found = [finding.message for finding in errors(text)]
    assert [message.partition(";")[0] for message in found] == [
        "there is no trigger in 'order_book.orders' 'paymnt'",
        "there is no value of 'channel' 'shp'",
        "'period' can't be read: a period is a number and a unit, as in '36 months', '30 days' or '24 hours'",
        "'on' can't be read: a date is written in quotes as year-month-day, as in '2026-01-31'",
    ]


def test_nothing_is_said_about_a_stand_in() -> None:
    text = changed("period: 2 years", "period: soon")  # the range of this rule would refuse any stand-in of a day
    assert [
        finding.message.partition(":")[0] for finding in lint(parse(text), None, TODAY) if "R1" in finding.message
    ] == []
    assert len(errors(text)) == 1


def test_rules_may_overlap_when_both_delete_and_one_says_so() -> None:
    delete = (
        GOOD.replace("    action: anonymise\n", "")
        .replace(
            "    anonymise:\n      remove: [reader]\n"
            "      generalise: [{field: delivered_on, how: year}, {field: town, how: prefix, size: 2}]\n",
            "",
        )
        .replace("where: {channel: shop}", "where: {}")
    )
    assert len(errors(delete)) == 1
    assert errors(delete.replace("budget: {max_records: 50}", "alongside: [R1]")) == []
    same_trigger = delete.replace("budget: {max_records: 50}", "alongside: [R1]").replace(": payment", ": delivery")
    assert len(errors(same_trigger)) == 1
    anonymises = changed("where: {channel: shop}", "where: {}").replace("budget: {max_records: 50}", "alongside: [R1]")
    assert len(errors(anonymises)) == 1


def test_a_record_seen_by_two_holdings_counts_as_overlap() -> None:
    second = (
        "  order_book.all:\n    system: order_book\n    category: all\n    location: {table: orders}\n"
        "    subject: null\n    triggers: {payment: paid_on}\n\nguard:"
    )
    text = GOOD.replace("\nguard:", second).replace(
        "holding: order_book.orders\n    trigger: payment\n    where: {channel: shop}",
        "holding: order_book.all\n    trigger: payment",
    )
    assert ["can select the same records" in finding.message for finding in errors(text)] == [True]


CARDS = {"order_book": Module()}


@pytest.mark.parametrize(
    ("old", "new", "module", "at", "sentence"),
    [
        (
            "location: {table: orders}",
            "location: {tabel: orders}",
            Module(),
            "orders",
            "there is no location key 'tabel'; did you mean 'table'?",
        ),
        (
            "location: {table: orders}",
            "location: {}",
            Module(location_keys={"table": "required: name of the table"}),
            "{}",
            "the location key 'table' is missing: required: name of the table",
        ),
        ("subject: field:reader", "subject: id", Module(), "id\n", "there is no form of a subject 'id'"),
        (
            "payment: paid_on",
            "payment: payd_on",
            Module(trigger_fields=frozenset({"paid_on", "delivered_on"})),
            "payd_on",
            "did you mean 'paid_on'?",
        ),
        (
            "    action: anonymise",
            "    action: anonymise",
            Module(actions=frozenset({Action.DELETE})),
            "anonymise\n",
            "there is no action of order_book 'anonymise'; accepted: delete",
        ),
    ],
)
def test_what_a_module_can_not_do_is_a_mistake(old: str, new: str, module: Module, at: str, sentence: str) -> None:
    text = changed(old, new)
    assert errors(GOOD, CARDS) == []
    place = [finding for finding in errors(text, {"order_book": module}) if sentence in finding.message]
    assert len(place) == 1
    assert "\n".join(text.splitlines()[place[0].line - 1 :])[place[0].column - 1 :].startswith(at)


def test_a_holding_without_a_module_is_a_mistake_when_the_modules_are_known() -> None:
    assert ["no module of this installation handles" in finding.message for finding in errors(GOOD, {})] == [True]


def test_without_a_day_no_confirmation_is_called_future() -> None:
    assert (
        errors(
            changed('by: the board, on: "2025-02-01"}\n    budget', 'by: us, on: "2999-01-01"}\n    budget'), today=None
        )
        == []
    )
