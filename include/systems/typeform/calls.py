"""The calls to Typeform: forms and answers are read page by page, answers are deleted by their ids.

Source: https://www.typeform.com/developers/responses/reference/retrieve-responses/ and the pages beside it.
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
from include.systems.http import Http
from include.systems.typeform import KEY

HOST = "https://api.typeform.com"
PAGE = 1000
"""Answers in a page, the vendor's maximum."""
FORMS = 200
"""Forms in a page, the vendor's maximum."""
CHUNK = 200
"""Ids in a call. The vendor takes 1,000, but they travel in the address, and common servers take a line of 8,000."""
NOBODY = "0" * 32
"""An id that no answer has."""
POLLS = (0.0, 0.3, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each look at a registered deletion; what takes longer is looked at later."""
PER_SECOND = 2.0
_TYPES = "started,partial,completed"
"""Answers that were never sent off are left out unless they are asked for, and hold data as well."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_NEVER = 1
"""Year of ``submitted_at`` in an answer that was not sent off."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One person's answer to one form.

    Args:
        form: id of the form.
        id: the vendor's, opaque.
        content: as the vendor sends it.
    """

    form: str
    id: str
    content: Mapping[str, Any] = field(repr=False)

    def moment(self, trigger: str) -> datetime | None:
        """When it was sent off or begun. One that was never sent off counts from when it was begun."""
        return _time(self.content.get(trigger)) or _time(self.content.get("landed_at"))


class Calls:
    """The calls to one account.

    Args:
        http: the client.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    def account(self) -> None:
        """Read the owner's account, as a trial of the token."""
        self._http.call("GET", "/me", tried="read the account")

    def forms(self) -> Iterator[str]:
        """Ids of all forms that the token sees."""
        number, tried = 1, "list the forms"
        while True:
            page = {"page": number, "page_size": FORMS}
            body = self._http.call("GET", "/forms", tried=tried, params=page).json
            yield from (str(form["id"]) for form in _items(body, tried))
            if number >= int(body.get("page_count") or 0):
                return
            number += 1

    def answers(self, form: str) -> Iterator[Answer]:
        """All answers to a form, the newest first.

        A page is continued after its last answer, which must be there still. So the next page is read before this one
        is given out, and whoever reads may delete what was given.
        """
        page = self._page(form, {"page_size": PAGE})
        while page:
            full = len(page) == PAGE
            following = self._page(form, {"page_size": PAGE, "before": page[-1].id}) if full else []
            if following and following[-1].id == page[-1].id:
                raise Inconsistent(KEY, "read answers", "The list does not advance; report it to the vendor.")
            yield from page
            page = following

    def present(self, form: str, ids: Collection[str]) -> list[Answer]:
        """Those of some answers that are there.

        Raises:
            Refused: an id is none; nothing was sent.
        """
        found: list[Answer] = []
        for some in _chunks(ids):
            found += self._page(form, {"page_size": PAGE, "included_response_ids": ",".join(some)})
        return [answer for answer in found if answer.id in set(ids)]

    def delete(self, form: str, ids: Collection[str]) -> set[str]:
        """Delete exact answers, and look until they are gone or patience ends.

        Returns:
            The ids that are still there: their deletion is registered.

        Raises:
            Refused: an id is none, and nothing was sent; or the token may not delete.
            Unavailable: a call failed or its answer was lost; any part may be done.
        """
        for some in _chunks(ids):
            named = {"included_response_ids": ",".join(some)}
            self._http.call("DELETE", "/forms/{}/responses", form, tried="delete answers", params=named)
        left = set(ids)
        for wait in POLLS if left else ():
            if wait:
                self._http.pause(wait)
            left = {answer.id for answer in self.present(form, left)}
            if not left:
                break
        return left

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _page(self, form: str, params: Mapping[str, str | int]) -> list[Answer]:
        tried = "read answers"
        asked = {"response_type": _TYPES, **params}
        # A form that was deleted since it was listed holds nothing any more.
        answer = self._http.call("GET", "/forms/{}/responses", form, tried=tried, params=asked, also=(404,))
        items = [] if answer.status == 404 else _items(answer.json, tried)
        return [Answer(form, str(item.get("response_id") or item["token"]), item) for item in items]


def connect(connection: Connection, pace: Callable[[], AbstractContextManager[None]]) -> Calls:
    """Build the calls; none is made.

    Raises:
        Refused: the token is missing.
    """
    if not connection.password:
        raise Refused(KEY, "read its connection", "Give a personal access token as password.")
    headers = {"Authorization": f"Bearer {connection.password}"}
    return Calls(Http(connection, HOST, headers=headers, pace=pace))


def _items(body: Any, tried: str) -> list[Any]:
    items = body.get("items") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise Inconsistent(KEY, tried, "It answered without a list; look at the API.")
    return items


def _chunks(ids: Collection[str]) -> Iterator[Sequence[str]]:
    """The ids, some at a time. Without any there is no call: one that names none could mean all."""
    if not all(_ID.fullmatch(each) for each in ids):
        raise Refused(KEY, "name answers", "An id is not of the vendor's form: nothing was sent.")
    ordered = sorted(ids)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))


def _time(value: object) -> datetime | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if moment.year == _NEVER else moment.astimezone(UTC)
