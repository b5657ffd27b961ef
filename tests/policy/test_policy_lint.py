"""The lint finds each mistake, alone, at its place, and all of them together."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from include.errors import Refused
from include.policy.__main__ import main
from include.policy.actions import Action
from include.policy.document import parse
from include.policy.errors import Finding, PolicyInvalid, Severity
from include.policy.lint import lint
from include.policy.loader import build, load

GOOD = (Path(__file__).parent / "other_company.yaml").read_text()
TODAY = date(2026, 1, 31)


@dataclass(frozen=True)
class Module:
    """What the lint asks of a module's card."""

    actions: frozenset[Action] = frozenset(Action)
    location_keys: Mapping[str, str] = field(default_factory=lambda: {"table": "name of the table"})
    subject_forms: Mapping[str, str] = field(default_factory=lambda: {"field:<name>": "a column"})
    trigger_fields: frozenset[str] = frozenset()


def errors(text: str, cards: Mapping[str, Module] | None = None, today: date | None = TODAY) -> list[Finding]:
    return [finding for finding in lint(parse(text), cards, today) if finding.severity is Severity.ERROR]


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, f"{old!r} must be in the good file once"
    return GOOD.replace(old, new)


# what, old text, new text, text at which the finding must stand, part of the sentence
MISTAKES = [
    (
        "unknown system of a holding",
        "    system: order_book\n    category",
        "    system: orderbook\n    category",
        "orderbook",
        "there is no system 'orderbook'; did you mean 'order_book'?",
    ),
    (
        "unknown holding",
        "holding: order_book.orders\n    trigger: payment",
        "holding: order_book.order\n    trigger: payment",
        "order_book.order\n    trigger: payment",
        "there is no holding 'order_book.order'; did you mean 'order_book.orders'?",
    ),
    ("unknown trigger", "trigger: payment", "trigger: paymnt", "paymnt", "did you mean 'payment'?"),
    (
        "recipient without a disposition",
        "{system: counter}",
        "{system: counter}\n      - {system: printer}",
        "printer",
        "there is no system 'printer'",
    ),
    (
        "recipient that does not cite the row",
        "policy: [A.2]\n    role",
        "policy: [C]\n    role",
        "counter}",
        "row A.2 names 'counter', whose 'policy' does not cite A.2",
    ),
    (
        "system nobody mentions",
        "systems:\n",
        "systems:\n  attic:\n    name: Attic\n    policy: [A]\n    role: first_party\n"
        "    operator: us\n    identifiers: []\n    erasure: manual\n",
        "name: Attic",
        "mentions the system 'attic'",
    ),
    (
        "unknown system of a promise",
        "system: parcels\n",
        "system: parcel\n",
        "parcel\n    data",
        "did you mean 'parcels'?",
    ),
    (
        "unknown system of a protected entry",
        "{system: order_book, location: {table: ledger}",
        "{system: vault, location: {table: ledger}",
        "vault",
        "there is no system 'vault'",
    ),
    (
        "rule without a source",
        "    source: terms of the carrier\n",
        "",
        "id: P1",
        "'source' is missing: why this figure",
    ),
    ("empty source", "source: terms of the carrier", "source: ' '", "' '", "'source' is not accepted"),
    (
        "disposition missing",
        "    erasure: expire\n",
        "",
        "name: Parcel carrier",
        "'erasure' is missing: one of 'delete'",
    ),
    ("unknown disposition", "erasure: expire", "erasure: vanish", "vanish", "one of 'delete', 'expire', 'derived'"),
    (
        "overlapping rules",
        "where: {channel: shop}",
        "where: {}",
        "order_book.orders\n    trigger: payment",
        "'R2' and 'R1' can select the same records",
    ),
    (
        "anonymise without a list",
        "    anonymise:\n      remove: [reader]\n      generalise: [{field: delivered_on, how: year}, "
        "{field: town, how: prefix, size: 2}]\n",
        "",
        "anonymise\n    legal",
        "needs a list",
    ),
    ("list without the action", "    action: anonymise\n", "", "remove: [reader]", "without the action 'anonymise'"),
    (
        "trigger neither removed nor generalised",
        "{field: delivered_on, how: year}, ",
        "",
        "remove: [reader]",
        "due again every night",
    ),
    (
        "trigger generalised as a number",
        "{field: delivered_on, how: year}",
        "{field: delivered_on, how: band, size: 5}",
        "band",
        "'delivered_on' is a time",
    ),
    ("subject's field stays", "remove: [reader]", "remove: [channel]", "[channel]", "'reader' names the person"),
    ("field twice in the list", "remove: [reader]", "remove: [reader, town]", "town, how: prefix", "in the list twice"),
    ("unknown field in the list", "remove: [reader]", "remove: [reader, twon]", "twon", "did you mean 'town'?"),
    ("prefix without a size", "how: prefix, size: 2", "how: prefix", "{field: town", "'prefix' needs a 'size'"),
    ("year with a size", "how: year}", "how: year, size: 2}", "2}, {", "'year' takes no 'size'"),
    (
        "anonymise where the subject is the name of the record",
        "subject: field:reader",
        "subject: id",
        "anonymise\n    anonymise",
        "which no list can remove",
    ),
    (
        "unknown field in where",
        "where: {channel: shop}",
        "where: {channel: shop, chanel: web}",
        "web}\n    period: 10",
        "did you mean 'channel'?",
    ),
    ("unknown value in where", "where: {channel: shop}", "where: {channel: shp}", "shp", "did you mean 'shop'?"),
    ("period that can't be parsed", "period: 10 weeks", "period: ten weeks", "ten weeks", "a number and a unit"),
    ("period of nothing", "period: 10 weeks", "period: 0 days", "0 days", "a number and a unit"),
    ("period beyond a century", "period: 10 weeks", "period: 101 years", "101 years", "at most 100 years"),
    ("period as a number", "period: 10 weeks", "period: 10", "10\n", "a number and a unit"),
    ("period outside of the range", "period: 2 years", "period: 4 years", "4 years", "12 months to 36 months"),
    (
        "range upside down",
        "{shortest: 12 months, longest: 36 months}",
        "{shortest: 36 months, longest: 12 months}",
        "{shortest",
        "longer than the longest",
    ),
    (
        "confirmed in the future",
        'confirmed: {by: the board, on: "2025-02-01"}\n    budget',
        'confirmed: {by: the board, on: "2026-02-01"}\n    budget',
        '"2026-02-01"',
        "has not come yet",
    ),
    (
        "confirmed by nobody",
        'confirmed: {by: the board, on: "2025-02-01"}\n    budget',
        'confirmed: {on: "2025-02-01"}\n    budget',
        '{on: "2025-02-01"}\n    budget',
        "'by' is missing",
    ),
    (
        "confirmed on no day",
        'confirmed: {by: the board, on: "2025-02-01"}\n    budget',
        'confirmed: {by: us, on: "2025-02-30"}\n    budget',
        '"2025-02-30"',
        "year-month-day",
    ),
    (
        "unquoted date",
        'confirmed: {by: the board, on: "2025-02-01"}\n    budget',
        "confirmed: {by: us, on: 2025-02-01}\n    budget",
        "2025-02-01}\n    budget",
        "put dates and times in quotes",
    ),
    ("budget above all", "max_share_percent: 5", "max_share_percent: 101", "101", "from 1 to 100"),
    (
        "budget of a rule above all",
        "budget: {max_records: 50}",
        "budget: {max_share_percent: 500}",
        "500",
        "from 1 to 100",
    ),
    ("budget that is no number", "max_records: 500\n", "max_records: many\n", "many", "a whole number of records"),
    ("guard without a limit", "  baseline_factor: 3\n", "", "max_records: 500", "'baseline_factor' is missing"),
    (
        "unknown key",
        "    purpose: Delivering books",
        "    purpsoe: Delivering books\n    purpose: Delivering books",
        "purpsoe",
        "unknown key 'purpsoe'; did you mean 'purpose'?",
    ),
    (
        "comma inside of braces",
        "title: Complaints,",
        "title: Complaints, mostly late books,",
        "mostly late books",
        "needs quotes",
    ),
    (
        "section that does not exist",
        "section: A\n    name: Newsletter",
        "section: F\n    name: Newsletter",
        "F\n",
        "there is no section 'F'",
    ),
    (
        "reference that does not exist",
        "policy: [A.1, B]\n    confirmed: null",
        "policy: [A.1, B.7]\n    confirmed: null",
        "B.7",
        "there is no section or row 'B.7'",
    ),
    ("id used twice", "id: P1", "id: R1", "R1\n    name: Addresses", "used twice"),
    ("section id used twice", "{id: C,", "{id: A,", "A, title: Complaints", "used twice"),
    (
        "key twice",
        "    trigger: payment\n",
        "    trigger: payment\n    trigger: delivery\n",
        "trigger: delivery\n    where: {channel: shop",
        "a second time; the first is in line",
    ),
    (
        "name inside of an entry",
        "  parcels:\n",
        "  parcels:\n    key: parcels\n",
        "key: parcels",
        "is not written here",
    ),
    ("name of a system", "  parcels:\n    name", "  Parcels!:\n    name", "Parcels!", "a lower-case word"),
    (
        "holding of another system",
        "  order_book.orders:",
        "  parcels.orders:",
        "system: order_book\n    category",
        "is named 'order_book.<name>'",
    ),
    ("no for text", "purpose: Delivering books", "purpose: no", "no\n", "YAML does not read 'no'"),
    ("off for text", "purpose: Delivering books", "purpose: off", "off\n", "YAML does not read 'off'"),
    ("octal", "max_records: 500\n", "max_records: 0500\n", "0500", "without leading zeros"),
    ("sexagesimal", "max_records: 500\n", "max_records: 1:30\n", "1:30", "without leading zeros, colons"),
    ("not a number", "max_records: 500\n", "max_records: .nan\n", ".nan", "numbers in a policy are whole"),
    ("version as a number", 'version: "7"', "version: 7", "7\n", "'version' is not accepted"),
    ("tag", "purpose: Delivering books", "purpose: !secret books", "!secret", "tags"),
    (
        "protected records",
        "location: {table: ledger}",
        "location: {table: orders}",
        "order_book.orders\n    trigger: delivery",
        "'order_book.orders' is protected: book-keeping",
    ),
    ("alongside nothing", "budget: {max_records: 50}", "alongside: [R9]", "R9", "there is no other rule 'R9'"),
    ("alongside itself", "budget: {max_records: 50}", "alongside: [R2]", "R2]", "there is no other rule 'R2'"),
    (
        "no identifier without a claim",
        "kind: no_identifiers",
        "kind: limited_use",
        "no_identifier\n    claims",
        "rests on a claim",
    ),
    (
        "no identifier and a list of them",
        "identifiers: []",
        "identifiers: [cookie]",
        "[cookie]",
        "contradict each other",
    ),
    (
        "only some identifiers, none listed",
        "claims:\n",
        "claims:\n      - {id: counter.some, kind: only_identifiers, says: x}\n",
        "{id: counter.some",
        "must list the 'identifiers'",
    ),
    (
        "derived from nothing",
        "claims:\n",
        "claims:\n      - {id: counter.of, kind: derived_from, says: x}\n",
        "{id: counter.of",
        "must name its 'source'",
    ),
    (
        "derived from an unknown system",
        "claims:\n",
        "claims:\n      - {id: counter.of, kind: derived_from, says: x, source: abacus}\n",
        "abacus",
        "there is no system 'abacus'",
    ),
]


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


