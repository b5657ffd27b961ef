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
_AT_SERVICE = re.compile(r"(?:google|microsoft|linkedin|facebook|instagram|twitter):(.+)")
_CHANNEL = re.compile(r"[0-9a-f-]{36}/[\w-]+")


def look(company: Company) -> Contents:
    """Every record of every service, as text. An account's links to other providers are records of their own."""
    found: dict[Place, set[str]] = {}
    for service in company.services:
        for collection in company.counts(service):
            for record in company.records(service, collection):
                for part, content in _parts((service, collection), record):
                    found.setdefault(part, set()).add(_text(content))
    return {place: frozenset(records) for place, records in found.items()}


def _parts(place: Place, record: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    if place != ("identitytoolkit", "accounts"):
        yield place, record
        return
    own = [provider for provider in record["providers"] if provider["providerId"] == "password"]
    yield place, {**record, "providers": own}
    for provider in record["providers"]:
        if provider not in own:
            yield (place[0], "links"), {"local_id": record["local_id"], **provider}


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
        return (self.uid, *self.emails, *self.ids, *self.at_services)

    @property
    def at_services(self) -> tuple[str, ...]:
        """What a service itself has of an id that the profile keeps with the service's name before it."""
        bare = [match[1] for match in map(_AT_SERVICE.fullmatch, self.ids) if match]
        channels = [value.split("/") for value in bare if _CHANNEL.fullmatch(value)]
        return (*bare, *(part for channel in channels for part in channel))


def known(estate: Estate, person: Person) -> Known:
    """What the company knows of one of its people."""
    fields: dict[str, Any] = next(
        dict(document.fields) for document in estate.users() if document.id == f"users/{person.uid}"
    )
    lists = (
        *("analytics_client_ids", "analytics_app_instance_ids", "push_ids", "installation_ids"),
        *("oauth_tokens", "external_ids", "notification_channels"),
    )
    ids = [str(value) for name in lists for value in fields.get(name, ())]
    ids += filter(None, [estate.identities[person.uid].phone])
    return Known(person.uid, (person.email, *map(str, fields.get("past_emails", ()))), tuple(ids))


def _text(record: Mapping[str, Any]) -> str:
    # The rest of its life is the one thing of a record that changes by itself.
    lasting = {name: value for name, value in record.items() if name != "ttl"}
    return json.dumps(lasting, sort_keys=True, default=str, ensure_ascii=False)
