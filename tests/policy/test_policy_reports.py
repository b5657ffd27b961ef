"""The record of processing activities and the coverage: whole, honest, and safe to open."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from include.policy import coverage, ropa
from include.policy.__main__ import main
from include.policy.coverage import LastRun, Standing
from include.policy.document import parse
from include.policy.loader import build, load
from include.policy.model import Policy

OTHER_FILE = Path(__file__).parent / "other_company.yaml"
GOOD = OTHER_FILE.read_text()
CLIQUE = load(Path(__file__).parents[2] / "include/policy/clique.yaml")
OTHER = load(OTHER_FILE)
RUN = LastRun(datetime(2026, 3, 1, 4, 30, tzinfo=UTC), "verified", 12, 12, 0, "ev_0042")
EVIL = "=HYPERLINK(1) | <script>alert(1)</script> **bold**"
OUTPUTS = {
    "ropa.html": lambda policy: ropa.html(ropa.record(policy)),
    "ropa.md": lambda policy: ropa.markdown(ropa.record(policy)),
    "ropa.csv": lambda policy: ropa.csv(ropa.record(policy)),
    "coverage.html": lambda policy: coverage.html(coverage.coverage(policy, {})),
    "coverage.md": lambda policy: coverage.markdown(coverage.coverage(policy, {})),
    "coverage.csv": lambda policy: coverage.csv(coverage.coverage(policy, {})),
}


class Balance(HTMLParser):
    """Fails on a tag that is closed out of order; collects what a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", OUTPUTS)
def test_another_companys_papers_speak_of_that_company_alone(name: str) -> None:
    text = OUTPUTS[name](OTHER)
    assert "clique" not in text.lower()
    assert "R1" in text
    assert "P1" in text


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_period_of_the_company_is_in_every_paper(name: str) -> None:
    text = OUTPUTS[name](CLIQUE).replace("\\", "")
    for entry in (*CLIQUE.rules, *CLIQUE.promises):
        assert f"{entry.id} {entry.name}" in text.replace("&#39;", "'"), entry.id


def test_the_record_has_the_fields_of_article_30() -> None:
    first, second = rows(ropa.csv(ropa.record(OTHER)))
    assert first["activity"] == "A.1"
    assert first["capacity"] == "controller"
    assert first["categories of data subjects"] == "readers"
    assert first["categories of personal data"] == "addresses; orders"
    assert first["purpose"] == "Delivering books"
    assert first["recipients"].split("; ") == [
        "Order book (own system at the cooperative)",
        "Parcel carrier (controller Kite Parcels, delivery, address only)",
    ]
    assert (
        first["transfers"]
        == "Order book: Rotterdam, safeguard not established; Parcel carrier: Antwerp, within the Union"
    )
    assert first["security measures"] == "Annex B of the members' handbook"
    assert first["time limits for erasure"].split(" | ") == [
        "R1 Orders of the web shop (Order book): anonymise after 2 years; by a nightly rule of this installation; "
        "confirmed by the board on 2025-02-01",
        "R2 Orders of the shop (Order book): delete after 10 weeks; by a nightly rule of this installation; "
        "confirmed by the board on 2025-02-01",
        "P1 Addresses on parcels (Parcel carrier): delete after 90 days; left to the vendor's own setting, "
        "not checked by this installation; default, not in the policy",
    ]
    assert second["transfers"] == "Visit counter: place of storage not established, safeguard not established"
    assert second["time limits for erasure"] == "none in this file"


def test_the_head_of_the_record_says_what_is_not_stated() -> None:
    head = ropa.record(CLIQUE)
    assert (head.representative, head.data_protection_officer) == ("not stated", "not stated")
    assert ropa.record(OTHER).representative == "Quayside Legal"
    assert len(head.gaps) == 4
    assert head.unconfirmed == len(CLIQUE.rules) + len(CLIQUE.promises)
    assert ropa.record(OTHER).unconfirmed == 1


@pytest.mark.parametrize("name", ["ropa.html", "coverage.html"])
def test_html_is_whole_and_fetches_nothing(name: str) -> None:
    page = Balance()
    page.feed(OUTPUTS[name](CLIQUE))
    assert page.open == []
    assert page.fetched == []
    assert "url(" not in OUTPUTS[name](CLIQUE)


def evil(text: str) -> Policy:
    for place in ("purpose: Delivering books", "name: Order book", "title: What we keep"):
        assert place in text
        text = text.replace(place, f"{place.partition(':')[0]}: '{EVIL}'")
    return build(parse(text))


@pytest.mark.parametrize("name", OUTPUTS)
def test_no_value_becomes_markup_or_a_formula(name: str) -> None:
    text = OUTPUTS[name](evil(GOOD))
    assert "HYPERLINK(1)" in text
    if name.endswith("csv"):
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert any(cell.startswith("'=HYPERLINK(1) | <script>") for cell in cells)
    else:
        assert "<script>" not in text.replace("\\<script\\>", "")
        assert name.endswith("html") or " **bold**" not in text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\n="])
