"""Whom a text names: addresses and ids found in logs and conversations, exactly, never as a part of something longer.

A vendor's search is a filter, not an answer: it splits words where it likes and ignores case. What counts is decided
here. ``ann@x.example`` is named by ``<Ann@x.example>`` and by ``?to=ann%40x.example``, not by ``joann@x.example`` or by
``ann@x.example.org``. Case is ignored in addresses, in their ASCII letters only: other alphabets have letters that look
alike and fold together. Ids are compared as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Subject
from include.systems.addresses import same, sendable

_RUN = re.compile(r"[\w.%+'@-]+")
_DOMAIN = re.compile(r"(?:[\w-]+\.)*[\w-]+")
_ID = re.compile(r"[\w-]+")
_FILES = frozenset({"css", "gif", "htm", "html", "jpeg", "jpg", "js", "map", "mjs", "png", "svg", "webp"})
"""Endings of files whose names have an ``@``, as in ``logo@2x.png``; none is a top-level domain."""
_LETTER = r"\w\u0080-\U0010ffff"
_BEFORE = rf"(?<![{_LETTER}.%+@-])"
_AFTER = rf"(?![{_LETTER}@-])(?!\.[{_LETTER}])"


class Mentions:
    """A set of persons to be recognised; false if there is nobody.

    Args:
        subjects: the persons.
        kinds: by which identifiers; ``EMAIL`` ignores case. Values without a letter or a digit name nobody.
    """

    def __init__(self, subjects: Sequence[Subject], kinds: Sequence[IdentifierKind]) -> None:
        self._known: dict[str, set[str]] = {}
        self._odd: list[tuple[re.Pattern[str], str]] = []
        for subject in subjects:
            for kind in kinds:
                for value in filter(is_word, subject.values(kind)):
                    self._learn(subject.ref, value, kind is IdentifierKind.EMAIL)

    def __bool__(self) -> bool:
        return bool(self._known or self._odd)

    def refs(self, record: Any) -> set[str]:
        """The persons that a decoded JSON value names anywhere: in texts, keys and lists, at any depth."""
        return {ref for text in _texts(record) for ref in self._named(text)}

    def _learn(self, ref: str, value: str, address: bool) -> None:
        plain = same(value) if address else value
        if plain in (_addresses(plain) if address else _ID.findall(plain)):
            self._known.setdefault(plain, set()).add(ref)
        else:
            # re.ASCII keeps the folding to ASCII letters, as ``same`` does; the borders name the others themselves.
            flags = re.IGNORECASE | re.ASCII if address else re.ASCII
            self._odd.append((re.compile(f"{_BEFORE}{re.escape(value)}{_AFTER}", flags), ref))

    def _named(self, text: str) -> Iterator[str]:
        for form in {text, unquote(text)} if "%" in text else (text,):
            for word in (*_addresses(same(form)), *_ID.findall(form)):
                yield from self._known.get(word, ())
            for pattern, ref in self._odd:
                if pattern.search(form):
                    yield ref


def addresses_in(record: Any) -> Iterator[str]:
    """Everything in a decoded JSON value that can be an e-mail address, as it is written."""
    for text in _texts(record):
        yield from (address for address in _addresses(text) if sendable(address))


def shows_address(record: Any) -> bool:
    """Whether a decoded JSON value has anything like an e-mail address in it, as it is or percent-encoded.

    The last label of the domain has letters only, so that ``react@18.2.0`` is none, and ``logo@2x.png`` is a file.
    """
    return any(
        _is_address(word) for text in _texts(record) for form in (text, unquote(text)) for word in _addresses(form)
    )


def is_word(value: str) -> bool:
    """Whether there is a letter or a digit in it: without one, a search for it could mean everything."""
    return any(character.isalnum() for character in value)


def _is_address(word: str) -> bool:
    ending = word.rpartition(".")[2].lower()
    return sendable(word) and ending.isalpha() and ending not in _FILES


def _addresses(text: str) -> list[str]:
    """What looks like addresses, whole. Linear in the length of the text, whatever is in it."""
    found = []
    for run in _RUN.findall(text) if "@" in text else ():
        local, at, rest = run.lstrip("'.").partition("@")
        domain = _DOMAIN.match(rest)
        if at and local and domain and "@" not in rest:
            found.append(f"{local}@{domain.group()}")
    return found


def _texts(record: Any) -> Iterator[str]:
    if isinstance(record, str):
        yield record
    elif isinstance(record, Mapping):
        for key, value in record.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(record, list | tuple):
        for value in record:
            yield from _texts(value)
    elif isinstance(record, int) and not isinstance(record, bool):
        yield str(record)
