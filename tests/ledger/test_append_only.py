"""What PostgreSQL itself refuses, and what the audit finds when a superuser forced it."""

# ruff: noqa: S608 - the statements are put together from constants of this file

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from include.errors import Inconsistent, Refused
from include.ledger import merkle
from include.ledger.checkpoint import checkpoint
from include.ledger.database import WRITER, engine_for, migrate
from include.ledger.entry import Entry, Kind
from include.ledger.holds import Holds, Scope
from include.ledger.log import Ledger
from include.ledger.note import Signer
from include.ledger.schema import metadata
from include.local.databases import Databases
from tests.conftest import OWNER

TABLES = ("ledger_entry", "ledger_node", "ledger_checkpoint")
CHANGES = ("UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE", "DELETE FROM {} WHERE false")


@pytest.fixture
def filled(ledger: Ledger, signer: Signer) -> Ledger:
    for start in range(0, 900, 300):
        entries = [Entry(Kind.OUTCOME, "run_1", "old-leads", "firestore", {"gone": start + at}) for at in range(300)]
        ledger.append(entries)
        checkpoint(ledger, signer)
    return ledger


@pytest.fixture
def superuser(postgres: Databases, ledger_database: str) -> Iterator[Engine]:
    engine = engine_for(postgres.url(ledger_database))
    yield engine
    engine.dispose()


def force(superuser: Engine, *statements: str) -> None:
    """Change the ledger as only somebody with all rights can: without triggers and checks."""
    with superuser.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        connection.execute(text("ALTER TABLE ledger_entry DROP CONSTRAINT IF EXISTS ledger_entry_leaf_hash"))
        for statement in statements:
            assert connection.exec_driver_sql(statement).rowcount > 0


@pytest.mark.parametrize("who", ["ledger_url", "owner_url"])
def test_nobody_changes_or_removes_a_row(request: pytest.FixtureRequest, filled: Ledger, who: str) -> None:
    columns = {"ledger_entry": "run", "ledger_node": "hash", "ledger_checkpoint": "note"}
    engine = engine_for(request.getfixturevalue(who))
    for (table, column), change in itertools.product(columns.items(), CHANGES):
        with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
            connection.execute(text(change.format(table, column, column)))
        assert getattr(caught.value.orig, "pgcode", None) == "42501"
    engine.dispose()
    assert filled.audit().ok


def test_replica_mode_does_not_get_around_the_guard(filled: Ledger, superuser: Engine) -> None:
    with superuser.connect() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        with pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text("DELETE FROM ledger_entry"))


@pytest.mark.parametrize("statement", ["DROP TABLE ledger_entry", "ALTER TABLE ledger_entry DISABLE TRIGGER ALL"])
def test_the_writer_cannot_take_the_guards_away(filled: Ledger, statement: str) -> None:
    with pytest.raises(DBAPIError) as caught, filled.engine.begin() as connection:
        connection.execute(text(statement))
    assert getattr(caught.value.orig, "pgcode", None) == "42501"


INSERT = (
    "INSERT INTO ledger_entry (index, at, kind, run, entry, leaf_hash)"
    " SELECT :index, now(), 'plan', 'r', 'x', sha256('\\x00'::bytea || :hashed ::bytea)"
)


@pytest.mark.parametrize(("index", "hashed"), [(901, b"x"), (2**62, b"x"), (5, b"x"), (-1, b"x"), (900, b"y")])
def test_the_database_refuses_gaps_second_rows_and_wrong_hashes(filled: Ledger, index: int, hashed: bytes) -> None:
    with pytest.raises(DBAPIError) as caught, filled.engine.begin() as connection:
        connection.execute(text(INSERT), {"index": index, "hashed": hashed})
    assert str(getattr(caught.value.orig, "pgcode", None)).startswith("23")


def test_a_sound_ledger_passes_the_audit(filled: Ledger) -> None:
    seen: list[tuple[int, int]] = []
    result = filled.audit(lambda done, total: seen.append((done, total)))
    assert (result.ok, result.size, result.checkpoints, result.problems) == (True, 900, 3, ())
    assert result.root == filled.root() == merkle.fold([item.leaf_hash for item in filled.entries()])
    assert seen[-1] == (900, 900)


