"""Rules, accounts by their ages, and a connector that only notes how long it would wait."""

import requests

from include.sandbox.identitytoolkit import Account
from include.systems import firebase_auth
from include.systems.firebase_auth_calls import Calls, Pace
from tests.google_twins import PROJECT, ago, selection_of


def connected(url, waits):
    def session():
        session = requests.Session()
        session.headers["Authorization"] = "Bearer sandbox"
        return session

    return firebase_auth.FirebaseAuth(Calls(session, url, PROJECT, Pace(1000), waits.append))


def rule(trigger="lastLoginAt", days=730, **more):
    return selection_of(trigger, days, **{"location": {}, "subject": "localId", **more})


def ms(moment):
    return int(moment.timestamp() * 1000)


def account(local_id, *, created=1000, login=None, refresh=None, **more):
    """An account by ages in days."""
    return Account(
        local_id,
        created_at=ms(ago(days=created)),
        last_login_at=None if login is None else ms(ago(days=login)),
        last_refresh_at=None if refresh is None else ms(ago(days=refresh)),
        **more,
    )


def put(twin, *accounts):
    twin.sandbox.seed(accounts)


def ids(twin, tenant=""):
    return [account.local_id for account in twin.sandbox.accounts(tenant)]


def sweep(system, selection, on_hold=None):
    return sum(system.expire(selection, batch).gone for batch in system.batches(selection, on_hold))
