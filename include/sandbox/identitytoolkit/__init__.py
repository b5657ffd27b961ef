"""Firebase Authentication's administration (Identity Toolkit v1) on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from sortedcontainers import SortedDict  # type: ignore[import-untyped]

from include.sandbox.faults import Faults, Journal
from include.sandbox.google import serve
from include.sandbox.identitytoolkit.api import IdentityToolkitApi
from include.sandbox.identitytoolkit.model import Account

__all__ = ["Account", "IdentityToolkitSandbox"]


class IdentityToolkitSandbox:
    """The service and its accounts. Any bearer token is accepted, none is not.

    ``app`` is the ASGI application; its base URL takes the place of ``https://identitytoolkit.googleapis.com``.

    Args:
        faults: shared with the other services of the sandbox; this one is ``identitytoolkit``.
        journal: shared likewise.
        clock: the time of the service, UTC.
        project: the only project it knows.
    """

    def __init__(self, faults: Faults, journal: Journal, clock: Callable[[], datetime], project: str) -> None:
        self._api = IdentityToolkitApi(project, clock)
        self.app = serve(self._api.handle, "identitytoolkit", faults, journal)

    def reset(self) -> None:
        """Forget all accounts and tenants."""
        self._api.tenants.clear()
        self._api.tenants[""] = SortedDict()

    def seed(self, accounts: Iterable[Account]) -> int:
        """Put accounts in, making the tenants they name; returns how many."""
        count = 0
        for account in accounts:
            self._api.tenants.setdefault(account.tenant, SortedDict())[account.local_id] = account
            count += 1
        return count

    def accounts(self, tenant: str = "") -> Iterator[Account]:
        """The accounts of the project or of a tenant, in the order of ids."""
        return iter(tuple(self._api.tenants.get(tenant, {}).values()))
