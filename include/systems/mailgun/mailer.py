"""One message to one person, sent at most once; and the vendor's log, to learn what became of a lost answer.

The message carries the key twice: as the user variable ``key``, which the log shows, and in a ``Message-Id`` that
follows from it, ``<key@domain>``, which the log shows too and by which receivers recognise a message sent twice.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages
"""

from __future__ import annotations

import re
from datetime import datetime

from include.connection import Connection
from include.errors import Refused
from include.systems.addresses import same
from include.systems.erasing import Means
from include.systems.http import Answer
from include.systems.mailgun.client import SYSTEM, connect
from include.systems.mailgun.events import of_recipient
from include.systems.mailing import Mail, Sending
from include.systems.sending import ANY, CLOCKS_APART, check, log_delay, outcome

_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)


class MailgunMailer:
    """``Mailer`` of one sending domain."""

    def __init__(self, connection: Connection, means: Means) -> None:
        self._domain = connection.text("sending_domain")
        if not _DOMAIN.fullmatch(self._domain):
            raise Refused(SYSTEM, "read 'sending_domain'", "Give a domain such as mg.example.com in the extra.")
        self._clock = means.clock
        self._delay = log_delay(connection)
        self._client = connect(connection)

    def send(self, mail: Mail) -> Sending:
        """Hand one message over, once; nothing is tracked.

        Raises:
            Refused: the message can't be sent as it is.
        """
        check(SYSTEM, mail)
        return outcome(lambda: self._hand_over(mail), taken=200)

    def was_sent(self, mail: Mail, since: datetime) -> bool | None:
        """Whether the vendor's log has a message with this key since then; None while the log may be behind.

        Raises:
            Unavailable: it did not answer.
            Refused: the key may not read the log.
        """
        check(SYSTEM, mail)
        now = self._clock()
        start, end = since - CLOCKS_APART, now + CLOCKS_APART
        known = [
            event
            for spelling in sorted({mail.to, same(mail.to)})
            for event in of_recipient(self._client, spelling, start, end)
        ]
        if any(event.key == mail.key or event.message_id == self._message_id(mail) for event in known):
            return True
        return None if now - since < self._delay else False

    def close(self) -> None:
        """Release the sockets."""
        self._client.http.close()

    def _hand_over(self, mail: Mail) -> Answer:
        form = {
            "from": mail.sender,
            "to": mail.to,
            "subject": mail.subject,
            "text": mail.text,
            "h:Message-Id": f"<{self._message_id(mail)}>",
            "v:key": mail.key,
            "o:tracking": "no",
            "o:tracking-clicks": "no",
            "o:tracking-opens": "no",
        }
        path, tried = "/v3/{}/messages", "send an answer"
        return self._client.http.call("POST", path, self._domain, form=form, tried=tried, also=ANY)

    def _message_id(self, mail: Mail) -> str:
        return f"{mail.key}@{self._domain}"
