"""What the ledger says of one request, read entry by entry; the same however often one stops and reads on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from include.erasure.evidence import HELD
from include.ledger.entry import Kind, Recorded
from include.systems.erasing import Did

_NOT_DONE = frozenset({HELD, Did.FAILED, Did.DEFERRED, Did.BLOCKED})


@dataclass(slots=True)
class SystemHistory:
    """What happened to a request in one system.

    Args:
        intents: those without an outcome: records found, by index.
        by_hand: what a person has to do after a call that has not been answered for good, as its intent says.
    """

    found: Mapping[str, object] | None = None
    intents: dict[int, int] = field(default_factory=dict)
    by_hand: str | None = None
    gone: int = 0
    outcome: Mapping[str, object] | None = None
    outcome_at: datetime | None = None
    seen: Mapping[str, object] | None = None
    seen_at: datetime | None = None
    manual_at: datetime | None = None
    ever: bool = False

    def read(self, recorded: Recorded) -> None:
        """Take in the next entry."""
        body = recorded.entry.body
        match recorded.entry.kind:
            case Kind.FOUND:
                self.found = body
            case Kind.INTENT:
                found = number(body, "found")
                # What an unanswered call did shows in how much less the next one finds.
                self.gone += sum(max(0, before - found) for before in self.intents.values())
                self.intents = {recorded.index: found}
                self.by_hand = text(body, "by_hand") or self.by_hand
                self.outcome = self.seen = self.manual_at = None
                self.ever |= found > 0
            case Kind.OUTCOME:
                self.intents.pop(number(body, "intent"), None) if body["intent"] is not None else self.intents.clear()
                self.gone += number(body, "gone")
                # A try that came to nothing leaves open what a lost one before it has begun.
                self.by_hand = self.by_hand if body["did"] in _NOT_DONE else None
                self.outcome, self.outcome_at, self.seen = body, recorded.at, None
            case Kind.VERIFICATION:
                self.seen, self.seen_at = body, recorded.at
            case Kind.MANUAL_DONE:
                self.manual_at = recorded.at


@dataclass(slots=True)
class History:
    """What happened to a request as a whole, up to the entry ``last``."""

    opened: Recorded
    last: int = -1
    systems: dict[str, SystemHistory] = field(default_factory=dict)
    identity: str | None = None
    plan: Mapping[str, object] | None = None
    decision: Mapping[str, object] | None = None
    notice: str | None = None
    notice_open: str | None = None
    notice_opened_at: datetime | None = None
    tried: list[str] = field(default_factory=list)
    cancelled: bool = False
    closed: str | None = None
    destroyed: bool = False

    @property
    def ref(self) -> str:
        """Id of the request."""
        return self.opened.entry.run

    def read(self, recorded: Recorded) -> None:
        """Take in the next entry of this request."""
        self.last = recorded.index
        entry, body = recorded.entry, recorded.entry.body
        match entry.kind:
            case Kind.IDENTITY:
                self.identity = str(body["match"])
                self.plan = self.decision = None
            case Kind.PLAN:
                self.plan, self.decision = body, None
            case Kind.DECISION:
                self.decision = body
            case Kind.NOTICE_INTENT:
                self.notice_open, self.notice_opened_at = entry.system, recorded.at
            case Kind.NOTICE:
                self._told(entry.system, str(body["sending"]))
            case Kind.CANCELLED:
                self.cancelled = True
            case Kind.REQUEST_CLOSED:
                self.closed = str(body["reason"])
            case Kind.KEY_DESTROYED:
                self.destroyed = True
            case _ if entry.system is not None:
                self.systems.setdefault(entry.system, SystemHistory()).read(recorded)

    def _told(self, sender: str | None, sending: str) -> None:
        self.notice_open = None
        if sending == "not sent":
            self.tried.append(str(sender))
        else:
            self.notice = sending


def histories(entries: Iterable[Recorded]) -> list[History]:
    """The history of each request among ``entries``, in the order they were opened.

    Args:
        entries: in ledger order; all entries of each request in question.
    """
    found: dict[str, History] = {}
    for recorded in entries:
        ref = recorded.entry.run
        if recorded.entry.kind is Kind.REQUEST_OPENED:
            found.setdefault(ref, History(recorded, last=recorded.index))
        elif ref in found:
            found[ref].read(recorded)
    return list(found.values())


def read_on(known: Sequence[History], entries: Iterable[Recorded]) -> None:
    """Take in what was written since; entries that were taken in already change nothing."""
    by_ref = {history.ref: history for history in known}
    for recorded in entries:
        history = by_ref[recorded.entry.run]
        if recorded.index > history.last:
            history.read(recorded)


def text(body: Mapping[str, object], key: str) -> str | None:
    """A text in a body; None where there is none, as in entries of older releases."""
    value = body.get(key)
    return None if value is None else str(value)


def number(body: Mapping[str, object], key: str) -> int:
    """A count in a body.

    Raises:
        TypeError: it is none.
    """
    value = body[key]
    if not isinstance(value, int):
        raise TypeError(f"evidence field {key} must be an integer")
    return value
