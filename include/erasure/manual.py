"""Work that a person did by hand in a system, with a reference to the proof and, if there is one, a file."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

from include.erasure.desk import Desk
from include.erasure.status import Outcome, RequestStatus
from include.errors import Refused
from include.ledger.entry import Entry, Json, Kind, Recorded

PROOF = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,:#/_-]{2,79}")
"""A ticket or a few words. No @, so that no address gets in."""

_ENDING = re.compile(r"\.[a-z0-9]{1,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class File:
    """A proof as it was handed in. Only the ending of its name is kept: people write names into names of files.

    Args:
        name: as the browser gave it.
        content: its bytes.
    """

    name: str = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def ending(self) -> str:
        """The ending of its name with the dot, in small letters; "" if it has none that is harmless."""
        found = _ENDING.fullmatch(f".{self.name.rpartition('.')[2].lower()}") if "." in self.name else None
        return found.group() if found else ""


def record(desk: Desk, ref: str, system: str, *, by: str, proof: str, file: File | None = None) -> Recorded:
    """Write that the work is done. The file goes to the vault first, so that no evidence names one that is not there.

    Args:
        desk: the means.
        ref: id of an open request.
        system: key of the system in which the work was done.
        by: pseudonym of the member of staff.
        proof: reference to the proof, in the form of ``PROOF``.
        file: the proof itself.

    Raises:
        Refused: nothing is to be done by hand there, or the reference or the file are not allowed.
        Unavailable: vault or ledger did not answer; recording it again is safe.
    """
    if not PROOF.fullmatch(proof):
        raise Refused("request", "record the proof", "Give a ticket or 3 to 80 plain characters.")
    status = next(desk.statuses([ref], desk.clock()), None)
    if status is None or status.closed is not None or not is_waiting(status, system):
        raise Refused("request", "record work by hand", "Nothing is waiting for a person in this system.")
    body: dict[str, Json] = {"by": by, "proof": proof, "attachment": None, "file": None}
    if file is not None:
        name = f"{system}-{secrets.token_hex(4)}{file.ending}"
        body.update(attachment=desk.vault.attach(ref, name, file.content), file=name)
    (written,) = desk.ledger.append([Entry(Kind.MANUAL_DONE, ref, system=system, body=body)])
    return written


def is_waiting(status: RequestStatus, system: str) -> bool:
    """Whether a person has work to do for a request in a system."""
    return any(row.system == system and row.outcome is Outcome.MANUAL_PENDING for row in status.rows)
