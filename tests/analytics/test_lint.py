"""The lint of a release specification: each mistake has a line and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from include.analytics.__main__ import main
from include.analytics.lint import lint
from include.analytics.spec import DEFAULT, load
from include.errors import Refused
from include.policy.document import parse
from include.policy.errors import PolicyInvalid, Severity

GOOD = """\
version: "1"
company: {users: 100000, active_percent: {daily: 20, weekly: 40, monthly: 70}}
budget: {rho_month: "1", delta_month: "1e-5", epsilon_delta: "1e-6"}
sources:
  usage:
    kind: firestore
    location: events
    user: uid
    at: at
    columns:
      feature: {about: part of the product}
      country: {about: country}
      calendar: {about: from the calendar of Google, from_google_api: true}
      ip: {about: address, identifier: true}
      cents: {about: price, type: integer}
tables:
  - id: features
    title: Features
    source: usage
    period: daily
    dimensions:
      - {column: country, keys: [DE, FR], other: rest}
      - {column: feature, expected_keys: 9}
    measures: [{kind: users}, {kind: events, cap: 9}, {kind: sum, column: cents, cap: 500}]
    max_groups: 4
    rho: "0.01"
    delta: "1e-8"
"""
INTERNAL = """\
  - id: ID
    title: Inside
    source: usage
    period: PERIOD
    internal: true
    dimensions: [{column: country, keys: [DE, FR]}]
    measures: [{kind: users}]
