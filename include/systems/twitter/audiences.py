"""Audiences of an ad account at X: hashes are taken out of each made from a list; nobody can see who is in one.

Source: https://developer.x.com/en/docs/x-ads-api/audiences/api-reference/custom-audience-users.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.errors import Inconsistent, Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.subjects import normalise
from include.subjects.identifiers import Subject
from include.systems.http import Http

OPERATIONS = 2500
"""Operations of a call, the vendor's maximum."""
BYTES = 5_000_000
"""Of a body, the vendor's maximum."""
KEYS = {IdentifierKind.EMAIL: "email", IdentifierKind.EXTERNAL_ID: "twitter_id"}
_BEHAVIOUR = frozenset({"WEB", "MOBILE"})
"""Types of audiences that no list of people was ever added to. Any other type is asked to let go of people."""
_LIST = "list the audiences"
_REMOVE = "remove people from an audience"


class Audiences:
    """The audiences of one ad account.

    Args:
        http: calls to the ads API, paced and signed.
        system: key of the system.
        account: id of the ad account.
        size: most operations in a call.
    """

    def __init__(self, http: Http, system: str, account: str, size: int = OPERATIONS) -> None:
        self._http = http
        self._system = system
        self._account = account
        self._size = size

    def lists(self) -> list[str]:
        """Ids of the account's own audiences that people can be in by a list."""
        found: list[str] = []
        cursor = ""
        while True:
            params: dict[str, str | int] = {"count": 1000, "permission_scope": "OWNER"}
            answer = self._http.call(
                "GET",
                "/12/accounts/{}/custom_audiences",
                self._account,
                tried=_LIST,
                params={**params, **({"cursor": cursor} if cursor else {})},
            ).json
            audiences = answer.get("data") if isinstance(answer, Mapping) else None
            if not isinstance(audiences, list):
                raise Inconsistent(self._system, _LIST, "It answered without a list; look at the version of the API.")
            found += [str(one["id"]) for one in audiences if one.get("audience_type") not in _BEHAVIOUR]
            following = str(answer.get("next_cursor") or "")
            if not following:
                return found
            if following == cursor:
                raise Inconsistent(self._system, _LIST, "The list does not advance; report it to the vendor.")
            cursor = following

    def remove(self, people: Sequence[Mapping[str, Sequence[str]]]) -> None:
        """Take people out of every audience; each has hashes by the name of their kind.

        Raises:
            Unavailable: the vendor did not take all of them. To send them again does no harm.
        """
        operations = [_operation(self._system, hashes) for hashes in people if hashes]
        for audience in self.lists() if operations else ():
            for batch in _batches(operations, self._size):
                self._send(audience, batch)

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _send(self, audience: str, operations: Sequence[Mapping[str, Any]]) -> None:
        answer = self._http.call(
            "POST",
            "/12/accounts/{}/custom_audiences/{}/users",
            self._account,
            audience,
            tried=_REMOVE,
            body=list(operations),
            repeatable=True,
        ).json
        data = answer.get("data") if isinstance(answer, Mapping) else None
        counts = [data.get(name) for name in ("success_count", "total_count")] if isinstance(data, Mapping) else []
        if counts != [len(operations)] * 2:
            raise Unavailable(self._system, _REMOVE, "Run it again; it did not acknowledge all that was sent.")


def hashes_of(subject: Subject) -> Mapping[str, tuple[str, ...]]:
    """The hashes of a person by the name of their kind, past addresses included."""
    found: dict[str, dict[str, None]] = {}
    for known in subject.identifiers:
        if known.kind in KEYS:
            try:
                found.setdefault(KEYS[known.kind], {})[normalise.twitter(known)] = None
            except Refused:
                continue
    return {kind: tuple(hashes) for kind, hashes in found.items() if hashes}


def _operation(system: str, hashes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """One person: each hash by itself, because one entry of the audience has to match one of them."""
    users = [{kind: [one]} for kind, values in hashes.items() for one in values]
    if not users or not all(len(one) == 64 for values in hashes.values() for one in values):
        raise Refused(system, _REMOVE, "A hash is none: nothing was sent.")
    return {"operation_type": "Delete", "params": {"users": users}}


def _batches(operations: Sequence[Mapping[str, Any]], size: int) -> Iterator[list[Mapping[str, Any]]]:
    """In the order given, as many as a call may have in number and in bytes."""
    batch: list[Mapping[str, Any]] = []
    used = 2
    for operation in operations:
        weight = len(json.dumps(operation)) + 2
        if batch and (len(batch) == size or used + weight > BYTES):
            yield batch
            batch, used = [], 2
        batch.append(operation)
        used += weight
    if batch:
        yield batch
