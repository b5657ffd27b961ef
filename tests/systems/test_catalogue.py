"""The list of systems says what policy and modules say today, of every system."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from include.policy.loader import load
from include.systems import registry
from include.systems.catalogue import CONNECTIONS, POLICY, ROOT, _classes, catalogue

DOCUMENT = ROOT / "docs" / "systems.md"
LINK = re.compile(r"\[[^\]]*\]\((connections\.md)?#([^)]+)\)")


@pytest.fixture(scope="module")
def text() -> str:
    return catalogue(load(POLICY), CONNECTIONS.read_text())


def test_the_document_is_current(text: str) -> None:
    assert DOCUMENT.read_text() == text, "run: python -m include.systems.catalogue > docs/systems.md"


def test_every_system_of_the_policy_has_a_row_and_a_section(text: str) -> None:
    for system in load(POLICY).systems.values():
        assert text.count(f"\n## {system.name}\n") == 1
        assert f"\n| [{system.name}](#" in text


def test_every_module_says_what_a_reader_needs(text: str) -> None:
    policy = load(POLICY)
    for key in registry.ERASING:
        section = text.split(f"\n## {policy.systems[key].name}\n")[1].split("\n## ")[0]
        for name in ("Sent there", "Known by", "Proof", "True", "Rights of the key", "Looked at every day"):
            assert f"**{name}:**" in section, (key, name)
        assert "(connections.md#" in section, f"{key} has no section in docs/connections.md"
        assert registry.erasing_card(key).horizon_note in section


def test_its_links_lead_to_headings(text: str) -> None:
    headings = {Path("connections.md"): _anchors(CONNECTIONS.read_text()), Path(): _anchors(text)}
    links = LINK.findall(text)
    assert links
    for document, anchor in links:
        assert anchor in headings[Path(document)], anchor


def _anchors(document: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", document, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("key", sorted(registry.ERASING))
def test_the_class_behind_each_module_is_found(key: str) -> None:
    assert list(_classes(import_module(registry.ERASING[key]))), "what it answers every day would be left out"
