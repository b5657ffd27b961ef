"""Address books behind grants: contacts that carry an address of a person, deleted and read back.

Calls that change one address book come one after the other, as the People API asks.
Source: https://developers.google.com/people/v1/contacts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from include.errors import Unavailable
from include.systems.addresses import same
from include.systems.http import Http
from include.systems.oauth import Grant
from include.systems.places import pieces

_FOUND = 30
"""Most contacts in the answer to one search."""
_DELETED = 500
"""Most contacts of one deletion."""


class AddressBook:
    """The address books of the persons whose grants are given.

    Args:
        system: named in errors.
        http: to the People API.
    """

    def __init__(self, system: str, http: Http) -> None:
        self._system = system
        self._http = http

    def search(self, grant: Grant, addresses: Sequence[str]) -> tuple[str, ...]:
        """Names of the contacts that have one of the addresses (folded); none where the grant is for other things.

        The first search wakes Google's index up, as its documentation asks for.

        Raises:
            Unavailable: a call failed.
        """
        if not addresses or self._ask(grant, "") is None:
            return ()
        found: dict[str, None] = {}
        for address in addresses:
            for person in self._ask(grant, address) or ():
                emails = {same(str(entry.get("value") or "")) for entry in person.get("emailAddresses") or ()}
                if address in emails:
                    found[str(person["resourceName"])] = None
        return tuple(found)

    def delete(self, grant: Grant, names: Sequence[str]) -> None:
        """Delete exactly these contacts, and look that they are gone: once the grant is revoked, nobody can.

        Raises:
            Unavailable: a call failed, or one of them is still there.
            Refused: the grant does not allow it.
        """
        for some in pieces(names, _DELETED):
            self._http.call(
                "POST",
                "/v1/people:batchDeleteContacts",
                tried="delete contacts",
                body={"resourceNames": some},
                headers=grant.headers,
                also=(404,),
                repeatable=True,
            )
        if any(self._is_there(grant, name) for name in names):
            raise Unavailable(self._system, "delete contacts", "Run it again; some of them are still there.")

    def close(self) -> None:
        """Release the sockets."""
        self._http.close()

    def _ask(self, grant: Grant, query: str) -> list[dict[str, Any]] | None:
        """The persons of one answer; None where the grant is for other things."""
        params: dict[str, str | int] = {"query": query, "readMask": "emailAddresses", "pageSize": _FOUND}
        answer = self._http.call(
            "GET",
            "/v1/people:searchContacts",
            tried="search contacts",
            params=params,
            headers=grant.headers,
            also=(403,),
        )
        if answer.status == 403:
            return None
        return [result["person"] for result in (answer.json or {}).get("results") or ()]

    def _is_there(self, grant: Grant, name: str) -> bool:
        answer = self._http.call(
            "GET",
            "/v1/people/{}",
            name.removeprefix("people/"),
            tried="look for a contact",
            params={"personFields": "metadata"},
            headers=grant.headers,
            also=(404,),
        )
        return answer.status != 404
