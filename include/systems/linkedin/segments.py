"""The calls to matched audiences: segments of people, and who is taken out of them.

Who is in a segment can't be read; to remove somebody who is not in it is answered like a removal. Source:
https://learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segment-users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from include.errors import Inconsistent, Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.subjects import normalise
from include.subjects.identifiers import Identifier, Subject
from include.systems.http import Http
from include.systems.linkedin import KEY

BATCH = 1000
"""People of one call. The vendor names no limit."""
PAGE = 100
_REMOVE = "remove people from a segment"
_LIST = "list the segments"


class Segments:
    """The segments of one ad account.

    Args:
        http: calls with a token and a version.
        account: id of the ad account.
        size: most people in a call.
    """

    def __init__(self, http: Http, account: str, size: int = BATCH) -> None:
        self._http = http
        self._account = account
        self._size = size

    def of_people(self) -> list[str]:
        """Ids of the account's segments of people; those of companies hold nobody."""
        found: list[str] = []
        start = 0
        while True:
            params: dict[str, str | int] = {
                "q": "account",
                "account": f"urn:li:sponsoredAccount:{self._account}",
                "start": start,
                "count": PAGE,
            }
            body = self._call("GET", "/rest/dmpSegments", tried=_LIST, params=params)
            elements = body.get("elements")
            if not isinstance(elements, list):
                raise Inconsistent(KEY, _LIST, "It answered without a list; look at the version of the API.")
            found += [str(one["id"]) for one in elements if one.get("type") == "USER"]
            start += len(elements)
            paging = body.get("paging")
            total = paging.get("total") if isinstance(paging, Mapping) else None
            if not elements or (start >= total if isinstance(total, int) else len(elements) < PAGE):
                return found

    def remove(self, segment: str, hashes: Sequence[str]) -> set[str]:
        """Take people out of a segment; returns whose entry the vendor refused.

        Raises:
            Unavailable: an entry failed for the moment, or not all were answered.
        """
        if not all(len(one) == 64 for one in hashes):
            raise Refused(KEY, _REMOVE, "A hash is none: nothing was sent.")
        refused: set[str] = set()
        for place in range(0, len(hashes), self._size):
            some = hashes[place : place + self._size]
            people = [{"action": "REMOVE", "userIds": [{"idType": "SHA256_EMAIL", "idValue": one}]} for one in some]
            body = self._call(
                "POST",
                "/rest/dmpSegments/{}/users",
                segment,
                tried=_REMOVE,
                body={"elements": people},
                headers={"X-RestLi-Method": "BATCH_CREATE"},
                repeatable=True,
            )
            elements = body.get("elements")
            if not isinstance(elements, list) or len(elements) != len(some):
                raise Unavailable(KEY, _REMOVE, "Run it again; not all entries were answered.")
            statuses = [_status(one) for one in elements]
            if any(status == 429 or status >= 500 for status in statuses):
                raise Unavailable(KEY, _REMOVE, "Run it again; some entries failed for the moment.")
            refused |= {one for one, status in zip(some, statuses, strict=True) if status // 100 != 2}
        return refused

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _call(self, method: str, path: str, *segments: str, tried: str, **more: Any) -> Mapping[str, Any]:
        answer = self._http.call(method, path, *segments, tried=tried, also=(426,), **more)
        if answer.status == 426:
            raise Refused(KEY, tried, "Raise 'version' in the connection: the one that it names has ended.")
        return answer.json if isinstance(answer.json, Mapping) else {}


def hashes_of(subject: Subject) -> tuple[str, ...]:
    """The hashes of all addresses of a person, past ones too; what is no address is in no segment."""
    found: dict[str, None] = {}
    for value in subject.values(IdentifierKind.EMAIL):
        try:
            found[normalise.linkedin(Identifier(IdentifierKind.EMAIL, value))] = None
        except Refused:
            continue
    return tuple(found)


def _status(element: Any) -> int:
    """What an entry was answered; no number is as good as no answer."""
    status = element.get("status") if isinstance(element, Mapping) else None
    return status if isinstance(status, int) else 500
