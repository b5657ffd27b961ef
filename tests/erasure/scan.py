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


def mentions(contents: Contents, needles: Iterable[str]) -> dict[Place, int]:
    """In how many records of which collection something of a person is found, whole and in any letter case.

    An address that is the end of another one's is not found in that other one: it is somebody else's.
    """
    any_of = "|".join(re.escape(needle) for needle in needles)
    whole = re.compile(rf"(?<![\w.+-])(?:{any_of})(?![\w-])", re.IGNORECASE)
    found = {place: sum(whole.search(record) is not None for record in records) for place, records in contents.items()}
    return {place: count for place, count in found.items() if count}


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
    ids = tuple(str(value) for name in lists for value in fields.get(name, ()))
    return Known(person.uid, (person.email, *map(str, fields.get("past_emails", ()))), ids)


def _text(record: Mapping[str, Any]) -> str:
    # The rest of its life is the one thing of a record that changes by itself.
    lasting = {name: value for name, value in record.items() if name != "ttl"}
    return json.dumps(lasting, sort_keys=True, default=str, ensure_ascii=False)
