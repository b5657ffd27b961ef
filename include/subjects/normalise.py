"""The forms of an identifier: the one by which it is recognised here, and the one that each vendor wants.

Values are stored as they were given and compared in their canonical form. That form changes case and surrounding
whitespace and nothing else: two addresses that differ in more are two persons until somebody shows otherwise. So there
is no Unicode normalisation and no IDNA: ``bücher.example`` and ``xn--bcher-kva.example`` stay apart, and so do the
Cyrillic and the Latin ``a``.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Identifier

EMAIL_CHARACTERS = 254
"""Longest address that SMTP can carry (RFC 5321 section 4.5.3.1.3, erratum 1690)."""
USER_ID_CHARACTERS = 128
"""Longest user id of Firebase Authentication."""

_LOCAL_OCTETS = 64
_LABEL_OCTETS = 63
# RFC 5322 atext without what a query language or a spreadsheet reads as a wildcard; RFC 6531 adds all beyond ASCII.
_ATOM = r"[A-Za-z0-9!#$&'+/=?^_`{|}~\u0080-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9\u0080-\U0010ffff-]*[A-Za-z0-9\u0080-\U0010ffff])?")
_USER_ID = re.compile(r"[A-Za-z0-9_.:|~+=-]+")
_UNPRINTABLE = frozenset({"Cc", "Cs"})
_INVISIBLE = _UNPRINTABLE | {"Cf", "Co", "Cn", "Zs", "Zl", "Zp"}
_PHONE = re.compile(r"\+[0-9 ()./-]+")
_DECIMAL = re.compile(r"[1-9][0-9]{0,19}")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def canonical(kind: IdentifierKind, value: str) -> str:
    """The form by which two identifiers of a kind are compared.

    Raises:
        Refused: it is not one of that kind. The message never repeats the value.
    """
    text = value.strip()
    if not text:
        raise _refused(kind, "It is empty.")
    if kind is IdentifierKind.EMAIL:
        _check_address(text)
        return "".join(map(_folded, text))
    if kind is IdentifierKind.USER_ID:
        _check_user_id(text)
    elif any(unicodedata.category(character) in _UNPRINTABLE for character in text):
        raise _refused(kind, "It has a line break or an unprintable character in it.")
    return text


def google_analytics(known: Identifier) -> str:
    """User-provided data as Google Analytics wants it: an address or a phone number, not hashed.

    An address is in lower case, without whitespace, and without dots before ``@gmail.com`` and ``@googlemail.com``; a
    phone number is ``+`` and digits (E.164). See
    https://developers.google.com/analytics/devguides/collection/ga4/uid-data

    Raises:
        Refused: it is neither an address nor a phone number with its country code.
    """
    if known.kind is IdentifierKind.EMAIL:
        local, _, domain = canonical(known.kind, known.value).rpartition("@")
        return f"{local.replace('.', '') if domain in _GMAIL else local}@{domain}"
    if known.kind is IdentifierKind.PHONE:
        digits = "".join(character for character in known.value if character in "0123456789")
        if known.value.strip().startswith("+") and 7 <= len(digits) <= 15:
            return f"+{digits}"
        raise _refused(known.kind, "It must begin with + and the country code and have 7 to 15 digits.")
    raise _refused(known.kind, "Google Analytics knows people by e-mail address or phone number only.")


def linkedin(known: Identifier) -> str:
    """The hash by which a person is in a segment of LinkedIn: SHA-256, hexadecimal, of the address in lower case.

    See https://learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segment-users

    Raises:
        Refused: it is no e-mail address.
    """
    if known.kind is not IdentifierKind.EMAIL:
        raise _refused(known.kind, "LinkedIn knows people by e-mail address only.")
    return _hashed(canonical(known.kind, known.value))


def meta(known: Identifier) -> str:
    """The hash by which a person is in an audience of Meta: SHA-256, hexadecimal.

    Of an address in lower case; of a phone number with its country code, digits only, without zeros in front. See
    https://developers.facebook.com/documentation/ads-commerce/marketing-api/audiences/guides/custom-audiences

    Raises:
        Refused: it is neither an address nor a phone number with its country code.
    """
    if known.kind is IdentifierKind.EMAIL:
        return _hashed(canonical(known.kind, known.value))
    if known.kind is IdentifierKind.PHONE:
        digits = "".join(character for character in known.value if character in "0123456789")
        if _PHONE.fullmatch(known.value.strip()) and 7 <= len(digits) <= 15 and not digits.startswith("0"):
            return _hashed(digits)
        raise _refused(known.kind, "It must begin with + and the country code and have 7 to 15 digits.")
    raise _refused(known.kind, "Meta knows people by e-mail address or phone number only.")


def twitter(known: Identifier) -> str:
    """The hash by which a person is in an audience of X: SHA-256, hexadecimal, lower case.

    Of an address in lower case; of an account's id as a decimal number (``twitter:143567``). See
    https://developer.x.com/en/docs/x-ads-api/audiences/overview/user-data

    Raises:
        Refused: it is neither an address nor the id of an account at X.
    """
    if known.kind is IdentifierKind.EMAIL:
        return _hashed(canonical(known.kind, known.value))
    service, _, number = known.value.strip().partition(":")
    if known.kind is IdentifierKind.EXTERNAL_ID and service == "twitter" and _DECIMAL.fullmatch(number):
        return _hashed(number)
    raise _refused(known.kind, "X knows people by e-mail address or by the decimal id of their account only.")


def _check_address(text: str) -> None:
    if any(unicodedata.category(character) in _INVISIBLE for character in text):
        raise _refused(IdentifierKind.EMAIL, "It has a space, a line break or an invisible character in it.")
    local, sign, domain = text.rpartition("@")
    if not sign or not domain or not local:
        raise _refused(IdentifierKind.EMAIL, "It must be one address with one @, as in name@example.com.")
    if len(text) > EMAIL_CHARACTERS or len(local.encode()) > _LOCAL_OCTETS:
        raise _refused(IdentifierKind.EMAIL, f"It is longer than an address can be ({EMAIL_CHARACTERS} characters).")
    if not _LOCAL.fullmatch(local):
        raise _refused(
            IdentifierKind.EMAIL,
            "Before the @ are characters that an address of one person does not have"
            " (such as *, %, quotes, brackets, a second @, two dots).",
        )
    labels = domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) and len(label.encode()) <= _LABEL_OCTETS for label in labels):
        raise _refused(IdentifierKind.EMAIL, "After the @ must be a domain, as in name@example.com.")


def _check_user_id(text: str) -> None:
    if "@" in text:
        raise _refused(IdentifierKind.USER_ID, "It looks like an e-mail address: put it where the address goes.")
    if len(text) > USER_ID_CHARACTERS:
        raise _refused(IdentifierKind.USER_ID, f"It has more than {USER_ID_CHARACTERS} characters.")
    if not _USER_ID.fullmatch(text) or not any(map(str.isalnum, text)):
        raise _refused(IdentifierKind.USER_ID, "It may have letters without accents, digits and _.:|~+=- only.")


def _folded(character: str) -> str:
    """Lower case where the way back is the same: the Kelvin sign is not a k, and ẞ is not ß."""
    lower = character.lower()
    return lower if lower.upper() == character else character


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _refused(kind: IdentifierKind, why: str) -> Refused:
    names = {IdentifierKind.EMAIL: "an e-mail address", IdentifierKind.USER_ID: "a user id"}
    return Refused("intake", f"accept {names.get(kind, f'an identifier of kind {kind.value}')}", why)