def test_each_beginning_of_a_formula_is_defused(start: str) -> None:
    policy = OTHER.model_copy(update={"security_measures": f"{start}1+1"})
    cell = rows(ropa.csv(ropa.record(policy)))[0]["security measures"]
    assert cell == f"'{start}1+1"


def test_a_table_of_markdown_keeps_its_columns() -> None:
    for table in (coverage.markdown(coverage.coverage(evil(GOOD), {"R1": RUN})),):
        lines = [line for line in table.splitlines() if line.startswith("|")]
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {9}


def test_every_section_and_row_of_the_policy_has_a_line() -> None:
    parts = {row.part for row in coverage.coverage(CLIQUE, {}).sections}
    assert parts == {section.id for section in CLIQUE.sections} | {activity.id for activity in CLIQUE.activities}


def test_every_system_has_its_disposition_and_everything_that_applies_to_it() -> None:
    systems = coverage.coverage(CLIQUE, {}).systems
    assert [row.part for row in systems if row.standing is Standing.DECLARED] == list(CLIQUE.systems)
    assert {row.rule for row in systems if row.rule} == {entry.id for entry in (*CLIQUE.rules, *CLIQUE.promises)}
    claims = sum(len(system.claims) for system in CLIQUE.systems.values())
    assert sum(row.standing is Standing.CLAIMED for row in systems) == claims


def test_gaps_are_lines_like_the_others_and_count_the_periods_that_fill_them() -> None:
    gaps = [row for row in coverage.coverage(CLIQUE, {}).sections if row.standing is Standing.GAP]
    assert [row.part for row in gaps] == ["2", "5", "6.1", "8"]
    periods = len(CLIQUE.rules) + len(CLIQUE.promises)
    assert gaps[0].where == f"{periods} periods of the policy file cite it, {periods} of them unconfirmed"


def test_a_promise_is_never_shown_as_enforced() -> None:
    picture = coverage.coverage(CLIQUE, {promise.id: RUN for promise in CLIQUE.promises})
    promised = {promise.id for promise in CLIQUE.promises}
    standings = {row.standing for row in (*picture.sections, *picture.systems) if row.rule in promised}
    assert standings == {Standing.VENDOR, Standing.LATER}
    assert all(row.last_run is None for row in picture.systems if row.rule in promised)


@pytest.mark.parametrize(
    ("runs", "standing", "shown"),
    [
        ({}, Standing.NEVER_RUN, "none"),
        ({"R2": RUN}, Standing.NEVER_RUN, "none"),
        ({"R1": RUN}, Standing.ENFORCED, "2026-03-01 04:30 UTC, verified: 12 due, 12 gone, 0 remaining (ev_0042)"),
        (
            {"R1": LastRun(RUN.at, "failed", 12, 4, 8, "ev_0043")},
            Standing.BEHIND,
            "2026-03-01 04:30 UTC, failed: 12 due, 4 gone, 8 remaining (ev_0043)",
        ),
    ],
)
def test_the_last_run_decides_what_is_said_of_a_rule(runs: dict[str, LastRun], standing: Standing, shown: str) -> None:
    picture = coverage.coverage(OTHER, runs)
    lines = [row for row in (*picture.sections, *picture.systems) if row.rule == "R1"]
    assert len(lines) == 3  # row A.1, section B, and the system
    assert {row.standing for row in lines} == {standing}
    assert {row.cells()[-1] for row in lines} == {shown}


def test_the_counts_of_the_coverage() -> None:
    picture = coverage.coverage(OTHER, {"R1": RUN})
    assert picture.unconfirmed == ("P1",)
    assert {standing: picture.count(standing) for standing in Standing if picture.count(standing)} == {
        Standing.ENFORCED: 1,
        Standing.NEVER_RUN: 1,
        Standing.VENDOR: 1,
        Standing.CLAIMED: 1,
        Standing.DECLARED: 3,
        Standing.GAP: 1,
        Standing.STATEMENT: 1,
        Standing.ROWS: 1,
    }


def test_a_row_and_a_section_that_nothing_keeps_say_so() -> None:
    claims = re.search(r"    claims:\n.*\n", GOOD)
    assert claims
    text = GOOD.replace(claims.group(), "").replace("erasure: no_identifier", "erasure: manual")
    policy = build(parse(text.replace(", note: Answered by the board.", "")))
    nothing = [row.part for row in coverage.coverage(policy, {}).sections if row.standing is Standing.NOTHING]
    assert nothing == ["A.2", "C"]


@pytest.mark.parametrize("command", ["ropa", "coverage"])
@pytest.mark.parametrize("form", ["html", "md", "csv"])
def test_the_command_prints_each_form(command: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--format", form, str(OTHER_FILE)]) == 0
    assert capsys.readouterr().out == OUTPUTS[f"{command}.{form}"](OTHER)
