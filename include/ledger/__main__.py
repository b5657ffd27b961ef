"""The ledger on the command line: ``python -m include.ledger --help``.

Exit codes: 0 done; 1 evidence and truth disagree; 2 refused, a person must act; 75 not available, try later.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from include.connection import Connection
from include.database import url_of
from include.errors import Inconsistent, PrivacyError, Refused, Unavailable
from include.ledger import connect, note, pseudonym
from include.ledger.checkpoint import checkpoint, latest, prove, verify_all
from include.ledger.database import WRITER, migrate
from include.ledger.entry import parse
from include.ledger.holds import Holds, Scope
from include.ledger.log import Ledger
from include.ledger.note import Signer, Verifier
from include.ledger.proof import InclusionProof
from include.ledger.pseudonym import Pseudonymiser

OWNER_CONNECTION = "privacy_ledger_owner"
"""Id of the connection with the owner's login, which only ``migrate`` uses."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except PrivacyError as error:
        print(error, file=sys.stderr)
        return 1 if isinstance(error, Inconsistent) else 75 if isinstance(error, Unavailable) else 2


def _now() -> datetime:
    return datetime.now(UTC)


def _ledger() -> Ledger:
    return connect.open_ledger(Connection.from_env(connect.CONNECTION), _now)


def _migrate(options: argparse.Namespace) -> int:
    migrate(url_of(Connection.from_env(OWNER_CONNECTION)), options.writer)
    print("The ledger's database has the current schema.")
    return 0


def _status(_: argparse.Namespace) -> int:
    ledger = _ledger()
    size, last, holds = ledger.size(), latest(ledger), Holds(ledger).active()
    print(f"entries: {size}")
    print(f"root: {ledger.root(size).hex()}")
    print(f"last checkpoint: {f'{last.tree.size} entries, {last.at:%Y-%m-%d %H:%M} UTC' if last else 'none'}")
    print(f"holds in force: {len(holds.holds)}, due for review: {len(holds.due_for_review(_now()))}")
    return 0


def _audit(_: argparse.Namespace) -> int:
    def show(done: int, total: int) -> None:
        print(f"\r{done} of {total} entries", end="\n" if done == total else "", file=sys.stderr)

    result = _ledger().audit(show if sys.stderr.isatty() else None)
    for problem in result.problems:
        print(f"entry {problem.index}: {problem.what}")
    print(f"{result.size} entries, {result.checkpoints} checkpoints, {result.found} problems, root {result.root.hex()}")
    return 0 if result.ok else 1


def _sign(options: argparse.Namespace) -> int:
    retired = [Verifier.parse(vkey) for vkey in options.retired]
    elsewhere = [path.read_text(encoding="utf-8") for path in options.elsewhere]
    print(checkpoint(_ledger(), _signer(options), retired=retired, elsewhere=elsewhere).note, end="")
    return 0


def _signer(options: argparse.Namespace) -> Signer:
    if options.key_file is None:
        return Signer.from_connection(Connection.from_env(note.CONNECTION))
    if options.origin is None:
        raise Refused("ledger", "use the key file", "Give --origin with it.")
    return Signer.from_file(options.key_file, options.origin)


def _show(_: argparse.Namespace) -> int:
    last = latest(_ledger())
    if last is None:
        raise Refused("ledger", "show a checkpoint", "There is none yet: sign one.")
    print(last.note, end="")
    return 0


def _verify(options: argparse.Namespace) -> int:
    count = verify_all(_ledger(), [Verifier.parse(vkey) for vkey in options.vkey])
    print(f"{count} checkpoints are signed and consistent with the log.")
    return 0


def _proof(options: argparse.Namespace) -> int:
    ledger = _ledger()
    last = latest(ledger)
    if last is None or last.tree.size <= options.index:
        raise Refused("ledger", f"prove entry {options.index}", "No checkpoint covers it: sign one first.")
    print(prove(ledger, options.index, last).text, end="")
    return 0


def _verify_proof(options: argparse.Namespace) -> int:
    proof = InclusionProof.parse(sys.stdin.read())
    tree = proof.verify([Verifier.parse(vkey) for vkey in options.vkey])
    entry, at = parse(proof.entry)
    print(f"Entry {proof.index} of {tree.size} in {tree.origin}: {entry.kind} of {at:%Y-%m-%d %H:%M:%S} UTC.")
    print(proof.entry.decode())
    return 0


