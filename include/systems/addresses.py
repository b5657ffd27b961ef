"""E-mail addresses as mail services keep them: which can be one at all, and when two are the same mailbox.

Case counts for nothing in the domain and, with every service here, nothing in the part before it. Only the 26 ASCII
letters are folded: Unicode's own folding makes one address of two (``K`` is also the lower case of the Kelvin sign,
``ss`` is ``ß`` folded), and what is deleted must be the exact person's.
"""

from __future__ import annotations

import re
import string

from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Subject

_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_ATOM = r"[^\s\x00-\x20\x7f-\x9f\ud800-\udfff()<>\[\]:;@\\,.\"*%]+"
_ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@[^\W_]([\w-]*[^\W_])?(\.[^\W_]([\w-]*[^\W_])?)+")
LONGEST = 254
"""Characters of an address in use (RFC 5321, 4.5.3.1.3, less the brackets)."""


def same(address: str) -> str:
    """The form in which addresses of one mailbox are equal."""
    return address.translate(_FOLD)


def sendable(value: object) -> bool:
    """Whether a value can be put into a request as an address: dot-atom, ``@`` and a domain of two labels or more.

    Nothing else ever is: not "", "*", "%", "/" or "..". Quoted local parts and the wildcards ``*`` and ``%``, which
    RFC 5321 would allow, are left out: what a vendor makes of them is stated nowhere.
    """
    return isinstance(value, str) and len(value) <= LONGEST and _ADDRESS.fullmatch(value) is not None


def addresses(subject: Subject) -> tuple[str, ...]:
    """The addresses of a person, past ones too, each mailbox once, folded, in their order."""
    return tuple(dict.fromkeys(same(value) for value in subject.values(IdentifierKind.EMAIL) if sendable(value)))


def doubtful(subject: Subject) -> bool:
    """Whether the person has an address that is left out here, and that a human has to look for instead.

    A value without an ``@`` is no address in any service, so that there is nothing to look for.
    """
    return any("@" in value and not sendable(value) for value in subject.values(IdentifierKind.EMAIL))
