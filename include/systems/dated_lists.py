"""Retention by age of lists that a mail service keeps: entries with an address and the time at which they were made.

A list is read to its end, what is due is removed entry by entry or by exact addresses, and the list is read again. What
a service lets outsiders do with its lists is behind :class:`Lists`; everything that decides is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from include.errors import Refused
from include.policy.actions import Action
from include.systems.addresses import same
from include.systems.contract import Batch, Card, Expiry, OnHold, ReadBack, Selection, Survey, Swept


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """An entry of a list.

    Args:
        at: when it was made, UTC.
        email: as the list writes it.
        within: which of the service's lists of that name it is on: an account, a domain.
    """

    at: datetime
    email: str = field(repr=False)
    within: str = field(default="", repr=False)


class Lists(Protocol):
    """The lists of a service. All methods raise ``Unavailable`` and ``Refused`` as the contract says."""

    def entries(self, name: str, before: datetime | None) -> Iterator[Entry]:
        """All entries of a list, at least those made before an instant, streamed."""

    def pages(self, name: str, before: datetime, goes: Callable[[Entry], bool]) -> Iterator[list[Entry]]:
        """The entries made before an instant that go, while those of the page before are being removed."""

    def unchanged(self, name: str, entries: Sequence[Entry]) -> set[Entry]:
        """Those that are there as they were: an address that was put on the list again since then is another entry."""

    def remove(self, name: str, entries: Iterable[Entry]) -> None:
        """Take exactly these off; one that is not there any more is no error."""

    def close(self) -> None:
        """Release the sockets."""


class DatedLists:
    """The retention operations on the lists of a service.

    Args:
        card: of the module; ``location_keys`` has ``list`` alone.
        names: of the lists whose entries go by age.
        lists: the service's.
    """

    def __init__(self, card: Card, names: Sequence[str], lists: Lists) -> None:
        self.card = card
        self._names = names
        self._lists = lists

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Read the whole list and count."""
        total, held, due = 0, 0, list[datetime]()
        for entry in self._lists.entries(self._check(selection), None):
            total += 1
            if entry.at < selection.cutoff:
                due.append(entry.at)
                held += _is_held(entry, on_hold)
        return Survey(total, len(due), held, min(due, default=None), max(due, default=None))

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield what is due and not on hold, a page of the service at a time."""
        name = self._check(selection)
        for page in self._lists.pages(name, selection.cutoff, lambda entry: not _is_held(entry, on_hold)):
            moments = [entry.at for entry in page]
            yield Batch(len(page), min(moments), max(moments), tuple(page))

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Look which entries are as they were selected, and remove exactly those.

        Raises:
            Unavailable: a call failed; any part may be gone.
            Refused: the right to remove is missing.
        """
        name, records = self._check(selection), batch.records
        due = self._lists.unchanged(name, records)
        self._lists.remove(name, sorted(due))
        return Swept(gone=len(due), absent=len(records) - len(due))

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """Read the list again from the beginning."""
        remaining = held = 0
        for entry in self._lists.entries(self._check(selection), selection.cutoff):
            if entry.at < selection.cutoff:
                is_held = _is_held(entry, on_hold)
                held += is_held
                remaining += not is_held
        return ReadBack(remaining, held)

    def expiry(self, selection: Selection) -> list[Expiry]:
        """None: entries stay until somebody removes them."""
        self._check(selection)
        return []

    def set_expiry(self, selection: Selection) -> Expiry:
        """Refused: the service has no such setting.

        Raises:
            Refused: always.
        """
        raise Refused(self.card.key, "set an expiry", "Lists have no expiry of their own; rely on the nightly sweep.")

    def close(self) -> None:
        """Release the sockets."""
        self._lists.close()

    def _check(self, selection: Selection) -> str:
        """Refuse what this module does not understand, before any call; returns the name of the list."""
        tried, name = f"read the rule {selection.rule}", selection.location.get("list", "")
        if name not in self._names or selection.location.keys() != {"list"}:
            raise Refused(self.card.key, tried, f"Give its location a 'list', one of {', '.join(self._names)}.")
        if selection.trigger_field not in self.card.trigger_fields:
            raise Refused(self.card.key, tried, f"Use {', '.join(sorted(self.card.trigger_fields))} as its trigger.")
        if selection.where or selection.subject not in (None, "email") or selection.action is not Action.DELETE:
            raise Refused(self.card.key, tried, "Use 'email' as its subject, no 'where'; entries can only be deleted.")
        return name


def _is_held(entry: Entry, on_hold: OnHold | None) -> bool:
    """A hold on an address holds it in whatever letters the list writes it."""
    return on_hold is not None and (on_hold(entry.email) or on_hold(same(entry.email)))
