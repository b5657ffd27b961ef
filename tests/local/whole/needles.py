"""Everything that could give away a person of the sandbox company, and a search for it in large texts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

from include.sandbox.estate import Estate

TOKEN = re.compile(r"[A-Za-z0-9_.+%-]+@[A-Za-z0-9.-]+|[A-Za-z0-9]+")


class Needles:
    """E-mail addresses, names and ids of an estate's people, raw and as plain hashes."""

    def __init__(self, estate: Estate) -> None:
        people = [(person.uid, person.email, person.name) for person in estate.people]
        people += [(contact.id, contact.email, contact.name) for contact in estate.contacts()]
        self._names = sorted({name for _, _, name in people})
        values = {value for person in people for value in person} | set(_secondary(estate))
        self._tokens = values | {digest for value in values for digest in _plain_hashes(value)}

    def found_in(self, text: str) -> list[str]:
        """Kinds of what was found: the values themselves stay out of a test's output."""
        tokens = {match.group().rstrip(".") for match in TOKEN.finditer(text)}
        found = ["an id, an address or a hash of one" for _ in tokens & self._tokens]
        lowered = text.casefold()
        found += ["a name" for name in self._names if name.casefold() in lowered]
        return found


def _secondary(estate: Estate) -> Iterator[str]:
    """Past addresses, and the parts of other ids that are long enough to be nobody else's."""
    for one in estate.identities.values():
        yield from one.past_emails
        for value in (*one.push_ids, *one.installation_ids, *one.oauth_tokens, *one.analytics_app_instance_ids):
            yield from (part for part in TOKEN.findall(value) if len(part) >= 12)


def _plain_hashes(value: str) -> Iterator[str]:
    for form in {value, value.lower()}:
        for name in ("sha1", "sha256", "md5"):
            yield hashlib.new(name, form.encode()).hexdigest()


def texts(rows: Iterable[tuple[object, ...]]) -> str:
    """Rows of a database as text; bytes are read as text too, because an entry is stored as bytes."""
    return "\n".join(" ".join(_text(value) for value in row) for row in rows)


def _text(value: object) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, memoryview | bytes) else str(value)
