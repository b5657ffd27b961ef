"""The operator's guide shows a rule that works and what the lint really says."""

from __future__ import annotations

import re
from pathlib import Path

from include.policy.document import parse
from include.policy.errors import Severity
from include.policy.lint import lint
from include.policy.loader import build

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/adding-a-rule.md").read_text()
FILE = (ROOT / "include/policy/clique.yaml").read_text()
MISTAKES = {
    "firestore.contacts": "firestore.contact",
    "period: 60 months": "period: 60 months ago",
    '"1.6"': '"1.6b"',
    "confirmed: null": "confirmed: {by: Jane Doe, on: 2026-01-31}",
}


def with_rule(rule: str) -> str:
    """The company's file with one more rule, indented as the file indents."""
    return FILE.replace("\nrules:\n", "\nrules:\n" + re.sub(r"(?m)^   ", "", rule), 1)


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)[number]


def test_the_rule_of_the_guide_works() -> None:
    assert build(parse(with_rule(block("yaml")))).rule("C4").period.count == 60


def test_the_lint_says_what_the_guide_shows() -> None:
    rule = block("yaml")
    for right, wrong in MISTAKES.items():
        assert rule.count(right) == 1
        rule = rule.replace(right, wrong)
    found = [finding for finding in lint(parse(with_rule(rule))) if finding.severity is Severity.ERROR]
    shown = re.findall(r"include/policy/clique\.yaml:\d+:(\d+): error: (.*)", block("console"))
    assert shown == [(str(finding.column), finding.message) for finding in found]


def test_the_list_of_fields_in_the_guide_is_that_of_the_file() -> None:
    shown = re.sub(r" +#.*", "", block("yaml", 1))
    assert shown in FILE


def test_every_command_of_the_guide_exists() -> None:
    commands = set(re.findall(r"python -m include\.policy (\w+)", GUIDE))
    assert commands == {"lint", "ropa", "coverage", "schema"}