@pytest.mark.parametrize(
    ("text", "line", "column", "sentence"),
    [
        ("company:\n\tname: x\n", 2, 1, "a tab"),
        ("company: {name: x\nsections: []\n", 2, 9, "not YAML"),
        ("", 1, 1, "must be a mapping"),
        ("- company\n", 1, 1, "must be a mapping"),
        ("company: \x07\n", 1, 1, "characters or nesting"),
        ("a: &one x\nb: *one\n", 1, 4, "an alias"),
        ("<<: {a: b}\n", 1, 1, "merge keys"),
        ("? [a, b]\n: c\n", 1, 3, "a key must be"),
    ],
)
def test_what_is_not_a_policy_at_all_is_a_finding_not_a_crash(text: str, line: int, column: int, sentence: str) -> None:
    places = {(finding.line, finding.column) for finding in errors(text) if sentence in finding.message}
    assert places == {(line, column)}


@pytest.mark.parametrize(
    "name", ["company", "sections", "activities", "systems", "holdings", "guard", "rules", "promises"]
)
@pytest.mark.parametrize("value", ["5", "text", "null", "[1, x]", "{a: 1}", "[{}]", "[[]]"])
def test_a_part_of_the_wrong_kind_is_a_finding_not_a_crash(name: str, value: str) -> None:
    lines = GOOD.splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if line.startswith(f"{name}:"))
    end = next((i for i in range(start + 1, len(lines)) if lines[i][0].isalpha()), len(lines))
    text = "".join([*lines[:start], f"{name}: {value}\n", *lines[end:]])
    found = errors(text)
    assert any(finding.line == start + 1 for finding in found), [finding.at("policy") for finding in found]


