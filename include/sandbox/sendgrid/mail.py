"""Sending: ``POST /v3/mail/send``. Mail to a suppressed address is taken with 202 and dropped, as at the vendor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from include.sandbox.rest import Refusal
from include.sandbox.sendgrid.errors import is_address, refused
from include.sandbox.sendgrid.model import SUPPRESSIONS, Account, Message, Sent

_BYPASSES = {
    "bypass_spam_management": "spam_reports",
    "bypass_bounce_management": "bounces",
    "bypass_unsubscribe_management": "unsubscribes",
}


def send(account: Account, body: Any, message_id: str, now: datetime, visible: datetime) -> list[Sent]:
    """Take a message for all its recipients and note it in the activity.

    Args:
        account: that sends.
        body: of the request.
        message_id: what ``X-Message-Id`` will say.
        now: when it is sent.
        visible: when the activity shows it.

    Raises:
        Refusal: 400, the body is wrong.
    """
    if not isinstance(body, dict):
        raise refused(400, "Bad Request")
    _check(body)
    if _enabled(body, "sandbox_mode"):
        return []
    passes = {name for bypass, name in _BYPASSES.items() if _enabled(body, bypass)}
    passes |= set(SUPPRESSIONS) if _enabled(body, "bypass_list_management") else set()
    text = "\n".join(part["value"] for part in body.get("content", ()))
    sent = []
    for number, one in enumerate(body["personalizations"]):
        recipients = [entry for name in ("to", "cc", "bcc") for entry in one.get(name, ())]
        for index, recipient in enumerate(recipients):
            email = recipient["email"].lower()
            blocked = any(email in account.suppressions[name] for name in SUPPRESSIONS if name not in passes)
            mail = Sent(
                msg_id=f"{message_id}.recvd-{number}-{index}",
                to=recipient["email"],
                sender=body["from"]["email"],
                subject=one.get("subject") or body["subject"],
                text=text,
                custom_args={name: str(v) for name, v in {**_arguments(body), **_arguments(one)}.items()},
                at=now,
                delivered=not blocked,
            )
            account.add_message(_message(mail, visible))
            sent.append(mail)
    return sent


def _message(mail: Sent, visible: datetime) -> Message:
    status = "delivered" if mail.delivered else "not_delivered"
    return Message(mail.msg_id, mail.sender, mail.to.lower(), mail.subject, status, visible, 0, mail.custom_args)


def _check(body: dict[str, Any]) -> None:
    people = body.get("personalizations")
    if not isinstance(people, list) or not people or len(people) > 1000:
        raise _wrong("personalizations", "The personalizations field is required and must have at least one.")
    for number, one in enumerate(people):
        if not isinstance(one, dict) or not one.get("to"):
            raise _wrong(f"personalizations.{number}.to", "The to array is required for all personalization objects.")
        for name in ("to", "cc", "bcc"):
            if not all(isinstance(entry, dict) and is_address(entry.get("email")) for entry in one.get(name, ())):
                raise _wrong(f"personalizations.{number}.{name}.0.email", "Does not contain a valid address.")
        if not (one.get("subject") or body.get("subject")):
            raise _wrong("subject", "The subject is required.")
    if not isinstance(body.get("from"), dict) or not is_address(body["from"].get("email")):
        raise _wrong("from.email", "The from email does not contain a valid address.")
    content = body.get("content")
    if not body.get("template_id") and not _is_content(content):
        raise _wrong("content", "Unless a valid template_id is provided, the content parameter is required.")


def _is_content(content: Any) -> bool:
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(part, dict) and part.get("type") and part.get("value") for part in content)
    )


def _arguments(body: dict[str, Any]) -> dict[str, Any]:
    given = body.get("custom_args") or {}
    return given if isinstance(given, dict) else {}


def _enabled(body: dict[str, Any], setting: str) -> bool:
    return bool(body.get("mail_settings", {}).get(setting, {}).get("enable"))


def _wrong(field: str, message: str) -> Refusal:
    return refused(400, message, field)
