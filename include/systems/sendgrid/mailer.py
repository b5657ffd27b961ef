"""One message to one person, sent at most once; and the vendor's log, to learn what became of a lost answer.

What the log gives: ``POST /v3/logs`` finds messages by recipient and time, some minutes late, and names no custom
argument; ``GET /v3/logs/{id}`` gives the custom arguments of one message. Only a message with our key is ours. Where
the account has no log, nothing can be told.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
https://www.twilio.com/docs/sendgrid/api-reference/email-logs
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from include.connection import Connection
from include.systems.addresses import same
from include.systems.erasing import Means
from include.systems.mailing import Mail, Sending
from include.systems.sendgrid.client import SYSTEM, Accounts
from include.systems.sending import ANY, CLOCKS_APART, check, log_delay, outcome

_MOST = 1000
"""Messages of one answer of the log; it has no pages."""
_NO_LOG = (400, 401, 403, 404)
_OFF = {"enable": False}


class SendGridMailer:
    """``Mailer`` of the account of a key. Subusers send nothing."""

    def __init__(self, connection: Connection, means: Means, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._clock = means.clock
        self._delay = log_delay(connection)
        self._accounts = Accounts(connection, sleep)

    def send(self, mail: Mail) -> Sending:
        """Hand one message over, once; nothing is tracked.

        Raises:
            Refused: the message can't be sent as it is.
        """
        check(SYSTEM, mail)
        calls = self._accounts.own.calls.mail.send
        return outcome(lambda: calls.post(request_body=_message(mail), tried="send an answer", also=ANY), taken=202)

    def was_sent(self, mail: Mail, since: datetime) -> bool | None:
        """Whether the vendor's log has a message with this key since then; None where it can't tell, or not yet.

        Raises:
            Unavailable: it did not answer.
        """
        check(SYSTEM, mail)
        logs = self._accounts.own.calls.logs
        body = {"query": _query(mail, since - CLOCKS_APART), "limit": _MOST}
        tried = "look for a message in the log"
        answer = logs.post(request_body=body, tried=tried, also=_NO_LOG, repeatable=True)
        if answer.status in _NO_LOG:
            return None
        messages = answer.json["messages"]
        candidates = [self._is(mail, message) for message in messages if _like(mail, message)]
        if True in candidates:
            return True
        early = self._clock() - since < self._delay
        return None if early or None in candidates or len(messages) >= _MOST else False

    def close(self) -> None:
        """Release the sockets."""
        self._accounts.close()

    def _is(self, mail: Mail, message: dict[str, Any]) -> bool | None:
        """Whether it has our key; None where the vendor does not show its details (yet)."""
        one = self._accounts.own.calls.logs._(str(message["sg_message_id"]))
        details = one.get(tried="read a message in the log", also=(404,))
        if details.status == 404:
            return None
        return bool((details.json.get("custom_args") or {}).get("key") == mail.key)


def _like(mail: Mail, message: dict[str, Any]) -> bool:
    return same(str(message["to_email"])) == same(mail.to) and message["subject"] == mail.subject


def _message(mail: Mail) -> dict[str, Any]:
    """Nothing is tracked; an opt-out does not keep a person from the answer to the own request (article 12(3) GDPR)."""
    return {
        "personalizations": [{"to": [{"email": mail.to}], "custom_args": {"key": mail.key}}],
        "from": {"email": mail.sender},
        "subject": mail.subject,
        "content": [{"type": "text/plain", "value": mail.text}],
        "mail_settings": {"bypass_unsubscribe_management": {"enable": True}},
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": _OFF,
            "subscription_tracking": _OFF,
            "ganalytics": _OFF,
        },
    }


def _query(mail: Mail, since: datetime) -> str:
    """In the log's language. It states no way to quote a quote, nor whether case counts: then we alone match."""
    query = f'sg_message_id_created_at >= TIMESTAMP "{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"'
    plain = mail.to == same(mail.to) and "'" not in mail.to
    return f"to_email = '{mail.to}' AND {query}" if plain else query
