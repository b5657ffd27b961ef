"""A file that is no policy, or can't be read, is told and never a crash; the command exits by what it found."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from include.errors import Refused
from include.policy.__main__ import main
from include.policy.document import parse
from include.policy.errors import PolicyInvalid, Severity
from include.policy.loader import build, load
from tests.policy.lint_kit import GOOD, changed, errors


@pytest.mark.parametrize(
    ("text", "line", "column", "sentence"),
    [
        ("company:\n\tname: x\n", 2, 1, "a tab"),
        ("company: {name: x\nsections: []\n", 2, 9, "not YAML"),
        ("", 1, 1, "must be a mapping"),
        ("- company\n", 1, 1, "must be a mapping"),
        ("company: \x07\n", 1, 1, "characters or nesting"),
        ("a: &one x\nb: *one\n", 1, 4, "an alias"),
        ("<<: {a: b}\n", 1, 1, "merge keys"),
        ("? [a, b]\n: c\n", 1, 3, "a key must be"),
    ],
)
def test_what_is_not_a_policy_at_all_is_a_finding_not_a_crash(text: str, line: int, column: int, sentence: str) -> None:
    places = {(finding.line, finding.column) for finding in errors(text) if sentence in finding.message}
    assert places == {(line, column)}


@pytest.mark.parametrize(
    "name", ["company", "sections", "activities", "systems", "holdings", "guard", "rules", "promises"]
)
@pytest.mark.parametrize("value", ["5", "text", "null", "[1, x]", "{a: 1}", "[{}]", "[[]]"])
def test_a_part_of_the_wrong_kind_is_a_finding_not_a_crash(name: str, value: str) -> None:
    lines = GOOD.splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if line.startswith(f"{name}:"))
    end = next((i for i in range(start + 1, len(lines)) if lines[i][0].isalpha()), len(lines))
    text = "".join([*lines[:start], f"{name}: {value}\n", *lines[end:]])
    found = errors(text)
    assert any(finding.line == start + 1 for finding in found), [finding.at("policy") for finding in found]


def test_load_names_every_mistake_and_survives_the_way_between_processes(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD.replace("trigger: payment", "trigger: paymnt").replace("period: 2 years", "period: 4 years"))
    with pytest.raises(PolicyInvalid) as caught:
        load(file)
    error = caught.value
    assert isinstance(error, Refused)
    assert str(error).count(f"{file}:") >= 2
    assert "2 mistakes" in str(error)
    assert [finding.severity for finding in error.findings] == [Severity.ERROR] * 2
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made in the line above
    assert (str(copy), copy.findings) == (str(error), error.findings)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="exists and may be read"):
        load(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes("name: Büro".encode("latin-1"))
    with pytest.raises(Refused, match="UTF-8"):
        load(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(Refused, match="at most a megabyte"):
        load(tmp_path / "large.yaml")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(GOOD, encoding="utf-8-sig")
    assert load(file).digest == build(parse(GOOD)).digest


def test_the_command_exits_by_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(GOOD)
    bad.write_text(changed("trigger: payment", "trigger: paymnt"))
    assert main(["lint", str(good)]) == 0
    assert main(["lint", str(good)], cards={}) == 1
    capsys.readouterr()
    assert main(["lint", str(bad)]) == 1
    output = capsys.readouterr().out
    assert (
        f"{bad}:109:14: error: there is no trigger in 'order_book.orders' 'paymnt'; did you mean 'payment'?" in output
    )
    assert output.splitlines()[-1] == f"{bad}: errors 1, warnings 2"
    assert main(["ropa", str(bad)]) == 1
    assert main(["lint", str(tmp_path / "absent.yaml")]) == 2


def test_a_file_below_the_working_directory_is_shown_by_its_short_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policy.yaml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    assert main(["lint", str(tmp_path / "policy.yaml")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "policy.yaml: errors 0, warnings 2"
