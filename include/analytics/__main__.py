"""Command line of the aggregates: ``python -m include.analytics lint|forecast|budget [FILE]``. None reads an event.

Exit codes: 0 good; 1 the file has mistakes; 2 refused, a person must act; 75 the ledger is not available, try later.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from include.analytics import accounting
from include.analytics.forecast import forecast
from include.analytics.gauge import gauge
from include.analytics.lint import build, lint
from include.analytics.releases import Releases
from include.analytics.spec import DEFAULT
from include.connection import Connection
from include.errors import PrivacyError, Unavailable
from include.ledger.connect import CONNECTION, open_ledger
from include.policy.document import read_file
from include.policy.errors import PolicyInvalid, Severity


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: of the command line; the process's own by default.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except PrivacyError as error:
        print(error, file=sys.stderr)
        return 1 if isinstance(error, PolicyInvalid) else 75 if isinstance(error, Unavailable) else 2


def _lint(options: argparse.Namespace) -> int:
    file: Path = options.file
    findings = lint(read_file(file))
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    for finding in findings:
        print(finding.at(str(shown)))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    print(f"{shown}: errors {errors}, warnings {len(findings) - errors}")
    return 1 if errors else 0


def _forecast(options: argparse.Namespace) -> int:
    specification = build(read_file(options.file))
    print(f"{specification.company.users} users; no event was read and nothing is spent.")
    for outlook in forecast(specification):
        print(f"{'good  ' if outlook.sensible else 'NO USE'} {outlook.table}: {outlook.sentence}")
    spent, caps = accounting.month(specification.tables), specification.budget
    epsilon = accounting.epsilon(spent.rho, caps.epsilon_delta)
    print(
        f"A month costs a person rho {spent.rho:f} of {caps.rho_month:f} and delta {spent.delta} of {caps.delta_month}:"
    )
    print(f"epsilon {epsilon:.1f} at delta {caps.epsilon_delta}.")
    return 0


def _budget(options: argparse.Namespace) -> int:
    """The gauge of one month, from the ledger's database."""
    specification = build(read_file(options.file))
    ledger = open_ledger(Connection.from_env(CONNECTION), lambda: datetime.now(UTC))
    print(gauge(Releases(ledger), specification, options.month))
    return 0


def _month(text: str) -> date:
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.analytics", description="Work with a specification.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("lint", help="list every mistake and every table that makes no sense")
    outlook = commands.add_parser("forecast", help="say what would be publishable, from public figures alone")
    account = commands.add_parser("budget", help="what a month has cost a person so far, and what it may cost")
    this_month = datetime.now(UTC).date().replace(day=1)
    account.add_argument("--month", type=_month, default=this_month, metavar="YYYY-MM", help="default: this month")
    for command, run in ((check, _lint), (outlook, _forecast), (account, _budget)):
        command.add_argument("file", nargs="?", type=Path, default=DEFAULT)
        command.set_defaults(run=run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
