"""The report of a night of checks: what it says, what it leaves out, and that its JSON is as its schema says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from include.assurance.evidence import Night, State, access_entry, claim_entry, drift_entry, returned_entry
from include.ledger.entry import Entry, Recorded
from include.policy.loader import load
from include.reports import store
from include.reports.assurance import as_html, as_json, assurance_report, json_schema
from include.systems.assuring import Access, Checked
from include.systems.contract import Expiry

ROOT = Path(__file__).parents[2]
POLICY = load(ROOT / "include/policy/clique.yaml")
SCHEMA = json.loads((ROOT / "include/reports/schema/assurance-report-1.json").read_text())
NIGHT = Night("run_" + "a" * 16, datetime(2026, 3, 31, 5, 30, tzinfo=UTC))
CLAIM = POLICY.systems["hotjar"].claims[0]
SETTING = Expiry("retention of runs", "120 <days>", "69 days", False, "Lower it.")


def quiet() -> list[Entry]:
    """A night on which everything was in order."""
    found = []
    for key, system in POLICY.systems.items():
        found.append(access_entry(NIGHT, key, State.IN_ORDER, access=Access(), sunset=None, note=""))
        found += [claim_entry(NIGHT, key, one, State.IN_ORDER, Checked(one.id, looked=9)) for one in system.claims]
        found.append(returned_entry(NIGHT, key, State.IN_ORDER, looked=12))
    return found


def report(*entries: Entry):  # type: ignore[no-untyped-def]
    recorded = [Recorded(index, NIGHT.at, entry, b"") for index, entry in enumerate((*quiet(), *entries))]
    return assurance_report(POLICY, NIGHT, recorded, "2026-03-31T05:40:00Z")


VIOLATED = claim_entry(NIGHT, "hotjar", CLAIM, State.VIOLATED, Checked(CLAIM.id, looked=900, violations=3))
UNCONNECTED = access_entry(NIGHT, "zapier", State.NOT_CONNECTED, access=None, sunset=None, note="No connection.")


@pytest.mark.parametrize(
    ("entry", "verdict", "says"),
    [
        (None, "in order", f"{len(POLICY.systems)} of {len(POLICY.systems)} systems were asked"),
        (VIOLATED, "alarm", "3 of 900 contradict it"),
        (access_entry(NIGHT, "wix", State.BROKEN, access=None, sunset=None, note="Renew it."), "alarm", "Renew it."),
        (UNCONNECTED, "needs attention", "1 systems are not connected"),
        (drift_entry(NIGHT, "zapier", State.SEE_TO, [SETTING]), "needs attention", "the policy says 69 days"),
        (
            returned_entry(NIGHT, "wix", State.SEE_TO, looked=50, people=4, opened=3),
            "needs attention",
            "4 erased people",
        ),
        (returned_entry(NIGHT, "wix", State.NO_ANSWER, note="Silent."), "alarm", "Silent."),
    ],
)
def test_the_verdict_and_the_findings_say_what_was_found(entry: Entry | None, verdict: str, says: str) -> None:
    made = report(*[entry] if entry else [])
    assert made.verdict == verdict
    assert says in f"{made.sentence} {' '.join(finding.text for finding in made.findings)}"
    Draft202012Validator(SCHEMA).validate(json.loads(as_json(made)))


def test_a_violated_claim_is_no_more_among_those_that_hold() -> None:
    claims = sum(len(system.claims) for system in POLICY.systems.values())
    assert f"{claims - 1} of {claims} claims hold; 1 are violated" in report(VIOLATED).sentence


def test_a_system_that_the_night_did_not_come_to_is_no_system_in_order() -> None:
    made = assurance_report(POLICY, NIGHT, [], "2026-03-31T05:40:00Z")
    assert made.verdict == "alarm"
    assert {row.access.state for row in made.systems} == {State.NO_ANSWER.value}
    assert [row.system for row in made.systems] == list(POLICY.systems)


def test_a_second_try_counts_once_but_keeps_what_the_first_one_opened() -> None:
    first = returned_entry(NIGHT, "wix", State.SEE_TO, looked=50, people=4, opened=3)
    again = returned_entry(NIGHT, "wix", State.SEE_TO, looked=51, people=4, opened=0)
    [row] = [row for row in report(first, again).systems if row.system == "wix"]
    assert (row.returned.looked, row.returned.found, row.opened) == (51, 4, 3)


def test_the_page_shows_every_system_escapes_what_vendors_say_and_loads_nothing() -> None:
    page = as_html(report(VIOLATED, UNCONNECTED, drift_entry(NIGHT, "zapier", State.SEE_TO, [SETTING])))
    for system in POLICY.systems.values():
        assert system.name.replace("&", "&amp;") in page
    assert "120 &lt;days&gt;" in page
    assert "not connected" in page
    assert "<script" not in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")


def test_the_schema_that_is_kept_is_that_of_the_code() -> None:
    assert json_schema() == SCHEMA, "run: python -m include.reports assurance > include/reports/schema/…"


def test_it_is_kept_beside_the_other_reports_and_is_not_the_latest_of_them(tmp_path: Path) -> None:
    page = store.write_assurance(report(VIOLATED), str(tmp_path))
    assert page == f"assurance-2026-03-31-{NIGHT.run}.html"
    assert store.read(str(tmp_path), page).startswith(b"<!doctype html>")
    assert not (tmp_path / store.LATEST).exists()
    [listed] = store.listing(str(tmp_path))
    assert (listed.about, listed.verdict, listed.name) == ("assurance", "alarm", page.removesuffix(".html"))
    assert store.find(str(tmp_path), NIGHT.run) == page
