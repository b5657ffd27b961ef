"""A good policy, ways to spoil it, and what the lint says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from include.policy.actions import Action
from include.policy.document import parse
from include.policy.errors import Finding, Severity
from include.policy.lint import lint

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
