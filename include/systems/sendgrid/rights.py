"""What the API key may do, as SendGrid tells it, beside what the modules need.

https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions
"""

from __future__ import annotations

from collections.abc import Iterable

from include.systems.assuring import Access

NEEDED = (
    "recipients.erasejob.create",
    "marketing.read",
    "marketing.delete",
    "suppression.read",
    "suppression.delete",
    "asm.groups.read",
    "asm.groups.suppressions.read",
    "asm.groups.suppressions.delete",
    "mail.send",
    "messages.read",
)
OF_SUBUSERS = "subusers.read"
_SIGNS = ("2fa_", "sender_verification_", "ui.", "signup.")
"""Beginnings of what the vendor lists among the rights and what allows nothing."""


def judge(granted: Iterable[str], *, subusers: bool) -> Access:
    """Compare the rights that the vendor lists with the needed ones.

    Args:
        granted: as listed.
        subusers: whether the account's subusers are listed.
    """
    needed = {*NEEDED, *([OF_SUBUSERS] if subusers else [])}
    has = {right for right in granted if not right.startswith(_SIGNS)}
    missing = (right for right in needed if not any(_covers(one, right) for one in has))
    excess = (right for right in has if not any(_covers(one, right) for one in needed))
    return Access(tuple(sorted(missing)), tuple(sorted(excess)), note="Rights as the vendor lists them for the key.")


def _covers(wide: str, narrow: str) -> bool:
    """Whether one right is the other, or its verb on more: ``suppression.read`` has ``suppression.bounces.read``."""
    group, _, verb = wide.rpartition(".")
    return wide == narrow or (narrow.startswith(f"{group}.") and narrow.endswith(f".{verb}"))
