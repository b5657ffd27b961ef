"""The calls to PhantomBuster, and what its answers mean. Parts of the API are beta.

Source: https://hub.phantombuster.com/reference and the vendor's OpenAPI description (version 2.0.0).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from include.connection import Connection
from include.errors import Inconsistent, Refused, Unavailable
from include.systems.http import Http
from include.systems.phantombuster import BATCH, KEY

RATE = 5.0
RUNS = 100
"""Runs of an agent in a page."""
_API = "/api/v2"
_LIST = "read the leads"


@dataclass(frozen=True, slots=True)
class Lead:
    """A person who was collected.

    Args:
        id: the vendor's.
        slug: name of the profile in its public address.
        emails: of work and private.
        first: when it was collected, None where the vendor has no history of it. UTC.
        last: when it was changed last, likewise.
        content: everything, as the vendor sends it.
    """

    id: str
    slug: str = field(repr=False)
    emails: tuple[str, ...] = field(repr=False)
    first: datetime | None
    last: datetime | None
    content: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Lead:
        """Read a lead.

        Raises:
            Inconsistent: it has no id.
        """
        number = content.get("id")
        if not isinstance(number, str) or not number:
            raise Inconsistent(KEY, _LIST, "A lead has no id; look at the API.")
        lists = (content.get(name) or () for name in ("professionalEmails", "personalEmails"))
        times = sorted(_times(content.get("editionsHistory")))
        return cls(
            number,
            str(content.get("linkedinProfileSlug") or ""),
            tuple(str(email) for emails in lists for email in emails),
            times[0] if times else None,
            times[-1] if times else None,
            content,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Some leads, and how many there are."""

    leads: tuple[Lead, ...]
    total: int


class Calls:
    """The calls to one workspace.

    Args:
        http: the client.
        list_id: the list of all leads.
    """

    def __init__(self, http: Http, list_id: str) -> None:
        self._http = http
        self._list = list_id

    def conditions(self) -> bool:
        """Whether the list of all leads has a condition that could leave some out.

        Raises:
            Refused: there is no such list.
        """
        tried = "read the list of all leads"
        body = self._http.call("GET", f"{_API}/org-storage/lists/fetch", tried=tried, params={"id": self._list}).json
        if not isinstance(body, dict):
            raise Refused(KEY, tried, "Look at 'list_id' in the connection's extra: there is no such list.")
        return not _lets_all_through(body.get("filter"))

    def lists(self) -> Sequence[Mapping[str, Any]]:
        """All lists: names, descriptions and filters, without leads."""
        return _rows(self._http.call("GET", f"{_API}/org-storage/lists/fetch-all", tried="list the lists").json)

    def leads(self) -> Iterator[Lead]:
        """All leads, one page in memory at a time.

        Raises:
            Refused: the list has conditions, so that it is not known whom it leaves out.
            Unavailable: leads were deleted while they were read, so that some may have been passed over.
        """
        self.check_list()
        seen, most = 0, 0
        while True:
            page = self.page(seen)
            if page.total < most:
                raise Unavailable(KEY, _LIST, "Run it again; leads were deleted meanwhile.")
            most, seen = page.total, seen + len(page.leads)
            yield from page.leads
            if not page.leads or seen >= page.total:
                return

    def check_list(self) -> None:
        """See :meth:`conditions`.

        Raises:
            Refused: it has some.
        """
        if self.conditions():
            raise Refused(KEY, _LIST, "The list of 'list_id' has conditions; give one without any.")

    def page(self, offset: int) -> Page:
        """Leads from an offset on, in the order of their creation.

        Raises:
            Inconsistent: the answer is none.
        """
        options = {
            "paginationOrder": "ASC",
            "paginationSize": BATCH,
            "paginationOffset": offset,
            "includeTotalCount": True,
        }
        body = self._http.call(
            "POST",
            f"{_API}/org-storage/leads/by-list/{{}}",
            self._list,
            tried=_LIST,
            body={"paginationOptions": options},
            repeatable=True,
        ).json
        leads, total = (body.get("leads"), body.get("totalCount")) if isinstance(body, dict) else (None, None)
        if not isinstance(leads, list) or not isinstance(total, int):
            raise Inconsistent(KEY, _LIST, "It answered without a list; look at the API.")
        return Page(tuple(map(Lead.of, leads)), total)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete leads by their ids. Returns how many the vendor says it deleted.

        Raises:
            Refused: an id is missing: nothing was sent.
        """
        tried = f"delete {len(ids)} leads"
        if not ids or not all(isinstance(number, str) and number.strip() for number in ids):
            raise Refused(KEY, tried, "An id is empty: nothing was sent.")
        path = f"{_API}/org-storage/leads/delete-many"
        body = self._http.call("POST", path, tried=tried, body={"ids": list(ids)}).json
        count = body.get("deletedCount") if isinstance(body, dict) else None
        if not isinstance(count, int):
            raise Unavailable(KEY, tried, "Run it again; it answered without a count.")
        return count

    def agents(self) -> list[str]:
        """Ids of all agents that ever ran."""
        rows = _rows(self._http.call("GET", f"{_API}/agents/fetch-all", tried="list the agents").json)
        return [str(row["id"]) for row in rows if row.get("lastEndedAt") or row.get("nbContainersRunning")]

    def results(self, agent: str) -> Iterator[Any]:
        """What each run of an agent collected, decoded; runs without a result object are left out."""
        before, seen = "", set[str]()
        while True:
            params: dict[str, str | int] = {"agentId": agent, "mode": "finalized", "limit": str(RUNS)}
            if before:
                params["beforeEndedAt"] = before
            body = self._http.call("GET", f"{_API}/containers/fetch-all", tried="list the runs", params=params).json
            runs = _rows(body.get("containers") if isinstance(body, dict) else None)
            new = [run for run in runs if str(run["id"]) not in seen]
            for run in new:
                seen.add(str(run["id"]))
                yield from self._result(str(run["id"]))
            ended = [int(run["endedAt"]) for run in new if run.get("endedAt")]
            if not ended or not body.get("maxLimitReached"):
                return
            before = str(min(ended) + 1)

    def resources(self) -> None:
        """Ask for the workspace's quotas: a call without personal data that needs a working key."""
        self._http.call("GET", f"{_API}/orgs/fetch-resources", tried="read the quotas of the workspace")

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _result(self, run: str) -> Iterator[Any]:
        path = f"{_API}/containers/fetch-result-object"
        answer = self._http.call("GET", path, tried="read the results of a run", params={"id": run}, also=(404,))
        text = answer.json.get("resultObject") if answer.status == 200 and isinstance(answer.json, dict) else None
        if text:
            yield _decoded(text)


