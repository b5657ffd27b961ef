"""Whose a lead or a result is: by an address, or by the name of a LinkedIn profile in its public address.

Names of profiles are the same in small and capital letters, as LinkedIn treats them; only ASCII letters are folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Subject
from include.systems.addresses import addresses, same
from include.systems.mentions import Mentions
from include.systems.phantombuster.calls import Lead

LINKEDIN = "linkedin:"
_PROFILE = re.compile(r"linkedin\.com/in/([^/?#\s\"'<>]+)", re.IGNORECASE)


class Matching:
    """A set of persons to be recognised; false if there is nobody."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._mentions = Mentions(subjects, (IdentifierKind.EMAIL,))
        self._emails: dict[str, set[str]] = {}
        self._slugs: dict[str, set[str]] = {}
        for subject in subjects:
            for address in addresses(subject):
                self._emails.setdefault(address, set()).add(subject.ref)
            for slug in slugs(subject):
                self._slugs.setdefault(slug, set()).add(subject.ref)

    def __bool__(self) -> bool:
        return bool(self._emails or self._slugs)

    def of_lead(self, lead: Lead) -> set[str]:
        """The persons whose lead it is."""
        by_email = (self._emails.get(same(email), ()) for email in lead.emails)
        return {ref for refs in (*by_email, self._slugs.get(same(lead.slug), ())) for ref in refs}

    def of_result(self, result: Any) -> set[str]:
        """The persons whom what a run collected names anywhere."""
        found = self._mentions.refs(result)
        for text in _texts(result):
            for slug in _PROFILE.findall(text):
                found |= self._slugs.get(same(unquote(slug)), set())
        return found


def slugs(subject: Subject) -> tuple[str, ...]:
    """Names of a person's LinkedIn profiles, folded."""
    known = subject.values(IdentifierKind.EXTERNAL_ID)
    return tuple(
        same(value.removeprefix(LINKEDIN))
        for value in known
        if value.startswith(LINKEDIN) and any(character.isalnum() for character in value.removeprefix(LINKEDIN))
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
