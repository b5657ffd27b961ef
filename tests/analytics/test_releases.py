"""One release, one debit, one ledger entry: together or not at all, and never again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import DBAPIError, OperationalError

from include.analytics.accounting import NOTHING, Cost
from include.analytics.releases import MANIFEST, Draft, Release, Releases
from include.errors import Inconsistent, Refused, Unavailable
from include.ledger.database import engine_for
from include.ledger.entry import Kind
from include.ledger.log import Ledger
from include.ledger.schema import release_debits, release_files
from tests.analytics.drafts import CAPS, DAY, MONTH, PRICE, draft, place


@pytest.fixture
def store(ledger: Ledger) -> Releases:
    return Releases(ledger)


def test_what_is_settled_comes_back_as_it_was(store: Releases) -> None:
    made = draft()
    release = store.settle(made, CAPS, "run_1")
    assert store.find(made.place) == release
    assert store.files(release) == dict(made.files)
    assert store.all() == [release]


def test_a_second_draft_of_the_same_place_is_void_and_costs_nothing(store: Releases, ledger: Ledger) -> None:
    first, second = draft(), draft()
    release = store.settle(first, CAPS, "run_1")
    assert store.settle(second, CAPS, "run_2") == release
    assert store.files(release) == dict(first.files)
    assert store.spent([MONTH]) == {MONTH: PRICE}
    assert ledger.size() == 1


def test_the_ledger_holds_what_was_released_and_what_it_cost(store: Releases, ledger: Ledger) -> None:
    made = draft()
    release = store.settle(made, CAPS, "run_1")
    recorded = ledger.entry(release.entry).entry
    assert (recorded.kind, recorded.run) == (Kind.RELEASE, "run_1")
    assert recorded.body == {
        "table": "daily_total",
        "start": "2026-11-20",
        "end": "2026-11-21",
        "digest": "a" * 64,
        "manifest": made.manifest,
        "debits": {"2026-11": {"rho": "0.02", "delta": "0.0000001"}},
    }
    assert ledger.audit().ok


def test_another_day_table_or_specification_is_another_release_and_costs_again(store: Releases) -> None:
    places = [place(), place(day=DAY + timedelta(days=1)), place("other"), place(digest="b" * 64)]
    assert len({store.settle(draft(one), CAPS, "run_1") for one in places}) == 4
    assert store.spent([MONTH])[MONTH] == Cost(Decimal("0.08"), Decimal("4e-7"))


def test_a_period_of_another_length_on_the_same_day_is_not_mistaken_for_the_release(store: Releases) -> None:
    store.settle(draft(), CAPS, "run_1")
    with pytest.raises(Inconsistent):
        store.find(replace(place(), end=DAY + timedelta(days=7)))


@pytest.mark.parametrize(
    "price", [Cost(Decimal("0.5") - Decimal("0.02") + Decimal("1e-20"), Decimal(0)), Cost(Decimal(0), Decimal("1e-5"))]
)
def test_beyond_the_cap_nothing_is_released_debited_or_recorded(store: Releases, ledger: Ledger, price: Cost) -> None:
    store.settle(draft(), CAPS, "run_1")
    late = draft(place("late"), price)
    with pytest.raises(Refused, match="November 2026"):
        store.settle(late, CAPS, "run_1")
    assert store.find(late.place) is None
    assert store.spent([MONTH]) == {MONTH: PRICE}
    assert ledger.size() == 1


def test_the_cap_itself_may_be_reached_exactly(store: Releases) -> None:
    for number in range(25):
        store.settle(draft(place(f"t{number}"), Cost(Decimal("0.02"), Decimal(0))), CAPS, "run_1")
    assert store.spent([MONTH])[MONTH].rho == CAPS.rho_month
    with pytest.raises(Refused):
        store.settle(draft(place("one_more"), Cost(Decimal("1e-20"), Decimal(0))), CAPS, "run_1")


def test_every_month_of_a_period_must_have_room(store: Releases) -> None:
    december = date(2026, 12, 1)
    store.settle(draft(place("full", december), Cost(CAPS.rho_month, Decimal(0))), CAPS, "run_1")
    week = draft(place("week", date(2026, 11, 30)))
    with pytest.raises(Refused, match="December 2026"):
        store.settle(Draft(week.place, {MONTH: PRICE, december: PRICE}, week.files), CAPS, "run_1")
    assert store.spent([MONTH]) == {MONTH: NOTHING}


def test_what_was_settled_is_given_even_where_the_budget_is_used_up(store: Releases) -> None:
    release = store.settle(draft(price=Cost(CAPS.rho_month, Decimal(0))), CAPS, "run_1")
    assert store.settle(draft(), CAPS, "run_2") == release


@pytest.mark.parametrize("broken", ["ledger_entry", "release_file", "release_debit"])
def test_a_failure_at_any_statement_leaves_no_trace(
    store: Releases, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    made = draft()
    if broken == "ledger_entry":
        monkeypatch.setattr(ledger, "append_within", _gone)
    elif broken == "release_file":
        made = Draft(made.place, made.debits, {**made.files, "bad": None})  # type: ignore[dict-item]
    else:
        made = Draft(made.place, {DAY: PRICE}, made.files)  # not the first of a month
    with pytest.raises((Unavailable, Refused)):
        store.settle(made, CAPS, "run_1")
    assert (store.all(), ledger.size()) == ([], 0)
    assert store.spent([MONTH, DAY]) == {MONTH: NOTHING, DAY: NOTHING}


def _gone(*_: object) -> None:
    raise Unavailable("ledger", "append", "Again.")


def test_two_runs_at_once_get_the_same_bytes_and_pay_once(ledger_url: str, ledger: Ledger) -> None:
    engines = [engine_for(ledger_url) for _ in range(6)]
    found: list[tuple[Release, dict[str, bytes]]] = []
    start = threading.Barrier(len(engines))

    def run(number: int) -> None:
        store = Releases(Ledger(engines[number], ledger.clock))
        made = [draft(place(f"t{table}")) for table in range(5)]
        start.wait()
        for one in made:
            release = store.settle(one, CAPS, f"run_{number}")
            found.append((release, store.files(release)))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(engines))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 30
    assert len({(release.manifest, files["data.parquet"]) for release, files in found}) == 5
    assert Releases(ledger).spent([MONTH])[MONTH].rho == 5 * PRICE.rho
    assert [item.entry.kind for item in ledger.entries()] == [Kind.RELEASE] * 5
    assert ledger.audit().ok
    for engine in engines:
        engine.dispose()


def test_concurrent_runs_together_never_go_beyond_the_cap(ledger_url: str, ledger: Ledger) -> None:
    engines = [engine_for(ledger_url) for _ in range(4)]
    refused: list[Refused] = []

    def run(number: int) -> None:
        store = Releases(Ledger(engines[number], ledger.clock))
        for table in range(10):
            try:
                store.settle(draft(place(f"t{number}_{table}")), CAPS, f"run_{number}")
            except Refused as error:
                refused.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(engines))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Releases(ledger).spent([MONTH])[MONTH].rho == CAPS.rho_month
    assert (len(Releases(ledger).all()), len(refused)) == (25, 15)
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize("forged", [b"x", None])
def test_stored_bytes_that_changed_are_not_handed_out(
    store: Releases, superuser_url: str, forged: bytes | None
) -> None:
    """Whether one file was changed, or everything but the ledger's entry."""
    release = store.settle(draft(), CAPS, "run_1")
    other = draft()
    engine = engine_for(superuser_url)
    guarded = ("release", "release_file", "release_debit")
    with engine.begin() as connection:
        for table in guarded:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only"))
        connection.execute(text("DELETE FROM release_debit"))
        connection.execute(text("DELETE FROM release_file"))
        if forged is None:
            connection.execute(text("UPDATE release SET manifest = :manifest"), {"manifest": other.manifest})
        manifest = release.manifest if forged else other.manifest
        contents = {**other.files, "data.parquet": forged or other.files["data.parquet"]}
        rows = [{"manifest": manifest, "name": name, "content": content} for name, content in contents.items()]
        connection.execute(insert(release_files), rows)
        for table in guarded:
            connection.execute(text(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only"))
    engine.dispose()
    found = store.find(place())
    assert found is not None
    with pytest.raises(Inconsistent):
        store.files(found)


def test_an_answer_that_is_lost_after_the_commit_is_no_second_release(
    store: Releases, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ledger.engine.begin

    @contextmanager
    def lost() -> Iterator[Connection]:
        with real() as connection:
            yield connection
        raise OperationalError("COMMIT", None, Exception("the connection is gone"))

    first = draft()
    monkeypatch.setattr(ledger.engine, "begin", lost)
    with pytest.raises(Unavailable):
        store.settle(first, CAPS, "run_1")
    monkeypatch.undo()
    release = store.settle(draft(), CAPS, "run_1")
    assert store.files(release) == dict(first.files)
    assert store.spent([MONTH]) == {MONTH: PRICE}


@pytest.mark.parametrize("change", ["UPDATE {} SET manifest = manifest", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("table", ["release", "release_file", "release_debit"])
@pytest.mark.parametrize("who", ["ledger_url", "owner_url"])
def test_nobody_takes_a_release_or_a_debit_back(
    request: pytest.FixtureRequest, store: Releases, change: str, table: str, who: str
) -> None:
    store.settle(draft(), CAPS, "run_1")
    engine = engine_for(request.getfixturevalue(who))
    with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
        connection.execute(text(change.format(table)))
    assert getattr(caught.value.orig, "pgcode", None) == "42501"
    engine.dispose()


def test_a_file_or_debit_without_its_release_is_refused_by_the_database(ledger: Ledger) -> None:
    for table, row in (
        (release_files, {"manifest": "f" * 64, "name": MANIFEST, "content": b""}),
        (release_debits, {"manifest": "f" * 64, "month": MONTH, "rho": 1, "delta": 0}),
    ):
        with pytest.raises(DBAPIError) as caught, ledger.engine.begin() as connection:
            connection.execute(insert(table), row)
        assert getattr(caught.value.orig, "pgcode", None) == "23503"
