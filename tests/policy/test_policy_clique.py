"""The company's own file: whole, clean, cheap to load, and in step with its JSON Schema."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from include.policy import schema
from include.policy.__main__ import main
from include.policy.document import read_file
from include.policy.errors import Severity
from include.policy.lint import lint
from include.policy.loader import load
from include.policy.model import Policy
from include.policy.register import Erasure, Role
from include.policy.rules import Enforcement

ROOT = Path(__file__).parents[2]
FILE = ROOT / "include/policy/clique.yaml"
SCHEMA = ROOT / "include/policy/policy.schema.json"
OTHER = Path(__file__).parent / "other_company.yaml"
FIRST_PARTY = {"firestore", "cloud_storage", "firebase_auth", "redis", "elasticsearch"}
SYSTEMS = FIRST_PARTY | {
    "google_analytics", "tag_manager", "looker_studio", "firebase_performance", "wix", "hotjar", "tawk_to", "autopilot",
    "sendgrid", "onesignal", "mailgun", "zapier", "google_workspace", "microsoft_graph", "new_relic", "loggly",
    "phantombuster", "typeform", "google_sign_in", "linkedin_sign_in", "instagram", "facebook", "linkedin", "twitter",
}  # fmt: skip
SUCCESSORS = {"ortto"}
"""Systems beside those of the published text: the same recipient under another name, with an interface of its own."""
BY_AGE = FIRST_PARTY | {"mailgun", "onesignal", "ortto", "phantombuster", "sendgrid", "typeform", "wix"}
"""Systems of which records go by their age every night."""


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(FILE)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def plain(file: Path) -> Any:
    """The content of a file as JSON has it (``on`` is a key here and a boolean to YAML 1.1)."""
    return json.loads(json.dumps(read_file(file).data))


def test_the_file_has_no_mistake() -> None:
    findings = lint(read_file(FILE), None, date(2026, 11, 22))
    assert [finding.at("clique.yaml") for finding in findings if finding.severity is Severity.ERROR] == []


def test_it_warns_of_each_gap_and_of_each_unconfirmed_period(policy: Policy) -> None:
    messages = [finding.message for finding in lint(read_file(FILE))]
    for section in ("2", "5", "6.1", "8"):
        assert (
            sum(message.startswith(f"section {section} of the published text has a gap") for message in messages) == 1
        )
    assert sum("is a default, not in the policy" in message for message in messages) == len(policy.rules) + len(
        policy.promises
    )
    assert len(messages) == 5 + len(policy.rules) + len(policy.promises)


def test_every_system_and_every_row_of_the_policy_is_there(policy: Policy) -> None:
    assert set(policy.systems) == SYSTEMS | SUCCESSORS
    assert len(SYSTEMS) == 29
    assert [activity.id for activity in policy.activities] == [
        "1.1a", "1.1b", "1.2", "1.3", "1.4a", "1.4b", "1.5", "1.6", "1.7",
    ]  # fmt: skip
    top = [section.id for section in policy.sections if section.id.isdecimal()]
    assert top == [str(number) for number in range(1, 11)]


def test_every_system_has_an_executable_rule_or_an_honest_promise(policy: Policy) -> None:
    executed = {policy.holding(rule.holding).system for rule in policy.rules}
    assert executed == BY_AGE
    assert executed | {promise.system for promise in policy.promises} == SYSTEMS | SUCCESSORS


def test_the_first_party_systems_are_the_companys_own(policy: Policy) -> None:
    assert {key for key, system in policy.systems.items() if system.role is Role.FIRST_PARTY} == FIRST_PARTY
    own = [activity for activity in policy.activities if activity.id in {"1.4a", "1.4b", "1.6"}]
    assert all({recipient.system for recipient in activity.recipients} == FIRST_PARTY for activity in own)


def test_no_period_is_confirmed_because_section_2_is_empty(policy: Policy) -> None:
    assert {entry.id for entry in (*policy.rules, *policy.promises) if entry.confirmed} == set()
    assert all("2" in entry.policy for entry in (*policy.rules, *policy.promises))


def test_the_claims_of_the_published_text_are_there(policy: Policy) -> None:
    claims = {claim.id for system in policy.systems.values() for claim in system.claims if claim.policy}
    assert claims == {
        "firebase_performance.anonymous",
        "google_analytics.demo_without_identifier",
        "google_analytics.internal_id_only",
        "google_workspace.limited_use",
        "hotjar.no_identifiers",
        "looker_studio.from_analytics",
        "new_relic.anonymous",
        "tag_manager.internal_id_only",
        "tawk_to.no_identifiers",
    }
    anonymous = {key for key, system in policy.systems.items() if system.erasure is Erasure.NO_IDENTIFIER}
    assert anonymous == {"tag_manager", "firebase_performance", "hotjar", "new_relic", "tawk_to"}


def test_a_vendors_promise_is_never_called_a_rule(policy: Policy) -> None:
    assert {promise.enforced for promise in policy.promises} == set(Enforcement)
    assert not {promise.id for promise in policy.promises} & {rule.id for rule in policy.rules}


def test_evidence_of_consent_is_protected(policy: Policy) -> None:
    assert [(entry.system, dict(entry.location)) for entry in policy.protected] == [
        ("firestore", {"group": "consents"})
    ]


def test_the_first_night_may_find_more_than_half(policy: Policy) -> None:
    assert {rule.budget.max_share_percent for rule in policy.rules} == {60}
    assert {rule.budget.max_records for rule in policy.rules} == {100_000}
    assert (policy.guard.baseline_factor, policy.guard.baseline_nights) == (4, 14)


def test_the_schema_beside_the_file_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert SCHEMA.read_text() == schema.text(), (
        "run: python -m include.policy schema > include/policy/policy.schema.json"
    )
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == SCHEMA.read_text()


def test_editors_find_the_schema() -> None:
    first = FILE.read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA.name}"


@pytest.mark.parametrize("file", [FILE, OTHER], ids=["clique", "other"])
def test_the_schema_accepts_what_the_loader_accepts(file: Path, validator: jsonschema.Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(plain(file))] == []


@pytest.mark.parametrize(("key", "value"), [("period", "soon"), ("perod", "1 day"), ("action", "burn"), ("source", 5)])
def test_the_schema_refuses_what_the_loader_refuses(
    key: str, value: object, validator: jsonschema.Draft202012Validator
) -> None:
    document = plain(OTHER)
    assert validator.is_valid(document)
    document["rules"][0][key] = value
    assert not validator.is_valid(document)


def test_loading_takes_less_than_a_fifth_of_a_cpu_second() -> None:
    def cost() -> float:
        before = time.process_time()
        load(FILE)
        return time.process_time() - before

    assert min(cost() for _ in range(3)) < 0.2


def test_the_loader_imports_nothing_heavy() -> None:
    code = "import sys, include.policy.loader; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split()
    )
    allowed = {"include", "pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection",
               "yaml", "dateutil", "six", "cython_runtime"}  # fmt: skip
    installed = {name for name in loaded if not name.startswith("_") and name not in sys.stdlib_module_names}
    assert installed <= allowed


def test_the_room_imports_no_room_above_it() -> None:
    code = "import sys, include.policy.__main__; print(*[name for name in sys.modules if name.startswith('include.')])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    assert {name for name in loaded if not name.startswith("include.policy")} == {"include.errors"}
