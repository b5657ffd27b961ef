"""A new master key: half done, resumed, without the old one, with the wrong one."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest
from sqlalchemy import make_url

from include.connection import Connection
from include.errors import Inconsistent, Refused
from include.subjects.__main__ import main
from include.subjects.keys import CONNECTION, Keyring, Wrapped
from include.subjects.rotation import in_use, rotate
from include.subjects.rows import data_key_place, of, request_of
from include.subjects.vault import Opened, Vault
from tests.conftest import MASTER_KEY
from tests.subjects.kit import email, intake, user

NEW_KEY = bytes(range(100, 132))
OLD, NEW, BOTH = Keyring(MASTER_KEY), Keyring(NEW_KEY), Keyring(NEW_KEY, [MASTER_KEY])


def using(vault: Vault, keys: Keyring) -> Vault:
    return Vault(vault.engine, keys, vault.clock)


def fill(vault: Vault, count: int) -> list[str]:
    return [one.id for one in vault.open([intake(user(f"u{number}")) for number in range(count)])]


def test_every_key_is_wrapped_again_and_everything_reads_as_before(vault: Vault) -> None:
    refs = fill(vault, 7)
    vault.destroy(refs[:1])
    vault.attach(refs[1], "proof", b"1")
    before = vault.subjects(refs[1:])
    assert sum(rotate(vault.engine, BOTH, batch=3)) == 7  # six requests that are open, and the fingerprints
    assert in_use(vault.engine) == {NEW.current: 7}
    after = using(vault, NEW)
    assert after.subjects(refs[1:]) == before
    assert after.attachment(refs[1], "proof") == b"1"
    assert after.open([intake(user("u1"))]) == [Opened(refs[1], joined=True)]
    assert list(rotate(vault.engine, NEW)) == []


def test_a_rotation_that_was_ended_half_way_loses_nothing_and_goes_on(vault: Vault) -> None:
    refs = fill(vault, 7)
    next(rotate(vault.engine, BOTH, batch=3))
    assert in_use(vault.engine) == {OLD.current: 4, NEW.current: 4}
    half = using(vault, BOTH)
    assert len(half.subjects(refs)) == 7
    assert half.open([intake(user("u6"))])[0].joined
    assert sum(rotate(vault.engine, BOTH, batch=3)) == 4
    assert len(using(vault, NEW).subjects(refs)) == 7


def test_without_the_old_key_nothing_is_changed_and_the_message_names_it(vault: Vault) -> None:
    refs = fill(vault, 3)
    for call in (
        lambda: list(rotate(vault.engine, NEW)),
        lambda: using(vault, NEW).subjects(refs),
        lambda: using(vault, NEW).open([intake(user("u9"))]),
    ):
        with pytest.raises(Refused, match=f"{OLD.current} is not in privacy_vault_key: add it to 'previous'"):
            call()
    assert len(vault.subjects(refs)) == 3


def test_a_key_that_pretends_to_be_the_old_one_opens_nothing(vault: Vault) -> None:
    refs = fill(vault, 1)
    with vault.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE vault_request SET master = %s", (NEW.current,))
    with pytest.raises(Inconsistent, match="exchanged or altered"):
        using(vault, NEW).subjects(refs)


def test_a_backup_from_before_a_rotation_needs_the_old_key(vault: Vault) -> None:
    [ref] = fill(vault, 1)
    with vault.engine.connect() as connection:
        row = connection.execute(of([ref])).one()
    list(rotate(vault.engine, BOTH))
    vault.destroy([ref])
    place, content = data_key_place(request_of(row)), bytes(row.wrapped)
    with pytest.raises(Inconsistent):
        NEW.unwrap(place, Wrapped(NEW.current, content))
    assert len(OLD.unwrap(place, Wrapped(OLD.current, content))) == 32


def test_keys_come_from_the_connection() -> None:
    old, new = (base64.b64encode(key).decode() for key in (MASTER_KEY, NEW_KEY))
    ring = Keyring.from_connection(Connection(CONNECTION, password=new, extra={"previous": [old]}))
    assert ring.unwrap(b"here", OLD.wrap(b"here", b"secret")) == b"secret"
    assert ring.wrap(b"here", b"secret").master == NEW.current
    assert new not in repr(ring)


@pytest.mark.parametrize(
    ("password", "previous"), [(None, []), ("not base64!", []), ("c2hvcnQ=", []), ("A" * 44, "x"), ("A" * 44, [1])]
)
def test_what_is_no_key_is_refused_without_being_shown(password: str | None, previous: object) -> None:
    with pytest.raises(Refused) as caught:
        Keyring.from_connection(Connection(CONNECTION, password=password, extra={"previous": previous}))
    assert str(password) not in str(caught.value)


def test_a_wrapped_key_opens_in_its_own_place_only() -> None:
    wrapped = OLD.wrap(b"here", b"secret")
    assert OLD.unwrap(b"here", wrapped) == b"secret"
    for place, content in ((b"there", wrapped.content), (b"here", wrapped.content[:-1]), (b"here", b"")):
        with pytest.raises(Inconsistent):
            OLD.unwrap(place, Wrapped(wrapped.master, content))


def test_a_key_file_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "vault"
    made = Keyring.from_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring.from_file(path).current == made.current
    path.write_text(f"{base64.b64encode(NEW_KEY).decode()}\n{path.read_text()}")
    assert Keyring.from_file(path).current == NEW.current
    assert Keyring.from_file(path).unwrap(b"here", made.wrap(b"here", b"1")) == b"1"
    ring = Keyring.from_connection(Connection(CONNECTION, extra={"file": str(path)}))
    assert ring.current == NEW.current
    path.chmod(0o640)
    with pytest.raises(Refused, match="Others may read it"):
        Keyring.from_file(path)


def test_the_command_rotates_and_says_which_keys_are_in_use(
    vault: Vault, vault_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(vault, 3)
    url = make_url(vault_url)
    place = {"host": url.query.get("host") or url.host, "port": url.port, "schema": url.database}
    login = {"login": url.username, "password": url.password}
    old, new = (base64.b64encode(key).decode() for key in (MASTER_KEY, NEW_KEY))
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_VAULT", json.dumps({**place, **login}))
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_VAULT_KEY", json.dumps({"password": new}))
    assert main(["rotate"]) == 2
    assert "previous" in capsys.readouterr().err
    monkeypatch.setenv("AIRFLOW_CONN_PRIVACY_VAULT_KEY", json.dumps({"password": new, "extra": {"previous": [old]}}))
    assert main(["status"]) == 0
    assert capsys.readouterr().out == f"{NEW.current}  0 keys  (current)\n{OLD.current}  4 keys\n"
    assert main(["rotate", "--batch", "2"]) == 0
    assert capsys.readouterr().out == f"Every key is wrapped by {NEW.current}.\n"
    assert main(["status"]) == 0
    assert capsys.readouterr().out == f"{NEW.current}  4 keys  (current)\n"
    assert main(["migrate"]) == 2
    assert "AIRFLOW_CONN_PRIVACY_VAULT_OWNER" in capsys.readouterr().err


def test_whoever_was_added_while_it_ran_is_found_by_running_it_again(vault: Vault) -> None:
    fill(vault, 2)
    list(rotate(vault.engine, BOTH))
    vault_with_old_key = using(vault, Keyring(MASTER_KEY, [NEW_KEY]))
    vault_with_old_key.open([intake(email("late@example.com"))])
    assert in_use(vault.engine)[OLD.current] == 1
    assert list(rotate(vault.engine, BOTH)) == [1]