def calls_to(connection: Connection, pace: Callable[[], AbstractContextManager[None]] = nullcontext) -> Calls:
    """The calls to the workspace of a connection, see :func:`include.systems.phantombuster.connect_erasing`.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    if not connection.password:
        raise Refused(connection.id, "read its connection", "Give the workspace's API key as password.")
    headers = {"X-Phantombuster-Key": connection.password}
    if "org_id" in connection.extra:
        headers["X-Phantombuster-Org"] = connection.text("org_id")
    http = Http(connection, "https://api.phantombuster.com", headers=headers, pace=pace)
    return Calls(http, connection.text("list_id"))


def _times(history: Any) -> Iterator[datetime]:
    """Timestamps of editions, in milliseconds."""
    for edition in history if isinstance(history, list) else ():
        stamp = edition.get("timestamp")
        if isinstance(stamp, int | float) and not isinstance(stamp, bool):
            yield datetime.fromtimestamp(stamp / 1000, UTC)


def _lets_all_through(condition: Any) -> bool:
    """Whether a filter has no condition but such as everything meets: ``contains ""``."""
    if not isinstance(condition, dict) or len(condition) > 1:
        return False
    word, inner = next(iter(condition.items()), ("and", []))
    if word in ("and", "or"):
        return isinstance(inner, list) and all(map(_lets_all_through, inner)) and (word == "and" or bool(inner))
    if word != "filter" or not isinstance(inner, dict):
        return False
    return all(rule == {"operator": "contains", "valueToCompare": ""} for rule in inner.values())


def _rows(body: Any) -> list[Mapping[str, Any]]:
    if not isinstance(body, list):
        raise Inconsistent(KEY, "read a list", "It answered without a list; look at the API.")
    return body


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text
