"""Google Analytics: what it was asked to delete is all that can be seen of it."""

from contextlib import contextmanager

from include.systems.erasing import Did
from include.systems.google_analytics import FIELDS
from tests.loopback import serve
from tests.systems.conformance.case import Case
from tests.systems.google_analytics.vendor import AnalyticsVendor, connection


class GoogleAnalyticsCase(Case):
    key = service = "google_analytics"
    did = Did.ACCEPTED
    after = Did.ACCEPTED

    def __init__(self):
        self.vendor = AnalyticsVendor()
        self.faults, self.journal = self.vendor.faults, self.vendor.journal

    @contextmanager
    def open(self):
        with serve(self.vendor.app) as self.url:
            yield

    def reset(self):
        self.vendor.reset()

    def connection(self):
        return connection(self.url, properties=["1001", "1002"], deletions_per_day=100_000)

    def seed(self, person):
        """It keeps no records by person: there is nothing to put and nothing to look at."""

    def state(self):
        return {" ".join(sent): True for sent in self.vendor.received}

    def expected(self, before, person):
        asked = {
            f"{number} {member} {value}": True
            for number in ("1001", "1002")
            for kind, member in FIELDS.items()
            for value in person.values(kind)
            if value.strip()
        }
        return {**before, **asked}

    def fulfil(self, person):
        """Nobody can tell when it has been."""
