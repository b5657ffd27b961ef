"""The plan of one rule for one night: what a guard judges, a human approves and a sweep may not exceed. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from include.ledger.instants import instant
from include.systems.contract import Survey


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts only: no reference, no subject.

    Args:
        scope: digest of everything that decides what is selected and done (``Rule.scope_digest``).
        whole_hold: id of a legal hold that covers the whole rule or system, if one does.
        connector: system key and connector version that counted.
    """

    rule: str
    system: str
    scope: str
    action: str
    as_of: str
    cutoff: str
    total: int
    due: int
    held: int
    oldest: str | None
    newest: str | None
    whole_hold: str | None
    connector: str

    @classmethod
    def of(
        cls,
        *,
        rule: str,
        system: str,
        scope: str,
        action: str,
        as_of: datetime,
        cutoff: datetime,
        survey: Survey,
        whole_hold: str | None,
        connector: str,
    ) -> Plan:
        """Build a plan from a survey."""
        return cls(
            rule=rule,
            system=system,
            scope=scope,
            action=action,
            as_of=str(instant(as_of)),
            cutoff=str(instant(cutoff)),
            total=survey.total,
            due=survey.due,
            held=survey.due if whole_hold else survey.held,
            oldest=instant(survey.oldest),
            newest=instant(survey.newest),
            whole_hold=whole_hold,
            connector=connector,
        )

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical form: what an approval is bound to."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def body(self) -> dict[str, str | int | None]:
        """The plan as evidence, with its digest."""
        return {**asdict(self), "digest": self.digest}

    @classmethod
    def from_body(cls, body: Mapping[str, object]) -> Plan:
        """Read a plan back from evidence."""
        return cls(**{name: body[name] for name in cls.__dataclass_fields__})  # type: ignore[arg-type]

    @property
    def to_do(self) -> int:
        """Records that a sweep would touch."""
        return self.due - self.held