def _hold_set(options: argparse.Namespace) -> int:
    scope = Scope(_subject(options) if options.subject else None, options.rule, options.system)
    hold = Holds(_ledger()).set(
        scope, matter=options.matter, ground=options.ground, set_by=options.by, review=options.review
    )
    print(hold.id)
    return 0


def _subject(options: argparse.Namespace) -> str:
    """The pseudonym of an identifier that was typed or piped in, never given as an argument others could see."""
    if options.pseudonym_key_file is not None:
        pseudonymiser = Pseudonymiser.from_file(options.pseudonym_key_file)
    else:
        pseudonymiser = Pseudonymiser.from_connection(Connection.from_env(pseudonym.CONNECTION))
    asked = sys.stdin.isatty()
    identifier = (getpass.getpass("Identifier as the store writes it: ") if asked else sys.stdin.readline()).strip(
        "\r\n"
    )
    if not identifier:
        raise Refused("holds", "read the subject's identifier", "Type it, or pipe it in as one line.")
    return pseudonymiser.subject(identifier)


def _hold_list(_: argparse.Namespace) -> int:
    for hold in Holds(_ledger()).active().holds.values():
        scope = ", ".join(part for part in (hold.scope.subject, hold.scope.rule, hold.scope.system) if part)
        print(f"{hold.id}  {scope}  matter {hold.matter}, set by {hold.set_by}, review {hold.review}: {hold.ground}")
    return 0


def _hold_release(options: argparse.Namespace) -> int:
    Holds(_ledger()).release(options.hold, options.by, options.reason)
    print(f"{options.hold} is released.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.ledger", description="The ledger of evidence. Connections come from AIRFLOW_CONN_…"
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, run: object, text: str, group: object = commands) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = group.add_parser(name, help=text, description=text)  # type: ignore[attr-defined]
        command.set_defaults(command=run)
        return command

    add("migrate", _migrate, "bring the database to the current schema").add_argument("--writer", default=WRITER)
    add("status", _status, "size, root, last checkpoint and holds")
    add("audit", _audit, "recompute everything and compare")
    proof = add("proof", _proof, "print the proof of an entry as a tlog-proof")
    proof.add_argument("index", type=int)
    _vkeys(add("verify-proof", _verify_proof, "check a tlog-proof from standard input, without the ledger"))

    group = commands.add_parser("checkpoint", help="sign, show or verify checkpoints").add_subparsers(required=True)
    sign = add("sign", _sign, "sign the log as it is", group)
    sign.add_argument("--key-file", type=Path, help="created on first use")
    sign.add_argument("--origin", help="name of the log, with --key-file")
    sign.add_argument("--retired", action="append", default=[], help="verifier key of earlier checkpoints")
    sign.add_argument("--elsewhere", action="append", default=[], type=Path, help="file of an earlier checkpoint")
    add("show", _show, "print the last one", group)
    _vkeys(add("verify", _verify, "verify all that are stored", group))

    group = commands.add_parser("hold", help="set, list or release legal holds").add_subparsers(required=True)
    hold = add("set", _hold_set, "put a hold in force", group)
    hold.add_argument("--subject", action="store_true", help="ask for the subject's identifier (or read one line)")
    hold.add_argument("--pseudonym-key-file", type=Path, help="key file instead of the connection")
    hold.add_argument("--rule")
    hold.add_argument("--system")
    for name in ("--matter", "--ground", "--by"):
        hold.add_argument(name, required=True)
    hold.add_argument("--review", required=True, type=date.fromisoformat, help="YYYY-MM-DD")
    add("list", _hold_list, "list the holds in force", group)
    release = add("release", _hold_release, "end a hold", group)
    release.add_argument("hold")
    for name in ("--by", "--reason"):
        release.add_argument(name, required=True)
    return parser


def _vkeys(command: argparse.ArgumentParser) -> None:
    command.add_argument("--vkey", action="append", required=True, help="verifier key, may be repeated")


if __name__ == "__main__":
    sys.exit(main())
