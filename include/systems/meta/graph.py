"""Calls to Meta's Graph API with one token: pages, batches, and what its errors mean.

The Graph API answers most failures with 400 and says in the body what it was, throttling included; a batch answers 200
and has a status for each of its parts. Sources: https://developers.facebook.com/docs/graph-api/guides/error-handling,
https://developers.facebook.com/docs/graph-api/batch-requests,
https://developers.facebook.com/docs/graph-api/overview/rate-limiting.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from include.errors import Inconsistent, PrivacyError, Refused, Throttled, Unavailable
from include.systems.http import Answer, Http

BASE = "https://graph.facebook.com"
VERSION = "v25.0"
"""What the modules are built to; Meta keeps a version for two years and more."""
BATCH = 50
"""Parts of a batch, the vendor's maximum."""
_JUDGED = (400, 401, 403, 404)
_BUSY = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
_PASSING = frozenset({1, 2})
_KEY = frozenset({10, 102, 104, 190, *range(200, 300)})
_ABSENT = (100, 33)
"""Code and subcode of an object that does not exist."""


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to one part of a batch.

    Args:
        status: of HTTP; 0 where the batch took too long for it.
        body: decoded; hidden.
    """

    status: int
    body: Any = field(repr=False)

    @property
    def good(self) -> bool:
        """It was done."""
        return self.status // 100 == 2

    @property
    def absent(self) -> bool:
        """The object does not exist."""
        error = _error(self.body)
        return self.status == 404 or (error.get("code"), error.get("error_subcode")) == _ABSENT

    @property
    def refused(self) -> bool:
        """The vendor does not allow it for this object; the token works."""
        code = _error(self.body).get("code")
        return not self.good and not self.absent and (code == 10 or code in range(200, 300))


class Graph:
    """The calls of one token.

    Args:
        http: the client; both tokens of a connection share it.
        system: key of the system, for errors.
        token: gives the token.
        version: of the API, such as ``v25.0``.
    """

    def __init__(self, http: Http, system: str, token: Callable[[], str], version: str) -> None:
        self._http = http
        self._system = system
        self._token = token
        self._version = version

    def get(self, path: str, *segments: str, tried: str, params: Mapping[str, str | int] | None = None) -> Any:
        """Read one object.

        Raises:
            Refused: the token has not the right, or there is no such object.
            Throttled, Unavailable: as :class:`~include.systems.http.Http`.
        """
        answer = self._http.call(
            "GET",
            f"/{self._version}{path}",
            *segments,
            tried=tried,
            params=params,
            headers=self._headers(),
            also=_JUDGED,
        )
        return self._judge(answer, tried)

    def send(self, method: str, path: str, *segments: str, tried: str, form: Mapping[str, str]) -> Any:
        """Make one call that carries a form and does no harm when it is repeated.

        Raises:
            Refused, Throttled, Unavailable: as :meth:`get`.
        """
        answer = self._http.call(
            method,
            f"/{self._version}{path}",
            *segments,
            tried=tried,
            form=form,
            headers=self._headers(),
            also=_JUDGED,
            repeatable=True,
        )
        return self._judge(answer, tried)

    def pages(
        self, path: str, *segments: str, tried: str, params: Mapping[str, str | int], after: str = ""
    ) -> Iterator[Mapping[str, Any]]:
        """The objects of an edge, one page in memory at a time.

        Pages are asked for by their cursor: the address that an answer names for the next one carries the token.

        Args:
            path: as for :meth:`get`.
            segments: likewise.
            tried: likewise.
            params: likewise.
            after: cursor to begin behind.
        """
        while True:
            body = self.get(path, *segments, tried=tried, params={**params, **({"after": after} if after else {})})
            yield from objects(self._system, body, tried)
            cursor = following(body)
            if not cursor:
                return
            if cursor == after:
                raise Inconsistent(self._system, tried, "The list does not advance; report it to the vendor.")
            after = cursor

    def batch(self, steps: Sequence[tuple[str, str]], tried: str) -> list[Part]:
        """Make many calls in as few as the vendor allows; each step is a method and what :func:`relative` gives.

        Raises:
            Unavailable: a batch failed or its answer was lost; any part may be done.
        """
        parts: list[Part] = []
        for start in range(0, len(steps), BATCH):
            some = steps[start : start + BATCH]
            asked = [{"method": method, "relative_url": url} for method, url in some]
            form = {"access_token": self._token(), "batch": json.dumps(asked), "include_headers": "false"}
            # A deletion is never repeated here: a lost answer would come back as "does not exist".
            harmless = all(method == "GET" for method, _ in some)
            answer = self._http.call(
                "POST", f"/{self._version}", tried=tried, form=form, also=_JUDGED, repeatable=harmless
            )
            found = self._judge(answer, tried)
            if not isinstance(found, list) or len(found) != len(some):
                raise Unavailable(self._system, tried, "Run it again; the batch was answered in part.")
            parts += map(_part, found)
        return parts

    def about_token(self, tried: str) -> Any:
        """What Meta says of the token itself: whether it is valid, its rights, when it ends.

        Asked in a batch, because the call alone would carry the token in its address.

        Raises:
            Refused, Throttled, Unavailable: as :meth:`get`.
        """
        (part,) = self.batch([("GET", relative("debug_token", input_token=self._token()))], tried)
        return self.accept(part, tried)

    def accept(self, part: Part, tried: str) -> Any:
        """The body of a part that must be good.

        Raises:
            Refused, Throttled, Unavailable: what its error means.
        """
        if part.good:
            return part.body
        raise self.failure(part, tried)

    def failure(self, part: Part, tried: str) -> PrivacyError:
        """What the error of a part means."""
        return _failure(self._system, tried, part.status, _error(part.body), None)

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}

    def _judge(self, answer: Answer, tried: str) -> Any:
        if answer.status < 400:
            return answer.json
        raise _failure(self._system, tried, answer.status, _error(answer.json), _regain(answer.headers))


def relative(path: str, *segments: str, **params: str | int) -> str:
    """The address of a part of a batch; ``path`` has a ``{}`` for each segment.

    Raises:
        ValueError: a segment is empty, so that the call would be about more than it names.
    """
    if path.count("{}") != len(segments) or any(segment.strip(".") == "" for segment in segments):
        raise ValueError("a segment is empty")
    url = path.format(*(quote(segment, safe="") for segment in segments))
    return f"{url}?{urlencode(params, quote_via=quote)}" if params else url


def objects(system: str, body: Any, tried: str) -> list[Mapping[str, Any]]:
    """The objects of a page.

    Raises:
        Inconsistent: it is none.
    """
    found = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise Inconsistent(system, tried, "It answered without a list of objects; look at the version of the API.")
    return found


def following(body: Mapping[str, Any]) -> str:
    """The cursor of the next page; "" on the last one, which has a cursor too but no next address."""
    paging = body.get("paging")
    if not isinstance(paging, Mapping) or not paging.get("next"):
        return ""
    cursors = paging.get("cursors")
    return str(cursors.get("after") or "") if isinstance(cursors, Mapping) else ""


def _part(found: Any) -> Part:
    if not isinstance(found, Mapping):
        return Part(0, None)
    try:
        body = json.loads(found.get("body") or "null")
    except (TypeError, ValueError):
        body = None
    code = found.get("code")
    return Part(code if isinstance(code, int) else 0, body)


def _error(body: Any) -> Mapping[str, Any]:
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def _failure(system: str, tried: str, status: int, error: Mapping[str, Any], regain: float | None) -> PrivacyError:
    code = error.get("code")
    told = f"it answered {status}, code {code}." if isinstance(code, int) else f"it answered {status}."
    if code in _BUSY or status == 429:
        wait = "Run it again later" if regain is None else f"Run it again after {regain:.0f} seconds"
        return Throttled(system, tried, f"{wait}; {told}", retry_after=regain)
    if code in _PASSING or error.get("is_transient") is True or status == 0 or status >= 500:
        return Unavailable(system, tried, f"Run it again; {told}")
    if code in _KEY or status in (401, 403):
        return Refused(system, tried, f"Give the connection a valid token with the right to do it; {told}")
    return Refused(system, tried, f"Look at the ids in the connection and at the documentation; {told}")


def _regain(headers: Mapping[str, str]) -> float | None:
    """Seconds that ``X-Business-Use-Case-Usage`` says to wait: the longest of its estimates, which are minutes."""
    try:
        usage = json.loads(headers.get("X-Business-Use-Case-Usage", ""))
        minutes = [entry["estimated_time_to_regain_access"] for entries in usage.values() for entry in entries]
        return 60.0 * max(minutes) if minutes and max(minutes) > 0 else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
