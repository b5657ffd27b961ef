"""Command line of the policy: ``python -m include.policy lint|schema|ropa|coverage [FILE]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from include.errors import PrivacyError
from include.policy import coverage, ropa, schema
from include.policy.document import read_file
from include.policy.errors import PolicyInvalid, Severity
from include.policy.lint import lint
from include.policy.lint_rules import Capabilities
from include.policy.loader import load

DEFAULT = Path(__file__).with_name("clique.yaml")
_RECORDS = {"html": ropa.html, "md": ropa.markdown, "csv": ropa.csv}
_COVERAGES = {"html": coverage.html, "md": coverage.markdown, "csv": coverage.csv}


def main(
    arguments: Sequence[str] | None = None, cards: Mapping[str, Capabilities] | None = None, today: date | None = None
) -> int:
    """Run a command and return its exit code: 0 good, 1 the file has mistakes, 2 it can't be read.

    Args:
        arguments: of the command line; the process's own by default.
        cards: what each module can do, if the caller knows the modules.
        today: against which confirmations are judged; the day in UTC by default.
    """
    options = _parser().parse_args(arguments)
    try:
        return _run(options, cards, today or datetime.now(UTC).date())
    except PrivacyError as error:
        print(error, file=sys.stderr)
        return 1 if isinstance(error, PolicyInvalid) else 2


def _run(options: argparse.Namespace, cards: Mapping[str, Capabilities] | None, today: date) -> int:
    if options.command == "lint":
        return _lint(options.file, cards, today)
    if options.command == "schema":
        print(schema.text(), end="")
    elif options.command == "ropa":
        print(_RECORDS[options.format](ropa.record(load(options.file))), end="")
    else:
        print(_COVERAGES[options.format](coverage.coverage(load(options.file), {})), end="")
    return 0


def _lint(file: Path, cards: Mapping[str, Capabilities] | None, today: date) -> int:
    findings = lint(read_file(file), cards, today)
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    for finding in findings:
        print(finding.at(str(shown)))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    print(f"{shown}: errors {errors}, warnings {len(findings) - errors}")
    return 1 if errors else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.policy", description="Work with a policy file.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("schema", help="print the JSON Schema for editors")
    check = commands.add_parser("lint", help="list every mistake and what is not confirmed")
    record = commands.add_parser("ropa", help="print the record of processing activities")
    cover = commands.add_parser("coverage", help="print what keeps each section and system, without runs")
    for command in (check, record, cover):
        command.add_argument("file", nargs="?", type=Path, default=DEFAULT)
    for command in (record, cover):
        command.add_argument("--format", choices=tuple(_RECORDS), default="md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
