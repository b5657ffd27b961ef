"""Legal holds: what must not be deleted although its period is over.

A hold is a ledger entry of kind ``hold_set``, its release one of kind ``hold_released``: there is no second place that
could disagree. :class:`Holds` folds these entries and afterwards reads only what came since.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Self

from sqlalchemy import select

from include.errors import Inconsistent, Refused
from include.ledger import pseudonym
from include.ledger.database import translated
from include.ledger.entry import Entry, Json, Kind, Recorded
from include.ledger.log import Ledger, recorded
from include.ledger.schema import HOLD_KINDS
from include.ledger.schema import entries as entry_table

_OPAQUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}", re.ASCII)
_GROUND_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """What a hold covers: the records that match all of what is given. At least one is.

    Args:
        subject: pseudonym ``sub_…`` of the person in question.
        rule: id of a rule.
        system: key of a system.
    """

    subject: str | None = None
    rule: str | None = None
    system: str | None = None

    def covers(self, rule: str, system: str) -> bool:
        """Whether records of this rule in this system can fall under it."""
        return self.rule in {None, rule} and self.system in {None, system}


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold in force.

    Args:
        id: ``hold_…``.
        scope: what it covers.
        matter: opaque id of the legal matter.
        ground: why the law requires it, in words without names.
        set_by: pseudonym of the member of staff.
        review: day on which somebody decides whether it is still needed.
        set_at: when it was set, UTC.
    """

    id: str
    scope: Scope
    matter: str
    ground: str
    set_by: str
    review: date
    set_at: datetime


@dataclass(frozen=True, slots=True)
class ActiveHolds:
    """The holds in force at one moment.

    Args:
        version: grows with every hold set or released; 0 if there never was one.
        holds: by id.
    """

    version: int = 0
    holds: Mapping[str, Hold] = field(default_factory=lambda: MappingProxyType({}))

    def whole(self, rule: str, system: str) -> Hold | None:
        """The oldest hold that keeps everything of this rule in this system, whoever the records are about."""
        for hold in self.holds.values():
            if hold.scope.subject is None and hold.scope.covers(rule, system):
                return hold
        return None

    def on_hold(self, rule: str, system: str, pseudonymise: Callable[[str], str]) -> Callable[[str], bool] | None:
        """Whether a subject, given by the store's own identifier, is on hold; None if nobody is.

        Args:
            rule: id of the rule.
            system: key of the system.
            pseudonymise: gives the pseudonym of an identifier (``Pseudonymiser.subject``).
        """
        held = frozenset(
            hold.scope.subject for hold in self.holds.values() if hold.scope.subject and hold.scope.covers(rule, system)
        )
        return (lambda identifier: pseudonymise(identifier) in held) if held else None

    def due_for_review(self, as_of: datetime) -> tuple[Hold, ...]:
        """Holds whose day of review has come, the longest overdue first."""
        due = (hold for hold in self.holds.values() if hold.review <= as_of.date())
        return tuple(sorted(due, key=lambda hold: (hold.review, hold.id)))

    def after(self, event: Recorded) -> Self:
        """The holds once one more entry is taken into account."""
        holds = dict(self.holds)
        body = event.entry.body
        if event.entry.kind is Kind.HOLD_SET:
            hold = _hold(event)
            holds[hold.id] = hold
        else:
            holds.pop(str(body["hold"]), None)
        return type(self)(event.index + 1, MappingProxyType(holds))


class Holds:
    """Set, release and read holds.

    Args:
        ledger: where they are recorded.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known = ActiveHolds()

    def set(self, scope: Scope, *, matter: str, ground: str, set_by: str, review: date, run: str = "operator") -> Hold:
        """Put a hold in force; it counts from the next time holds are read.

        Raises:
            Refused: a field is missing or not of its form; the message names it and never its value.
            Unavailable: the ledger did not answer; list the holds before setting it again.
        """
        _check(scope, matter, ground, set_by)
        if review < self._ledger.clock().date():
            raise Refused("holds", "set a hold", "Its day of review has passed: choose one to come.")
        body: dict[str, Json] = {
            "hold": f"hold_{secrets.token_hex(8)}",
            "subject": scope.subject,
            "matter": matter,
            "ground": ground,
            "by": set_by,
            "review": review.isoformat(),
        }
        return _hold(self._ledger.append([Entry(Kind.HOLD_SET, run, scope.rule, scope.system, body)])[0])

    def release(self, hold_id: str, by: str, reason: str, run: str = "operator") -> None:
        """End a hold.

        Raises:
            Refused: no such hold is in force, or a field is not of its form.
            Unavailable: the ledger did not answer.
        """
        hold = self.active().holds.get(hold_id)
        if hold is None:
            raise Refused("holds", "release a hold", "No hold in force has this id: list them.")
        _require("by", _OPAQUE.fullmatch(by) is not None)
        _require("reason", 0 < len(reason.strip()) <= _GROUND_LENGTH)
        body: dict[str, Json] = {"hold": hold.id, "by": by, "reason": reason}
        self._ledger.append([Entry(Kind.HOLD_RELEASED, run, hold.scope.rule, hold.scope.system, body)])

    def active(self) -> ActiveHolds:
        """The holds in force now, by one query that returns what is new since the last call.

        Raises:
            Unavailable: the ledger did not answer: nothing may be deleted.
            Inconsistent: an entry about a hold cannot be read: nothing may be deleted.
        """
        table = entry_table.c
        query = (
            select(table.index, table.entry, table.leaf_hash)
            .where(table.kind.in_(HOLD_KINDS), table.index >= self._known.version)
            .order_by(table.index)
        )
        with translated("read the holds"), self._ledger.engine.connect() as connection:
            rows = connection.execute(query).all()
        known = self._known
        for index, data, leaf in rows:
            known = known.after(recorded(index, bytes(data), bytes(leaf)))
        self._known = known
        return known


def _hold(event: Recorded) -> Hold:
    body = {key: str(value) for key, value in event.entry.body.items() if value is not None}
    try:
        scope = Scope(body.get("subject"), event.entry.rule, event.entry.system)
        review = date.fromisoformat(body["review"])
        return Hold(body["hold"], scope, body["matter"], body["ground"], body["by"], review, event.at)
    except (KeyError, ValueError):
        raise Inconsistent("holds", f"read entry {event.index}", "It does not describe a hold: audit it.") from None


def _check(scope: Scope, matter: str, ground: str, set_by: str) -> None:
    _require("scope", bool(scope.subject or scope.rule or scope.system))
    _require("subject", scope.subject is None or pseudonym.PATTERN.fullmatch(scope.subject) is not None)
    _require("matter", _OPAQUE.fullmatch(matter) is not None)
    _require("set_by", _OPAQUE.fullmatch(set_by) is not None)
    _require("ground", 0 < len(ground.strip()) <= _GROUND_LENGTH)


def _require(name: str, ok: bool) -> None:
    forms = {
        "scope": "Name a subject, a rule or a system.",
        "subject": "Give a pseudonym sub_…, never the identifier itself.",
        "ground": f"Say why in at most {_GROUND_LENGTH} characters, without names.",
        "reason": f"Say why in at most {_GROUND_LENGTH} characters, without names.",
    }
    if not ok:
        raise Refused("holds", f"use '{name}'", forms.get(name, "Give an opaque id: letters, digits and _.:/-"))
