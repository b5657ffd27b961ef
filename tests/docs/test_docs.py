"""What the documents point to exists: files, make targets, commands, variables, systems, states."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from include.orchestration.pools import AGGREGATES_POOL, REQUESTS_POOL, pools
from include.orchestration.settings import Settings
from include.policy.loader import load
from include.retention.status import State
from include.systems import registry

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURES = "docs/images/"
"""Made from a running product, not kept beside the text."""


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        if not link.startswith(("http", PICTURES)):
            assert (document.parent / link).exists(), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_exist(document: Path) -> None:
    """A path in code style that begins with a folder of the repository and has no place-holder in it."""
    tops = "include|tests|docs|dags|plugins|scripts|docker|benchmarks"
    for path in re.findall(rf"`((?:{tops})/[\w./-]+)`", document.read_text()):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_that_are_named_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    assert set(re.findall(r"\bmake ((?!-)[a-z-]+)(?=`|\s+#|$)", document.read_text(), re.MULTILINE)) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_of_the_ledger_and_the_policy_exist(document: Path) -> None:
    named = set(re.findall(r"python -m (include\.(?:ledger|policy|subjects)) ([a-z-]+)", document.read_text()))
    for module, command in sorted(named):
        done = subprocess.run(
            [sys.executable, "-m", module, command, "--help"], cwd=ROOT, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{module} {command}"


def test_each_governed_system_has_its_connection_explained() -> None:
    text = text_of("docs/connections.md")
    for system in {*pools(load(Settings.read().policy_file))} - {REQUESTS_POOL, AGGREGATES_POOL} | {*registry.ERASING}:
        assert f'"conn_type": "{system}"' in text, system
    for example in re.findall(r"```json\n(.*?)```", text, re.DOTALL):
        assert isinstance(yaml.safe_load(example), dict)


def test_the_guide_explains_every_state_that_a_rule_can_be_in() -> None:
    text = text_of("docs/operators-guide.md")
    for state in State:
        assert f"`{state.value}`" in text, state


def test_the_variables_that_are_explained_are_those_that_the_settings_read() -> None:
    read = set(re.findall(r"PRIVACY_[A-Z_]+", text_of("include/orchestration/settings.py")))
    assert read <= set(re.findall(r"PRIVACY_[A-Z_]+", text_of("docs/testing.md")))
