"""The thirtieth system of docs/adding-a-system.md, built from the document's own blocks in a copy of this tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "adding-a-system.md"
PARTS = ("include", "tests", "docs", "dags", "plugins", "pyproject.toml")
FENCE = re.compile(r"^(`{3,})(\w+)(?: (\S+))?\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of the document: a new file, lines for a file that exists, or commands."""

    form: str
    file: str
    content: str


def blocks() -> list[Block]:
    return [Block(form, file, content) for _, form, file, content in FENCE.findall(DOCUMENT.read_text())]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the document speaks of."""
    copy = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "images"))
        else:
            shutil.copy(ROOT / part, copy / part)
    row = copy / "include/sandbox/services.py"
    # A row of twins that is empty is written on one line.
    row.write_text(row.read_text().replace("= {}\n", "= {\n}\n"))
    return copy


def run(tree: Path, *command: str) -> str:
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def insert(path: Path, lines: list[str]) -> None:
    """Put the lines with ``+`` where those around them are, exactly once."""
    before = "".join(line[1:] for line in lines if line[0] == " ")
    after = "".join(line[1:] for line in lines)
    text = path.read_text()
    assert text.count(f"\n{before}") == 1, f"{path.name} has these lines not once:\n{before}"
    path.write_text(text.replace(f"\n{before}", f"\n{after}"))


def build(tree: Path, block: Block) -> str:
    """Do what a block says."""
    if block.form == "sh":
        return run(tree, "sh", "-ec", block.content)
    target = tree / block.file
    if block.form == "diff":
        insert(target, [line if line.strip() else " \n" for line in block.content.splitlines(keepends=True)])
    else:
        assert not target.exists(), f"{block.file} is there already: the document calls it new"
        target.write_text(block.content)
    return ""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_system_of_the_document_passes_what_every_system_must(tree: Path) -> None:
    said = [build(tree, block) for block in blocks()]
    made = [block.file for block in blocks() if block.form == "python"]
    assert len(made) == 4
    assert any(re.search(r"[3-9][0-9] passed", text) for text in said), said
    assert "brevity" in (tree / "docs" / "systems.md").read_text()
    run(tree, "ruff", "check", *made)
    run(tree, "ruff", "format", "--check", *made)
    run(tree, "lint-imports")
    run(tree, "mypy", "include/systems/brevity.py", "include/sandbox/brevity.py")
    unknown = run(tree, sys.executable, "-m", "include.assurance", "brevity")
    assert "not connected" in unknown
