"""Services that watch how the platform is used, and the one that collects what is public."""

from dataclasses import replace
from datetime import timedelta

from include.policy.persons import IdentifierKind
from include.sandbox.firebase_performance import FirebaseInstallations, Installation
from include.sandbox.looker_studio import Asset, LookerStudioSandbox
from include.sandbox.new_relic import Event, NewRelicSandbox
from include.sandbox.phantombuster import Edition, Lead, PhantomBusterSandbox
from include.sandbox.tag_manager import Item, TagManagerSandbox
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


class TagManager(Case):
    """Who wrote somebody into a container takes that out of it by hand."""

    key = service = "tag_manager"
    did = Did.MANUAL
    kept = ("",)

    def ready(self):
        self._put = {}

    def put(self, person):
        twin = self.estate.twin(TagManagerSandbox)
        for number, value in enumerate(person.values(UID, EMAIL)):
            place, rows = f"{person.number}00{number}", [{"parameter": "tester", "parameterValue": f"id {value}"}]
            variable = Item("variable", place, "Tester", "c", {"value": value}, live=number % 2 == 0)
            tag = Item("tag", place, "Event", "gaawe", {"eventSettingsTable": rows}, draft=number % 2 == 0)
            twin.seed([variable, tag])
            self._put.setdefault(person.ref, []).append(place)

    def fulfil(self, person, clock):
        for place in self._put.get(person.ref, ()):
            for kind in ("tag", "variable"):
                self.estate.twin(TagManagerSandbox).remove(kind, place)


class LookerStudio(Case):
    """Reports follow their source; nothing of a visitor is held. What people own there has tests of its own."""

    key = service = "looker_studio"
    did = after = Did.DERIVED

    def put(self, person):
        """A report of somebody else, which can show anybody."""
        twin = self.estate.twin(LookerStudioSandbox)
        twin.seed([Asset(f"report-{person.number}", "REPORT", "Numbers", "analyst@clique.test", NOW - DAY)])

    def expected(self, before, person):
        return before


class PhantomBuster(Case):
    """Leads are deleted. Files with results, which are left to a person, have tests of their own."""

    key = service = "phantombuster"
    bulk = True

    def put(self, person):
        twin, editions = self.estate.twin(PhantomBusterSandbox), (Edition(NOW - DAY, "1"),)
        slugs = [value.partition(":")[2] for value in person.values(IdentifierKind.EXTERNAL_ID) if "linkedin:" in value]
        addresses = person.values(EMAIL)
        for number, slug in enumerate([*slugs, *(f"s{person.number}n{n}" for n in range(len(addresses)))]):
            emails = (addresses[number - len(slugs)],) if number >= len(slugs) else ()
            private = number % 2 == 0
            lead = Lead(f"{person.number}00{number}", slug, "A", "B", "C", editions)
            lead = replace(lead, personal_emails=emails) if private else replace(lead, professional_emails=emails)
            twin.seed([lead])


class NewRelic(Case):
    """Nothing is deleted; events end by themselves."""

    key = service = "new_relic"
    did = Did.EXPIRING
    kept = ("events",)

    def ready(self):
        self.estate.twin(NewRelicSandbox).settings.queries_per_minute = 10**6

    def put(self, person):
        twin = self.estate.twin(NewRelicSandbox)
        for number, value in enumerate(person.values(UID, EMAIL), 1):
            twin.seed([Event("Log", NOW - number * DAY, {"message": f"cannot load <{value}> in {number} ms"})])
