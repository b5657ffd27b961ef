"""Results as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TypeAlias

Row: TypeAlias = Mapping[str, object]


def show(rows: Iterable[Row]) -> None:
    """Print rows as tables in Markdown, a new table wherever the columns change."""
    for columns, group in groupby(rows, key=tuple):
        lines = [columns, *([_text(row[name]) for name in columns] for row in group)]
        widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
        for number, line in enumerate(lines):
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            print("| " + " | ".join(cells) + " |")
            if number == 0:
                print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
        print()


def _text(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
