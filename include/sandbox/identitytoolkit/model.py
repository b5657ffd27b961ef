"""Accounts as the sandbox keeps them. Times are milliseconds since 1970, as in the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(slots=True)
class Account:
    """One account of a project or of a tenant (``tenant`` empty for the project itself)."""

    local_id: str
    email: str = ""
    email_verified: bool = False
    disabled: bool = False
    created_at: int = 0
    last_login_at: int | None = None
    last_refresh_at: int | None = None
    display_name: str = ""
    phone_number: str = ""
    photo_url: str = ""
    custom_attributes: str = ""
    valid_since: int | None = None
    initial_email: str = ""
    tenant: str = ""
    providers: list[dict[str, str]] = field(default_factory=list)

    def resource(self) -> dict[str, Any]:
        """The UserInfo; what is not set is left out, as the API does."""
        optional = {
            "email": self.email,
            "initialEmail": self.initial_email or self.email,
            "displayName": self.display_name,
            "phoneNumber": self.phone_number,
            "photoUrl": self.photo_url,
            "customAttributes": self.custom_attributes,
            "disabled": self.disabled,
            "tenantId": self.tenant,
            "providerUserInfo": self.providers,
            "lastLoginAt": _text(self.last_login_at),
            "validSince": _text(self.valid_since),
            "lastRefreshAt": _rfc3339(self.last_refresh_at),
        }
        return {
            "localId": self.local_id,
            "emailVerified": self.email_verified,
            "createdAt": str(self.created_at),
            **{name: value for name, value in optional.items() if value},
        }


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _rfc3339(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
