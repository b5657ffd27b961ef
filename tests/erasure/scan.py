"""An independent look at the whole company: reads every service from behind and shares nothing with the modules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from include.sandbox.company import Company
from include.sandbox.estate import Estate
from include.sandbox.records import Person

Place = tuple[str, str]
Contents = Mapping[Place, frozenset[str]]
_INSIDE_BEFORE = re.compile(r"[\w.+-]")
_INSIDE_AFTER = re.compile(r"[\w-]|[.@]\w")


def look(company: Company) -> Contents:
    """Every record of every service, as text."""
    return {
        (service, collection): frozenset(_text(record) for record in company.records(service, collection))
        for service in company.services
        for collection in company.counts(service)
    }


class Index:
    """The contents as one long text for each collection, in which a thousand people are looked for in a minute."""

    def __init__(self, contents: Contents) -> None:
        self._texts = {place: "\n".join(sorted(records)).lower() for place, records in contents.items()}

    def mentions(self, needles: Iterable[str]) -> dict[Place, int]:
        """In how many records of which collection something of a person is found, whole and in any letter case.

        An address that another one ends or begins with is not found in that other one: it is somebody else's.
        """
        wanted = [needle.lower() for needle in needles if needle]
        found = {
            place: len({line for needle in wanted for line in _lines(text, needle)})
            for place, text in self._texts.items()
        }
        return {place: count for place, count in found.items() if count}


def mentions(contents: Contents, needles: Iterable[str]) -> dict[Place, int]:
    """See :meth:`Index.mentions`."""
    return Index(contents).mentions(needles)


def _lines(text: str, needle: str) -> Iterator[int]:
    """Where the lines start that hold a needle as a whole."""
    at = text.find(needle)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(needle) : at + len(needle) + 2]
        if not _INSIDE_BEFORE.match(before) and not _INSIDE_AFTER.match(after):
            yield text.rfind("\n", 0, at)
        at = text.find(needle, at + 1)


def changed(before: Contents, after: Contents) -> dict[Place, frozenset[str]]:
    """Records that are no longer as they were."""
    gone = {place: records - after.get(place, frozenset()) for place, records in before.items()}
    return {place: records for place, records in gone.items() if records}


@dataclass(frozen=True)
class Known:
    """Everything by which a person can be recognised, from the generator of the company."""

    uid: str
    emails: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def needles(self) -> tuple[str, ...]:
        """All of it."""
        return (self.uid, *self.emails, *self.ids)


def known(estate: Estate, person: Person) -> Known:
    """What the company knows of one of its people."""
    fields: dict[str, Any] = next(
        dict(document.fields) for document in estate.users() if document.id == f"users/{person.uid}"
    )
    plain = ("analytics_client_ids", "analytics_app_instance_ids", "push_ids", "installation_ids", "oauth_tokens")
    ids = [str(value) for name in plain for value in fields.get(name, ())]
    # The name of the service stands before the id only in the company's own records.
    for name in ("external_ids", "notification_channels"):
        ids += [str(value).partition(":")[2] for value in fields.get(name, ())]
    return Known(person.uid, (person.email, *map(str, fields.get("past_emails", ()))), tuple(ids))


def _text(record: Mapping[str, Any]) -> str:
    # The rest of its life is the one thing of a record that changes by itself.
    lasting = {name: value for name, value in record.items() if name != "ttl"}
    return json.dumps(lasting, sort_keys=True, default=str, ensure_ascii=False)
