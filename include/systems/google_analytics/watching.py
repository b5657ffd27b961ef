"""What can be asked of Analytics without touching a user: its retention, and what its dimensions are filled with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.errors import Inconsistent
from include.policy.period import Period, Unit
from include.policy.register import Claim, ClaimKind
from include.policy.rules import Promise
from include.systems.assuring import Access, Checked
from include.systems.contract import Expiry
from include.systems.google_analytics import KEY
from include.systems.http import Http

_MONTHS = {
    "TWO_MONTHS": 2,
    "FOURTEEN_MONTHS": 14,
    "TWENTY_SIX_MONTHS": 26,
    "THIRTY_EIGHT_MONTHS": 38,
    "FIFTY_MONTHS": 50,
}
_ADDRESSES = "[A-Za-z0-9._%+-]+(@|%40)[A-Za-z0-9-]+([.][A-Za-z0-9-]+)*[.][A-Za-z]{2,}"
_PERSONAL = re.compile(r"e-?mail|(first|last|full|given|family|display|user|sur)[ ._-]?name|phone", re.IGNORECASE)
_PAGES = "pagePathPlusQueryString"
"""Where an address ends up that was in a link."""


class Watch:
    """The calls that read.

    Args:
        properties: a client of the Admin API for each property.
        data: a client of the Data API.
    """

    def __init__(self, properties: Mapping[str, Http], data: Http) -> None:
        self._properties = properties
        self._data = data

    def access(self) -> Access:
        """Read the settings and the dimensions of each property."""
        for number, http in self._properties.items():
            self._settings(number, http)
            self._custom(number)
        return Access(shown=False, note="Google does not show a key's role here; the right to delete was not tried.")

    def check(self, claim: Claim) -> Checked:
        """Count dimensions that contradict the claim that internal ids are sent alone.

        A dimension does whose name is that of an e-mail address, a name or a telephone number, and one in which a
        value of the last week looks like an e-mail address. Only how many values there are is asked for.
        """
        if claim.kind is not ClaimKind.ONLY_IDENTIFIERS:
            note = "Analytics does not tell in which of its events an identifier was sent along."
            return Checked(claim.id, asked=False, note=note)
        looked = violations = 0
        for number in self._properties:
            custom = list(self._custom(number))
            looked += len(custom) + 1
            for name in (*custom, _PAGES):
                said = name != _PAGES and _PERSONAL.search(name.partition(":")[2])
                violations += bool(said) or self._has_addresses(number, name)
        return Checked(claim.id, looked, violations, note="Custom dimensions by name and by value, and paths of pages.")

    def retention(self, promises: Sequence[Promise]) -> list[Expiry]:
        """Data retention of each property beside the period of each promise.

        Whether a visit starts the period of a user anew is a part of it.
        """
        found = []
        for number, http in self._properties.items() if promises else ():
            settings = self._settings(number, http)
            for promise in promises:
                found += [_beside(number, name, settings, promise.period) for name in ("event", "user")]
                found.append(_anew(number, settings))
        return found

    def close(self) -> None:
        """Release the sockets; those of the properties are not its own."""
        self._data.close()

    def _settings(self, number: str, http: Http) -> Mapping[str, Any]:
        path = "/v1alpha/properties/{}/dataRetentionSettings"
        return _object(http.call("GET", path, number, tried="read the data retention").json, "read the data retention")

    def _custom(self, number: str) -> Iterator[str]:
        """Names of the custom dimensions, as ``customUser:<name>``."""
        tried = "read the dimensions"
        body = _object(self._data.call("GET", "/v1beta/properties/{}/metadata", number, tried=tried).json, tried)
        for dimension in body.get("dimensions", ()):
            if dimension.get("customDefinition"):
                yield str(dimension.get("apiName"))

    def _has_addresses(self, number: str, name: str) -> bool:
        """Whether a value of the last week looks like an e-mail address; the values themselves are not read."""
        like = {"matchType": "PARTIAL_REGEXP", "value": _ADDRESSES}
        body = {
            "dimensions": [{"name": name}],
            "metrics": [{"name": "eventCount"}],
            "dateRanges": [{"startDate": "7daysAgo", "endDate": "today"}],
            "dimensionFilter": {"filter": {"fieldName": name, "stringFilter": like}},
            "limit": "1",
        }
        tried, path = "count values that look like an address", "/v1beta/properties/{}:runReport"
        answer = self._data.call("POST", path, number, tried=tried, body=body, repeatable=True)
        return int(_object(answer.json, tried).get("rowCount") or 0) > 0


def _beside(number: str, name: str, settings: Mapping[str, Any], period: Period) -> Expiry:
    configured = str(settings.get(f"{name}DataRetention"))
    months = _MONTHS.get(configured)
    agrees = months is not None and Period(months, Unit.MONTH).seconds <= period.seconds
    note = "It ends in time." if agrees else "Set the data retention of the property to no more than the period."
    shown = f"{months} months" if months else configured
    return Expiry(f"{name}DataRetention of properties/{number}", shown, str(period), agrees, note)


def _anew(number: str, settings: Mapping[str, Any]) -> Expiry:
    resets = settings.get("resetUserDataOnNewActivity") is True
    note = "Each visit starts the period anew; switch that off." if resets else "The period runs from the first event."
    setting = f"resetUserDataOnNewActivity of properties/{number}"
    return Expiry(setting, "on" if resets else "off", "off", not resets, note)


def _object(body: Any, tried: str) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise Inconsistent(KEY, tried, "It answered without an object; look at the API.")
    return body
