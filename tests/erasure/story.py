"""Builds the evidence of a request entry by entry, as the engine writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from include.erasure.evidence import Look, outcome_entry, refusal_entry, verification_entry
from include.erasure.status import RequestStatus, SystemRow, statuses
from include.ledger.entry import Entry, Json, Kind, Recorded
from include.ledger.instants import instant
from include.systems.erasing import Did, ErasingCard, ErasureProof, Receipt, Seen

REF = "req_" + "a" * 16
START = datetime(2026, 3, 1, tzinfo=UTC)


def card(key: str = "redis") -> ErasingCard:
    """A card of no particular system."""
    return ErasingCard(
        key, "1.0.0", frozenset(), ErasureProof.READ_BACK, 100, timedelta(), "at once", ("https://example.com/",)
    )


@dataclass
class Story:
    """Entries of one request, an hour apart."""

    entries: list[Recorded] = field(default_factory=list)
    now: datetime = START

    def write(self, entry: Entry) -> int:
        """Append; returns the index."""
        self.now += timedelta(hours=1)
        self.entries.append(Recorded(len(self.entries), self.now, entry, b""))
        return len(self.entries) - 1

    def opened(self, type_: str = "erasure") -> Story:
        """The request came in."""
        body: dict[str, Json] = {
            "type": type_,
            "batch": None,
            "received_at": instant(START),
            "by": "staff_x",
            "answer": True,
        }
        self.write(Entry(Kind.REQUEST_OPENED, REF, body=body))
        return self

    def identified(self, match: str = "one") -> Story:
        """The roots were asked."""
        self.write(Entry(Kind.IDENTITY, REF, body={"match": match, "identifiers": {}, "candidates": 1, "chosen": None}))
        return self

    def found(self, count: int, system: str = "redis", stays: list[Json] | None = None) -> Story:
        """A look before the plan."""
        body: dict[str, Json] = {"counts": {"keys": count}, "stays": stays or [], "clean_at": None, "connector": "x/1"}
        self.write(Entry(Kind.FOUND, REF, system=system, body=body))
        return self

    def planned(self, *systems: str, count: int = 3, to_do: bool = True) -> Story:
        """A plan."""
        rows: list[Json] = [{"system": system, "counts": {"keys": count}} for system in systems or ("redis",)]
        body: dict[str, Json] = {"systems": rows, "digest": "d" * 64, "batch_digest": "b" * 64, "to_do": to_do}
        self.write(Entry(Kind.PLAN, REF, body=body))
        return self

    def decided(self, choice: str = "approved") -> Story:
        """A human's word."""
        self.write(Entry(Kind.DECISION, REF, body={"choice": choice, "by": "staff_y", "digest": "d", "reason": "ok"}))
        return self

    def intent(self, found: int, system: str = "redis", *, by_hand: str | None = None) -> int:
        """Right before a call."""
        return self.write(Entry(Kind.INTENT, REF, system=system, body={"found": found, "by_hand": by_hand}))

    def outcome(
        self, did: Did, *, intent: int, gone: int = 0, until: datetime | None = None, system: str = "redis"
    ) -> Story:
        """The call was answered."""
        self.write(outcome_entry(card(system), intent, Receipt(REF, did, gone=gone, until=until, next_action="look")))
        return self

    def refused(self, did: str, system: str = "redis") -> Story:
        """No call was made."""
        self.write(refusal_entry(card(system), REF, did=did, why="because"))
        return self

    def seen(
        self,
        remaining: int = 0,
        *,
        look: Look = Look.PUSH,
        until: datetime | None = None,
        pending: bool = False,
        proved: bool = True,
        blocked: int = 0,
        system: str = "redis",
    ) -> Story:
        """A look."""
        one = Seen(REF, remaining, blocked=blocked, until=until, pending=pending, proved=proved)
        self.write(verification_entry(card(system), one, look))
        return self

    def erased(self, did: Did = Did.GONE, *, found: int = 3, gone: int = 3, until: datetime | None = None) -> Story:
        """Intent and outcome."""
        return self.outcome(did, intent=self.intent(found), gone=gone, until=until)

    def other(self, kind: Kind, **body: Json) -> Story:
        """Any other entry of the request."""
        self.write(Entry(kind, REF, body=body))
        return self

    def status(self, at: datetime | None = None, claims: frozenset[str] = frozenset()) -> RequestStatus:
        """What it comes to."""
        (status,) = statuses(self.entries, at=at or self.now, claims=claims)
        return status

    def row(self, at: datetime | None = None, system: str = "redis", claims: frozenset[str] = frozenset()) -> SystemRow:
        """The same for one system."""
        return self.status(at, claims).row(system)


def approved(*systems: str) -> Story:
    """A request that was looked for, planned and approved."""
    story = Story().opened().identified()
    for system in systems or ("redis",):
        story.found(3, system)
    return story.planned(*systems).decided()
