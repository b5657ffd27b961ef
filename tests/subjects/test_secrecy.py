"""What somebody sees who has the database, its log or an error, and what is noticed when rows are altered."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from include.errors import Inconsistent, PrivacyError, Refused
from include.local.databases import Databases
from include.policy.persons import IdentifierKind, RequestType
from include.subjects.database import engine_for, migrate
from include.subjects.identifiers import Identifier
from include.subjects.keys import Keyring
from include.subjects.schema import metadata
from include.subjects.vault import Intake, Vault
from tests.conftest import VAULT_OWNER
from tests.subjects.kit import RECEIVED, STAFF, email, intake, user

PLANTED = ("Planted.Person@example.com", "planted-user", "users/planted-prefix/", "planted proof")


@pytest.fixture
def superuser(postgres: Databases, vault_database_name: str) -> Iterator[Engine]:
    engine = engine_for(postgres.url(vault_database_name))
    yield engine
    engine.dispose()


def dump(engine: Engine) -> str:
    """Every row of every table, as PostgreSQL prints it, and what its printed bytes stand for."""
    found = []
    with engine.connect() as connection:
        connection.exec_driver_sql("SET bytea_output = escape")
        for table in metadata.sorted_tables:
            found += connection.exec_driver_sql(f"SELECT t::text FROM {table.name} t").scalars()  # noqa: S608
        connection.exec_driver_sql("SET bytea_output = hex")
        for table in metadata.sorted_tables:
            found += connection.exec_driver_sql(f"SELECT t::text FROM {table.name} t").scalars()  # noqa: S608
    return "\n".join(found)


def traces(value: str) -> list[str]:
    """A value as it is, encoded, and under hashes without a key."""
    forms = {value, value.lower(), value.strip()}
    hashes = [hashlib.new(name, form.encode()) for name in ("md5", "sha1", "sha256", "sha512") for form in forms]
    coded = [code for form in forms for code in (form.encode().hex(), base64.b64encode(form.encode()).decode()[:-4])]
    return [*forms, *coded, *(found.hexdigest()[:16] for found in hashes)]


def planted(vault: Vault) -> str:
    [one] = vault.open([intake(email(PLANTED[0]), user(PLANTED[1]))])
    vault.add(one.id, [Identifier(IdentifierKind.FILE_PREFIX, PLANTED[2])], "cloud_storage")
    vault.attach(one.id, "proof", PLANTED[3].encode())
    return one.id


def test_the_database_and_all_statements_are_without_any_value(
    vault: Vault, superuser: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[str] = []
    event.listen(
        vault.engine, "before_cursor_execute", lambda _c, _cur, text, given, *_: sent.append(f"{text} {given!r}")
    )
    with caplog.at_level(logging.DEBUG):
        ref = planted(vault)
        vault.subjects([ref])
        vault.same_person(ref)
    seen = f"{dump(superuser)}\n{sent}\n{caplog.text}"
    assert ref in seen
    for value in PLANTED:
        assert not [trace for trace in traces(value) if trace in seen]
    vault.destroy([ref])
    left = dump(superuser)
    assert ref in left
    assert len(left.splitlines()) == 4  # the row of the register and the vault's own secret, both printed twice


def test_no_repr_shows_a_value(vault: Vault) -> None:
    ref = planted(vault)
    [subject] = vault.subjects([ref])
    shown = f"{subject!r} {intake(email(PLANTED[0]))!r} {vault.requests()!r} {subject.identifiers!r}"
    assert not any(value in shown for value in PLANTED)


def test_errors_show_no_value_and_carry_no_cause(vault: Vault, superuser: Engine) -> None:
    ref = planted(vault)
    with superuser.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE vault_identifier ADD CONSTRAINT never CHECK (false) NOT VALID")
    try:
        for call in (
            lambda: vault.open([intake(email(PLANTED[0]), user("planted-other"))]),
            lambda: vault.open([intake(email("planted*@example.com"))]),
            lambda: vault.add(ref, [email("planted@example.com")], "firestore"),
            lambda: vault.add(ref, [email("planted" * 2000)], "firestore"),
            lambda: vault.attach(ref, "Planted Name", b"1"),
            lambda: vault.subjects(["planted@example.com"]),
        ):
            with pytest.raises(PrivacyError) as caught:
                call()
            assert "lanted" not in f"{caught.value} {caught.value!r}"
            assert caught.value.__cause__ is None
    finally:
        with superuser.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE vault_identifier DROP CONSTRAINT never")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE vault_identifier SET request = CASE request WHEN '{0}' THEN '{1}' ELSE '{0}' END",
        "UPDATE vault_identifier SET kind = 'phone' WHERE request = '{0}'",
        "UPDATE vault_identifier SET origin = 'firestore' WHERE request = '{0}'",
        "UPDATE vault_identifier SET tag = '\\x00' WHERE request = '{0}'",
        "UPDATE vault_identifier SET sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20)) WHERE request = '{0}'",
        "UPDATE vault_identifier a SET sealed = b.sealed FROM vault_identifier b WHERE a.ctid <> b.ctid",
        "UPDATE vault_identifier SET sealed = '' WHERE request = '{0}'",
        "UPDATE vault_request a SET wrapped = b.wrapped FROM vault_request b WHERE a.id <> b.id",
        "UPDATE vault_request SET type = 'account_deletion'",
        "UPDATE vault_request SET opened_by = 'staff_other'",
        "UPDATE vault_request SET batch = 'bat_aaaaaaaaaaaaaaaa'",
        "UPDATE vault_request SET source = 'rest'",
        "UPDATE vault_request SET answer = NOT answer",
        "UPDATE vault_request SET received_at = received_at + interval '1 microsecond'",
        "DELETE FROM vault_identifier WHERE request = '{0}'",
    ],
)
def test_an_altered_row_is_noticed_before_anybody_acts_on_it(vault: Vault, superuser: Engine, change: str) -> None:
    first, second = (one.id for one in vault.open([intake(user("u1")), intake(user("u2"))]))
    with superuser.begin() as connection:
        assert connection.exec_driver_sql(change.format(first, second)).rowcount > 0
    with pytest.raises(Inconsistent):
        vault.subjects([first])


def test_an_exchanged_proof_is_noticed(vault: Vault, superuser: Engine) -> None:
    [one] = vault.open([intake(user("u1"))])
    vault.attach(one.id, "a", b"1")
    vault.attach(one.id, "b", b"2")
    with superuser.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE vault_attachment x SET sealed = y.sealed FROM vault_attachment y WHERE x.name <> y.name"
        )
    with pytest.raises(Inconsistent):
        vault.attachment(one.id, "a")


def test_two_vaults_have_nothing_in_common_for_the_same_person(vault: Vault, superuser: Engine) -> None:
    def stored() -> set[bytes]:
        with superuser.connect() as connection:
            tags = connection.exec_driver_sql("SELECT tag FROM vault_identifier").scalars()
            values = connection.exec_driver_sql("SELECT value FROM vault_fingerprint").scalars()
            return {bytes(value) for value in [*tags, *values]}

    vault.open([intake(user("u1"))])
    before = stored()
    with superuser.begin() as connection:
        connection.exec_driver_sql("TRUNCATE vault_request, vault_secret CASCADE")
    vault.open([intake(user("u1"))])
    assert not stored() & before


def test_a_backup_cannot_be_read_without_the_master_key(vault: Vault) -> None:
    ref = planted(vault)
    stranger = Vault(vault.engine, Keyring(bytes(32)), vault.clock)
    for call in (lambda: stranger.subjects([ref]), lambda: stranger.attachment(ref, "proof")):
        with pytest.raises(Refused, match="master key"):
            call()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM vault_request",
        "UPDATE vault_request SET opened_by = 'staff_other'",
        "UPDATE vault_request SET type = 'erasure'",
        "UPDATE vault_identifier SET kind = 'email'",
        "UPDATE vault_fingerprint SET value = ''",
        "DELETE FROM vault_secret",
        "TRUNCATE vault_identifier",
        "DROP TABLE vault_identifier",
        "ALTER TABLE vault_request DISABLE TRIGGER ALL",
        "UPDATE vault_request SET wrapped = 'x', master = 'x' WHERE wrapped IS NULL",
    ],
)
def test_the_tasks_role_may_do_its_work_and_no_more(vault: Vault, statement: str) -> None:
    refs = [one.id for one in vault.open([intake(user("u1")), intake(user("u2"))])]
    vault.destroy(refs[:1])
    with pytest.raises(DBAPIError) as caught, vault.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert getattr(caught.value.orig, "pgcode", None) == "42501"


def test_the_tables_are_those_of_the_schema_and_migrating_again_changes_nothing(
    postgres: Databases, vault_database_name: str
) -> None:
    url = postgres.url(vault_database_name, VAULT_OWNER, "test")
    migrate(url)
    engine = engine_for(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_vault_that_is_not_migrated_says_what_to_do(postgres: Databases, vault_url: str) -> None:
    postgres.ensure_database("vault_not_migrated")
    engine = engine_for(postgres.url("vault_not_migrated"))
    with pytest.raises(Refused, match=r"include\.subjects migrate"):
        Vault(engine, Keyring(bytes(32)), lambda: RECEIVED).requests()
    engine.dispose()
    postgres.drop_database("vault_not_migrated")


def test_a_time_zone_does_not_change_what_was_received(vault: Vault) -> None:
    local = RECEIVED.astimezone(timezone(timedelta(hours=5, minutes=30)))
    [one] = vault.open([Intake(RequestType.ERASURE, (user("u1"),), STAFF, "rest", local)])
    assert vault.requests()[0].received_at == RECEIVED
    assert vault.subjects([one.id])
