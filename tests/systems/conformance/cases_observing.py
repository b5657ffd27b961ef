"""Services that watch how the platform is used, and the one that collects what is public."""

from datetime import timedelta

from include.policy.persons import IdentifierKind
from include.sandbox.firebase_performance import FirebaseInstallations, Installation
from include.systems.erasing import Did
from tests.systems.conformance.case import Case
from tests.systems.conformance.means import NOW

DAY = timedelta(days=1)
UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL


class FirebasePerformance(Case):
    """An installation is deleted at once, its data within the vendor's horizon; it can't be looked up."""

    key = service = "firebase_performance"
    did = after = Did.ACCEPTED

    def put(self, person):
        known = person.values(IdentifierKind.INSTALLATION_ID)
        twin = self.estate.twin(FirebaseInstallations)
        twin.seed(Installation(fid, "ANDROID", NOW - DAY, 3) for fid in known if len(fid) == 22)
