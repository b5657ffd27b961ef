"""The calls to one site of Wix: members, submissions, and what all calls share.

Searches give more than was asked for as soon as a filter is not understood; what counts is matched by the callers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.systems.http import Answer, Http
from include.systems.wix import KEY

HOST = "https://www.wixapis.com"
PER_SECOND = 200 / 60
NAMED = 100
"""Values in one filter. The vendor names no limit."""
MEMBERS = SUBMISSIONS = 100
"""Entries in a page, the vendor's maximum."""
NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id that no record has."""
FORMS = "wix.form_app.form"
"""The namespace of the app for forms."""
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_SUBMISSIONS = "/form-submission-service/v4/submissions"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who can log in to the site."""

    id: str
    contact: str
    login: str = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody sent by a form. ``values`` is what was typed."""

    id: str
    contact: str
    member: str
    created: datetime | None
    values: Any = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)


class Site:
    """One site.

    Args:
        http: the client.
        namespaces: of the apps whose forms are looked at.
    """

    def __init__(self, http: Http, namespaces: Sequence[str]) -> None:
        self._http = http
        self._namespaces = namespaces

    def post(self, path: str, tried: str, body: Mapping[str, Any], *, repeatable: bool = True) -> Any:
        """A call with a body; most only read. The decoded answer.

        Raises:
            Inconsistent: it is no object.
        """
        answer = self._http.call("POST", path, tried=tried, body=body, repeatable=repeatable)
        return _object(answer, tried)

    def get(self, path: str, tried: str, number: str) -> Any:
        """Read one record by its id; None if it is not there.

        Raises:
            Inconsistent: it is no object.
        """
        answer = self._http.call("GET", path, number, tried=tried, also=(404,))
        return None if answer.status == 404 else _object(answer, tried)

    def delete(self, path: str, number: str, tried: str, also: Collection[int], permanent: bool = False) -> int:
        """Delete one record by its id; the status.

        Raises:
            Refused: the id is none, and nothing was sent; or the key may not delete.
        """
        check_ids([number])
        params = {"permanent": "true"} if permanent else None
        return self._http.call("DELETE", path, number, tried=tried, params=params, also=also).status

    def members(self, logins: Collection[str] | None = None) -> Iterator[Member]:
        """Members who may log in with one of some addresses; all for None."""
        tried = "search members"
        for some in [None] if logins is None else chunks(sorted(logins), NAMED):
            filtered: dict[str, Any] = {} if some is None else {"filter": {"loginEmail": {"$in": list(some)}}}
            offset = 0
            while True:
                query = {**filtered, "paging": {"limit": MEMBERS, "offset": offset}}
                body = {"fieldsets": ["FULL"], "query": query}
                page = entries(self.post("/members/v1/members/query", tried, body), "members", tried)
                yield from map(_member, page)
                offset += len(page)
                if len(page) < MEMBERS:
                    break

    def delete_member(self, number: str) -> bool:
        """Delete a member for good; False if it was not there."""
        return self.delete("/members/v1/members/{}", number, "delete a member", (404,)) != 404

    def submissions(self, before: datetime | None = None) -> Iterator[Submission]:
        """Submissions of all forms, the oldest first; those made before an instant alone if one is given.

        Pages go on from a cursor, so that whoever reads may delete what was given.
        """
        for namespace in self._namespaces:
            wanted: dict[str, Any] = {"namespace": {"$eq": namespace}}
            if before is not None:
                wanted["createdDate"] = {"$lt": instant(before)}
            yield from self._submissions({"filter": wanted, "sort": [{"fieldName": "createdDate", "order": "ASC"}]})

    def delete_submission(self, number: str) -> bool:
        """Delete a submission for good, past the trash; False if it was not there."""
        tried = "delete a submission"
        return self.delete(f"{_SUBMISSIONS}/{{}}", number, tried, (404,), permanent=True) != 404

    def try_submissions(self) -> None:
        """Ask for a submission that can't be there, as a trial of the key."""
        wanted = {"namespace": {"$eq": self._namespaces[0]}, "id": {"$in": [NOBODY]}}
        list(self._submissions({"filter": wanted}))

    def pause(self, seconds: float) -> None:
        """Wait between two calls."""
        self._http.pause(seconds)

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _submissions(self, query: Mapping[str, Any]) -> Iterator[Submission]:
        tried, seen = "read submissions", set[str]()
        paging: dict[str, Any] = {"limit": SUBMISSIONS}
        while True:
            # Without onlyYourOwn the vendor shows an app what it wrote itself, and leaves out what visitors sent.
            body = {"query": {**query, "cursorPaging": paging}, "onlyYourOwn": False}
            answer = self.post(f"{_SUBMISSIONS}/namespace/query", tried, body)
            page = entries(answer, "submissions", tried)
            yield from map(_submission, page)
            cursor = _cursor(answer)
            if cursor is None:
                return
            if cursor in seen:
                raise Inconsistent(KEY, tried, "The list does not advance; report it to the vendor.")
            seen.add(cursor)
            # The cursor stands for the filter and the order: the vendor refuses both beside it.
            query, paging = {}, {"limit": SUBMISSIONS, "cursor": cursor}


