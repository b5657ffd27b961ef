"""Google Analytics' Admin API (v1alpha) on loopback: requests to delete a user, and two settings to read.

Of the Data API (v1beta) there are the list of dimensions and a report that counts the values of one.

There are no records of users to read, here as there: what is kept is which deletions were asked for. A repeated request
moves its time forward and counts against the quota like a first one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from include.sandbox.faults import Faults, Journal
from include.sandbox.google import Answer, Call, Trouble, answered, segment, serve
from include.sandbox.rest import Window

PROPERTIES = ("1001", "1002")
"""Ids of the properties."""
IDENTIFIERS = ("userId", "clientId", "appInstanceId", "userProvidedData")
_PATH = re.compile(r"/v1(?:alpha|beta)/properties/(?P<property>[^/:]+)(?P<rest>:\w+|/\w+)")
DIMENSIONS: dict[str, tuple[str, ...]] = {
    "pagePathPlusQueryString": ("/", "/join", "/people?page=2"),
    "customUser:plan": ("free", "team"),
    "customEvent:feature": ("calendar", "import"),
}
"""Dimensions with the values of the last week, the same in each property."""


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        deletions_per_day: and property, on the sandbox's clock
            (https://developers.google.com/analytics/devguides/config/admin/v1/quotas).
        calls_per_second: of one property, 0 for no limit; Google's is 1.5.
        big_query: whether the properties are exported to BigQuery, where no deletion reaches.
        event_retention: the setting of each property.
        user_retention: likewise.
        reset_on_activity: likewise; whether each visit starts the retention of a user anew.
    """

    deletions_per_day: int = 500
    calls_per_second: float = 0.0
    big_query: bool = False
    event_retention: str = "FOURTEEN_MONTHS"
    user_retention: str = "FOURTEEN_MONTHS"
    reset_on_activity: bool = True


@dataclass(frozen=True, slots=True)
class Deletion:
    """A user whose deletion was asked for."""

    property: str
    kind: str
    value: str
    requested_at: datetime