def test_an_empty_ledger_and_one_with_a_checkpoint_of_nothing_pass_the_audit(ledger: Ledger, signer: Signer) -> None:
    assert (ledger.audit().ok, ledger.audit().root) == (True, merkle.EMPTY)
    checkpoint(ledger, signer)
    assert (ledger.audit().ok, ledger.audit().checkpoints) == (True, 1)


def test_more_than_one_page_and_two_stored_heights_pass_the_audit(ledger: Ledger, signer: Signer) -> None:
    entry = Entry(Kind.OUTCOME, "run_1")
    for _ in range(6):
        ledger.append([entry] * 11_000)
    checkpoint(ledger, signer)
    ledger.append([entry] * 3)
    result = ledger.audit()
    assert (result.ok, result.size, result.root) == (True, 66_003, ledger.root())
    assert merkle.verify_inclusion(
        ledger.entry(65_999).leaf_hash, 65_999, 66_003, ledger.inclusion(65_999), result.root
    )


RECORDED = "index = 437"
FORGED = "overlay(entry PLACING 'X' FROM 40)"


@pytest.mark.parametrize(
    ("change", "index", "what"),
    [
        (f"UPDATE ledger_entry SET entry = {FORGED} WHERE {RECORDED}", 437, "stored hash"),
        (f"UPDATE ledger_entry SET leaf_hash = sha256('') WHERE {RECORDED}", 437, "stored hash"),
        (f"UPDATE ledger_entry SET kind = 'verification' WHERE {RECORDED}", 437, "columns"),
        (f"UPDATE ledger_entry SET rule = NULL WHERE {RECORDED}", 437, "columns"),
        (f"UPDATE ledger_entry SET system = 'redis' WHERE {RECORDED}", 437, "columns"),
        (f"UPDATE ledger_entry SET run = 'run_2' WHERE {RECORDED}", 437, "columns"),
        (f"UPDATE ledger_entry SET at = at + interval '1 microsecond' WHERE {RECORDED}", 437, "columns"),
        ("UPDATE ledger_node SET hash = sha256('') WHERE index = 1", 256, "lack their stored hash"),
        ("DELETE FROM ledger_node WHERE index = 2", 512, "lack their stored hash"),
        ("INSERT INTO ledger_node VALUES (8, 3, sha256(''))", 900, "not there"),
        (f"DELETE FROM ledger_entry WHERE {RECORDED}", 437, "index 438"),
        ("DELETE FROM ledger_entry WHERE index = 0", 0, "index 1"),
        ("DELETE FROM ledger_entry WHERE index >= 890", 890, "a checkpoint covers 900"),
        ("UPDATE ledger_checkpoint SET note = replace(note, E'\\n600\\n', E'\\n601\\n')", 0, "checkpoint at 600"),
        ("UPDATE ledger_checkpoint SET note = 'x' WHERE size = 300", 300, "cannot be read"),
    ],
)
def test_the_audit_names_the_place_of_a_change(
    filled: Ledger, superuser: Engine, change: str, index: int, what: str
) -> None:
    force(superuser, change)
    result = filled.audit()
    assert not result.ok
    assert result.found >= len(result.problems) > 0
    assert any(problem.index == index and what in problem.what for problem in result.problems), result.problems


def test_a_change_that_fits_its_own_hash_is_found_by_the_tree(filled: Ledger, superuser: Engine) -> None:
    body = "replace(convert_from(entry, 'UTF8'), '\"gone\":437', '\"gone\":999')"
    force(
        superuser,
        f"UPDATE ledger_entry SET entry = convert_to({body}, 'UTF8') WHERE {RECORDED}",
        rf"UPDATE ledger_entry SET leaf_hash = sha256('\x00'::bytea || entry) WHERE {RECORDED}",
    )
    problems = {problem.index for problem in filled.audit().problems}
    assert 256 in problems


