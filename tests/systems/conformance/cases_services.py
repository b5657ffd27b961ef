"""The services that the company sends data to."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from include.policy.persons import IdentifierKind
from include.sandbox import loggly, mailgun, sendgrid, tawk_to
from include.sandbox.google_analytics import PROPERTIES
from include.systems.erasing import Did
from include.systems.google_analytics import FIELDS
from tests.systems.conformance.case import Case
from tests.systems.conformance.means import NOW

DAY = timedelta(days=1)
UID, EMAIL = IdentifierKind.USER_ID, IdentifierKind.EMAIL


class GoogleAnalytics(Case):
    """What it was asked to delete is all that can be seen of it."""

    key = service = "google_analytics"
    did = after = Did.ACCEPTED

    def ready(self):
        self.estate.google_analytics.settings.deletions_per_day = 100_000

    def connection(self):
        found = super().connection()
        return replace(found, extra={**found.extra, "properties": list(PROPERTIES), "deletions_per_day": 100_000})

    def put(self, person):
        """It shows no records of anybody."""

    def shown(self, record):
        return {name: value for name, value in record.items() if name != "requested_at"}

    def expected(self, before, person):
        asked = [
            {"property": number, "kind": member, "value": value}
            for number in PROPERTIES
            for kind, member in FIELDS.items()
            for value in person.values(kind)
            if value.strip()
        ]
        return {**before, **{f"deletions {self.text(record)}": True for record in asked}}


class Loggly(Case):
    """Nothing is deleted; events end by themselves."""

    key = service = "loggly"
    did = Did.EXPIRING
    kept = ("events",)

    def put(self, person):
        for days, value in enumerate(person.values(UID, EMAIL), 1):
            content = {"level": "info", "message": f"<{value}> took {days} ms"}
            self.estate.loggly.seed([loggly.Event(str(uuid4()), NOW - days * DAY, content)])


class TawkTo(Case):
    """Nothing is deleted by a call; people delete in the dashboard."""

    key = service = "tawk_to"
    did = Did.MANUAL
    kept = ("",)

    def ready(self):
        self.estate.tawk_to.settings.calls_per_minute = 10**6
        self._put = {}

    def put(self, person):
        chats, tickets, contacts = [], [], []
        for number, value in enumerate(person.values(UID, EMAIL)):
            place, at = f"{person.number}n{number}", NOW - (person.number + number) * DAY / 24
            email = value if "@" in value else ""
            said = (("a", "Who are you?"), ("v", f"I am {value}."))
            contacts.append(tawk_to.Contact(f"p{place}", "Visitor", email))
            chats.append(tawk_to.Chat(f"c{place}", at, f"p{place}", said))
            left = (("v", f"Please call {value}"),)
            tickets.append(tawk_to.Ticket(f"t{place}", number, at, "Visitor", email, f"p{place}", "help", left))
        self.estate.tawk_to.seed(chats, tickets, contacts)
        held = {"chats": chats, "tickets": tickets, "contacts": contacts}
        self._put[person.ref] = [(collection, one.id) for collection, records in held.items() for one in records]

    def fulfil(self, person, clock):
        for collection, number in self._put.get(person.ref, ()):
            self.estate.tawk_to.remove(collection, number)


class SendGrid(Case):
    """An erasure job, a job for contacts, and suppressions; the vendor's jobs end at once here.

    The erasure job is started for everybody: whether the vendor has mail data of somebody is not told to each account.
    """

    key = service = "sendgrid"
    did = after = Did.ACCEPTED
    kept = ("global_unsubscribes",)

    def ready(self):
        settings = self.estate.sendgrid.settings
        settings.calls_per_minute = settings.erase_jobs_per_minute = 10**6
        settings.job_polls = settings.job_seconds = settings.erase_seconds = 0

    def put(self, person):
        account, addresses = self.estate.sendgrid.account(), person.values(EMAIL)
        if not addresses:
            return
        made = NOW - 100 * DAY
        account.add_contact(sendgrid.Contact(str(uuid4()), addresses[0], addresses[1:], "A", "B", made))
        for address in addresses:
            message = f"m{person.number}{address[:4]}"
            account.add_message(sendgrid.Message(message, "hello@clique.test", address, "Hi", "delivered", NOW - DAY))
            for kind in ("bounces", "unsubscribes"):
                account.suppressions[kind][address] = sendgrid.Suppressed(address, int(made.timestamp()))


class Mailgun(Case):
    """Suppressions and members go, events end by themselves."""

    key = service = "mailgun"
    did = Did.EXPIRING
    kept = ("events", "unsubscribes")

    def ready(self):
        self.estate.mailgun.lists["news@clique.test"] = mailgun.MailingList("news@clique.test", "News", NOW - 9 * DAY)

    def put(self, person):
        domain = self.estate.mailgun.domain(mailgun.DOMAINS[0])
        for number, address in enumerate(person.values(EMAIL)):
            for table in ("bounces", "unsubscribes", "complaints"):
                domain.add(table, mailgun.Entry(address, NOW - DAY))
            members = self.estate.mailgun.lists["news@clique.test"].members
            members[address.lower()] = mailgun.Member(address, "A", True)
            place = f"{person.number}n{number}"
            event = mailgun.Event(
                f"e{place}", "delivered", NOW - DAY, address, "hello@clique.test", "Hi", f"m{place}@mg.clique.test"
            )
            domain.add_event(event)
