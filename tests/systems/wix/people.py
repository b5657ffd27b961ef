"""Records of a site by a few words, and the people they are about."""

from datetime import timedelta

from include.policy.persons import IdentifierKind
from include.sandbox.wix import Contact, Conversation, Member, Submission
from tests.systems.conformance.means import NOW, Somebody

DAY = timedelta(days=1)
EMAIL = IdentifierKind.EMAIL
ANN = Somebody(1, {EMAIL: ["ann@x.example", "old.ann@x.example"]})
BOB = Somebody(2, {EMAIL: ["bob@x.example"]})


def contact(name, *emails, days=1.0, made=None, **more):
    """A contact that was active some days ago."""
    return Contact(f"contact-{name}", emails, "A", "B", NOW - (made or days) * DAY, NOW - days * DAY, **more)


def member(name, login, of=""):
    return Member(f"member-{name}", login, f"contact-{of or name}", NOW - DAY)


def submission(name, *, days=1.0, values=None, **more):
    return Submission(f"submission-{name}", "form-1", NOW - days * DAY, values or {}, **more)


def conversation(name, of, email=""):
    return Conversation(f"conversation-{name}", f"contact-{of}", email, "Hello")


def ids(wire, collection=""):
    return sorted(record["id"] for kind, record in wire.twin.records() if collection in ("", kind))
