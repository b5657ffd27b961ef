"""The product's own databases on this machine, made afresh with each start, and the connections to them."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.engine import make_url

from include.ledger import database as ledger_database
from include.local.databases import Databases
from include.subjects import database as vault_database

AIRFLOW_DATABASE, LEDGER_DATABASE, VAULT_DATABASE = "privacy_airflow", "privacy_ledger", "privacy_vault"
LEDGER_OWNER, VAULT_OWNER = "privacy_ledger_owner", "privacy_vault_owner"


@dataclass(frozen=True, slots=True)
class Own:
    """SQLAlchemy URLs: Airflow's of the administrator, ledger and vault with the role of tasks."""

    airflow: str = field(repr=False)
    ledger: str = field(repr=False)
    vault: str = field(repr=False)

    def connections(self) -> dict[str, str]:
        """Variables with the connections that tasks need, with fresh keys."""
        pseudonyms, signer, master = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(3))
        origin = {"origin": "sandbox.example/ledger"}
        return {
            "AIRFLOW_CONN_PRIVACY_LEDGER": _postgres(self.ledger),
            "AIRFLOW_CONN_PRIVACY_PSEUDONYMS": json.dumps({"conn_type": "generic", "password": pseudonyms}),
            "AIRFLOW_CONN_PRIVACY_LEDGER_SIGNER": json.dumps(
                {"conn_type": "generic", "password": signer, "extra": origin}
            ),
            "AIRFLOW_CONN_PRIVACY_VAULT": _postgres(self.vault),
            "AIRFLOW_CONN_PRIVACY_VAULT_KEY": json.dumps({"conn_type": "generic", "password": master}),
        }


def fresh(databases: Databases) -> Own:
    """Empty, migrated databases in place of those of the last start."""
    databases.drop_database(AIRFLOW_DATABASE)
    databases.ensure_database(AIRFLOW_DATABASE)
    return Own(
        databases.url(AIRFLOW_DATABASE),
        _closed(databases, LEDGER_DATABASE, LEDGER_OWNER, ledger_database.WRITER, ledger_database.migrate),
        _closed(databases, VAULT_DATABASE, VAULT_OWNER, vault_database.WRITER, vault_database.migrate),
    )


def _closed(databases: Databases, name: str, owner: str, writer: str, migrate: Callable[[str], None]) -> str:
    """A migrated database that only its owner and the role of tasks may enter; returns that role's URL."""
    passwords = {role: secrets.token_urlsafe(24) for role in (owner, writer)}
    for role, password in passwords.items():
        databases.ensure_role(role, password)
    databases.drop_database(name)
    databases.ensure_database(name, owner=owner, guests=[writer])
    migrate(databases.url(name, owner, passwords[owner]))
    return databases.url(name, writer, passwords[writer])


def _postgres(url: str) -> str:
    parts = make_url(url)
    place = {"host": parts.host or parts.query.get("host"), "port": parts.port, "schema": parts.database}
    return json.dumps({"conn_type": "postgres", **place, "login": parts.username, "password": parts.password})
