"""Vault first, ledger second, and what is put right after a crash between the two."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from include.errors import Refused, Unavailable
from include.ledger.database import engine_for
from include.ledger.entry import Entry, Kind, Recorded
from include.ledger.log import Ledger
from include.policy.persons import IdentifierKind, RequestType
from include.requests.intake import Draft
from include.requests.opening import Opening, Repaired, open_requests, repair
from include.subjects import database
from include.subjects.identifiers import Identifier
from include.subjects.keys import Keyring
from include.subjects.vault import Vault
from tests.conftest import MASTER_KEY

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
STAFF = "staff_abcdefghijklmnopqrstuvwxyz"


def now() -> datetime:
    return NOW


def draft(user_id: str, *, on: date = TODAY, type: RequestType = RequestType.ERASURE, answer: bool = True) -> Draft:
    email = Identifier(IdentifierKind.EMAIL, f"{user_id}@example.com")
    return Draft(type, (Identifier(IdentifierKind.USER_ID, user_id), email), on, answer)


@pytest.fixture(autouse=True)
def noon(vault: Vault, ledger: Ledger) -> None:
    vault.clock = ledger.clock = now


def opened(vault: Vault, ledger: Ledger, *drafts: Draft, source: str = "page") -> Opening:
    return open_requests(vault, ledger, drafts, opened_by=STAFF, source=source, clock=now)


def entries(ledger: Ledger) -> list[Entry]:
    return [item.entry for item in ledger.entries()]


def test_one_request_is_in_the_vault_and_in_the_ledger(vault: Vault, ledger: Ledger) -> None:
    opening = opened(vault, ledger, draft("u1", on=date(2026, 2, 3), answer=False))
    [one] = opening.opened
    assert (opening.batch, opening.run, one.joined) == (None, one.id, False)
    body = {
        "type": "erasure",
        "batch": None,
        "received_at": "2026-02-03T00:00:00.000000Z",
        "source": "page",
        "by": STAFF,
        "answer": False,
        "identifiers": {"email": 1, "user_id": 1},
    }
    assert entries(ledger) == [Entry(Kind.REQUEST_OPENED, one.id, body=body)]
    assert vault.subjects([one.id])[0].values(IdentifierKind.USER_ID) == ("u1",)


def test_a_request_of_today_was_received_now(vault: Vault, ledger: Ledger) -> None:
    opened(vault, ledger, draft("u1"))
    assert vault.requests()[0].received_at == NOW


def test_many_are_a_batch_and_who_is_known_joins(vault: Vault, ledger: Ledger) -> None:
    first = opened(vault, ledger, draft("u1"))
    opening = opened(vault, ledger, draft("u2"), draft("u1"), draft("u3"), source="csv")
    assert re.fullmatch(r"bat_[a-z2-7]{16}", opening.run or "")
    assert [one.joined for one in opening.opened] == [False, True, False]
    assert opening.opened[1].id == first.opened[0].id
    fresh = [opening.opened[0].id, opening.opened[2].id]
    assert sorted(request.id for request in vault.requests(batch=opening.batch)) == sorted(fresh)
    *_, joined = entries(ledger)
    body: dict[str, Any] = {"what": "joined", "by": STAFF, "source": "csv"}
    assert joined == Entry(Kind.OPERATOR_ACTION, first.opened[0].id, body=body)
    assert [entry.run for entry in entries(ledger)[1:3]] == [request.id for request in vault.requests(refs=fresh)]


def test_where_all_join_there_is_nothing_to_start(vault: Vault, ledger: Ledger) -> None:
    opened(vault, ledger, draft("u1"), draft("u2"))
    again = opened(vault, ledger, draft("u2"), draft("u1"))
    assert (again.batch, again.run) == (None, None)


def test_nothing_is_refused(vault: Vault, ledger: Ledger) -> None:
    with pytest.raises(Refused, match="There is none"):
        opened(vault, ledger)


class Dying(Ledger):
    """Its process ends at the moment at which it is to write something."""

    def append(self, entries: Sequence[Entry]) -> list[Recorded]:
        if entries:
            raise SystemExit
        return []


def test_a_crash_between_vault_and_ledger_is_put_right_by_whoever_comes_next(vault: Vault, ledger: Ledger) -> None:
    with pytest.raises(SystemExit):
        opened(vault, Dying(ledger.engine, now), draft("u1"), draft("u2"), source="csv")
    assert entries(ledger) == []
    assert len(vault.requests()) == 2
    again = opened(vault, ledger, draft("u1"), draft("u3"), source="csv")
    assert [one.joined for one in again.opened] == [True, False]
    kinds = [entry.kind for entry in entries(ledger)]
    assert kinds == [Kind.REQUEST_OPENED, Kind.REQUEST_OPENED, Kind.REQUEST_OPENED, Kind.OPERATOR_ACTION]
    assert {entry.run for entry in entries(ledger)} == {request.id for request in vault.requests()}
    assert repair(vault, ledger) == Repaired(0, 0)


def test_a_repair_writes_what_an_undisturbed_opening_writes(vault: Vault, ledger: Ledger) -> None:
    with pytest.raises(SystemExit):
        opened(vault, Dying(ledger.engine, now), draft("u1"))
    [request] = vault.requests()
    vault.add(request.id, [Identifier(IdentifierKind.EMAIL, "more@example.com")], "firestore")
    assert repair(vault, ledger) == Repaired(recorded=1, destroyed=0)
    assert repair(vault, ledger) == Repaired(0, 0)
    opened(vault, ledger, draft("u2"))
    repaired, undisturbed = entries(ledger)
    assert repaired.run == request.id
    assert repaired.body == undisturbed.body


def test_a_key_that_a_restore_brought_back_is_destroyed_again(vault: Vault, ledger: Ledger) -> None:
    kept, closed = (one.id for one in opened(vault, ledger, draft("u1"), draft("u2")).opened)
    ledger.append([Entry(Kind.KEY_DESTROYED, closed)])
    assert repair(vault, ledger) == Repaired(recorded=0, destroyed=1)
    assert repair(vault, ledger) == Repaired(0, 0)
    assert [request.id for request in vault.requests()] == [kept]
    assert entries(ledger)[-1] == Entry(Kind.KEY_DESTROYED, closed, body={"again": True})


def test_a_ledger_that_is_away_opens_nothing(vault: Vault) -> None:
    away = Ledger(engine_for("postgresql://w@127.0.0.1:1/ledger"), now)
    with pytest.raises(Unavailable):
        opened(vault, away, draft("u1"))
    assert vault.requests() == []


def test_all_at_once_each_request_has_one_entry(vault_url: str, ledger: Ledger) -> None:
    def run(number: int) -> None:
        engine = database.engine_for(vault_url)
        vault = Vault(engine, Keyring(MASTER_KEY), now)
        opened(vault, ledger, draft("same"), draft(f"u{number}"))
        repair(vault, ledger)
        engine.dispose()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    runs = [entry.run for entry in entries(ledger) if entry.kind is Kind.REQUEST_OPENED]
    assert len(runs) == len(set(runs)) == 5


def test_a_thousand_are_opened_in_one_go(vault: Vault, ledger: Ledger) -> None:
    opening = opened(vault, ledger, *(draft(f"u{number}") for number in range(1000)), source="csv")
    assert len({one.id for one in opening.opened}) == 1000
    assert ledger.size() == 1000