"""
MISTAKES = [
    ("column: feature, ", "column: featur, ", 23, "has no column 'featur'; did you mean 'feature'?"),
    ("column: feature, ", "column: calendar, ", 23, "came from a Google API; under Limited Use it never leaves"),
    ("column: cents, cap", "column: calendar, cap", 24, "came from a Google API"),
    ("column: feature, ", "column: period_end, ", 23, "the name of a column that each release has"),
    ("column: feature, ", "column: ip, ", 23, "'ip' is marked as an identifier"),
    ("column: feature, ", "column: uid, ", 23, "'uid' says who or when"),
    ("column: feature, ", "column: country, ", 23, "'country' is a dimension of 'features' twice"),
    ("column: cents, cap", "column: feature, cap", 24, "'feature' is text; only whole numbers are added up"),
    ("keys: [DE, FR]", "keys: [DE, DE]", 22, "the key 'DE' is listed twice"),
    ("keys: [DE, FR]", "keys: [DE, rest]", 22, "the key 'rest' is listed twice"),
    (
        "keys: [DE, FR]",
        "keys: [DE, ada@clique.example]",
        22,
        "a key that looks like an e-mail address is not published",
    ),
    ("keys: [DE, FR]", "keys: [DE, NO]", 22, "YAML does not read 'NO' as it is written"),
    ("keys: [DE, FR], ", "expected_keys: 9, ", 22, "'other' needs listed keys"),
    ("feature, expected_keys: 9", "feature", 23, "say in 'expected_keys'"),
    ("[{kind: users}, {", "[{", 24, "a table has the measure 'users' once"),
    ("{kind: users}", "{kind: users, cap: 3}", 24, "'users' has no cap"),
    ("{kind: users}", "{kind: users}, {kind: events, cap: 3}", 24, "the measure 'events' is there twice"),
    ("{kind: events, cap: 9}", "{kind: events}", 24, "say in 'cap' what one person adds at most"),
    ("sum, column: cents,", "sum,", 24, "'column' belongs to the kind 'sum'"),
    ('    delta: "1e-8"\n', "", 17, "has unknown keys and needs a 'delta'"),
    ('    rho: "0.01"\n', "", 17, "needs a 'rho', or has to be internal"),
    ("max_groups: 4", "max_groups: 4\n    internal: true", 27, "an internal table is exact and has no budget"),
    ("max_groups: 4", "max_groups: 4\n    minimum_count: 19", 26, "no cell of fewer than 20 users is published"),
    ("max_groups: 4", "max_groups: 4\n    typical_groups: 5", 26, "a usual person would be cut"),
    ("source: usage", "source: usagee", 19, "there is no source 'usagee'; did you mean 'usage'?"),
    ('rho: "0.01"', 'rho: "0.04"', 3, "all tables together may spend 1.24 in a month, above the cap of 1"),
    ('delta: "1e-8"', 'delta: "1e-6"', 3, "above the cap of 0.00001"),
    ('rho: "0.01"', "rho: 0.01", 26, "numbers in a policy are whole"),
    ('rho: "0.01"', 'rho: "a little"', 26, "a fraction is written in quotes, as in '0.015' or '1e-7'"),
    ('rho: "0.01"', 'rho: "-0.01"', 26, "'rho' is not accepted as it is"),
    ('rho: "0.01"', 'rho: "nan"', 26, "'rho' "),
    ("period: daily", "period: hourly", 20, "accepted: one of 'daily', 'weekly', 'monthly'"),
    ("period: daily", "perod: daily", 20, "unknown key 'perod'; did you mean 'period'?"),
    ("period: daily\n", "\n", 17, "'period' is missing"),
    ("id: features", "id: Features!", 17, "'id' is not accepted as it is; accepted: name of the table"),
    ("user: uid", "user: feature", 11, "leave it out of the columns"),
    ("column: country, ", "column: users, ", 22, "has no column 'users'"),
]


@pytest.mark.parametrize(("old", "new", "line", "sentence"), MISTAKES)
def test_a_mistake_is_said_at_its_line(old: str, new: str, line: int, sentence: str) -> None:
    assert old in GOOD
    findings = lint(parse(GOOD.replace(old, new, 1)))
    said = [(one.line, one.message) for one in findings if one.severity is Severity.ERROR]
    assert any(at == line and sentence in message for at, message in said), said


def test_the_good_file_has_none() -> None:
    assert [one for one in lint(parse(GOOD)) if one.severity is Severity.ERROR] == []


def test_several_mistakes_are_found_at_once() -> None:
    two = GOOD.replace("period: daily", "period: hourly").replace('rho_month: "1"', 'rho_month: "zero"')
    two = two.replace("    location: events\n", "")
    messages = [one.message for one in lint(parse(two))]
    assert len(messages) == 3, messages


def test_two_tables_of_one_id_and_total_bounds() -> None:
    table = GOOD[GOOD.index("  - id: features") :]
    assert any("is used 2 times" in one.message for one in lint(parse(GOOD + table.replace("0.01", "0.001"))))
    total = (
        table[: table.index("    dimensions")] + "    measures: [{kind: users}]\n    max_groups: 2\n    rho: '0.01'\n"
    )
    assert any("has only 1 cell" in one.message for one in lint(parse(GOOD + total)))


def test_internal_tables_of_one_source_have_one_period() -> None:
    days, more_days, weeks = (
        INTERNAL.replace("ID", name).replace("PERIOD", period)
        for name, period in (("inside", "daily"), ("inside_too", "daily"), ("inside_weeks", "weekly"))
    )
    assert not [one for one in lint(parse(GOOD + days + more_days)) if "single people" in one.message]
    assert [one for one in lint(parse(GOOD + days + weeks)) if "single people" in one.message]


@pytest.mark.parametrize("text", ["", "- a list", "version: [", "tables: 3", "sources: {a: 3}\ntables: [3]"])
def test_what_is_no_specification_has_findings_and_no_exception(text: str) -> None:
    assert lint(parse(text))


def test_the_default_specification_is_good_and_works_at_its_size() -> None:
    assert lint(parse(DEFAULT.read_text())) == []
    assert len(load().tables) == 7


def test_loading_a_bad_file_lists_its_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "releases.yaml"
    file.write_text(GOOD.replace("period: daily", "period: hourly"))
    with pytest.raises(PolicyInvalid, match=r":20:13: error: 'period' is not accepted"):
        load(file)
    with pytest.raises(Refused):
        load(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["lint"], 0, "errors 0, warnings 0"),
        (["forecast"], 0, "no event was read and nothing is spent"),
        (["lint", "{bad}"], 1, "errors 1"),
        (["forecast", "{bad}"], 1, "1 mistake"),
        (["lint", "{bad}.absent"], 2, "could not read"),
    ],
)
def test_the_command_line(
    arguments: Sequence[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(GOOD.replace("period: daily", "period: hourly"))
    assert main([argument.replace("{bad}", str(bad)) for argument in arguments]) == code
    shown = capsys.readouterr()
    assert said in shown.out + shown.err