def test_without_a_day_no_confirmation_is_called_future() -> None:
    assert (
        errors(
            changed('by: the board, on: "2025-02-01"}\n    budget', 'by: us, on: "2999-01-01"}\n    budget'), today=None
        )
        == []
    )


def test_load_names_every_mistake_and_survives_the_way_between_processes(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD.replace("trigger: payment", "trigger: paymnt").replace("period: 2 years", "period: 4 years"))
    with pytest.raises(PolicyInvalid) as caught:
        load(file)
    error = caught.value
    assert isinstance(error, Refused)
    assert str(error).count(f"{file}:") >= 2
    assert "2 mistakes" in str(error)
    assert [finding.severity for finding in error.findings] == [Severity.ERROR] * 2
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made in the line above
    assert (str(copy), copy.findings) == (str(error), error.findings)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="exists and may be read"):
        load(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes("name: Büro".encode("latin-1"))
    with pytest.raises(Refused, match="UTF-8"):
        load(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(Refused, match="at most a megabyte"):
        load(tmp_path / "large.yaml")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD, encoding="utf-8-sig")
    assert load(file).digest == build(parse(GOOD)).digest


def test_the_command_exits_by_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(GOOD)
    bad.write_text(changed("trigger: payment", "trigger: paymnt"))
    assert main(["lint", str(good)]) == 0
    assert main(["lint", str(good)], cards={}) == 1
    capsys.readouterr()
    assert main(["lint", str(bad)]) == 1
    output = capsys.readouterr().out
    assert (
        f"{bad}:109:14: error: there is no trigger in 'order_book.orders' 'paymnt'; did you mean 'payment'?" in output
    )
    assert output.splitlines()[-1] == f"{bad}: errors 1, warnings 2"
    assert main(["ropa", str(bad)]) == 1
    assert main(["lint", str(tmp_path / "absent.yaml")]) == 2


def test_a_file_below_the_working_directory_is_shown_by_its_short_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policy.yaml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    assert main(["lint", str(tmp_path / "policy.yaml")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "policy.yaml: errors 0, warnings 2"
