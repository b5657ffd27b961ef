"""Services that write to people on their own, and what feeds them."""

from datetime import timedelta

from include.policy.persons import IdentifierKind
from include.sandbox import autopilot, ortto
from tests.systems.conformance.case import Case
from tests.systems.conformance.means import NOW

DAY = timedelta(days=1)
UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL


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
