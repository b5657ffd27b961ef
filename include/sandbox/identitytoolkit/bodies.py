"""Request bodies of Identity Toolkit: known members with their types; anything else is refused as Google refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from include.sandbox.google import Trouble

Shape: TypeAlias = Mapping[str, type]
"""Members of a request and their JSON types; ``int`` stands for an int64, which may come as a string."""

LOOKUP: Shape = {
    "localId": list,
    "email": list,
    "phoneNumber": list,
    "initialEmail": list,
    "federatedUserId": list,
    "tenantId": str,
    "targetProjectId": str,
    "delegatedProjectNumber": int,
}
DELETE: Shape = {"localId": str, "tenantId": str, "targetProjectId": str, "delegatedProjectNumber": int}
BATCH_DELETE: Shape = {"localIds": list, "force": bool, "tenantId": str}
SIGN_UP: Shape = {
    "localId": str,
    "email": str,
    "password": str,
    "displayName": str,
    "photoUrl": str,
    "phoneNumber": str,
    "emailVerified": bool,
    "disabled": bool,
    "tenantId": str,
    "targetProjectId": str,
}
UPDATE: Shape = {
    "localId": str,
    "email": str,
    "password": str,
    "displayName": str,
    "photoUrl": str,
    "phoneNumber": str,
    "emailVerified": bool,
    "disableUser": bool,
    "validSince": int,
    "createdAt": int,
    "lastLoginAt": int,
    "customAttributes": str,
    "deleteAttribute": list,
    "deleteProvider": list,
    "returnSecureToken": bool,
    "tenantId": str,
    "targetProjectId": str,
}
QUERY: Shape = {
    "returnUserInfo": bool,
    "limit": int,
    "offset": int,
    "sortBy": str,
    "order": str,
    "expression": list,
    "tenantId": str,
}
_LISTS_OF_OBJECTS = frozenset({"federatedUserId", "expression"})


def invalid(message: str) -> Trouble:
    """400 INVALID_ARGUMENT in the form of the newer APIs."""
    return Trouble(400, "badRequest", message, {"status": "INVALID_ARGUMENT"})


def checked(body: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """The body with int64 strings as integers.

    Raises:
        Trouble: 400 for an unknown member or a wrong type.
    """
    return {name: _value(name, value, shape) for name, value in body.items() if value is not None}


def _value(name: str, value: Any, shape: Shape) -> Any:
    kind = shape.get(name)
    if kind is None:
        raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
    if kind is int and isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise invalid(f"Invalid value at '{name}'.")
    if isinstance(value, list) and name not in _LISTS_OF_OBJECTS and not all(isinstance(entry, str) for entry in value):
        raise invalid(f"Invalid value at '{name}'.")
    return value