def connect(connection: Connection, pace: Callable[[], AbstractContextManager[None]]) -> Site:
    """Build the calls; none is made.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    if not connection.password:
        raise Refused(KEY, "read its connection", "Give an API key as password.")
    namespaces = connection.extra.get("namespaces", [FORMS])
    if not isinstance(namespaces, list) or not namespaces or not all(isinstance(n, str) and n for n in namespaces):
        raise Refused(KEY, "read 'namespaces' of its connection", "Give a list of names, or leave it out.")
    headers = {"Authorization": connection.password, "wix-site-id": connection.text("site_id")}
    return Site(Http(connection, HOST, headers=headers, pace=pace), namespaces)


def check_ids(ids: Collection[str]) -> None:
    """Refuse anything but ids, and none at all.

    Raises:
        Refused: one is not of the vendor's form, or there is none.
    """
    if not ids or not all(_ID.fullmatch(each) for each in ids):
        raise Refused(KEY, "name records", "An id is not of the vendor's form: nothing was sent.")


def chunks(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The values in order, some at a time; nothing for none."""
    return (values[start : start + size] for start in range(0, len(values), size))


def entries(body: Any, name: str, tried: str) -> list[Any]:
    """The list of an answer.

    Raises:
        Inconsistent: there is none, which is no proof of absence.
    """
    found = body.get(name)
    if not isinstance(found, list):
        raise Inconsistent(KEY, tried, "It answered without a list; look at the API.")
    return found


def instant(moment: datetime) -> str:
    """A time as filters take it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time(value: object) -> datetime | None:
    """A time as the vendor writes it; None for anything else."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None
    except ValueError:
        return None


def _object(answer: Answer, tried: str) -> Any:
    if not isinstance(answer.json, dict):
        raise Inconsistent(KEY, tried, "It answered without an object; look at the address of the connection.")
    return answer.json


def _cursor(body: Mapping[str, Any]) -> str | None:
    paging = body.get("metadata") or body.get("pagingMetadata") or {}
    following = (paging.get("cursors") or {}).get("next")
    return str(following) if following and paging.get("hasNext", True) else None


def _member(entry: Mapping[str, Any]) -> Member:
    return Member(str(entry["id"]), str(entry.get("contactId") or ""), str(entry.get("loginEmail") or ""), entry)


def _submission(entry: Mapping[str, Any]) -> Submission:
    member = (entry.get("submitter") or {}).get("memberId")
    return Submission(
        str(entry["id"]),
        str(entry.get("contactId") or ""),
        str(member or ""),
        time(entry.get("createdDate")),
        entry.get("submissions"),
        entry,
    )
