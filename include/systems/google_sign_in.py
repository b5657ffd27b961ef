"""Google sign-in: the link of an account to a person's Google account is removed, and looked up afterwards.

What the product was allowed to do with that Google account is another matter: its grants are revoked with the G Suite
integration. The account itself goes last, with Firebase Authentication.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from include.connection import Connection
from include.subjects.identifiers import Identifier, Subject
from include.systems.assuring import Access
from include.systems.erasing import Did, ErasingCard, ErasureProof, Exported, Found, Means, Receipt, Seen
from include.systems.sign_in import IDENTIFIERS, RIGHTS, SCOPE, Links, links_of

KEY = "google_sign_in"
PROVIDER = "google.com"

ERASING_CARD = ErasingCard(
    key=KEY,
    version="1",
    identifiers=IDENTIFIERS,
    proof=ErasureProof.READ_BACK,
    batch_size=1000,
    horizon=timedelta(),
    horizon_note=(
        "The link is gone at once, and no look-up shows it. Google keeps its own record of the sign-ins of its user, "
        "who can remove the application at myaccount.google.com/connections."
    ),
    documentation=(
        "https://cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts/update",
        "https://cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts/lookup",
        "https://firebase.google.com/docs/auth/limits",
    ),
    scopes=RIGHTS,
)


class GoogleSignIn:
    """See :class:`include.systems.erasing.ErasingSystem`."""

    card = ERASING_CARD

    def __init__(self, links: Links) -> None:
        self._links = links

    def find(self, subjects: Sequence[Subject]) -> list[Found]:
        """Look up the accounts of all persons together."""
        looks = zip(subjects, self._links.look(subjects), strict=True)
        return [Found(subject.ref, {"links": len(own)} if own else {}, records=own) for subject, own in looks]

    def erase(self, found: Sequence[Found]) -> list[Receipt]:
        """Remove the links found, one account to a call: there is no call for several."""
        self._links.remove([link for each in found for link in each.records])
        return [Receipt(each.ref, Did.GONE if each.total else Did.ABSENT, each.total) for each in found]

    def verify(self, subjects: Sequence[Subject], receipts: Sequence[Receipt]) -> list[Seen]:
        """Look up the accounts afresh."""
        looks = zip(subjects, self._links.look(subjects), strict=True)
        return [Seen(subject.ref, len(own)) for subject, own in looks]

    def export(self, subjects: Sequence[Subject]) -> Iterator[Exported]:
        """What is stored of each link: the id, the address and the name at Google."""
        for subject, own in zip(subjects, self._links.look(subjects), strict=True):
            yield Exported(subject.ref, {"links": [dict(link.shown) for link in own]} if own else {})

    def access(self) -> Access:
        """Count the accounts, which shows nobody."""
        self._links.try_access()
        return Access(shown=False, note="It may look up; that it may update shows with the first link that goes.")

    def people(self) -> Iterator[Identifier]:
        """Everybody who is linked."""
        return self._links.everybody()

    def close(self) -> None:
        """Release the sockets."""
        self._links.close()


def connect_erasing(connection: Connection, means: Means) -> GoogleSignIn:
    """Build the client; no call is made.

    ``extra`` of the connection:

    - ``project``: id of the project of Firebase Authentication. Required.
    - ``token`` or ``keyfile_dict``: credentials, see :mod:`include.systems.google`; else those of the machine.
    - ``tenants``: a list of ids of tenants to look at beside the project itself.
    - ``updates_per_second``: of accounts, by all tasks together; 10 unless Google granted more.

    Raises:
        Refused: the connection lacks something; the message names it.
    """
    from include.systems.google_bearer import bearer

    return GoogleSignIn(links_of(connection, PROVIDER, bearer(connection, SCOPE), means))
