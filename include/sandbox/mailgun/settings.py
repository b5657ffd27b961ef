"""How fast Mailgun is, and how often it may be asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Settings:
    """Of the service; can be changed while it runs.

    Args:
        domain_calls_per_minute: of the list of domains.
        event_seconds: until the events show a message that was sent.
        settle_seconds: until a suppression that was just written can be seen; before that it is a 404.
    """

    domain_calls_per_minute: int = 300
    event_seconds: int = 0
    settle_seconds: int = 0