class GoogleAnalyticsSandbox:
    """The service. Any bearer token is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://analyticsadmin.googleapis.com``.

    Args:
        faults: shared with the other services of the sandbox; this one is ``google_analytics``.
        journal: shared likewise.
        clock: the time of the service, UTC.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.settings = Settings()
        self._deletions: dict[tuple[str, str, str], Deletion] = {}
        self._dimensions = dict(DIMENSIONS)
        self._used: dict[tuple[str, date], int] = {}
        self._seconds = {name: Window(2.0) for name in PROPERTIES}
        self.app = serve(self.handle, "google_analytics", faults, journal)

    @property
    def deletions(self) -> tuple[Deletion, ...]:
        """What was asked for."""
        return tuple(self._deletions.values())

    def reset(self) -> None:
        """Forget all requests, what they used of the quota, and dimensions of a test's own; the settings stay."""
        self._dimensions = dict(DIMENSIONS)
        self._deletions.clear()
        self._used.clear()

    def define(self, name: str, *values: str) -> None:
        """Set the values of a dimension, as ``customUser:<name>``."""
        self._dimensions[name] = values

    def records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that is held, as collection and record."""
        for deletion in self.deletions:
            yield "deletions", asdict(deletion)

    def handle(self, call: Call) -> Answer:
        """Answer one call; errors become Google's error bodies."""
        return answered(self._dispatch, call)

    def _dispatch(self, call: Call) -> Answer:
        match = _PATH.fullmatch(call.path)
        operation = self._operation(call.method, match["rest"]) if match else None
        if match is None or operation is None:
            raise _trouble(404, "NOT_FOUND", "Method not found.")
        if not re.fullmatch(r"Bearer \S+", call.headers.get("authorization", "")):
            raise _trouble(401, "UNAUTHENTICATED", "Request is missing required authentication credential.")
        number = segment(match["property"])
        if number not in PROPERTIES:
            raise _trouble(403, "PERMISSION_DENIED", "The caller does not have permission")
        return operation(call, number)

    def _operation(self, method: str, rest: str) -> Callable[[Call, str], Answer] | None:
        return {
            ("GET", "/metadata"): self._metadata,
            ("POST", ":runReport"): self._report,
            ("POST", ":submitUserDeletion"): self._submit,
            ("GET", "/dataRetentionSettings"): self._retention,
            ("GET", "/bigQueryLinks"): self._links,
        }.get((method, rest))

    def _submit(self, call: Call, number: str) -> Answer:
        body = call.json()
        unknown = body.keys() - set(IDENTIFIERS)
        if unknown:
            problem = f'Invalid JSON payload received. Unknown name "{min(unknown)}": Cannot find field.'
            raise _trouble(400, "INVALID_ARGUMENT", problem)
        given = [(kind, value) for kind, value in body.items() if value is not None]
        if len(given) > 1:
            raise _trouble(400, "INVALID_ARGUMENT", "Invalid value: oneof field 'user' is already set.")
        if not given or not isinstance(given[0][1], str) or not given[0][1]:
            raise _trouble(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
        self._spend(number)
        (kind, value), now = given[0], self._clock()
        self._deletions[number, kind, value] = Deletion(number, kind, value, now)
        return Answer(body={"deletionRequestTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")})

    def _spend(self, number: str) -> None:
        speed = self.settings.calls_per_second
        day = number, self._clock().date()
        used = self._used.get(day, 0)
        if used >= self.settings.deletions_per_day:
            raise _trouble(429, "RESOURCE_EXHAUSTED", "Exhausted property quota: user deletions per property per day.")
        if speed and not self._seconds[number].take(max(1, round(speed * 2)))[0]:
            raise _trouble(429, "RESOURCE_EXHAUSTED", "Exhausted property quota: requests per second.")
        self._used[day] = used + 1

    def _retention(self, call: Call, number: str) -> Answer:
        return Answer(
            body={
                "name": f"properties/{number}/dataRetentionSettings",
                "eventDataRetention": self.settings.event_retention,
                "userDataRetention": self.settings.user_retention,
                "resetUserDataOnNewActivity": self.settings.reset_on_activity,
            }
        )

    def _metadata(self, call: Call, number: str) -> Answer:
        dimensions = [
            {"apiName": name, "uiName": name.partition(":")[2] or name, "customDefinition": ":" in name}
            for name in self._dimensions
        ]
        return Answer(body={"name": f"properties/{number}/metadata", "dimensions": dimensions, "metrics": []})

    def _report(self, call: Call, number: str) -> Answer:
        body = call.json()
        names = [str(one.get("name")) for one in body.get("dimensions", ())]
        asked = body.get("dimensionFilter", {}).get("filter", {})
        like = asked.get("stringFilter", {})
        if len(names) != 1 or names[0] not in self._dimensions or asked.get("fieldName") != names[0]:
            raise _trouble(400, "INVALID_ARGUMENT", "Field is not a valid dimension.")
        if like.get("matchType") != "PARTIAL_REGEXP":
            raise _trouble(400, "INVALID_ARGUMENT", "The filter is not understood here.")
        found = [value for value in self._dimensions[names[0]] if re.search(str(like.get("value")), value)]
        rows = [{"dimensionValues": [{"value": value}], "metricValues": [{"value": "1"}]} for value in found]
        limit = int(body.get("limit", 10_000))
        head = {"dimensionHeaders": [{"name": names[0]}], "kind": "analyticsData#runReport"}
        return Answer(body={**head, "rows": rows[:limit], **({"rowCount": len(rows)} if rows else {})})

    def _links(self, call: Call, number: str) -> Answer:
        call.expect({"pageSize", "pageToken"})
        if not self.settings.big_query:
            return Answer(body={})
        link = {
            "name": f"properties/{number}/bigQueryLinks/abc567",
            "project": "projects/1234",
            "createTime": "2024-05-01T00:00:00Z",
            "dailyExportEnabled": True,
            "datasetLocation": "EU",
        }
        return Answer(body={"bigqueryLinks": [link]})


def _trouble(status: int, word: str, message: str) -> Trouble:
    reason = {"RESOURCE_EXHAUSTED": "rateLimitExceeded"}.get(word, "badRequest")
    return Trouble(status, reason, message, {"status": word})
