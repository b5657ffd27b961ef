"""For whoever imports people: rows of erased ones stay out. A function for tasks of one's own, and an operator.

A file never goes through Airflow's own database: the operator is given two places, and hands on counts only.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from include.errors import Refused, Unavailable
from include.orchestration.recovery import shielded
from include.policy.persons import IdentifierKind

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from include.subjects.identifiers import Identifier
    from include.subjects.vault import Vault


def erased(identifiers: Sequence[Identifier]) -> list[bool]:
    """Whether each of some identifiers is that of an erased person, inside a task.

    Raises:
        Refused: the connection ``privacy_vault`` or ``privacy_vault_key`` lacks something.
        Unavailable: the vault did not answer: nothing may be imported.
    """
    from include.subjects import tombstones

    with shielded("look for erased people"), _open_vault() as vault:
        return tombstones.erased(vault, identifiers)


def without_erased(
    rows: Iterable[Mapping[str, Any]], columns: Mapping[str, IdentifierKind]
) -> Iterator[Mapping[str, Any]]:
    """The rows that are of nobody who was erased, inside a task; see ``include.subjects.screening.screen``."""
    from include.subjects.screening import screen

    with _open_vault() as vault:
        yield from screen(vault, rows, columns)


class DropErased(BaseOperator):
    """Copy a file of people without those who were erased, or refuse it.

    Args:
        source: path or URL (fsspec) of a CSV file with a header, or of a file with one JSON object per line.
        target: where the copy goes, in the same form; it is there as a whole or not at all.
        columns: the columns that name a person, each with its kind, such as ``{"email": "email", "uid": "user_id"}``.
        on_erased: ``drop`` leaves their rows out; ``refuse`` fails and writes nothing if there is one.

    Returns counts: rows read, rows of erased people.
    """

    template_fields: Sequence[str] = ("source", "target")

    def __init__(
        self, *, source: str, target: str, columns: Mapping[str, str], on_erased: str = "drop", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.target = target
        self.columns = dict(columns)
        self.on_erased = on_erased

    def execute(self, context: Context) -> dict[str, int]:
        """Copy.

        Raises:
            Refused: the settings are wrong, or a row is of an erased person and they are refused.
            Unavailable: vault or files did not answer.
        """
        from include.subjects.screening import OnErased, Screened, screen

        with shielded("screening of an import"):
            kinds = _kinds(self.columns)
            refuse = _choice(self.on_erased, [one.value for one in OnErased]) == OnErased.REFUSE.value
            counts = Screened()
            with _files(self.source) as (fs, path), _open_vault() as vault, fs.open(path, "rt", newline="") as text:
                rows, write = _format(path, text)
                with _whole(self.target) as out:
                    write(screen(vault, rows, kinds, counts), out)
                    if refuse and counts.erased:
                        raise Refused(
                            "import",
                            f"take {counts.erased} of {counts.rows} rows",
                            "They are of people who were erased: nothing was written.",
                        )
        return {"rows": counts.rows, "erased": counts.erased}


@contextmanager
def _open_vault() -> Iterator[Vault]:
    from include.orchestration.desk import connection, now
    from include.subjects.connect import open_vault

    vault = open_vault(connection("privacy_vault"), connection("privacy_vault_key"), now)
    try:
        yield vault
    finally:
        vault.engine.dispose()


@contextmanager
def _files(url: str) -> Iterator[tuple[Any, str]]:
    import fsspec

    try:
        fs, path = fsspec.core.url_to_fs(url)
        yield fs, str(path)
    except (OSError, ImportError) as error:
        raise Unavailable("import", f"use a file ({type(error).__name__})", "Check place, rights and space.") from None


@contextmanager
def _whole(url: str) -> Iterator[Any]:
    """A file that gets its name when it is complete."""
    with _files(url) as (fs, path):
        part = f"{path}.part"
        try:
            with fs.open(part, "wt", newline="") as out:
                yield out
            fs.mv(part, path)
        finally:
            if fs.exists(part):
                fs.rm(part)


def _format(path: str, text: io.TextIOBase) -> tuple[Iterable[Mapping[str, Any]], Any]:
    """Reader and writer of a file by the end of its name."""
    if path.endswith(".csv"):
        reader = csv.DictReader(text)

        def write(rows: Iterable[Mapping[str, Any]], out: Any) -> None:
            writer = csv.DictWriter(out, fieldnames=list(reader.fieldnames or ()))
            writer.writeheader()
            writer.writerows(rows)

        return reader, write
    if path.endswith((".jsonl", ".ndjson")):
        return (json.loads(line) for line in text if line.strip()), _write_lines
    raise Refused("import", "read a file of this kind", "Name it .csv, .jsonl or .ndjson.")


def _write_lines(rows: Iterable[Mapping[str, Any]], out: Any) -> None:
    out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _kinds(columns: Mapping[str, str]) -> dict[str, IdentifierKind]:
    known = [kind.value for kind in IdentifierKind]
    return {column: IdentifierKind(_choice(kind, known)) for column, kind in columns.items()}


def _choice(given: str, known: Sequence[str]) -> str:
    if given not in known:
        raise Refused("import", "read its settings", f"Choose one of {', '.join(known)}.")
    return given
