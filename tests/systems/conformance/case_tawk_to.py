"""tawk.to: nothing is deleted by a call; people delete in the dashboard."""

from contextlib import contextmanager

from include.systems.erasing import Did
from include.systems.tawk_to import IDENTIFIERS
from tests.loopback import serve
from tests.systems.conformance.case import Case
from tests.systems.tawk_to.vendor import TawkToVendor, connection


class TawkToCase(Case):
    key = service = "tawk_to"
    did = Did.MANUAL
    after = Did.ABSENT

    def __init__(self):
        self.vendor = TawkToVendor()
        self.faults, self.journal = self.vendor.faults, self.vendor.journal

    @contextmanager
    def open(self):
        with serve(self.vendor.app) as self.url:
            yield

    def reset(self):
        self.vendor.reset()
        self.vendor.whole = False
        self._about = {}

    def connection(self):
        return connection(self.url)

    def seed(self, person):
        contact = f"p{person.number}"
        self.vendor.contacts[contact] = {"id": contact, "emails": [{"email": value} for value in person.values()]}
        for number, value in enumerate(person.values(*IDENTIFIERS)):
            self.vendor.chat(f"c{person.number}-{number}", "hello", f"I am {value}.", contact=contact)
            self.vendor.ticket(f"t{person.number}-{number}", "help", requester=value)

    def state(self):
        return {**self.vendor.chats, **self.vendor.tickets, **self.vendor.contacts}

    def expected(self, before, person):
        return before

    def fulfil(self, person):
        ours = (f"c{person.number}-", f"t{person.number}-")
        for held in (self.vendor.chats, self.vendor.tickets):
            for number in [number for number in held if number.startswith(ours)]:
                del held[number]
        self.vendor.contacts.pop(f"p{person.number}", None)
