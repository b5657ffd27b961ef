"""Firebase Authentication: accounts by their last sign-in or their creation.

The batch deletion has no precondition and ignores ids that do not exist, so each batch is looked up right before it,
which drops whoever came back meanwhile, and right after it, which proves that it is gone.
Source: the discovery document of identitytoolkit v1, https://firebase.google.com/docs/auth/admin/manage-users.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from types import MappingProxyType

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.policy.actions import Action
from include.systems.contract import Batch, Card, Expiry, OnHold, Proof, ReadBack, Selection, Survey, Swept
from include.systems.firebase_auth_calls import KEY, PAGE, Account, Calls, Pace, calls_to

_WHERE = {
    "emailVerified": ("true", "false"),
    "disabled": ("true", "false"),
    "signIn": ("password", "other"),
}

CARD = Card(
    key=KEY,
    version="2",
    proof=Proof.READ_BACK,
    actions=frozenset({Action.DELETE}),
    location_keys=MappingProxyType({"tenant": "optional: id of an Identity Platform tenant"}),
    subject_forms=MappingProxyType({"localId": "the id of the account"}),
    trigger_fields=frozenset({"lastLoginAt", "lastRefreshAt", "createdAt"}),
    batch_size=PAGE,
    documentation="https://firebase.google.com/docs/auth/admin/manage-users",
    horizon="ID tokens stay valid for up to an hour after the deletion; Google removes the data from live and backup "
    "systems within 180 days.",
)


class FirebaseAuth:
    """The retention operations on the accounts of one project and its tenants."""

    card = CARD

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def survey(self, selection: Selection, on_hold: OnHold | None) -> Survey:
        """Count; the store can't, so all accounts are listed, a page in memory at a time."""
        tenant = _check(selection)
        total = due = held = 0
        oldest = newest = None
        for account in self._calls.accounts(tenant):
            total += 1
            moment = _due_since(account, selection)
            if moment is None:
                continue
            due += 1
            held += _is_held(account, on_hold)
            oldest = min(oldest or moment, moment)
            newest = max(newest or moment, moment)
        return Survey(total, due, held, oldest, newest)

    def batches(self, selection: Selection, on_hold: OnHold | None) -> Iterator[Batch]:
        """Yield due accounts in the order of the store's listing, which knows no other."""
        listed = self._calls.accounts(_check(selection))
        due = (a for a in listed if _due_since(a, selection) is not None and not _is_held(a, on_hold))
        while records := tuple(islice(due, PAGE)):
            moments = [moment for account in records if (moment := _due_since(account, selection)) is not None]
            yield Batch(len(records), min(moments), max(moments), records)

    def expire(self, selection: Selection, batch: Batch) -> Swept:
        """Look up, delete who is still due, look up again.

        Raises:
            Unavailable: the call failed, accounts were refused inside its answer, or they are still there.
            Refused: the right to delete is missing.
        """
        tenant = _check(selection)
        records: Sequence[Account] = batch.records
        ids = [account.local_id for account in records]
        found = self._calls.look_up(tenant, ids)
        due = [local_id for local_id, account in found.items() if _due_since(account, selection) is not None]
        refused = self._calls.batch_delete(tenant, due) if due else 0
        left = len(self._calls.look_up(tenant, due)) if due else 0
        if refused or left:
            tried = f"delete a batch of {len(due)} accounts"
            raise Unavailable(KEY, tried, f"Run it again; {refused} were refused and {left} are still there.")
        return Swept(gone=len(due), absent=len(ids) - len(found), changed=len(found) - len(due))

    def read_back(self, selection: Selection, on_hold: OnHold | None) -> ReadBack:
        """List all accounts again; each deleted one was looked up by its id before."""
        remaining = held = 0
        for account in self._calls.accounts(_check(selection)):
            if _due_since(account, selection) is None:
                continue
            if _is_held(account, on_hold):
                held += 1
            else:
                remaining += 1
        return ReadBack(remaining, held)

    def expiry(self, selection: Selection) -> list[Expiry]:
        """None: the store has no such setting for accounts that signed up."""
        _check(selection)
        return []

    def set_expiry(self, selection: Selection) -> Expiry:
        """Refused: the store has no such setting.

        Raises:
            Refused: always.
        """
        raise Refused(KEY, "set an expiry", "Accounts have no expiry of their own; rely on the nightly sweep.")

    def close(self) -> None:
        """Release the sockets."""
        self._calls.close()


def connect(connection: Connection) -> FirebaseAuth:
    """Build the connector; nothing is called yet.

    ``extra`` has ``project``; for the credentials ``keyfile_dict``, ``token`` or nothing; and, if the project's quota
    is another one, ``batch_deletes_per_second`` (1).

    Raises:
        Refused: the project is missing or the rate is not a positive number.
    """
    return FirebaseAuth(calls_to(connection, Pace))


def _check(selection: Selection) -> str:
    """Refuse a selection that this module does not understand, before any call; returns the tenant, "" for none."""
    tried = f"read the rule {selection.rule}"
    if selection.location.keys() - {"tenant"}:
        raise Refused(KEY, tried, "Its location can only have a 'tenant'.")
    if selection.trigger_field not in CARD.trigger_fields:
        raise Refused(KEY, tried, f"Use one of {', '.join(sorted(CARD.trigger_fields))} as its trigger.")
    if any(value not in _WHERE.get(name, ()) for name, value in selection.where.items()):
        accepted = "; ".join(f"{name}: {' or '.join(values)}" for name, values in _WHERE.items())
        raise Refused(KEY, tried, f"In 'where' it knows {accepted}.")
    if selection.subject not in (None, "localId") or selection.action is not Action.DELETE:
        raise Refused(KEY, tried, "Use 'localId' as its subject; accounts can only be deleted.")
    return selection.location.get("tenant", "")


def _due_since(account: Account, selection: Selection) -> datetime | None:
    """The trigger of an account that is due; None for one that is not."""
    moment = _trigger(account, selection.trigger_field)
    due = moment is not None and moment < selection.cutoff and _satisfies(account, selection.where)
    return moment if due else None


def _trigger(account: Account, field: str) -> datetime | None:
    """Who never signed in counts from the creation; a refreshed session is a sign of life after the last sign-in."""
    signs = {
        "createdAt": (account.created_at,),
        "lastLoginAt": (account.last_login_at or account.created_at,),
        "lastRefreshAt": (account.last_refresh_at, account.last_login_at, account.created_at),
    }[field]
    return max((sign for sign in signs if sign), default=None)


def _satisfies(account: Account, where: Mapping[str, str]) -> bool:
    has = {
        "emailVerified": "true" if account.email_verified else "false",
        "disabled": "true" if account.disabled else "false",
        "signIn": "password" if account.password_only else "other",
    }
    return all(has[name] == wanted for name, wanted in where.items())


def _is_held(account: Account, on_hold: OnHold | None) -> bool:
    return on_hold is not None and on_hold(account.local_id)
