"""Command line of the policy: ``python -m include.policy lint|schema|ropa|coverage [FILE]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from include.errors import PrivacyError
from include.policy.document import read_file
from include.policy.errors import Severity
from include.policy.lint import lint
from include.policy.lint_rules import Capabilities
from include.policy.schema import schema

DEFAULT = Path(__file__).with_name("clique.yaml")


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
        if options.command == "lint":
            return _lint(options.file, cards, today or datetime.now(UTC).date())
        print(json.dumps(schema(), indent=2, ensure_ascii=False))
        return 0
    except PrivacyError as error:
        print(error, file=sys.stderr)
        return 2


def _lint(file: Path, cards: Mapping[str, Capabilities] | None, today: date) -> int:
    findings = lint(read_file(file), cards, today)
    for finding in findings:
        print(finding.at(str(file)))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    print(f"{file}: {errors} errors, {len(findings) - errors} warnings")
    return 1 if errors else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.policy", description="Work with a policy file.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (("lint", "list every mistake"), ("schema", "print the JSON Schema for editors")):
        command = commands.add_parser(name, help=about)
        if name == "lint":
            command.add_argument("file", nargs="?", type=Path, default=DEFAULT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
