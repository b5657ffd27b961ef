"""The contract of a system that sends e-mail to a data subject: exactly one message, whatever is lost on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from include.connection import Connection
from include.systems.erasing import Means


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one person.

    Args:
        key: opaque id, the same for each try; it travels as the vendor's custom argument and nowhere visible.
        to: the address.
        sender: the address it comes from.
        subject: line of the subject.
        text: plain text.
    """

    key: str
    to: str = field(repr=False)
    sender: str
    subject: str
    text: str = field(repr=False)


class Sending(StrEnum):
    """What a try to send came to."""

    SENT = "sent"
    """The vendor took the message."""
    NOT_SENT = "not sent"
    """It certainly did not: another vendor may send it."""
    UNKNOWN = "unknown"
    """The answer was lost: ``was_sent`` must be asked before anybody tries again."""


class Mailer(Protocol):
    """A vendor that sends mail."""

    def send(self, mail: Mail) -> Sending:
        """Hand one message over; never repeats the call by itself once the vendor may have taken it.

        Raises:
            Refused: the connection lacks something, or the message is wrong; it was not sent.
        """

    def was_sent(self, mail: Mail, since: datetime) -> bool | None:
        """Whether the vendor took a message with this key since then; None if it can't tell (yet).

        Raises:
            Unavailable: it did not answer.
        """

    def close(self) -> None:
        """Release sockets."""


class ConnectMailer(Protocol):
    """A module that sends offers ``connect_mailer``."""

    def __call__(self, connection: Connection, means: Means) -> Mailer:
        """Build the client; no call is made."""
