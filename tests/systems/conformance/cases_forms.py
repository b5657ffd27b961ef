"""The services that take in forms, and the one that watches visitors."""

from datetime import timedelta

from include.policy.persons import IdentifierKind
from include.sandbox import typeform
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
