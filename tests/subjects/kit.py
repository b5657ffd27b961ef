"""Requests of made-up people."""

from __future__ import annotations

from datetime import UTC, datetime

from include.policy.persons import IdentifierKind, RequestType
from include.subjects.identifiers import Identifier
from include.subjects.vault import Intake

RECEIVED = datetime(2026, 2, 20, 9, 30, tzinfo=UTC)
STAFF = "staff_abcdefghijklmnopqrstuvwxyz"
EMAIL, USER_ID = IdentifierKind.EMAIL, IdentifierKind.USER_ID


def email(value: str) -> Identifier:
    return Identifier(EMAIL, value)


def user(value: str) -> Identifier:
    return Identifier(USER_ID, value)


def intake(
    *identifiers: Identifier, type: RequestType = RequestType.ERASURE, received_at: datetime = RECEIVED
) -> Intake:
    return Intake(type, identifiers, STAFF, "page", received_at)
