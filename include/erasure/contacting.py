"""Whom to write to for work by hand, with a message that is ready but for who it is about. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from include.systems.erasing import PrivacyContact


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a vendor takes requests by hand.

    Args:
        address: an e-mail address, or the URL of a form.
        link: opens a message that is ready but for ``{identifiers}``, or the form.
        subject: of the message.
        text: of the message; a person puts who it is about in the place of ``{identifiers}``.
        source: the vendor's page that names it.
    """

    address: str
    link: str
    subject: str
    text: str
    source: str


def contact_of(contact: PrivacyContact) -> Contact:
    """A contact with a link that opens the message (RFC 6068) or the form."""
    link = contact.address
    if "://" not in link:
        query = urlencode({"subject": contact.subject, "body": contact.text.replace("\n", "\r\n")}, quote_via=quote)
        link = f"mailto:{quote(contact.address, safe='@')}?{query}"
    return Contact(contact.address, link, contact.subject, contact.text, contact.source)
