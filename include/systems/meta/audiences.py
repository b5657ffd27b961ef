"""Audiences of an ad account: one call takes people out of all of them, and nobody can see who is in one.

Source: https://developers.facebook.com/documentation/ads-commerce/marketing-api/audiences/guides/custom-audiences and
https://developers.facebook.com/docs/marketing-api/reference/ad-account/usersofanyaudience/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from include.errors import Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.subjects import normalise
from include.subjects.identifiers import Subject
from include.systems.meta.graph import Graph

SCHEMAS = {IdentifierKind.EMAIL: "EMAIL_SHA256", IdentifierKind.PHONE: "PHONE_SHA256"}
LARGEST = 10_000
"""Records of one call, the vendor's maximum."""
_TRIED = "remove people from all audiences"


class Audiences:
    """The audiences of one ad account.

    Args:
        graph: calls with a token that has ``ads_management``.
        system: key of the system.
        account: id of the ad account, digits.
        size: most records in a call.
    """

    def __init__(self, graph: Graph, system: str, account: str, size: int = LARGEST) -> None:
        self._graph = graph
        self._system = system
        self._account = account
        self._size = size

    def used(self) -> bool:
        """Whether there is an audience that was made from a list of people; without one nothing has to be sent."""
        lists = self._graph.pages(
            "/act_{}/customaudiences",
            self._account,
            tried="list the audiences",
            params={"fields": "id,subtype", "limit": 100},
        )
        return any(audience.get("subtype") == "CUSTOM" for audience in lists)

    def remove(self, keys: Mapping[str, Sequence[str]]) -> None:
        """Take people out of every audience; ``keys`` are hashes by schema.

        Raises:
            Unavailable: the vendor did not receive all of them. To send them again does no harm.
            Refused: it calls some invalid, or the account is not allowed to.
        """
        for schema, hashes in keys.items():
            for start in range(0, len(hashes), self._size):
                self._remove(schema, hashes[start : start + self._size])

    def _remove(self, schema: str, hashes: Sequence[str]) -> None:
        if not hashes or not all(len(one) == 64 for one in hashes):
            raise Refused(self._system, _TRIED, "A hash is none: nothing was sent.")
        payload = json.dumps({"schema": schema, "data": list(hashes)})
        answer = self._graph.send(
            "DELETE", "/act_{}/usersofanyaudience", self._account, tried=_TRIED, form={"payload": payload}
        )
        received = answer.get("num_received") if isinstance(answer, Mapping) else None
        if received != len(hashes):
            raise Unavailable(self._system, _TRIED, "Run it again; it did not acknowledge all that was sent.")
        if answer.get("num_invalid_entries"):
            raise Refused(self._system, _TRIED, "It calls hashes invalid: look whether the API has changed.")


def keys_of(subject: Subject) -> Mapping[str, tuple[str, ...]]:
    """The hashes of a person by schema, past addresses included; what can't be an address is in no audience."""
    found: dict[str, dict[str, None]] = {}
    for known in subject.identifiers:
        if known.kind in SCHEMAS:
            try:
                found.setdefault(SCHEMAS[known.kind], {})[normalise.meta(known)] = None
            except Refused:
                continue
    return {schema: tuple(hashes) for schema, hashes in found.items() if hashes}
