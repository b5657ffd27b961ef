"""Where reports are kept."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import Refused, Unavailable
from include.reports import store
from include.reports.model import AuditReport
from tests.reports.nights import build, good_night

RUN = "run_abcdefghijklmnop"
NAME = f"retention-2026-11-22-{RUN}"


@pytest.fixture(params=["folder", "object store"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "deep" / "reports")
    else:
        folder = f"/{uuid.uuid4().hex}"
        yield f"memory:/{folder}"
        if fsspec.filesystem("memory").exists(folder):
            fsspec.filesystem("memory").rm(folder, recursive=True)


def report(*, days: int = 0, run: str = RUN, sentence: str | None = None) -> AuditReport:
    one = build(good_night())
    at = replace(one.run, run=run, as_of=one.run.as_of + timedelta(days=days))
    return replace(one, run=at, sentence=sentence or one.sentence)


def files(base: str) -> set[str]:
    system, root = fsspec.core.url_to_fs(base)
    return {str(path).rsplit("/", 1)[-1] for path in system.ls(root, detail=False)}


def test_a_report_is_three_files_and_the_latest_page(base: str) -> None:
    assert store.write(report(), base) == f"{NAME}.html"
    assert files(base) == {f"{NAME}.html", f"{NAME}.json", f"{NAME}.csv", "latest.html"}
    assert store.read(base, f"{NAME}.html") == store.read(base, "latest.html")


def test_the_same_run_again_replaces_its_files(base: str) -> None:
    store.write(report(sentence="First."), base)
    store.write(report(sentence="Second."), base)
    assert len(files(base)) == 4
    assert [one.sentence for one in store.listing(base)] == ["Second."]


def test_the_latest_page_is_that_of_the_newest_night_whatever_is_written_last(base: str) -> None:
    store.write(report(days=1, run="run_bbbbbbbbbbbbbbbb"), base)
    store.write(report(), base)
    assert b"run_bbbbbbbbbbbbbbbb" in store.read(base, "latest.html")


def test_the_list_has_the_newest_first_and_says_the_result(base: str) -> None:
    for days in (0, 2, 1):
        store.write(report(days=days, run=f"run_{'bcd'[days] * 16}"), base)
    listed = store.listing(base)
    assert [one.day for one in listed] == ["2026-11-24", "2026-11-23", "2026-11-22"]
    assert (listed[0].verdict, listed[0].dry_run) == ("proved", False)
    assert listed[0].sentence.startswith("Everything due was removed")
    assert [one.day for one in store.listing(base, most=1)] == ["2026-11-24"]


def test_there_is_nothing_to_list_before_the_first_report(base: str) -> None:
    assert store.listing(base) == []
    assert store.find(base, RUN) is None


def test_a_run_is_found_by_its_id(base: str) -> None:
    store.write(report(), base)
    assert store.find(base, RUN) == f"{NAME}.html"
    assert store.find(base, "run_bbbbbbbbbbbbbbbb") is None


def test_a_damaged_report_is_listed_as_such_and_hides_no_other(base: str) -> None:
    store.write(report(), base)
    system, root = fsspec.core.url_to_fs(base)
    system.pipe_file(f"{root}/retention-2026-11-30-run_bbbbbbbbbbbbbbbb.json", b'{"run": []}')
    assert [one.verdict for one in store.listing(base)] == ["damaged", "proved"]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.html",
        f"../reports/{NAME}.html",
        f"{NAME}.html/../../secret",
        f"/etc/{NAME}.html",
        f"{NAME}.txt",
        f"{NAME}.html\n",
        f"{NAME}.HTML",
        f"{NAME}\x00.html",
        f".{NAME}.html",
        "retention-2026-11-22-run_ABCDEFGHIJKLMNOP.html",
        "retention-\uff12026-11-22-run_abcdefghijklmnop.html",
        "..\\latest.html",
        "",
    ],
)
def test_no_other_name_is_ever_opened(base: str, name: str) -> None:
    store.write(report(), base)
    with pytest.raises(Refused) as refused:
        store.read(base, name)
    assert "name" in str(refused.value)
    assert not name or name not in str(refused.value)


@given(st.text())
def test_any_text_is_a_report_name_only_if_it_has_the_form(text: str) -> None:
    with pytest.raises(Refused):
        store.read("/nonexistent", text)


def test_a_report_that_is_not_there_is_refused(base: str) -> None:
    with pytest.raises(Refused):
        store.read(base, f"{NAME}.html")


def test_a_run_with_a_foreign_id_is_not_written(base: str) -> None:
    with pytest.raises(Refused):
        store.write(report(run="../../elsewhere"), base)
    assert store.listing(base) == []


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_crash_before_the_rename_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    base = str(tmp_path)
    store.write(report(sentence="First."), base)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space", "/secret/path")

    monkeypatch.setattr(*{"fsync": ("os.fsync", fail), "replace": ("pathlib.Path.replace", fail)}[failing])
    with pytest.raises(Unavailable) as error:
        store.write(report(sentence="Second."), base)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert "secret" not in str(error.value)


def test_a_file_is_complete_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed: list[tuple[str, bytes]] = []
    rename = Path.replace

    def watch(source: Path, target: Path) -> Path:
        renamed.append((target.name, source.read_bytes()))
        return rename(source, target)

    monkeypatch.setattr(Path, "replace", watch)
    store.write(report(), str(tmp_path))
    assert {name: content for name, content in renamed} == {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert [name for name, _ in renamed][2] == f"{NAME}.json"


def test_a_place_that_does_not_work_is_unavailable_and_its_url_is_not_told() -> None:
    with pytest.raises(Unavailable) as error:
        store.listing("nosuchprotocol://user:secret@host/reports")
    assert "secret" not in str(error.value)
