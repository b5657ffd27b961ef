"""Firestore's own expiry: the time-to-live setting of a field, through the REST admin API.

https://firebase.google.com/docs/firestore/ttl: a document expires ``expirationOffset`` after the timestamp in the
field, and is usually deleted within 24 hours; what lies below it stays.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import requests

from include.connection import Connection
from include.errors import Refused, Throttled, Unavailable
from include.policy.actions import Action
from include.systems.contract import Expiry, Selection
from include.systems.firestore import CARD
from include.systems.firestore.fields import render
from include.systems.firestore.place import Place

_ENDPOINT = "https://firestore.googleapis.com"
_SECONDS = (5.0, 30.0)
_TRIED = "read or set the time to live of a field"
_LONGEST = 2_147_483_647


class Ttl:
    """The setting of the fields of one database.

    Args:
        connection: ``rest_endpoint`` in its extra replaces Google's address.
        session: carries the credentials.
    """

    def __init__(self, connection: Connection, session: requests.Session) -> None:
        endpoint = connection.text("rest_endpoint", _ENDPOINT).rstrip("/")
        database = connection.text("database", "(default)")
        self._base = f"{endpoint}/v1/projects/{connection.text('project')}/databases/{database}/collectionGroups"
        self._session = session

    def close(self) -> None:
        """Close the sockets."""
        self._session.close()

    def expiry(self, selection: Selection, place: Place) -> Expiry:
        """The setting of the trigger field beside the rule."""
        config = self._call("GET", place, {}).get("ttlConfig")
        offset = None if config is None else int(config.get("expirationOffset", "0s").removesuffix("s"))
        wanted = selection.period_seconds if _expressible(selection, place) else None
        state = "" if config is None else config.get("state", "")
        return Expiry(
            setting=f"ttlConfig of {place.group}.{render(place.trigger)}",
            configured=_words(offset),
            wanted=_words(wanted),
            agrees=offset == wanted and state != "NEEDS_REPAIR",
            note=_note(offset, wanted, state),
        )

    def set(self, selection: Selection, place: Place) -> Expiry:
        """Set the rule's period and read it back.

        Raises:
            Refused: the setting cannot express the rule.
        """
        if not _expressible(selection, place) or not 0 <= selection.period_seconds <= _LONGEST:
            raise Refused(
                CARD.key, _TRIED, "Leave it to the nightly sweep: a time to live would delete other documents."
            )
        body = {"ttlConfig": {"expirationOffset": f"{selection.period_seconds}s"}}
        self._call("PATCH", place, {"params": {"updateMask": "ttlConfig"}, "json": body})
        return self.expiry(selection, place)

    def _call(self, method: str, place: Place, arguments: dict[str, Any]) -> dict[str, Any]:
        url = f"{self._base}/{quote(place.group, safe='')}/fields/{quote(render(place.trigger), safe='')}"
        try:
            response = self._session.request(method, url, timeout=_SECONDS, allow_redirects=False, **arguments)
        except requests.RequestException:
            raise Unavailable(CARD.key, _TRIED, "The admin API did not answer; run it again later.") from None
        if response.status_code == requests.codes.too_many_requests:
            after = response.headers.get("Retry-After", "")
            delay = float(after) if after.isdigit() else None
            raise Throttled(CARD.key, _TRIED, "Wait, then run it again.", retry_after=delay)
        if response.status_code >= requests.codes.internal_server_error:
            raise Unavailable(CARD.key, _TRIED, f"The admin API answered {response.status_code}; run it again later.")
        if response.status_code != requests.codes.ok:
            raise Refused(
                CARD.key,
                _TRIED,
                f"The admin API answered {response.status_code}: give the role datastore.indexAdmin or check the rule.",
            )
        try:
            answer: dict[str, Any] = response.json()
        except ValueError:
            raise Unavailable(CARD.key, _TRIED, "The admin API gave no JSON; check 'rest_endpoint'.") from None
        return answer


def _expressible(selection: Selection, place: Place) -> bool:
    """Whether a setting on all collections of this id can mean the same as the rule."""
    return selection.action is Action.DELETE and not (place.where or place.cascade or place.parent is not None)


def _words(offset: int | None) -> str:
    return "none" if offset is None else f"{offset} s"


def _note(offset: int | None, wanted: int | None, state: str) -> str:
    if state == "NEEDS_REPAIR":
        return "The setting could not be applied to all documents; set it again."
    if offset == wanted:
        return "The store is still applying it." if state == "CREATING" else "They mean the same."
    if wanted is None:
        return "The store deletes whole documents that this rule does not cover; remove the setting."
    if offset is None:
        return "The nightly sweep alone deletes; set it to have a second net."
    if offset < wanted:
        return "The store deletes earlier than the policy says; set it again."
    return "The store keeps documents longer than the policy says; the nightly sweep deletes them in time."
