"""What a person at the page or another system may hand in, and what they are told where something is wrong.

Pure: text in, values out. Nothing that was handed in is repeated in a message, not even the name of an unknown field:
messages reach screens and logs.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TypeVar

from include.errors import Refused
from include.policy.persons import IdentifierKind, RequestType
from include.subjects.identifiers import Identifier
from include.subjects.normalise import canonical

IDENTIFIERS = {"email": IdentifierKind.EMAIL, "user_id": IdentifierKind.USER_ID}
"""Fields by which a person can be named, and the kinds of identifiers that they are."""
FIELDS = ("type", *IDENTIFIERS, "received_on", "answer")
"""Everything that may be handed in."""
OLDEST_YEARS = 5
"""A request cannot have been received longer ago."""

_TRUTH = {"": True, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Draft:
    """One person's request, checked and not yet opened.

    Args:
        type: what was asked for.
        identifiers: what the person is known by, as it was given; one or two.
        received_on: the day on which the person asked.
        answer: the person is told when it is done.
    """

    type: RequestType
    identifiers: tuple[Identifier, ...] = field(repr=False)
    received_on: date
    answer: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in what was handed in.

    Args:
        field: one of ``FIELDS``; None where it is about the whole.
        message: sentences for people that do not repeat what was handed in.
    """

    field: str | None
    message: str

    def __str__(self) -> str:
        return f"'{self.field}': {self.message}" if self.field else self.message


class IntakeInvalid(Refused):
    """What was handed in has mistakes.

    Args:
        problems: all of them.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("intake", "read the request", " ".join(map(str, problems)))
        self.problems = problems


def read_form(fields: Mapping[str, str], today: date) -> Draft:
    """Read the fields of a form; empty ones count as left out.

    Args:
        fields: by the names of ``FIELDS``.
        today: the day in UTC, which is also when a request was received that does not say.

    Raises:
        IntakeInvalid: with every mistake that there is.
    """
    problems = unknown_fields(fields)
    given = {name: fields.get(name, "").strip() for name in FIELDS}

    def attempt(name: str, read: Callable[[str], _Value], instead: _Value) -> _Value:
        try:
            return read(given[name])
        except Refused as error:
            problems.append(Problem(name, error.next_step))
            return instead

    draft = Draft(
        type=attempt("type", _type, RequestType.ERASURE),
        identifiers=tuple(
            Identifier(kind, given[name])
            for name, kind in IDENTIFIERS.items()
            if given[name] and attempt(name, partial(canonical, kind), "")
        ),
        received_on=attempt("received_on", lambda text: _day(text, today), today),
        answer=attempt("answer", _truth, True),
    )
    if not any(given[name] for name in IDENTIFIERS):
        problems.append(Problem(None, "Nobody is named: give an e-mail address ('email'), a 'user_id', or both."))
    if problems:
        raise IntakeInvalid(tuple(problems))
    return draft


def read_json(body: object, today: date) -> Draft:
    """Read the decoded JSON body of another system's call: texts, and true or false for ``answer``; null is left out.

    Args:
        body: what the JSON text stood for.
        today: as for ``read_form``.

    Raises:
        IntakeInvalid: with every mistake that there is, or the first of its form.
    """
    if not isinstance(body, Mapping):
        raise IntakeInvalid((Problem(None, f"The body must be a JSON object with the fields {_list(FIELDS)}."),))
    fields = {str(name): value for name, value in body.items() if value is not None}
    problems = unknown_fields(fields)
    for name in FIELDS:
        wanted, words = (bool, "true or false") if name == "answer" else (str, "text in quotes")
        if name in fields and not isinstance(fields[name], wanted):
            problems.append(Problem(name, f"It must be {words}."))
    if problems:
        raise IntakeInvalid(tuple(problems))
    return read_form({name: str(value) for name, value in fields.items()}, today)


def unknown_fields(names: Iterable[str]) -> list[Problem]:
    """One problem for the fields that are not known, if there are any; it suggests the one that may be meant."""
    unknown = [name for name in names if name not in FIELDS]
    if not unknown:
        return []
    meant = dict.fromkeys(near for name in unknown for near in difflib.get_close_matches(name.lower(), FIELDS, n=1))
    what = "A field is not known here." if len(unknown) == 1 else f"{len(unknown)} fields are not known here."
    guess = f" Is {_list(meant)} meant?" if meant else ""
    return [Problem(None, f"{what}{guess} The fields are {_list(FIELDS)}.")]


def _type(text: str) -> RequestType:
    try:
        return RequestType(text.lower())
    except ValueError:
        names = " or ".join(f"'{kind.value}'" for kind in RequestType)
        raise Refused("intake", "read the type", f"Say what the person asked for: {names}.") from None


def _day(text: str, today: date) -> date:
    if not text:
        return today
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise Refused("intake", "read the day", "Write the day as year-month-day, as in 2026-01-31.")
    if day > today:
        raise Refused("intake", "read the day", "It lies in the future (days are those of UTC).")
    if (day.year + OLDEST_YEARS, day.month, day.day) < (today.year, today.month, today.day):
        raise Refused("intake", "read the day", f"It is more than {OLDEST_YEARS} years ago: is the year right?")
    return day


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTH:
        raise Refused(
            "intake", "read the answer", "Say 'true' if the person is to be told when it is done, or 'false'."
        )
    return _TRUTH[text.lower()]


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
