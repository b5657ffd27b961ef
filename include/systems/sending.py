"""What all mailers share: which messages may be handed over, and what an answer of a vendor means for the next one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from include.connection import Connection
from include.errors import Refused, Unavailable
from include.systems.addresses import sendable
from include.systems.http import Answer, NotSent
from include.systems.mailing import Mail, Sending

CLOCKS_APART = timedelta(minutes=5)
"""How far our clock may be ahead of a vendor's: so much earlier its log is looked through."""
ANY = range(400, 600)
"""Statuses that end a try to send: none of them is tried again."""
_KEY = re.compile(r"[\w.+-]{1,128}", re.ASCII)


def check(system: str, mail: Mail) -> None:
    """Raise unless a message can be sent as it is.

    Raises:
        Refused: an address is none, the subject has a line break, or the key is not of letters, digits and ``_.+-``.
    """
    if not sendable(mail.to) or not sendable(mail.sender):
        raise Refused(system, "send an answer", "Correct the address of the request, or of 'answer' in the policy.")
    if not _KEY.fullmatch(mail.key) or "\n" in mail.subject or "\r" in mail.subject:
        raise Refused(system, "send an answer", "Give it a key of letters and digits and a subject of one line.")


def outcome(hand_over: Callable[[], Answer], taken: int) -> Sending:
    """Make the one call and say what it came to.

    The vendor did not take it after a refusal (4xx) or 503, nor where there was no connection. A request that timed out
    (408), any other failure on its side and a lost answer leave it open.

    Args:
        hand_over: the call; accepts the statuses of ``ANY``.
        taken: status by which the vendor says that it took the message.

    Raises:
        Refused: the address of the vendor answers something else altogether.
    """
    try:
        status = hand_over().status
    except NotSent:
        return Sending.NOT_SENT
    except Unavailable:
        return Sending.UNKNOWN
    if status == taken:
        return Sending.SENT
    return Sending.NOT_SENT if status == 503 or (400 <= status < 500 and status != 408) else Sending.UNKNOWN


def log_delay(connection: Connection) -> timedelta:
    """How far the vendor's log may be behind: ``activity_delay_seconds`` of the extra, five minutes by default.

    Raises:
        Refused: it is no number of seconds.
    """
    seconds = connection.extra.get("activity_delay_seconds", 300)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 0:
        raise Refused(connection.id, "read 'activity_delay_seconds'", "Give it as a number of seconds in the extra.")
    return timedelta(seconds=seconds)
