"""Firebase Performance Monitoring: its data can't be read; it goes with the installation that it belongs to.

What is measured is kept under the id of an installation of the app (FID), which is known here only where the company
stored it. To delete an installation makes Google remove its data from all Firebase services that use such ids, within
180 days, and from nothing else: Analytics has its own ids. Nobody can look whether it has. An app that is still in use
registers a new installation, under a new id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from include.connection import Connection
from include.policy.persons import IdentifierKind
from include.policy.register import Claim
from include.subjects.identifiers import Subject
from include.systems.assuring import Access, Checked
from include.systems.erasing import Did, ErasingCard, ErasureProof, Found, Means, Receipt, Seen
from include.systems.http import Http
from include.systems.rates import shared

KEY = "firebase_performance"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
CALLS_PER_SECOND = 10
"""Google publishes no limit; this is ours."""
_FID = re.compile(r"[A-Za-z0-9_-]{11}|[A-Za-z0-9_-]{22}", re.ASCII)
"""17 bytes in URL-safe base64; ids of before 2020 (instance ids) have 8."""
_MALFORMED, _UNKNOWN, _GONE_BEFORE = 400, 404, 409

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=frozenset({IdentifierKind.INSTALLATION_ID}),
    proof=ErasureProof.RECEIPT_ONLY,
    batch_size=100,
    horizon=timedelta(days=180),
    horizon_note=(
        "Google removes the data of a deleted installation from live and backup systems within 180 days. Nothing can "
        "be read back. Source: how Firebase manages installations."
    ),
    documentation=(
        "https://firebase.google.com/docs/projects/manage-installations",
        "https://firebase.google.com/docs/reference/admin/python/firebase_admin.instance_id",
        "https://firebase.google.com/support/privacy",
    ),
    scopes=(SCOPE,),
)

_REFUSED = (
    "{count} installation id(s) of this person are none to Firebase; all others were deleted. Correct them in the "
    "person's profile or in the request."
)


@dataclass(frozen=True, slots=True)
class _Deleted:
    """What became of a person's installations: ``now`` were there, ``malformed`` are no ids."""

    now: int
    malformed: int


class FirebasePerformance:
    """See :class:`include.systems.erasing.ErasingSystem`.

    Args:
        console: takes the deletions.
        management: tells of the project.
        project: its id.
        means: the engine's.
    """

    card = ERASING_CARD

    def __init__(self, console: Http, management: Http, project: str, means: Means) -> None:
        self._console = console
        self._management = management
        self._project = project
        self._means = means

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Count what would be deleted. There is no look-up of an installation: nothing is asked."""
        clean_at = self._means.clock() + self.card.horizon
        return [
            Found(subject.ref, {"installations": len(known)}, clean_at=clean_at, records=known)
            if (known := _installations(subject))
            else Found(subject.ref, {}, records=())
            for subject in subjects
        ]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Delete each installation. One that is gone already counts as done: its data follows by the same date."""
        return [self._receipt(each.ref, each.records) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Nothing can be read back: the receipt and its date are all there is.

        Of a person without any installation that is known here there was nothing to delete, and nothing to prove.
        """
        until = {receipt.ref: receipt.until for receipt in receipts}
        return [
            Seen(subject.ref, remaining=0, until=until.get(subject.ref), proved=not _installations(subject))
            for subject in subjects
        ]

    def access(self) -> Access:
        """Read the project. The right to delete shows at the first deletion only; the token's scope is asked for."""
        self._management.call("GET", "/v1beta1/projects/{}", self._project, tried="read the project")
        return Access(shown=False, note="Google has no call that would try the right to delete an installation.")

    def check(self, claim: Claim) -> Checked:
        """Nothing can be asked: what is measured can't be queried."""
        return Checked(claim.id, asked=False, note="Firebase offers no query of what Performance Monitoring keeps.")

    def close(self) -> None:
        """Release the sockets."""
        self._console.close()
        self._management.close()

    def _receipt(self, ref: str, installations: tuple[str, ...]) -> Receipt:
        if not installations:
            return Receipt(ref, Did.ABSENT)
        deleted = self._delete(installations)
        until = self._means.clock() + self.card.horizon
        if deleted.malformed:
            action = _REFUSED.format(count=deleted.malformed)
            return Receipt(ref, Did.FAILED, deleted.now, until=until, next_action=action)
        return Receipt(ref, Did.ACCEPTED, deleted.now, until=until)

    def _delete(self, installations: tuple[str, ...]) -> _Deleted:
        now = malformed = 0
        for fid in installations:
            if not _FID.fullmatch(fid):
                malformed += 1
                continue
            answer = self._console.call(
                "DELETE",
                "/v1/project/{}/instanceId/{}",
                self._project,
                fid,
                tried="delete an installation",
                also=(_MALFORMED, _UNKNOWN, _GONE_BEFORE),
            )
            malformed += answer.status == _MALFORMED
            now += answer.status < _MALFORMED
        return _Deleted(now, malformed)


def connect_erasing(connection: Connection, means: Means) -> FirebasePerformance:
    """Build the client; no call is made.

    ``extra`` of the connection:

    - ``project``: id of the Firebase project. Required.
    - ``token`` or ``keyfile_dict``: credentials, see :mod:`include.systems.google`; else those of the machine.
    - ``calls_per_second``: shared by all tasks, 10 if left out.

    ``host`` takes the place of both of Google's hosts, ``console.firebase.google.com`` (deletions) and
    ``firebase.googleapis.com`` (the project, to try the key).

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.google_bearer import bearer

    project = connection.text("project")
    auth, pace = bearer(connection, SCOPE), shared(connection, means.budgets, CALLS_PER_SECOND)
    console = Http(connection, "https://console.firebase.google.com", auth=auth, pace=pace)
    management = Http(connection, "https://firebase.googleapis.com", auth=auth, pace=pace)
    return FirebasePerformance(console, management, project, means)


def _installations(subject: Subject) -> tuple[str, ...]:
    return tuple(value for value in subject.values(IdentifierKind.INSTALLATION_ID) if value.strip())
