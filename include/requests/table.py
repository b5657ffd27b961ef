"""A CSV file of many requests, one person per line.

UTF-8 with or without a byte order mark, commas or semicolons, quotes as in RFC 4180, the first line names the columns.
Errors name line and column and never repeat what is written there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from include.requests.intake import FIELDS, IDENTIFIERS, Draft, IntakeInvalid, Problem, read_form, unknown_fields
from include.subjects.identifiers import Identifier
from include.subjects.normalise import canonical

MOST_ROWS = 10_000
"""Most persons in one file."""
MOST_BYTES = 5 * 1024 * 1024
"""Largest file."""

# What a spreadsheet would compute. A single word that begins with a hyphen is none: some stores make such user ids.
_FORMULA = re.compile(r"[=@]|[+-](?![\w-]*$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class LineError:
    """A mistake in a file.

    Args:
        line: of the file, from 1; where a row spans several, its first.
        message: sentences for people that name the column and do not repeat what is written there.
    """

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class CsvReading:
    """What a file says.

    Args:
        rows: the requests that are in order.
        errors: what is wrong with the others, by line. A file that cannot be read has one error and no rows.
    """

    rows: tuple[Draft, ...]
    errors: tuple[LineError, ...]


class _Broken(Exception):
    """The file as a whole cannot be read."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.error = LineError(line, message)


def read_csv(data: bytes, today: date) -> CsvReading:
    """Read a file of requests. Whether one error stops all of them is the caller's choice.

    Args:
        data: the file.
        today: as for ``include.requests.intake.read_form``.
    """
    rows: list[Draft] = []
    errors: list[LineError] = []
    seen: dict[Identifier, int] = {}
    try:
        table = _records(_text(data))
        columns = _columns(next(table, None))
        for number, (line, cells) in enumerate(table, 1):
            if number > MOST_ROWS:
                raise _Broken(line, f"The file has more than {MOST_ROWS} rows: split it.")
            try:
                draft = read_form(_fields(columns, cells), today)
                _once(draft, line, seen)
                rows.append(draft)
            except IntakeInvalid as error:
                errors += [LineError(line, _of_column(problem)) for problem in error.problems]
    except _Broken as broken:
        return CsvReading((), (broken.error,))
    if not rows and not errors:
        return CsvReading((), (LineError(1, "The file names nobody: it has no row below its header."),))
    return CsvReading(tuple(rows), tuple(errors))


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise _Broken(1, f"The file is larger than {MOST_BYTES // 1024**2} MB: split it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    raise _Broken(line, "The file is not in UTF-8: choose 'CSV UTF-8' where you save it.")


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the line on which it begins."""
    header = text.lstrip().partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if header.count(";") > header.count(",") else ",", strict=True
    )
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error:
        raise _Broken(
            line, "A cell is far too long, or its quotes are not closed or inside of a word: mend it."
        ) from None


def _columns(header: tuple[int, list[str]] | None) -> list[str]:
    if header is None:
        raise _Broken(1, f"The file is empty. Its first line names the columns: {', '.join(FIELDS)}.")
    line, names = header[0], [name.lower() for name in header[1]]
    while names and not names[-1]:
        names.pop()
    for problem in unknown_fields(names):
        advice = "The first line names the columns, separated by commas or semicolons."
        raise _Broken(line, f"{problem.message.replace('field', 'column')} {advice}")
    if len(set(names)) < len(names):
        raise _Broken(line, "A column is there twice.")
    if "type" not in names or not any(name in names for name in IDENTIFIERS):
        raise _Broken(line, "The columns 'type' and at least one of 'email' and 'user_id' are needed.")
    return names


def _fields(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    extra = any(cells[len(columns) :])
    if extra or len(cells) < len(columns):
        message = f"The row has {len(cells)} cells and the header {len(columns)}: is a comma or a quote missing?"
        raise IntakeInvalid((Problem(None, message),))
    fields = dict(zip(columns, cells, strict=False))
    formulas = [name for name, text in fields.items() if _FORMULA.match(text)]
    if formulas:
        message = "It begins like a formula of a spreadsheet (=, +, -, @): write the plain value."
        raise IntakeInvalid(tuple(Problem(name, message) for name in formulas))
    return fields


def _once(draft: Draft, line: int, seen: dict[Identifier, int]) -> None:
    """Refuse whoever is named in an earlier row."""
    names = {kind: name for name, kind in IDENTIFIERS.items()}
    forms = [Identifier(known.kind, canonical(known.kind, known.value)) for known in draft.identifiers]
    again = [form for form in forms if form in seen]
    if again:
        message = "It is the same as in line {}: one row per person."
        raise IntakeInvalid(tuple(Problem(names[form.kind], message.format(seen[form])) for form in again))
    seen.update(dict.fromkeys(forms, line))


def _of_column(problem: Problem) -> str:
    return f"Column '{problem.field}': {problem.message}" if problem.field else problem.message
