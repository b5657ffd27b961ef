"""One message to one person, sent at most once; and the vendor's log, to learn what became of a lost answer.

What became of a message is asked of two logs, each some minutes late. The activity feed (``GET /v3/messages``, an
add-on) filters by our key as a unique argument and shows recipient and subject. The e-mail logs (``POST /v3/logs``)
filter by recipient and time alone; one message of theirs (``GET /v3/logs/{id}``) shows its custom arguments, where our
key is. Where the account has neither, nothing can be told.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
https://www.twilio.com/docs/sendgrid/api-reference/email-logs
"""

from __future__ import annotations

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
_TRIED = "look for a message in the log"
_OFF = {"enable": False}


class SendGridMailer:
    """``Mailer`` of the account of a key. Subusers send nothing."""

    def __init__(self, connection: Connection, means: Means) -> None:
        self._clock = means.clock
        self._delay = log_delay(connection)
        self._accounts = Accounts(connection)

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
        answers = {*self._in_activity(mail, since - CLOCKS_APART), *self._in_logs(mail, since - CLOCKS_APART)}
        if True in answers:
            return True
        early = self._clock() - since < self._delay
        return None if early or None in answers or not answers else False

    def close(self) -> None:
        """Release the sockets."""
        self._accounts.close()

    def _in_activity(self, mail: Mail, since: datetime) -> list[bool | None]:
        """What the activity feed says; nothing where there is none."""
        query = f'unique_args[\'key\']="{mail.key}" AND last_event_time>=TIMESTAMP "{_instant(since)}"'
        params = {"query": query, "limit": _MOST}
        answer = self._accounts.own.calls.messages.get(query_params=params, tried=_TRIED, also=_NO_LOG)
        if answer.status in _NO_LOG:
            return []
        return [any(_like(mail, message) for message in answer.json["messages"])]

    def _in_logs(self, mail: Mail, since: datetime) -> list[bool | None]:
        """What the logs say of each message that could be ours; nothing where there are none."""
        body = {"query": _query(mail, since), "limit": _MOST}
        answer = self._accounts.own.calls.logs.post(request_body=body, tried=_TRIED, also=_NO_LOG, repeatable=True)
        if answer.status in _NO_LOG:
            return []
        messages = answer.json["messages"]
        whole = False if len(messages) < _MOST else None
        return [whole, *(self._is(mail, message) for message in messages if _like(mail, message))]

    def _is(self, mail: Mail, message: dict[str, Any]) -> bool | None:
        """Whether it has our key; None where the vendor does not show its details (yet)."""
        one = self._accounts.own.calls.logs._(str(message["sg_message_id"]))
        details = one.get(tried=_TRIED, also=(404,))
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
    query = f'sg_message_id_created_at >= TIMESTAMP "{_instant(since)}"'
    plain = mail.to == same(mail.to) and "'" not in mail.to
    return f"to_email = '{mail.to}' AND {query}" if plain else query


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
