"""The services that take in forms, and the one that watches visitors."""

from datetime import timedelta

from include.policy.persons import IdentifierKind
from include.sandbox import hotjar, typeform, wix
from include.systems.erasing import Did
from tests.systems.conformance.case import Case
from tests.systems.conformance.means import NOW

DAY = timedelta(days=1)
UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL


class Typeform(Case):
    """Answers are deleted by their ids; the vendor carries it out at once here."""

    key = service = "typeform"

    def ready(self):
        settings = self.estate.settings["typeform"]
        settings.calls_per_second = 10**6
        settings.shown_after_deletion = 0

    def put(self, person):
        twin = self.estate.twin(typeform.TypeformSandbox)
        forms = tuple(typeform.FORMS)
        for number, value in enumerate(person.values(EMAIL, UID)):
            named = {"email": value} if number == 0 else {"text": f"Write to <{value}>."} if "@" in value else {}
            hidden = {} if "@" in value else {"user_id": value}
            place = f"{person.number:030x}{number:02x}"
            sent = NOW - DAY if number % 2 else None
            twin.seed([typeform.Answer(forms[number % 3], place, NOW - 2 * DAY, sent, **named, hidden=hidden)])


class Wix(Case):
    """Members, contacts and submissions go; whether there is a conversation in the inbox is looked for by hand."""

    key = service = "wix"
    did = Did.MANUAL
    proves = False
    kept = ("conversations",)

    def ready(self):
        settings = self.estate.settings["wix"]
        settings.calls_per_minute = 10**6
        settings.job_polls = settings.shown_after_deletion = 0

    def put(self, person):
        records, made = [], NOW - DAY
        for number, address in enumerate(person.values(EMAIL)):
            contact = f"contact-{person.number}-{number}"
            records += [
                wix.Contact(contact, (address,), "A", "B", made, made),
                wix.Submission(f"form-{person.number}-{number}", "f", made, {"email_1": address.title()}),
                wix.Submission(f"tied-{person.number}-{number}", "f", made, {"first_name": "A"}, contact=contact),
                wix.Conversation(f"conv-{person.number}-{number}", contact, address, "Hello"),
            ]
            records += [wix.Member(f"member-{person.number}", address, contact, made)] if not number else []
        self.estate.twin(wix.WixSandbox).seed(records)


class Hotjar(Case):
    """Recordings of those whom it has shown to know go by a call; answers to surveys by hand."""

    key = service = "hotjar"
    did = Did.MANUAL
    kept = ("responses",)

    def ready(self):
        settings = self.estate.settings["hotjar"]
        settings.calls_per_minute, settings.delete_seconds = 10**6, 0
        self._put = {}

    def put(self, person):
        twin, survey = self.estate.twin(hotjar.HotjarSandbox), next(iter(hotjar.SURVEYS))
        for number, value in enumerate(person.values(EMAIL, UID)):
            place = f"r{person.number}n{number}"
            known = {"email": value} if "@" in value else {"user_id": value}
            text = f"I am {value}." if "@" in value else "Hello"
            answer = hotjar.Response(place, survey, NOW - DAY, text, **known)
            twin.seed([answer], [hotjar.Recording(f"rec-{place}", NOW - DAY, **known)])
            self._put.setdefault(person.ref, []).append(place)

    def fulfil(self, person, clock):
        for place in self._put.get(person.ref, ()):
            self.estate.twin(hotjar.HotjarSandbox).remove("responses", place)
