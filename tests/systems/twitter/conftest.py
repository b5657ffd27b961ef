"""X on loopback, with an audience of people and one of visitors."""

from datetime import timedelta
from hashlib import sha256

import pytest

from include.sandbox.twitter import OWN, Audience, Message, conversation
from tests.systems.conformance.means import NOW
from tests.systems.social import network

DAY = timedelta(days=1)


class Account:
    """What the tests do with the company's account."""

    def __init__(self, made):
        self.made = made
        self.twin = made.twin
        self.twin.audiences.update({"2a01": Audience("2a01", "Users"), "2a02": Audience("2a02", "Visitors", "WEB")})
        self.twin.settings.audience_hours = 0

    def got(self, number, account, *, age=DAY, place=None):
        """A message of somebody."""
        self.twin.messages[number] = Message(number, account, place or conversation(account), NOW - age, "Hello")

    def answered(self, number, account):
        """A message of ours."""
        self.twin.messages[number] = Message(number, OWN, conversation(account), NOW - DAY, "Thank you")

    def uploaded(self, kind, *values):
        self.twin.audiences["2a01"].members |= {(kind, hashed(value)) for value in values}


def hashed(value):
    return sha256(value.encode()).hexdigest()


@pytest.fixture
def twitter(quick):
    with network("twitter") as made:
        yield made


@pytest.fixture
def account(twitter):
    return Account(twitter)
