"""The calls to Ortto, and what a person looks like there.

Every deletion names its people: ``inclusion_ids`` is never empty and holds ids alone. The parameter that selects all
rows of the account is not known here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.systems.addresses import same
from include.systems.http import Http
from include.systems.rates import Pace

KEY = "ortto"
BASE = "https://api.ap3api.com"
CALLS_PER_SECOND = 10.0
"""Of the plan Professional, the smallest (help.ortto.com, rate limits)."""
EMAIL, EXTERNAL_ID, CREATED = "str::email", "str::ei", "c"
PAGE = 500
"""People of a page, the vendor's maximum; more is answered with 50."""
BULK = 100
"""People of one archiving or deletion, the vendor's maximum; and conditions of one search, of which it names none."""
_ID = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the account.

    Args:
        id: the vendor's own; it names nobody.
        email: folded; "" without one.
        external_id: our id of the user; "" without one.
        archived: whether it was archived already.
        fields: as the vendor sends them.
    """

    id: str
    email: str = field(repr=False)
    external_id: str = field(repr=False)
    archived: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Done:
    """What the vendor says of a bulk call: how many it did, and how many it put into its queue."""

    done: int
    queued: int


class Calls:
    """The calls to one account."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def search(self, values: Collection[tuple[str, str]], fields: Sequence[str] = ()) -> Iterator[Person]:
        """People of whom a field is one of the values, as the vendor compares them; archived ones are not among them.

        Args:
            values: pairs of field and value.
            fields: to be read beside address and external id.
        """
        for some in pieces(sorted(values), BULK):
            conditions = [{"$str::is": {"field_id": name, "value": value}} for name, value in some]
            only = conditions[0] if len(conditions) == 1 else {"$or": conditions}
            yield from self._listed({"filter": only}, fields, "search for people")

    def everybody(self, fields: Sequence[str] = (), *, sort: str = CREATED) -> Iterator[list[Person]]:
        """All people but the archived ones, page by page, in the order of a field."""
        yield from self.page_from(0, fields, sort=sort)

    def page_from(self, offset: int, fields: Sequence[str], *, sort: str) -> Iterator[list[Person]]:
        """The same from a place of the list on."""
        more = {"sort_by_field_id": sort, "sort_order": "asc"}
        yield from self._pages(more, fields, "list the people", offset)

    def archived(self, values: Collection[str]) -> list[Person]:
        """The archived people of the values, and others: the archive can be asked for a text and nothing else.

        A whole archive that fits into an answer is read at once. Fields that the list leaves out are read by id.

        Raises:
            Refused: more people match one value than the archive shows.
        """
        tried = "look into the archive"
        answer = self._call("POST", "/v1/person/get", {"type": "archived"}, tried)
        entries = _entries(answer, tried)
        if answer.get("has_more"):
            entries = []
            for value in sorted(values):
                answer = self._call("POST", "/v1/person/get", {"type": "archived", "q": value}, tried)
                if answer.get("has_more"):
                    raise Refused(KEY, tried, "It holds more matches than it shows: delete people there by hand.")
                entries += _entries(answer, tried)
        bare = [_id(entry, tried) for entry in entries if EMAIL not in (entry.get("fields") or {})]
        known = self.by_ids(bare, ())
        people = [known.get(_id(entry, tried)) or _person(entry, tried) for entry in entries]
        return [Person(p.id, p.email, p.external_id, True, p.fields) for p in people]

    def by_ids(self, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Person]:
        """People by id, those that are there."""
        tried, found = "read people by id", dict[str, Person]()
        for some in pieces(ids, BULK):
            body = {"contact_ids": list(some), "fields": [EMAIL, EXTERNAL_ID, *fields]}
            answer = self._call("POST", "/v1/person/get-by-ids", body, tried)
            contacts = answer.get("contacts")
            if not isinstance(contacts, dict):
                raise Inconsistent(KEY, tried, "It answered without people; look at the API.")
            found |= {number: _person({"id": number, **entry}, tried) for number, entry in contacts.items()}
        return {number: person for number, person in found.items() if number in set(ids)}

    def activities(self, number: str) -> Iterator[Mapping[str, Any]]:
        """What a person did, newest first; one call in a second."""
        tried, offset = "read the activities of a person", 0
        while True:
            body = {"person_id": number, "limit": 50, "offset": offset, "timeframe": {"type": "all"}}
            answer = self._call("POST", "/v1/person/get/activities", body, tried)
            entries = answer.get("activities") or []
            yield from entries
            following = answer.get("next_offset")
            if not (answer.get("meta") or {}).get("has_next") or not entries or not isinstance(following, int):
                return
            if following <= offset:
                raise Inconsistent(KEY, tried, "The list does not advance; report it to the vendor.")
            offset = following

    def archive(self, ids: Sequence[str]) -> Done:
        """Put up to a hundred people into the archive."""
        return self._bulk("PUT", "/v1/person/archive", ids, "archived_contacts", "archive people")

    def delete(self, ids: Sequence[str]) -> Done:
        """Delete up to a hundred archived people for good."""
        return self._bulk("DELETE", "/v1/person/delete", ids, "deleted_contacts", "delete archived people")

    def pause(self, seconds: float) -> None:
        """Wait for the vendor's queue."""
        self._http.pause(seconds)

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _bulk(self, method: str, path: str, ids: Sequence[str], counter: str, tried: str) -> Done:
        if not 0 < len(ids) <= BULK or not all(isinstance(number, str) and _is_id(number) for number in ids):
            raise Refused(KEY, tried, "It takes one to a hundred ids of people: nothing was sent.")
        answer = self._call(method, path, {"inclusion_ids": list(ids)}, tried)
        counts = answer.get(counter), answer.get("scheduled_contacts")
        if not all(isinstance(count, int) for count in counts):
            raise Inconsistent(KEY, tried, "It answered without counts; look at the API.")
        return Done(*(int(count or 0) for count in counts))

    def _listed(self, more: Mapping[str, Any], fields: Sequence[str], tried: str) -> Iterator[Person]:
        for page in self._pages(more, fields, tried):
            yield from page

    def _pages(
        self, more: Mapping[str, Any], fields: Sequence[str], tried: str, offset: int = 0
    ) -> Iterator[list[Person]]:
        while True:
            body = {"limit": PAGE, "offset": offset, "fields": [EMAIL, EXTERNAL_ID, *fields], **more}
            answer = self._call("POST", "/v1/person/get", body, tried)
            entries = _entries(answer, tried)
            yield [_person(entry, tried) for entry in entries]
            if not answer.get("has_more"):
                return
            following = answer.get("next_offset")
            if not isinstance(following, int) or following <= offset or not entries:
                raise Inconsistent(KEY, tried, "The list does not advance; report it to the vendor.")
            offset = following

    def _call(self, method: str, path: str, body: Mapping[str, Any], tried: str) -> dict[str, Any]:
        """One call. Searching only reads; an archiving and a deletion of named people can be repeated."""
        answer = self._http.call(method, path, tried=tried, body=body, repeatable=True).json
        if not isinstance(answer, dict):
            raise Inconsistent(KEY, tried, "It answered without an object; look at the address of the connection.")
        return answer


