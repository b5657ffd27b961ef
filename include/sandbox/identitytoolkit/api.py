"""Identity Toolkit v1 as far as an administrator of accounts needs it, with its traps.

Built to the discovery document and to what the Firebase Authentication emulator answers: unknown ids in a batch
deletion are ignored, enabled accounts are refused inside a 200 unless ``force`` is set, a look-up without a hit has no
``users``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias
from uuid import uuid4

from sortedcontainers import SortedDict  # type: ignore[import-untyped]

from include.sandbox.google import Answer, Call, Trouble, answered, segment
from include.sandbox.identitytoolkit import bodies
from include.sandbox.identitytoolkit.model import Account

MAX_LOOKUP = 100
"""Identifiers in one look-up: what Google's own administration SDKs keep to."""
MAX_BATCH = 1000
MAX_PAGE = 1000
MAX_QUERY = 500
_KIND = "identitytoolkit#"

Accounts: TypeAlias = "SortedDict[str, Account]"
Method: TypeAlias = Callable[[Call, Accounts, str], Answer]


class IdentityToolkitApi:
    """Routes calls to the accounts of one project and its tenants."""

    def __init__(self, project: str, clock: Callable[[], datetime]) -> None:
        self._project = project
        self._clock = clock
        self.tenants: dict[str, Accounts] = {"": SortedDict()}
        self._methods: dict[tuple[str, str], Method] = {
            ("POST", ""): self._sign_up,
            ("POST", ":lookup"): self._lookup,
            ("POST", ":update"): self._update,
            ("POST", ":delete"): self._delete,
            ("POST", ":batchDelete"): self._batch_delete,
            ("POST", ":query"): self._query,
            ("GET", ":batchGet"): self._batch_get,
        }
        self._route = re.compile(
            r"/v1/projects/(?P<project>[^/:]+)(?:/tenants/(?P<tenant>[^/:]+))?/accounts(?P<verb>:[A-Za-z]+)?"
        )

    def handle(self, call: Call) -> Answer:
        """Answer one call; errors become Google's error bodies."""
        return answered(self._dispatch, call)

    def _dispatch(self, call: Call) -> Answer:
        match = self._route.fullmatch(call.path)
        method = self._methods.get((call.method, match["verb"] or "")) if match else None
        if match is None or method is None:
            raise Trouble(404, "notFound", "Not Found", {"status": "NOT_FOUND"})
        if not re.fullmatch(r"Bearer \S+", call.headers.get("authorization", "")):
            message = "Request is missing required authentication credential."
            raise Trouble(401, "required", message, {"status": "UNAUTHENTICATED"})
        if segment(match["project"]) != self._project:
            raise Trouble(403, "forbidden", "PERMISSION_DENIED", {"status": "PERMISSION_DENIED"})
        call.expect({"maxResults", "nextPageToken", "tenantId"} if call.method == "GET" else ())
        tenant = segment(match["tenant"] or "")
        return method(call, self._accounts(tenant), tenant)

    def _accounts(self, tenant: str) -> Accounts:
        accounts = self.tenants.get(tenant)
        if accounts is None:
            raise Trouble(400, "invalid", "TENANT_NOT_FOUND")
        return accounts

    def _scope(self, body: dict[str, Any], accounts: Accounts, tenant: str) -> Accounts:
        """The tenant that the body names must be the one of the path, or stand alone."""
        named = body.get("tenantId", tenant)
        if tenant and named != tenant:
            raise Trouble(400, "invalid", "TENANT_ID_MISMATCH")
        return accounts if named == tenant else self._accounts(named)

    def _sign_up(self, call: Call, accounts: Accounts, tenant: str) -> Answer:
        body = bodies.checked(call.json(), bodies.SIGN_UP)
        accounts = self._scope(body, accounts, tenant)
        local_id = body.get("localId") or uuid4().hex[:28]
        email = body.get("email", "").lower()
        if local_id in accounts:
            raise Trouble(400, "invalid", "DUPLICATE_LOCAL_ID")
        _refuse_known_email(accounts, email)
        account = Account(
            local_id=local_id,
            email=email,
            email_verified=body.get("emailVerified", False),
            disabled=body.get("disabled", False),
            created_at=self._now(),
            display_name=body.get("displayName", ""),
            photo_url=body.get("photoUrl", ""),
            phone_number=body.get("phoneNumber", ""),
            tenant=body.get("tenantId", tenant),
        )
        accounts[local_id] = account
        named = {"email": email, "displayName": account.display_name}
        return Answer(body={"kind": f"{_KIND}SignupNewUserResponse", "localId": local_id, **_given(named)})

    def _lookup(self, call: Call, accounts: Accounts, tenant: str) -> Answer:
        body = bodies.checked(call.json(), bodies.LOOKUP)
        accounts = self._scope(body, accounts, tenant)
        wanted: dict[str, list[str]] = {
            name: body[name] for name in ("localId", "email", "initialEmail", "phoneNumber") if name in body
        }
        federated = {(one.get("providerId"), one.get("rawId")) for one in body.get("federatedUserId", ())}
        if not wanted and not federated:
            raise Trouble(400, "invalid", "MISSING_ID_TOKEN")
        if sum(len(values) for values in wanted.values()) + len(federated) > MAX_LOOKUP:
            raise bodies.invalid(f"At most {MAX_LOOKUP} identifiers can be looked up in one request.")
        found = {local_id: accounts[local_id] for local_id in wanted.get("localId", ()) if local_id in accounts}
        if federated or wanted.keys() - {"localId"}:
            matches = _matcher(wanted, federated)
            found |= {account.local_id: account for account in accounts.values() if matches(account)}
        users = [account.resource() for account in found.values()]
        return Answer(body={"kind": f"{_KIND}GetAccountInfoResponse", **({"users": users} if users else {})})

    def _update(self, call: Call, accounts: Accounts, tenant: str) -> Answer:
        body = bodies.checked(call.json(), bodies.UPDATE)
        accounts = self._scope(body, accounts, tenant)
        account = accounts.get(body.get("localId", ""))
        if account is None:
            raise Trouble(400, "invalid", "USER_NOT_FOUND" if "localId" in body else "MISSING_LOCAL_ID")
        if body.get("email", account.email).lower() != account.email:
            _refuse_known_email(accounts, body["email"].lower())
            account.initial_email = account.initial_email or account.email
            account.email = body["email"].lower()
        for name, attribute in _UPDATES.items():
            if name in body:
                setattr(account, attribute, body[name])
        for attribute in body.get("deleteAttribute", ()):
            if attribute not in _ATTRIBUTES:
                raise bodies.invalid("Invalid value at 'deleteAttribute'.")
            setattr(account, _ATTRIBUTES[attribute], "")
        gone = body.get("deleteProvider", ())
        account.providers = [provider for provider in account.providers if provider["providerId"] not in gone]
        return Answer(body={"kind": f"{_KIND}SetAccountInfoResponse", "localId": account.local_id})

    def _delete(self, call: Call, accounts: Accounts, tenant: str) -> Answer:
        body = bodies.checked(call.json(), bodies.DELETE)
        accounts = self._scope(body, accounts, tenant)
        if not body.get("localId"):
            raise Trouble(400, "invalid", "MISSING_LOCAL_ID")
        if accounts.pop(body["localId"], None) is None:
            raise Trouble(400, "invalid", "USER_NOT_FOUND")
        return Answer(body={"kind": f"{_KIND}DeleteAccountResponse"})

    def _batch_delete(self, call: Call, accounts: Accounts, tenant: str) -> Answer:
        body = bodies.checked(call.json(), bodies.BATCH_DELETE)
        accounts = self._scope(body, accounts, tenant)
        ids = body.get("localIds", [])
        if not 0 < len(ids) <= MAX_BATCH:
            raise Trouble(400, "invalid", "LOCAL_ID_LIST_EXCEEDS_LIMIT")
        errors = []
        for index, local_id in enumerate(ids):
            account = accounts.get(local_id)
            if account is None:
                continue
            if not account.disabled and not body.get("force"):
                message = "NOT_DISABLED : Disable the account before batch deletion."
            elif call.partial and index % 2 == 1:
                message = "INTERNAL_ERROR"
            else:
                del accounts[local_id]
                continue
            errors.append({"index": index, "localId": local_id, "message": message})
        return Answer(body={"errors": errors} if errors else {})

    def _batch_get(self, call: Call, accounts: Accounts, tenant: str) -> Answer:
        accounts = self._scope(dict(call.query), accounts, tenant)
        limit = call.number("maxResults")
        limit = 20 if limit is None else limit
        if not 1 <= limit <= MAX_PAGE:
            raise bodies.invalid(f"maxResults must be between 1 and {MAX_PAGE}.")
        after = segment(call.query.get("nextPageToken", ""))
        keys = list(_first(accounts, after, limit + 1))
        body: dict[str, Any] = {"kind": f"{_KIND}DownloadAccountResponse"}
        if keys:
            body["users"] = [accounts[key].resource() for key in keys[:limit]]
        if len(keys) > limit:
            body["nextPageToken"] = keys[limit - 1]
        return Answer(body=body)

    def _query(self, call: Call, accounts: Accounts, tenant: str) -> Answer:
        body = bodies.checked(call.json(), bodies.QUERY)
        found = list(self._scope(body, accounts, tenant).values())
        if body.get("expression"):
            found = [account for account in found if _satisfies(account, body["expression"][0])]
        if not body.get("returnUserInfo", True):
            return Answer(body={"recordsCount": str(len(found))})
        sort_by = body.get("sortBy", "USER_ID")
        if sort_by not in _SORTS or body.get("order", "ASC") not in ("ASC", "DESC"):
            raise bodies.invalid("Invalid value at 'sortBy' or 'order'.")
        found.sort(key=_SORTS[sort_by], reverse=body.get("order") == "DESC")
        limit, offset = body.get("limit", MAX_QUERY), body.get("offset", 0)
        if not 0 < limit <= MAX_QUERY or offset < 0:
            raise bodies.invalid(f"limit must be between 1 and {MAX_QUERY}.")
        users = [account.resource() for account in found[offset : offset + limit]]
        return Answer(body={"recordsCount": str(len(users)), **({"userInfo": users} if users else {})})

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)


