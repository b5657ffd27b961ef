"""Push subscriptions whose device had no session for the period of a rule; with the last one goes its user.

The vendor's interface selects nobody by date, its export tells the last session of each subscription. Right before a
subscription goes its user is read: if the subscription had a session since the export, it stays. E-mail addresses and
telephone numbers are subscriptions too, but no devices; they have no sessions, and this rule leaves them alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from include.errors import Refused, Unavailable
from include.policy.actions import Action
from include.systems.contract import Batch, Expiry, OnHold, ReadBack, Selection, Survey, Swept
from include.systems.onesignal import CARD, KEY
from include.systems.onesignal.calls import Calls
from include.systems.onesignal.export import Row

LOOKS, PAUSE = 5, 1.0
"""How often, and after how many seconds each, a deletion is looked for before the run is left to be repeated."""


class OneSignalAges:
    """See :class:`include.systems.contract.RetentionSystem`."""

    card = CARD

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Count the rows of an export."""
        _check(selection)
        total = due = held = 0
        oldest = newest = None
        for row in self._calls.subscriptions():
            total += row.device
            moment = _due_since(row, selection)
            if moment is None:
                continue
            due += 1
            held += _is_held(row, on_hold)
            oldest, newest = min(oldest or moment, moment), max(newest or moment, moment)
        return Survey(total, due, held, oldest, newest)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield due subscriptions in the order of an export, which is a picture of one moment."""
        _check(selection)
        listed = ((row, _due_since(row, selection)) for row in self._calls.subscriptions())
        due = ((row, at) for row, at in listed if at is not None and not _is_held(row, on_hold))
        while piece := list(islice(due, CARD.batch_size)):
            yield Batch(len(piece), min(at for _, at in piece), max(at for _, at in piece), [row for row, _ in piece])

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Delete each subscription that had no session since the export, and wait until all are gone.

        Raises:
            Unavailable: a call failed, or subscriptions are still there.
        """
        _check(selection)
        records: Sequence[Row] = batch.records
        gone: list[str] = []
        absent = changed = 0
        for row in records:
            user = self._user(row)
            mine = None if user is None else _subscriptions(user).get(row.id)
            if user is None or mine is None:
                absent += 1
            elif mine.get("session_count", 0) != row.sessions:
                changed += 1
            elif self._delete(row, user, selection.cutoff, gone):
                gone.append(row.id)
            else:
                absent += 1
        self._await(gone)
        return Swept(gone=len(gone), absent=absent, changed=changed)

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """Make another export and count; each deleted one was looked up by its id before."""
        survey = self.survey(selection, on_hold)
        return ReadBack(remaining=survey.due - survey.held, held=survey.held)

    def expiry(self, selection: Selection) -> list[Expiry]:
        """None that can be read: only on the free plan the vendor drops a subscription after 18 months."""
        _check(selection)
        return []

    def set_expiry(self, selection: Selection) -> Expiry:
        """Refused: there is no such setting.

        Raises:
            Refused: always.
        """
        raise Refused(KEY, "set an expiry", "Subscriptions have no setting for it; rely on the nightly sweep.")

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()

    def _user(self, row: Row) -> Mapping[str, Any] | None:
        owner = self._calls.of_subscription(row.id)
        return None if owner is None else self._calls.user(owner.id)

    def _delete(self, row: Row, user: Mapping[str, Any], cutoff: datetime, gone: Sequence[str]) -> bool:
        """The user too, if this was the last subscription and the user was not active since either."""
        others = _subscriptions(user).keys() - {row.id, *gone}
        if others or not _is_dormant(user, cutoff):
            return self._calls.delete_subscription(row.id)
        return self._calls.delete_user(str(user["identity"]["onesignal_id"]))

    def _await(self, gone: Sequence[str]) -> None:
        left = list(gone)
        for _ in range(LOOKS):
            left = [number for number in left if self._calls.of_subscription(number) is not None]
            if not left:
                return
            self._calls.pause(PAUSE)
        raise Unavailable(KEY, f"delete {len(gone)} subscriptions", f"Run it again; {len(left)} are still there.")


def _check(selection: Selection) -> None:
    """Refuse a selection that this module does not understand, before any call."""
    tried = f"read the rule {selection.rule}"
    if selection.location or selection.where:
        raise Refused(KEY, tried, "It knows no location and no conditions: the rule is about all devices of the app.")
    if selection.trigger_field not in CARD.trigger_fields:
        raise Refused(KEY, tried, f"Use one of {', '.join(sorted(CARD.trigger_fields))} as its trigger.")
    if selection.subject not in (None, *CARD.subject_forms) or selection.action is not Action.DELETE:
        raise Refused(KEY, tried, "Use 'external_user_id' as its subject; subscriptions can only be deleted.")


def _due_since(row: Row, selection: Selection) -> datetime | None:
    due = row.device and row.last_active is not None and row.last_active < selection.cutoff
    return row.last_active if due else None


def _is_held(row: Row, on_hold: OnHold | None) -> bool:
    return on_hold is not None and on_hold(row.external_id or row.id)


def _subscriptions(user: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(each.get("id")): each for each in user.get("subscriptions") or ()}


def _is_dormant(user: Mapping[str, Any], cutoff: datetime) -> bool:
    last = (user.get("properties") or {}).get("last_active")
    return isinstance(last, int) and datetime.fromtimestamp(last, UTC) < cutoff