def rewrite(superuser: Engine) -> None:
    """The best forgery: entry, leaf hash and every node above are changed so that they fit."""
    force(
        superuser,
        f"UPDATE ledger_entry SET entry = {FORGED} WHERE {RECORDED}",
        rf"UPDATE ledger_entry SET leaf_hash = sha256('\x00'::bytea || entry) WHERE {RECORDED}",
    )
    with superuser.begin() as connection:
        leaves = _leaves(connection)
        node = merkle.fold(leaves[256:512])
        connection.execute(text("UPDATE ledger_node SET hash = :node WHERE index = 1"), {"node": node})


def _leaves(connection: Connection) -> list[bytes]:
    return [bytes(row[0]) for row in connection.execute(text("SELECT leaf_hash FROM ledger_entry ORDER BY index"))]


def test_no_checkpoint_is_signed_over_rewritten_history(filled: Ledger, superuser: Engine, signer: Signer) -> None:
    rewrite(superuser)
    with pytest.raises(Inconsistent, match="changed or removed"):
        checkpoint(filled, signer)
    filled.append([Entry(Kind.RUN_CLOSED, "run_1")])
    with pytest.raises(Inconsistent, match="changed or removed"):
        checkpoint(filled, signer)
    problems = filled.audit().problems
    assert any("checkpoint at 600" in problem.what for problem in problems)
    assert any("checkpoint at 900" in problem.what for problem in problems)
    assert not any("checkpoint at 300" in problem.what for problem in problems)


def test_no_checkpoint_is_signed_over_a_shortened_log(filled: Ledger, superuser: Engine, signer: Signer) -> None:
    force(superuser, "DELETE FROM ledger_entry WHERE index >= 800")
    with pytest.raises(Inconsistent, match="800 entries"):
        checkpoint(filled, signer)


def test_a_copy_kept_elsewhere_is_enough_to_refuse(filled: Ledger, superuser: Engine, signer: Signer) -> None:
    kept = checkpoint(filled, signer).note
    rewrite(superuser)
    force(superuser, "DELETE FROM ledger_checkpoint")
    with pytest.raises(Inconsistent, match="changed or removed"):
        checkpoint(filled, signer, elsewhere=[kept])


def test_a_changed_entry_is_not_read_as_if_nothing_were(filled: Ledger, superuser: Engine) -> None:
    holds = Holds(filled)
    holds.set(Scope(rule="old-leads"), matter="m-1", ground="claim", set_by="staff_1", review=filled.clock().date())
    force(superuser, f"UPDATE ledger_entry SET entry = {FORGED} WHERE index IN (437, 900)")
    with pytest.raises(Inconsistent, match="437"):
        list(filled.entries())
    with pytest.raises(Inconsistent, match="437"):
        filled.entry(437)
    with pytest.raises(Inconsistent, match="900"):
        Holds(filled).active()


def test_the_tables_are_those_of_the_schema(postgres: Databases, ledger_database: str) -> None:
    engine = engine_for(postgres.url(ledger_database, OWNER, "test"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_database_without_tables_names_the_next_step(postgres: Databases) -> None:
    postgres.ensure_database("ledger_not_migrated")
    engine = engine_for(postgres.url("ledger_not_migrated"))
    with pytest.raises(Refused, match="migrate"):
        Ledger(engine, lambda: pytest.fail("not used")).size()
    engine.dispose()
    postgres.drop_database("ledger_not_migrated")


def test_migrating_twice_changes_nothing_and_a_missing_role_is_named(filled: Ledger, owner_url: str) -> None:
    migrate(owner_url)
    assert filled.size() == 900
    with pytest.raises(Refused, match="CREATE ROLE nobody_here LOGIN"):
        migrate(owner_url, "nobody_here")


def test_the_writer_cannot_migrate(postgres: Databases) -> None:
    postgres.ensure_database("ledger_not_migrated", OWNER, [WRITER])
    with pytest.raises(Refused, match="lacks the right"):
        migrate(postgres.url("ledger_not_migrated", WRITER, "test"))
    postgres.drop_database("ledger_not_migrated")