_UPDATES = {
    "displayName": "display_name",
    "photoUrl": "photo_url",
    "phoneNumber": "phone_number",
    "emailVerified": "email_verified",
    "disableUser": "disabled",
    "validSince": "valid_since",
    "createdAt": "created_at",
    "lastLoginAt": "last_login_at",
    "customAttributes": "custom_attributes",
}
_ATTRIBUTES = {"DISPLAY_NAME": "display_name", "PHOTO_URL": "photo_url", "EMAIL": "email"}
_SORTS: dict[str, Callable[[Account], Any]] = {
    "USER_ID": lambda account: account.local_id,
    "NAME": lambda account: account.display_name,
    "CREATED_AT": lambda account: account.created_at,
    "LAST_LOGIN_AT": lambda account: account.last_login_at or 0,
    "USER_EMAIL": lambda account: account.email,
}


def _first(accounts: Accounts, after: str, count: int) -> list[str]:
    keys = accounts.irange(minimum=after, inclusive=(False, True))
    return [key for key, _ in zip(keys, range(count), strict=False)]


def _given(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _refuse_known_email(accounts: Accounts, email: str) -> None:
    if email and any(account.email == email for account in accounts.values()):
        raise Trouble(400, "invalid", "EMAIL_EXISTS")


def _matcher(wanted: dict[str, list[str]], federated: set[tuple[Any, Any]]) -> Callable[[Account], bool]:
    emails = {email.lower() for email in wanted.get("email", ())} - {""}
    initial = {email.lower() for email in wanted.get("initialEmail", ())} - {""}
    phones = set(wanted.get("phoneNumber", ())) - {""}

    def matches(account: Account) -> bool:
        return (
            account.email in emails
            or (account.initial_email or account.email) in initial
            or account.phone_number in phones
            or any((one["providerId"], one.get("rawId")) in federated for one in account.providers)
        )

    return matches


def _satisfies(account: Account, expression: dict[str, str]) -> bool:
    if "email" in expression:
        return account.email == expression["email"].lower()
    if "phoneNumber" in expression:
        return account.phone_number == expression["phoneNumber"]
    if "userId" in expression:
        return account.local_id == expression["userId"]
    raise bodies.invalid("Invalid value at 'expression'.")
