"""Command line of the aggregates: ``python -m include.analytics lint|forecast [FILE]``. Neither reads an event."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from include.analytics import accounting
from include.analytics.forecast import forecast
from include.analytics.lint import build, lint
from include.analytics.spec import DEFAULT
from include.errors import PrivacyError
from include.policy.document import read_file
from include.policy.errors import PolicyInvalid, Severity


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 good, 1 the file has mistakes, 2 it can't be read.

    Args:
        arguments: of the command line; the process's own by default.
    """
    options = _parser().parse_args(arguments)
    try:
        return _lint(options.file) if options.command == "lint" else _forecast(options.file)
    except PrivacyError as error:
        print(error, file=sys.stderr)
        return 1 if isinstance(error, PolicyInvalid) else 2


def _lint(file: Path) -> int:
    findings = lint(read_file(file))
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    for finding in findings:
        print(finding.at(str(shown)))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    print(f"{shown}: errors {errors}, warnings {len(findings) - errors}")
    return 1 if errors else 0


def _forecast(file: Path) -> int:
    specification = build(read_file(file))
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.analytics", description="Work with a specification.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("lint", help="list every mistake and every table that makes no sense")
    outlook = commands.add_parser("forecast", help="say what would be publishable, from public figures alone")
    for command in (check, outlook):
        command.add_argument("file", nargs="?", type=Path, default=DEFAULT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
