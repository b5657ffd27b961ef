"""What differs between accounts of SendGrid, and how slow the vendor is."""

from __future__ import annotations

from dataclasses import dataclass

SCOPES = (
    "mail.send",
    "marketing.read",
    "marketing.delete",
    "messages.read",
    "recipients.erasejob.create",
    "subusers.read",
    "suppression.read",
    "suppression.delete",
    "asm.groups.read",
    "asm.groups.suppressions.read",
    "asm.groups.suppressions.delete",
)


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        scopes: of the API key.
        calls_per_minute: for everything but the erasure of addresses, which has its own 100.
        erase_jobs_per_minute: of the erasure of addresses.
        job_polls: how often a job answers ``pending`` before it is done.
        job_seconds: after which it is done even if nobody asks.
        erase_seconds: until an erasure of addresses is carried out, on the sandbox's clock.
        activity_seconds: until the activity shows a message that was sent.
        activity_feed: whether the account has paid for ``/v3/messages``.
    """

    scopes: tuple[str, ...] = SCOPES
    calls_per_minute: int = 6000
    erase_jobs_per_minute: int = 100
    job_polls: int = 2
    job_seconds: int = 60
    erase_seconds: int = 3600
    activity_seconds: int = 0
    activity_feed: bool = True
