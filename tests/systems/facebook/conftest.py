"""Facebook on loopback, with a post of the company and an audience."""

from datetime import timedelta
from hashlib import sha256

import pytest

from include.sandbox.facebook import Audience
from include.sandbox.meta.model import Text, Thread
from tests.systems.conformance.means import NOW
from tests.systems.social import network

DAY = timedelta(days=1)


class Page:
    """What the tests do with the page."""

    def __init__(self, made):
        self.made = made
        self.held = made.twin.held
        self.held.add(Text("1000", "", "Clique", "News", NOW - 9 * DAY))
        self.held.audiences["601"] = Audience("601", "Users")
        made.twin.settings.audience_hours = 0

    def says(self, number, author, parent="1000", text="Hello"):
        self.held.add(Text(number, author, "A", text, NOW - DAY, parent))

    def writes(self, number, account, *said):
        self.held.threads[number] = Thread(number, account, "A", NOW - DAY, tuple((False, text) for text in said))

    def uploaded(self, *values):
        self.held.audiences["601"].members |= {("EMAIL_SHA256", hashed(value)) for value in values}

    def left(self):
        """Ids of all texts of people."""
        return {text.id for text in self.held.texts.values() if text.author}


def hashed(value):
    return sha256(value.encode()).hexdigest()


@pytest.fixture
def facebook(quick):
    with network("facebook") as made:
        yield made


@pytest.fixture
def page(facebook):
    return Page(facebook)
