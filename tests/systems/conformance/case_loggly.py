"""Loggly: nothing is deleted; events end by themselves."""

from contextlib import contextmanager
from datetime import timedelta

from include.systems.erasing import Did
from include.systems.loggly import KINDS
from tests.loopback import serve
from tests.systems.conformance.case import Case
from tests.systems.conformance.means import NOW
from tests.systems.loggly.vendor import LogglyVendor, connection


class LogglyCase(Case):
    key = service = "loggly"
    did = Did.EXPIRING
    after = Did.ABSENT

    def __init__(self):
        self.vendor = LogglyVendor()
        self.faults, self.journal = self.vendor.faults, self.vendor.journal
        self._about = {}

    @contextmanager
    def open(self):
        with serve(self.vendor.app) as self.url:
            yield

    def reset(self):
        self.vendor.reset()
        self._about.clear()

    def connection(self):
        return connection(self.url)

    def seed(self, person):
        events = [
            self.vendor.log(f"request of <{value}> took {days} ms", NOW - timedelta(days=days))
            for days, value in enumerate(person.values(*KINDS), 1)
        ]
        self._about[person.ref] = set(events)

    def state(self):
        return {event["id"]: event for event in self.vendor.events}

    def expected(self, before, person):
        return before

    def fulfil(self, person):
        gone = self._about.get(person.ref, set())
        self.vendor.events = [event for event in self.vendor.events if event["id"] not in gone]
