"""The connector: what the engine asks, put together from segments and what is known of a person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from include.connection import Connection
from include.errors import Refused
from include.policy.persons import IdentifierKind
from include.subjects.identifiers import Subject
from include.systems.assuring import Access
from include.systems.erasing import Did, Found, Means, Receipt, Seen
from include.systems.http import Http
from include.systems.linkedin import ERASING_CARD, KEY, SCOPE
from include.systems.linkedin.segments import BATCH, Segments, hashes_of

API = "https://api.linkedin.com"
OAUTH = "https://www.linkedin.com"
VERSION = "202610"
"""What the module is built to; LinkedIn keeps a version for at least a year."""
_READ = "read its connection"
_DIGITS = re.compile(r"[0-9]{1,32}", re.ASCII)
_MONTH = re.compile(r"20[0-9]{2}(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Held:
    """What there is of one person.

    Args:
        hashes: to be taken out of the segments.
        account: whether an account of the person is known, so that there may be messages.
    """

    hashes: tuple[str, ...] = field(default=(), repr=False)
    account: bool = False


class LinkedIn:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        segments: of the ad account; None without one.
        oauth: calls about the token.
        settings: what the connection says.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(self, segments: Segments | None, oauth: Http, settings: Settings, means: Means) -> None:
        self._segments = segments
        self._oauth = oauth
        self._settings = settings
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Hash what segments know, if there are segments. Who is in one can't be asked, so that no hash is counted."""
        horizon = self._means.clock() + self.card.horizon
        return [
            Found(
                ref,
                {"accounts": 1} if held.account else {},
                clean_at=horizon if held.hashes else None,
                records=held,
            )
            for ref, held in self._look(subjects).items()
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Take the hashes out of every segment. To send them again does no harm."""
        held: dict[str, Held] = {each.ref: each.records for each in found}
        hashes = list(dict.fromkeys(one for each in held.values() for one in each.hashes))
        refused: set[str] = set()
        if hashes and self._segments is not None:
            for segment in self._segments.of_people():
                refused |= self._segments.remove(segment, hashes)
        until = self._means.clock() + self.card.horizon
        return [_receipt(ref, each, len(refused.intersection(each.hashes)), until) for ref, each in held.items()]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Nothing can be read back; only of somebody of whom nothing was sent and nobody had to look is it proved."""
        until = {receipt.ref: receipt.until for receipt in receipts}
        return [
            Seen(
                ref,
                remaining=0,
                until=until.get(ref) if held.hashes else None,
                proved=not held.hashes and not held.account,
            )
            for ref, held in self._look(subjects).items()
        ]

    def access(self) -> Access:
        """List the segments, and ask LinkedIn about the token where the app's secret is in the connection."""
        if self._segments is not None:
            self._segments.of_people()
        if not self._settings.client_secret:
            note = "Without 'client_secret' LinkedIn does not tell the rights and the end of the token."
            return Access(shown=False, note=note)
        told = self._introspect()
        scopes = frozenset(str(told.get("scope") or "").replace(" ", "").split(",")) - {""}
        ends = told.get("expires_at")
        return Access(
            missing=tuple(sorted({SCOPE} - scopes)) if self._segments is not None else (),
            excess=tuple(sorted(scopes - {SCOPE})),
            expires_at=datetime.fromtimestamp(ends, UTC) if isinstance(ends, int) else None,
        )

    def close(self) -> None:
        """Release the sockets."""
        if self._segments is not None:
            self._segments.close()
        self._oauth.close()

    def _look(self, subjects: Sequence[Subject]) -> dict[str, Held]:
        hashes = self._hashes(subjects)
        return {
            subject.ref: Held(hashes.get(subject.ref, ()), self._settings.messages and _has_account(subject))
            for subject in subjects
        }

    def _hashes(self, subjects: Sequence[Subject]) -> dict[str, tuple[str, ...]]:
        """The hashes of each person; none where there is no segment of people."""
        if self._segments is None:
            return {}
        hashes = {subject.ref: hashes_of(subject) for subject in subjects}
        return hashes if any(hashes.values()) and self._segments.of_people() else {}

    def _introspect(self) -> Mapping[str, Any]:
        tried = "look at its token"
        known = self._settings
        fields = {"client_id": known.client_id, "client_secret": known.client_secret, "token": known.token}
        told = self._oauth.call("POST", "/oauth/v2/introspectToken", tried=tried, fields=fields, repeatable=True).json
        if not isinstance(told, Mapping) or told.get("active") is not True:
            raise Refused(KEY, tried, "Give the connection a new token: this one is no longer valid.")
        return told


@dataclass(frozen=True, slots=True)
class Settings:
    """What the connection says; see :func:`connect_erasing`."""

    token: str = field(repr=False)
    account: str
    version: str
    messages: bool
    batch: int
    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def of(cls, connection: Connection) -> Settings:
        """Read the connection.

        Raises:
            Refused: something is missing or out of range; the message names it.
        """
        extra = connection.extra
        account = str(extra.get("ad_account_id", "")).removeprefix("urn:li:sponsoredAccount:")
        version = connection.text("version", VERSION)
        if not connection.password:
            raise Refused(connection.id, _READ, "Give an access token as password.")
        if account and not _DIGITS.fullmatch(account):
            raise Refused(connection.id, _READ, "'ad_account_id' in the connection's extra must be digits.")
        if not _MONTH.fullmatch(version):
            raise Refused(connection.id, _READ, "'version' in the connection's extra must be a month such as 202610.")
        secret = str(extra.get("client_secret", ""))
        if secret and not connection.login:
            raise Refused(connection.id, _READ, "Give the id of the app as login beside its 'client_secret'.")
        batch = int(connection.positive("batch_records", BATCH))
        messages = extra.get("page_messages", True) is not False
        return cls(connection.password, account, version, messages, batch, connection.login or "", secret)


def connect(connection: Connection, means: Means) -> LinkedIn:
    """See :func:`include.systems.linkedin.connect_erasing`."""
    settings = Settings.of(connection)
    headers = {
        "Authorization": f"Bearer {settings.token}",
        "LinkedIn-Version": settings.version,
        "X-Restli-Protocol-Version": "2.0.0",
    }
    pace = partial(means.budgets.pace, f"{KEY}/calls", connection.positive("calls_per_second", 10.0))
    segments = Segments(Http(connection, API, headers=headers, pace=pace), settings.account, settings.batch)
    return LinkedIn(segments if settings.account else None, Http(connection, OAUTH), settings, means)


def _has_account(subject: Subject) -> bool:
    accounts = (value.partition(":") for value in subject.values(IdentifierKind.EXTERNAL_ID))
    return any(service == KEY and number.strip() for service, _, number in accounts)


def _receipt(ref: str, held: Held, refused: int, until: datetime) -> Receipt:
    end = until if held.hashes else None
    if refused:
        step = f"LinkedIn refused {refused} of the hashes: look at the segments in Campaign Manager."
        return Receipt(ref, Did.FAILED, until=end, next_action=step)
    if held.account:
        return Receipt(ref, Did.MANUAL, until=end, next_action=f"Left by hand: messages. {ERASING_CARD.instructions}")
    return Receipt(ref, Did.ACCEPTED, until=end) if held.hashes else Receipt(ref, Did.ABSENT)
