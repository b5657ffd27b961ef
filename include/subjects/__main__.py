"""The vault on the command line: ``python -m include.subjects --help``.

Exit codes: 0 done; 1 a row was altered; 2 refused, a person must act; 75 not available, try later.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from include.connection import Connection
from include.database import url_of
from include.errors import Inconsistent, PrivacyError, Unavailable
from include.subjects import connect, keys
from include.subjects.database import WRITER, engine_for, migrate
from include.subjects.keys import Keyring
from include.subjects.rotation import in_use, rotate

OWNER_CONNECTION = "privacy_vault_owner"
"""Id of the connection with the owner's login, which only ``migrate`` uses."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except PrivacyError as error:
        print(error, file=sys.stderr)
        return 1 if isinstance(error, Inconsistent) else 75 if isinstance(error, Unavailable) else 2
    return 0


def _migrate(options: argparse.Namespace) -> None:
    migrate(url_of(Connection.from_env(OWNER_CONNECTION)), options.writer)
    print("The vault's database has the current schema.")


def _rotate(options: argparse.Namespace) -> None:
    ring, done = _keyring(options), 0
    for count in rotate(engine_for(url_of(Connection.from_env(connect.CONNECTION))), ring, options.batch):
        done += count
        print(f"{done} keys are wrapped again", file=sys.stderr)
    print(f"Every key is wrapped by {ring.current}.")


def _status(options: argparse.Namespace) -> None:
    current = _keyring(options).current
    used = in_use(engine_for(url_of(Connection.from_env(connect.CONNECTION))))
    for master, count in ({current: 0} | used).items():
        print(f"{master}  {count} keys{'  (current)' if master == current else ''}")


def _keyring(options: argparse.Namespace) -> Keyring:
    if options.key_file is not None:
        return Keyring.from_file(options.key_file)
    return Keyring.from_connection(Connection.from_env(keys.CONNECTION))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.subjects", description="The vault of identifiers. Connections come from AIRFLOW_CONN_…"
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(command=run)
        return command

    add("migrate", _migrate, "bring the database to the current schema").add_argument("--writer", default=WRITER)
    turn = add("rotate", _rotate, "wrap every key again with the current master key; may be interrupted and repeated")
    turn.add_argument("--batch", type=int, default=500, help="keys in one transaction")
    for command in (turn, add("status", _status, "how many keys each master key wraps")):
        command.add_argument("--key-file", type=Path, help="file of master keys, instead of the connection")
    return parser


if __name__ == "__main__":
    sys.exit(main())
