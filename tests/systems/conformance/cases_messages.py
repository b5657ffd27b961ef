"""Services that write to people on their own, and what feeds them."""

from datetime import timedelta
from uuid import UUID

from include.policy.persons import IdentifierKind
from include.sandbox import autopilot, onesignal, ortto, zapier
from include.systems.erasing import Did
from tests.systems.conformance.case import Case
from tests.systems.conformance.means import NOW

DAY = timedelta(days=1)
UID, EMAIL, PUSH = IdentifierKind.USER_ID, IdentifierKind.EMAIL, IdentifierKind.PUSH_ID


class Autopilot(Case):
    """Contacts by address, deleted one by one."""

    key = service = "autopilot"

    def put(self, person):
        twin = self.estate.twin(autopilot.AutopilotSandbox)
        for number, address in enumerate(person.values(EMAIL)):
            place = f"person_{person.number}n{number}"
            twin.seed([autopilot.Contact(place, address.title(), "A", "B", NOW - DAY)])


class Ortto(Case):
    """People by address or user id, archived and deleted; one of each person is in the archive already."""

    key = service = "ortto"
    bulk = True

    def put(self, person):
        twin, place = self.estate.twin(ortto.OrttoSandbox), f"00{person.number:04}n"
        for number, value in enumerate(person.values(EMAIL)):
            away = NOW - DAY if number else None
            twin.seed([ortto.Person(f"{place}e{number}", value.title(), "", "A", "B", NOW - 9 * DAY, archived_at=away)])
        for number, value in enumerate(person.values(UID)):
            twin.seed([ortto.Person(f"{place}u{number}", "", value, "A", "B", NOW - 9 * DAY)])


class OneSignal(Case):
    """Users by user id, and one who never signed in by a device; each is seen once more after its deletion."""

    key = service = "onesignal"

    def ready(self):
        twin = self.estate.twin(onesignal.OneSignalSandbox)
        twin.settings.delete_looks = 1

    def put(self, person):
        twin = self.estate.twin(onesignal.OneSignalSandbox)
        for number, value in enumerate(person.values(UID)):
            twin.seed([onesignal.User(self._id(person, 1, number), value)])
        for number, value in enumerate(person.values(PUSH)):
            device = onesignal.Subscription(value, "iOSPush", "t", NOW - 9 * DAY, NOW - DAY, 3)
            twin.seed([onesignal.User(self._id(person, 2, number), "", {value: device})])

    def _id(self, person, kind, number):
        return str(UUID(int=(person.number * 10 + kind) * 100 + number, version=4))


class Zapier(Case):
    """Nothing is deleted; the history ends by itself."""

    key = service = "zapier"
    did = Did.EXPIRING
    kept = ("runs",)

    def put(self, person):
        twin = self.estate.twin(zapier.ZapierSandbox)
        for number, value in enumerate(person.values(UID, EMAIL)):
            place, about = str(UUID(int=person.number * 100 + number, version=4)), {"who": f"<{value}>"}
            twin.seed([zapier.Run(place, "Leads", NOW - (number + 1) * DAY, about, {"text": f"Hello {value}!"})])
