"""Pages about requests: escaped, without scripts, usable with a keyboard and a screen reader."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest

from include.erasure.evidence import not_connected_entry
from include.erasure.overview import Page, RequestRow
from include.erasure.summary import SCHEMA, Summary, summarise
from include.ledger.entry import Json, Kind
from include.policy.loader import load
from include.policy.model import Policy
from include.policy.persons import Requests
from include.reports import request_pages as pages
from include.reports.request_pages import Offers, Run, Shell, Started, Typed
from include.reports.requests import as_html, as_json, json_schema
from include.requests.table import LineError
from include.systems import registry
from include.systems.erasing import Did, PrivacyContact
from tests.erasure.story import REF, START, Story, approved

ROOT = Path(__file__).parents[2]
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}"
SHELL = Shell("/privacy", True, "t0ken")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(ROOT / "include" / "policy" / "clique.yaml")


def told(policy: Policy, story: Story) -> Summary:
    requests = policy.requests
    assert isinstance(requests, Requests)
    cards = {key: registry.erasing_card(key) for key in requests.systems}
    return summarise(story.status(), story.entries, policy, requests, cards, story.now)


def hostile() -> Story:
    """Text from outside in every place that could hold some."""
    stays: list[Json] = [{"what": SCRIPT, "count": 2, "ground": SCRIPT, "routed": True}]
    story = Story().opened().identified().found(3, "tawk_to", stays).planned("tawk_to").decided()
    story.outcome(Did.MANUAL, intent=story.intent(3, "tawk_to"), system="tawk_to")
    return story.other(Kind.CANCELLED, by=SCRIPT, reason=SCRIPT).other(Kind.OPERATOR_ACTION, what=SCRIPT)


class Reader(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def every_page(summary: Summary) -> dict[str, str]:
    row = RequestRow(REF, "bat_" + "a" * 16, SCRIPT, START, "closed", (("held", 1), ("failed", 2)), SCRIPT)
    page = Page((row,), None)
    typed = Typed(
        {name: SCRIPT for name in ("type", "email", "user_id", "received_on", "answer", "reason", "proof", "system")},
        tuple((name, SCRIPT) for name in (None, "type", "email", "user_id", "received_on", "reason", "proof")),
    )
    started = Started(runs=(Run(SCRIPT, SCRIPT, "/dags/x"),), paused=True)
    offers = Offers(start=True, cancel=True, by_hand=("tawk_to",))
    wrong = {"cancel": typed, "manual": typed}
    return {
        "list": pages.list_page(SHELL, page, stage=None, older=SCRIPT, notice=SCRIPT),
        "request": pages.request_page(SHELL, summary, started=started, offers=offers, notice=SCRIPT, wrong=wrong),
        "batch": pages.batch_page(
            SHELL, SCRIPT, page, size=2, stages={"closed": 2}, older=SCRIPT, started=started, notice=SCRIPT
        ),
        "new": pages.new_page(SHELL, typed, today="2026-03-01"),
        "upload": pages.upload_page(SHELL, [LineError(2, SCRIPT)], good=1, problem=SCRIPT),
        "open": pages.open_page(SHELL, SCRIPT, page),
        "message": pages.message_page(SHELL, SCRIPT, SCRIPT, pages.REQUESTS),
        "summary": as_html(summary),
    }


@pytest.fixture(scope="module")
def read(policy: Policy) -> dict[str, Reader]:
    return {name: Reader(html) for name, html in every_page(told(policy, hostile())).items()}


def test_nothing_from_outside_becomes_a_tag(read: dict[str, Reader]) -> None:
    for name, page in read.items():
        assert not page.all("script", "img", "object", "embed", "link"), name
        for _, attributes in page.tags:
            assert not [key for key in attributes if key.startswith("on") or key in {"src", "style"}], name


def test_nothing_from_outside_is_a_template(policy: Policy) -> None:
    for name, html in every_page(told(policy, hostile())).items():
        assert "49" not in html.split("alert(2)", 1)[-1][:12], name


def test_each_page_has_one_heading_a_language_and_a_title(read: dict[str, Reader]) -> None:
    for name, page in read.items():
        assert len(page.all("h1")) == 1, name
        assert page.all("html")[0]["lang"] == "en"
        assert len(page.all("title")) == len(page.all("main")) == 1, name


def test_each_field_has_a_label_and_each_description_exists(read: dict[str, Reader]) -> None:
    for name, page in read.items():
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), name
        labelled = {label.get("for") for label in page.all("label")}
        for field in page.all("input", "select"):
            if field.get("type") in {"hidden", "radio", "checkbox"}:
                continue
            assert field["id"] in labelled, (name, field)
            assert set((field.get("aria-describedby") or "").split()) <= set(ids), (name, field)


def test_a_field_that_is_wrong_says_so_to_a_screen_reader(read: dict[str, Reader]) -> None:
    wrong = [field for field in read["new"].all("input", "select") if field.get("aria-invalid") == "true"]
    assert {field["name"] for field in wrong} == {"type", "email", "user_id", "received_on"}
    assert all(f"{field['id']}-wrong" in str(field["aria-describedby"]) for field in wrong)
    assert any(attributes.get("role") == "alert" for _, attributes in read["new"].tags)


def test_each_form_that_changes_something_is_a_post_with_a_token(read: dict[str, Reader]) -> None:
    for name, page in read.items():
        forms = [form for form in page.all("form") if form["method"] == "post"]
        tokens = [field for field in page.all("input") if field.get("name") == "token"]
        assert [field["value"] for field in tokens] == ["t0ken"] * len(forms), name
        assert all(str(form["action"]).startswith("/privacy/") for form in page.all("form")), name


def test_who_may_only_look_gets_no_form_that_changes_something(policy: Policy) -> None:
    summary = told(policy, approved())
    page = Reader(pages.request_page(Shell("/privacy"), summary, started=Started(), offers=Offers()))
    assert page.all("form") == []


def test_no_page_of_a_request_names_more_than_its_id_in_the_title(policy: Policy) -> None:
    html = pages.request_page(SHELL, told(policy, hostile()), started=Started(), offers=Offers())
    assert f"<title>Request {REF}</title>" in html


def test_what_stays_is_shown_with_its_ground_and_who_decides(policy: Policy) -> None:
    ground = "The customer is the controller of its prospects."
    stays: list[Json] = [{"what": "firestore.contacts", "count": 2, "ground": ground, "routed": True}]
    html = as_html(told(policy, Story().opened().identified().found(0, "firestore", stays)))
    assert ground in html
    assert "another controller decides about it" in html


def test_the_json_is_what_its_schema_says(policy: Policy) -> None:
    stories = [hostile(), Story().opened(), approved().erased(until=START + timedelta(days=9)).seen(proved=False)]
    for story in stories:
        summary = json.loads(as_json(told(policy, story)))
        jsonschema.Draft202012Validator(json_schema()).validate(summary)
        assert summary["schema"] == SCHEMA
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**summary, "more": 1}, json_schema())


def test_the_published_schema_is_the_one_in_use() -> None:
    number = SCHEMA.rsplit(":", 1)[-1]
    kept = ROOT / "include" / "reports" / "schema" / f"subject-request-{number}.json"
    assert json.loads(kept.read_text()) == json_schema(), "a changed key needs a new number in SCHEMA"


def test_a_row_says_what_comes_next(policy: Policy) -> None:
    def row(story: Story) -> tuple[str, str]:
        found = next(row for row in told(policy, story).systems if row.system == "redis")
        return found.outcome, found.next_step

    until = START + timedelta(days=9)
    assert row(Story().opened()) == ("to do", "Nothing is deleted before an approval.")
    assert row(approved()) == ("to do", "The push comes to it in its turn.")
    assert row(approved().erased(Did.ACCEPTED, until=until).seen(until=until))[0] == "accepted"
    assert row(approved().refused(Did.FAILED)) == ("failed", "because")
    assert row(approved().erased().seen())[0] == "verified_gone"


def test_a_row_names_its_next_look(policy: Policy) -> None:
    story = approved().outcome(Did.GONE, intent=0, gone=3).seen()
    (row,) = [row for row in told(policy, story).systems if row.system == "redis"]
    assert row.recheck_on is not None
    assert timedelta(hours=20) < row.recheck_on - story.now < timedelta(days=1)


CONTACT = PrivacyContact(
    "privacy@vendor.example",
    "Erase & forget",
    "Please erase:\n{identifiers}\n<b>Thanks</b>",
    "https://vendor.example/p",
)


def by_hand(policy: Policy, contact: PrivacyContact) -> Summary:
    """A request that waits for a person who has to write to a vendor."""
    story = Story().opened().identified().found(1, "tawk_to").planned("tawk_to").decided()
    story.outcome(Did.MANUAL, intent=story.intent(1, "tawk_to"), system="tawk_to")
    cards = {"tawk_to": replace(registry.erasing_card("tawk_to"), contact=contact, instructions="Ask the vendor.")}
    assert isinstance(policy.requests, Requests)
    return summarise(story.status(), story.entries, policy, policy.requests, cards, story.now)


def test_work_by_hand_offers_the_message_beside_the_place_for_the_proof(policy: Policy) -> None:
    summary = by_hand(policy, CONTACT)
    page = pages.request_page(SHELL, summary, started=Started(), offers=Offers(by_hand=("tawk_to",)))
    [link] = [a["href"] for a in Reader(page).all("a") if str(a["href"]).startswith("mailto:")]
    parts = urlsplit(str(link))
    assert parts.path == "privacy@vendor.example"
    assert parse_qs(parts.query) == {
        "subject": ["Erase & forget"],
        "body": ["Please erase:\r\n{identifiers}\r\n<b>Thanks</b>"],
    }
    assert "&lt;b&gt;Thanks" in page
    assert "<b>Thanks" not in page
    assert page.count("Ask the vendor.") == 2
    alone = as_html(summary)
    assert "{identifiers}" in alone
    assert Reader(alone).all("a") == []
    jsonschema.validate(json.loads(as_json(summary)), json_schema())


def test_a_form_of_the_vendor_is_a_link_to_it(policy: Policy) -> None:
    summary = by_hand(policy, replace(CONTACT, address="https://vendor.example/form"))
    page = pages.request_page(SHELL, summary, started=Started(), offers=Offers(by_hand=("tawk_to",)))
    assert "https://vendor.example/form" in [a["href"] for a in Reader(page).all("a")]


def test_a_system_that_is_not_connected_is_named_as_a_gap(policy: Policy) -> None:
    story = approved("redis", "tawk_to")
    story.write(not_connected_entry(REF, "tawk_to"))
    summary = told(policy, story.erased().seen())
    assert summary.not_connected == ("tawk.to",)
    row = next(row for row in summary.systems if row.system == "tawk_to")
    assert (row.outcome, row.planned, row.remaining) == ("not_connected", 3, None)
    page = as_html(summary)
    assert "Not connected, so nobody looked into them:</b> tawk.to" in page
    assert "Nobody looked into tawk.to: there is no connection to it." in page
