"""The pages about requests inside Airflow's web server. Pure: values in, HTML out; every value is escaped.

``root`` is the path under which the application is mounted; all links are made of it. ``token`` protects a form from
being sent by another site (see ``include.orchestration.web.forms``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from include.erasure.overview import SCANNED, Page
from include.erasure.status import Stage
from include.erasure.summary import Summary
from include.erasure.telling import TYPES
from include.reports.render import source_of
from include.reports.requests import sheet, templates
from include.requests.intake import FIELDS
from include.requests.table import MOST_BYTES, MOST_ROWS, LineError

REPORTS = ("/", "All reports")
REQUESTS = ("/requests", "All requests")
"""Where a message leads back to: the path below the root, and its name."""


@dataclass(frozen=True, slots=True)
class Shell:
    """What every page has around it.

    Args:
        root: path of the application.
        may_open: the reader may open, cancel and start requests.
        token: for the forms of this reader; "" where there is none.
    """

    root: str
    may_open: bool = False
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed into a form and what is wrong with it, by field; None is about the whole."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: tuple[tuple[str | None, str], ...] = ()

    def of(self, name: str | None) -> list[str]:
        """What is wrong with one field."""
        return [message for found, message in self.problems if found == name]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the DAG for a request: Airflow's id of it, its state, and the path of its page."""

    id: str
    state: str
    path: str


@dataclass(frozen=True, slots=True)
class Started:
    """What Airflow says of the work on a request.

    Args:
        known: Airflow answered.
        runs: newest first.
        paused: the DAG does not run before somebody unpauses it.
    """

    known: bool = True
    runs: tuple[Run, ...] = ()
    paused: bool = False

    @property
    def active(self) -> bool:
        """A run has not ended."""
        return any(run.state in {"queued", "running"} for run in self.runs)


@dataclass(frozen=True, slots=True)
class Offers:
    """What the reader may do to a request now: start it, cancel it, record work by hand in these systems."""

    start: bool = False
    cancel: bool = False
    by_hand: tuple[str, ...] = ()


def policy() -> str:
    """Content-Security-Policy of these pages, without the directives that every page has."""
    return f"default-src 'none'; style-src {source_of(sheet())}"


def list_page(shell: Shell, page: Page, *, stage: Stage | None, older: str | None, notice: str = "") -> str:
    """All requests. ``older`` is the query of the next page."""
    return _page(
        "list.html.j2",
        shell,
        page=page,
        stage=stage,
        stages=[one.value for one in Stage],
        older=older,
        notice=notice,
    )


def request_page(
    shell: Shell,
    summary: Summary,
    *,
    started: Started,
    offers: Offers,
    notice: str = "",
    wrong: Mapping[str, Typed] | None = None,
) -> str:
    """One request. ``wrong`` has the forms of the page that were refused, by the name of their action."""
    return _page(
        "request.html.j2",
        shell,
        summary=summary,
        started=started,
        offers=offers,
        notice=notice,
        wrong={name: (wrong or {}).get(name, Typed()) for name in ("start", "cancel", "manual")},
        names={row.system: row.name for row in summary.systems},
    )


def batch_page(
    shell: Shell,
    batch: str,
    page: Page,
    *,
    size: int,
    stages: Mapping[str, int],
    older: str | None,
    started: Started,
    notice: str = "",
) -> str:
    """The requests that came in together. ``stages`` counts the newest of them by where they stand."""
    return _page(
        "batch.html.j2",
        shell,
        batch=batch,
        page=page,
        size=size,
        stages=stages,
        counted=SCANNED,
        older=older,
        started=started,
        notice=notice,
    )


def new_page(shell: Shell, typed: Typed, *, today: str) -> str:
    """The form for one person's request."""
    return _page("new.html.j2", shell, typed=typed, types=TYPES, today=today)


def upload_page(shell: Shell, errors: Sequence[LineError] = (), *, good: int = 0, problem: str = "") -> str:
    """The form for a file of requests, and what is wrong with the one that was handed in."""
    return _page(
        "upload.html.j2",
        shell,
        errors=errors,
        good=good,
        problem=problem,
        fields=FIELDS,
        most_rows=MOST_ROWS,
        most_megabytes=MOST_BYTES // 1024**2,
    )


def open_page(shell: Shell, dag: str, page: Page) -> str:
    """The requests that a nightly run works on, for the tab on the run's own page."""
    return _page("open.html.j2", shell, dag=dag, page=page)


def message_page(shell: Shell, title: str, text: str, back: tuple[str, str]) -> str:
    """Something that can't be shown or done, and why. ``back`` is where to go from there."""
    return _page("message.html.j2", shell, title=title, text=text, back=back)


def _page(template: str, shell: Shell, **values: object) -> str:
    return templates().get_template(f"requests/{template}").render(style=sheet(), shell=shell, **values)
