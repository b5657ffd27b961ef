"""Where reports are kept: a folder, or any URL that fsspec understands (``gs://…``, ``s3://…``).

A report is files of one name, ``retention-<date>-<run>`` with ``.html``, ``.csv`` and ``.json``, or
``assurance-<date>-<run>`` without ``.csv``; the JSON is written last, and a report without it does not exist for a
reader. ``latest.html`` repeats the page of the newest report on retention.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from include.errors import Refused, Unavailable
from include.reports import assurance
from include.reports.assurance import AssuranceReport
from include.reports.model import AuditReport
from include.reports.render import as_csv, as_html, as_json

LATEST = "latest.html"
_NAME = re.compile(
    r"(?P<about>retention|assurance)-(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})-(?P<run>run_[a-z2-7]{16})"
    r"\.(?P<form>html|json|csv)"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A report in the list of reports; ``name`` is its files' name without the ending, ``about`` its first word."""

    name: str
    about: str
    day: str
    run: str
    verdict: str
    dry_run: bool
    sentence: str
    closed_at: str


def write(report: AuditReport, base: str) -> str:
    """Write the three files and, for the newest date, ``latest.html``. Writing the same run again replaces them.

    Returns:
        name of the page, to be read with :func:`read`.

    Raises:
        Refused: the run's id is not one that this product makes.
        Unavailable: the place cannot be written.
    """
    page = _checked(f"{report.name}.html")
    html = as_html(report).encode()
    with _place(base, "write a report") as place:
        place.put(page, html)
        place.put(f"{report.name}.csv", as_csv(report).encode())
        place.put(f"{report.name}.json", as_json(report).encode())
        days = (found["day"] for found in place.reports() if found["about"] == "retention")
        if all(day <= f"{report.run.as_of:%Y-%m-%d}" for day in days):
            place.put(LATEST, html)
    return page


def write_assurance(report: AssuranceReport, base: str) -> str:
    """Write the two files of a night of checks. Writing the same run again replaces them.

    Returns:
        name of the page, to be read with :func:`read`.

    Raises:
        Refused: the run's id is not one that this product makes.
        Unavailable: the place cannot be written.
    """
    page = _checked(f"{report.name}.html")
    with _place(base, "write a report") as place:
        place.put(page, assurance.as_html(report).encode())
        place.put(f"{report.name}.json", assurance.as_json(report).encode())
    return page


def listing(base: str, *, most: int = 60) -> list[Listed]:
    """The newest reports, the newest first; none where nothing was ever written.

    Raises:
        Unavailable: the place cannot be read.
    """
    with _place(base, "list the reports") as place:
        reports = sorted(
            (found for found in place.reports() if found["form"] == "json"), key=lambda found: (found["day"], found[0])
        )
        newest = reports[-most:]
        contents = place.get_all([found[0] for found in newest])
    listed = [_listed(found, contents[found[0]]) for found in newest if found[0] in contents]
    return sorted(listed, key=lambda one: (one.day, one.closed_at), reverse=True)


def find(base: str, run: str) -> str | None:
    """Name of the page of a run, if it has a report."""
    with _place(base, "find a report") as place:
        pages = (found for found in place.reports() if found["form"] == "html" and found["run"] == run)
        return next((found[0] for found in pages), None)


def read(base: str, name: str) -> bytes:
    """One file of a report, or ``latest.html``.

    Raises:
        Refused: the name is not exactly of that form, or there is no such file.
        Unavailable: the place cannot be read.
    """
    with _place(base, "read a report") as place:
        try:
            return place.get(name if name == LATEST else _checked(name))
        except FileNotFoundError:
            raise Refused("reports", "find a report", "There is none of this name: see the list.") from None


class _Place:
    """The few operations that reports need on one folder."""

    def __init__(self, base: str) -> None:
        self._files, root = fsspec.core.url_to_fs(base)
        self._root = str(root).rstrip("/")

    def put(self, name: str, content: bytes) -> None:
        """Replace a file as a whole: object stores do, a local folder by renaming."""
        if not isinstance(self._files, LocalFileSystem):
            self._files.pipe_file(self._path(name), content)
            return
        target = Path(self._path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{name}.{secrets.token_hex(4)}")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def reports(self) -> list[re.Match[str]]:
        """The names of files that belong to reports, taken apart, in no order."""
        self._files.invalidate_cache(self._root)
        try:
            paths = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        return [found for path in paths if (found := _NAME.fullmatch(str(path).rsplit("/", 1)[-1]))]

    def get(self, name: str) -> bytes:
        """Content of a file."""
        return bytes(self._files.cat_file(self._path(name)))

    def get_all(self, names: list[str]) -> dict[str, bytes]:
        """Contents by name, at once where the store can; a file that has gone meanwhile is left out."""
        found = self._files.cat([self._path(name) for name in names], on_error="omit") if names else {}
        return {str(path).rsplit("/", 1)[-1]: bytes(content) for path, content in found.items()}

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


@contextmanager
def _place(base: str, tried: str) -> Iterator[_Place]:
    """The folder; its failures become the product's, without the URL, which may hold a key."""
    try:
        yield _Place(base)
    except FileNotFoundError:
        raise
    except (OSError, ImportError, ValueError) as error:
        raise Unavailable(
            "reports", tried, f"{type(error).__name__}: check PRIVACY_REPORTS, rights and space."
        ) from None


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Refused("reports", "open a report of this name", "Names look like retention-2026-11-22-run_….html.")
    return name


def _listed(name: re.Match[str], content: bytes) -> Listed:
    stem = name[0].removesuffix(".json")
    try:
        report = json.loads(content)
        run = report["run"]
        return Listed(
            name=stem,
            about=name["about"],
            day=name["day"],
            run=name["run"],
            verdict=report["verdict"],
            dry_run=run["dry_run"] is True,
            sentence=report["sentence"],
            closed_at=run["closed_at"],
        )
    except (ValueError, KeyError, TypeError):
        sentence = "This report is damaged: clear the close task of its run to write it again."
        return Listed(stem, name["about"], name["day"], name["run"], "damaged", False, sentence, "")
