"""Persons and means for the tests of systems that erase persons."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from include.policy.persons import IdentifierKind, RequestType
from include.subjects.identifiers import Identifier, Subject
from include.systems.erasing import Means
from include.systems.mailing import Mail

NOW = datetime(2026, 3, 1, 2, 0, 30, tzinfo=UTC)

HOSTILE = (
    "",
    " ",
    ".",
    "..",
    "/",
    "*",
    "%",
    "%25",
    "@",
    "*@example.com",
    "%@example.com",
    "a" * 300 + "@example.com",
    "../x@example.com",
    "x@example.com/..",
    "x@example.com/../..",
    "x@example.com?delete_all_contacts=true",
    "x@example.com&delete_all=true",
    "x@example.com,victim@example.com",
    "x@example.com victim@example.com",
    "x@example.com\nvictim@example.com",
    "' OR email LIKE '%",
    "x@example.com' OR '1'='1",
    'x@example.com" OR to_email != "',
    '"victim"@example.com',
    "<victim@example.com>",
    "mailto:victim@example.com",
    "im@example.com",
    "victim@example.co",
    "victim@example.com.evil.example",
    "\u200bvictim@example.com",
    "vict\u0131m@example.com",
    "v\u0456ctim@example.com",
    "victim@example\u3002com",
    "\u212aate@example.com",
    "stra\u00dfe@example.com",
    "\ud800@example.com",
    "victim@example.com\x00",
)
"""What a stranger may type. ``victim@``, ``kate@`` and ``strasse@example.com`` are others' addresses."""


def person(*emails: str, ref: str = "req_aaaaaaaaaaaaaaaa") -> Subject:
    known = tuple(Identifier(IdentifierKind.EMAIL, email) for email in emails)
    return Subject(ref, RequestType.ERASURE, known)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Budget:
    """Grants what is left, and notes the name of each wish."""

    left_over: int = 10**9
    wishes: list[tuple[str, int, int, timedelta]] = field(default_factory=list)

    def take(self, name: str, amount: int, limit: int, window: timedelta) -> int:
        self.wishes.append((name, amount, limit, window))
        granted = min(amount, self.left_over)
        self.left_over -= granted
        return granted

    def left(self, name: str, limit: int, window: timedelta) -> int:
        return self.left_over

    def pace(self, name: str, per_second: float) -> AbstractContextManager[None]:
        return nullcontext()


def means(clock: Clock | None = None, budget: Budget | None = None, keep: frozenset[str] = frozenset()) -> Means:
    return Means(clock or Clock(), budget or Budget(), keep_suppressions=keep, suppression_ground="A proof.")


def letter(to: str = "ann@example.com", key: str = "req_aaaaaaaaaaaaaaaa", subject: str = "Your request") -> Mail:
    return Mail(key, to, "hello@clique.example", subject, "It is done.\nBest regards")
