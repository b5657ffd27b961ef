"""Text into HTML, Markdown and CSV without letting a value become markup or a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#!~])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@cache
def environment() -> Environment:
    """The templates of this room; every value is escaped and a missing one is an error."""
    folder = Path(__file__).with_name("templates")
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def markdown_text(value: str) -> str:
    """One line of Markdown that shows ``value`` as it is."""
    return _MARKUP.sub(r"\\\1", " ".join(value.split()))


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A pipe table that ends with a line break."""
    lines = [columns, ["---"] * len(columns), *([markdown_text(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def csv_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """RFC 4180 with CRLF. A cell that a spreadsheet would run as a formula starts with an apostrophe (OWASP)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def _cell(value: str) -> str:
    return f"'{value}" if value.lstrip(" \n").startswith(_FORMULA) else value
