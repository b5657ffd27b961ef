"""What the product keeps of a whole request names nobody: ledger, vault, logs, messages of errors."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from include.errors import PrivacyError
from include.ledger.database import engine_for
from include.local.databases import Databases
from include.policy.persons import RequestType
from include.sandbox.estate import Estate
from include.sandbox.faults import Fault, FaultKind
from tests.erasure import kit, scan
from tests.erasure.office import Office
from tests.retention.personal import dump, found, with_plain_hashes

TRIES = 6
FAULTS = (
    Fault("sendgrid", FaultKind.LOST_ANSWER, "mail/send"),
    Fault("sendgrid", FaultKind.STATUS, "suppression", status=500),
    Fault("mailgun", FaultKind.STATUS, "bounces", status=429, retry_after=60),
    Fault("elasticsearch", FaultKind.LOST_ANSWER, "_delete_by_query"),
    Fault("storage", FaultKind.PARTIAL, "POST /batch"),
    Fault("identitytoolkit", FaultKind.STATUS, "batchDelete", status=500),
    Fault("google_analytics", FaultKind.STATUS, "submitUserDeletion", status=400),
    Fault("loggly", FaultKind.DROP, "iterate"),
    Fault("tawk_to", FaultKind.STATUS, "chat.list", status=500, times=9),
    Fault("firestore", FaultKind.STATUS, "BatchWrite", status=13),
)


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=10)


class Everything(logging.Handler):
    """Keeps what any logger says, at any level, with what it was given to say it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # The sandbox stands for the vendors, whose own logs are not ours; it runs in this process here.
        if record.name.startswith("uvicorn"):
            return
        self.lines.append(f"{record.name} {record.getMessage()} {record.args} {record.exc_info}")


@pytest.fixture
def logs() -> Iterator[Everything]:
    """All loggers at their most talkative, also those that exist already and do not hand on."""
    heard = Everything()
    root = logging.getLogger()
    known = [root, *(one for one in root.manager.loggerDict.values() if isinstance(one, logging.Logger))]
    before = [(one, one.level, one.propagate, one.disabled) for one in known]
    for one in known:
        one.setLevel(logging.DEBUG)
        one.propagate, one.disabled = True, False
    root.addHandler(heard)
    yield heard
    root.removeHandler(heard)
    for one, level, propagate, disabled in before:
        one.setLevel(level)
        one.propagate, one.disabled = propagate, disabled


def needles(office: Office) -> set[str]:
    """Addresses, ids and names of all people of the company, in the clear and as plain hashes of either case."""
    known = [scan.known(office.estate, person).needles for person in office.estate.people]
    values = {value for one in known for value in one} | {person.name for person in office.estate.people}
    values |= {value for one in office.estate.contacts() for value in (one.id, one.email, one.name)}
    values |= {identity.phone for identity in office.estate.identities.values() if identity.phone}
    return set(with_plain_hashes(values | {value.lower() for value in values}))


@pytest.mark.slow
def test_nothing_that_is_kept_of_a_request_names_anybody(office: Office, postgres: Databases, logs: Everything) -> None:
    secrets, errors = needles(office), _a_whole_request_with_accidents(office)
    ledger = dump(postgres, office.desk.ledger)
    vault = _dump(postgres, office.desk.vault.engine)
    said = "\n".join(logs.lines)
    assert len(errors) >= 3
    assert "elastic" in said.lower()
    assert "erasure" in ledger
    for what, content in {"ledger": ledger, "vault": vault, "logs": said, "errors": "\n".join(errors)}.items():
        assert len(found(secrets, content)) == 0, what


def test_the_search_finds_what_is_planted(office: Office, postgres: Databases, logs: Everything) -> None:
    secrets, person = needles(office), office.estate.people[0]
    logging.getLogger("urllib3").debug("GET /v3/contacts/%s", person.email.title())
    assert found(secrets, "\n".join(logs.lines))
    ref = kit.open_request(office.desk, kit.email(person.email))
    office.desk.vault.add(ref, [kit.user_id(person.uid)], "firestore")
    with pytest.raises(PrivacyError):
        office.desk.vault.attach(ref, person.uid, b"proof")
    engine = engine_for(postgres.url(str(office.desk.vault.engine.url.database)))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE planted (value bytea)")
        connection.exec_driver_sql("INSERT INTO planted VALUES (%s)", (person.uid.encode(),))
    try:
        assert set(found(secrets, _dump(postgres, office.desk.vault.engine))) == {person.uid, person.uid.lower()}
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE planted")
        engine.dispose()


def _a_whole_request_with_accidents(office: Office) -> list[str]:
    """An erasure, a deletion of an account and a hold, with failures on the way and all looks to the end."""
    people = office.estate.people[:3]
    kit.hold(office.desk, people[2].uid)
    types = (RequestType.ERASURE, RequestType.ACCOUNT_DELETION, RequestType.ERASURE)
    for person, type_ in zip(people, types, strict=True):
        office.approved(kit.email(person.email), type_=type_)
    for fault in FAULTS:
        office.sandbox.company.faults.add(fault)
    errors = []
    for task in kit.tasks(office.desk, office.systems, office.open_mailer):
        for _ in range(TRIES):
            try:
                task()
                break
            except PrivacyError as error:
                errors.append(f"{error} {error!r} {error.args} {error.__context__!r} {error.__cause__!r}")
    office.time.go_on(1)
    office.night()
    return errors


def _dump(postgres: Databases, engine: Engine) -> str:
    """Every column of every table of the vault's database."""
    from include.ledger.log import Ledger

    return dump(postgres, Ledger(engine, lambda: kit.AS_OF))
