"""The three forms of a report."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.policy.model import Policy
from include.reports.model import SCHEMA
from include.reports.render import as_csv, as_html, as_json, json_schema
from tests.reports.nights import Night, build, good_night, hold, policy, surroundings

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
ROOT = Path(__file__).parents[2]


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def hostile_policy(text: str) -> Policy:
    law = policy()
    update = {
        "company": law.company.model_copy(update={"name": text}),
        "rules": tuple(rule.model_copy(update={"name": text, "source": text}) for rule in law.rules),
        "systems": {key: system.model_copy(update={"name": text}) for key, system in law.systems.items()},
    }
    return law.model_copy(update=update)


def eventful_night() -> Night:
    """A night with something in each part of the report."""
    night = Night().open(("C2", "firestore"), ("A4", "redis"), ("M1", "firestore"))
    night.plan("C2", "firestore", total=90, due=80, verdict="ask", reason="80 of 90 records are due.")
    night.decide("C2", "firestore", approved=False)
    night.drift("C2", "firestore", agrees=False)
    night.sweep("A4", "redis", total=9000, due=4000, held=3)
    night.close()
    return night


def eventful_report() -> object:
    return build(eventful_night(), surroundings(nights=12, holds=[hold(review=date(2026, 1, 1))]))


def test_the_same_report_gives_the_same_bytes_in_any_process() -> None:
    code = (
        "import hashlib; from tests.reports.test_render import *; r = eventful_report();"
        "print(hashlib.sha256((as_html(r) + as_json(r) + as_csv(r)).encode()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_a_page_needs_nothing_beside_itself() -> None:
    page = Page(as_html(eventful_report()))
    assert {"script", "link", "img", "iframe", "object", "base"}.isdisjoint(tag for tag, _ in page.tags)
    for tag, attributes in page.tags:
        assert not {"src", "srcset", "style"} & attributes.keys(), tag
        assert not any(name.startswith("on") for name in attributes), tag
        assert (attributes.get("href") or "#").startswith("#"), tag
    style = re.search(r"<style>(.*)</style>", as_html(eventful_report()), re.DOTALL)
    assert style is not None
    assert not re.search(r"url\(|@import|http", style[1])


def test_a_page_allows_its_own_style_and_nothing_else() -> None:
    html = as_html(eventful_report())
    style = re.search(r"<style>(.*)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    allowed = next(a["content"] for _, a in Page(html).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert allowed == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_text_of_the_policy_and_of_people_never_becomes_markup() -> None:
    night = Night().open(("C2", "firestore"))
    night.plan("C2", "firestore", total=90, due=80, verdict="ask", reason=SCRIPT)
    night.decide("C2", "firestore", approved=True, reason=SCRIPT)
    night.drift("C2", "firestore", agrees=False, note=SCRIPT)
    night.close()
    around = surroundings(holds=[hold(review=date(2026, 1, 1), ground=SCRIPT)])
    calm = Page(as_html(build(night, around)))
    page = Page(as_html(build(night, around, hostile_policy(SCRIPT))))
    assert "script" not in {tag for tag, _ in page.tags}
    assert "img" not in {tag for tag, _ in page.tags}
    assert len(page.tags) == len(calm.tags)
    assert page.text.count("<script>alert(1)</script>") > 20


def test_every_table_says_what_its_columns_are_and_every_chart_says_its_numbers() -> None:
    html = as_html(eventful_report())
    page = Page(html)
    for table in re.findall(r"<table(?: class=\"[a-z]+\")?>(.*?)</table>", html, re.DOTALL):
        assert 'scope="col"' in table or 'scope="row"' in table
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    charts = [attributes["aria-label"] for tag, attributes in page.tags if tag == "svg" and "role" in attributes]
    assert len(charts) == 3
    assert "Redis: 3,997 gone, 3 held, 0 left, 0 not accounted for" in str(charts[0])


def test_the_numbers_of_the_page_are_those_of_the_report() -> None:
    text = Page(as_html(build(good_night()))).text
    assert "Everything due was removed and verified: 2 rules, 13,390 records; 12 held." in text
    assert "13,402 records past their period under 2 rules in 2 systems" in text
    assert "#101" in text
    assert "#105" in text


def test_a_run_without_rules_has_a_page() -> None:
    night = Night().open()
    night.close()
    assert "This run was for no rule" in Page(as_html(build(night))).text


@pytest.mark.parametrize("night", [good_night(), eventful_night()], ids=["good", "eventful"])
def test_the_json_is_what_its_schema_says(night: Night) -> None:
    report = json.loads(as_json(build(night, surroundings(nights=3, holds=[hold(review=date(2026, 1, 1))]))))
    jsonschema.Draft202012Validator(json_schema()).validate(report)
    assert report["schema"] == SCHEMA
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**report, "more": 1}, json_schema())


def test_the_published_schema_is_the_one_in_use() -> None:
    number = SCHEMA.rsplit(":", 1)[-1]
    kept = ROOT / "include" / "reports" / "schema" / f"retention-report-{number}.json"
    assert json.loads(kept.read_text()) == json_schema(), "a changed key needs a new number in SCHEMA"


def test_the_csv_has_one_row_per_rule_and_system() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(build(good_night())))))
    assert [(row["rule"], row["system"]) for row in rows] == [("C2", "firestore"), ("A4", "redis")]
    assert (rows[0]["due"], rows[0]["deleted"], rows[0]["held"], rows[0]["plan_entry"]) == ("1402", "1390", "12", "101")


@given(st.text(max_size=5), st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\uff1d", " =", "\n@"]))
def test_no_text_cell_is_a_formula(rest: str, first: str) -> None:
    text = f"{first}1+1{rest}"
    rows = list(csv.reader(io.StringIO(as_csv(build(good_night(), law=_renamed(text))), newline="")))
    name = rows[1][rows[0].index("name")]
    assert not name.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"))
    assert name.removeprefix("'") == text.strip()


def _renamed(text: str) -> Policy:
    rules = tuple(rule.model_copy(update={"name": text.strip()}) for rule in policy().rules)
    return policy().model_copy(update={"rules": rules})
