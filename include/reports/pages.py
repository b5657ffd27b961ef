"""The pages around the reports: the list, the frame of one report, a message. Pure: values in, HTML out."""

from __future__ import annotations

from collections.abc import Sequence

from include.reports.render import environment, style, style_source
from include.reports.store import Listed

POLICY = f"default-src 'none'; style-src {style_source()}; frame-src 'self'"
"""Content-Security-Policy of these pages, without the directives that every page has."""


def list_page(reports: Sequence[Listed]) -> str:
    """All reports, the newest first; links are relative to the folder of the page."""
    return _page("list.html.j2", reports=reports)


def report_page(name: str) -> str:
    """The frame of one report, one folder below the list. ``name`` has no ending."""
    return _page("report.html.j2", name=name)


def message_page(title: str, text: str, *, up: str) -> str:
    """Something that can't be shown, and why. ``up`` leads to the list."""
    return _page("message.html.j2", title=title, text=text, up=up)


def _page(template: str, **values: object) -> str:
    return environment().get_template(f"pages/{template}").render(style=style(), **values)