def calls_to(connection: Connection, pace: Pace) -> Calls:
    """Build the calls; none is made.

    Raises:
        Refused: the key is missing.
    """
    if not connection.password:
        raise Refused(KEY, "read its connection", "Give the private key of a custom API data source as password.")
    return Calls(Http(connection, BASE, headers={"X-Api-Key": connection.password}, pace=pace))


def pieces(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values in their order, up to ``size`` together."""
    rest = iter(values)
    while piece := list(islice(rest, size)):
        yield piece


def _is_id(number: str) -> bool:
    return bool(number) and all(character in _ID for character in number)


def _entries(answer: Mapping[str, Any], tried: str) -> list[dict[str, Any]]:
    entries = answer.get("contacts")
    if not isinstance(entries, list):
        raise Inconsistent(KEY, tried, "It answered without a list of people; look at the API.")
    return entries


def _id(entry: Mapping[str, Any], tried: str) -> str:
    number = entry.get("id")
    if not isinstance(number, str) or not _is_id(number):
        raise Inconsistent(KEY, tried, "A person came without an id; look at the API.")
    return number


def _person(entry: Mapping[str, Any], tried: str) -> Person:
    fields = entry.get("fields") or {}
    email, external = str(fields.get(EMAIL) or ""), str(fields.get(EXTERNAL_ID) or "")
    return Person(_id(entry, tried), same(email), external, fields=fields)
