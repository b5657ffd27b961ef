"""The profiles and audiences at social networks."""

from datetime import timedelta
from hashlib import sha256

from include.policy.persons import IdentifierKind
from include.sandbox.facebook import Audience, FacebookSandbox
from include.sandbox.instagram import InstagramSandbox
from include.sandbox.linkedin import LinkedInSandbox, PageMessage, Segment
from include.sandbox.meta.model import Text, Thread
from include.sandbox.twitter import Audience as TwitterAudience
from include.sandbox.twitter import Message, TwitterSandbox, conversation
from include.systems.erasing import Did
from tests.systems.conformance.case import Case
from tests.systems.conformance.means import NOW

DAY = timedelta(days=1)
EMAIL, ACCOUNT = IdentifierKind.EMAIL, IdentifierKind.EXTERNAL_ID


def hashed(value):
    return sha256(value.lower().encode()).hexdigest()


class Profile(Case):
    """Comments go, conversations are left to people."""

    did = Did.MANUAL
    kept = ("conversations",)
    bulk = True

    def held(self):
        raise AssertionError("each says where it is")

    def ready(self):
        self.held().add(Text("1000", "", "Clique", "News", NOW - 9 * DAY))

    def put(self, person):
        accounts = [value.partition(":")[2] for value in person.values(ACCOUNT) if value.startswith(f"{self.key}:")]
        known = {text.author for text in self.held().texts.values()}
        # A twist that changes no letter of an id makes the same account, which is Ann's.
        for number, account in enumerate(account for account in accounts if account not in known):
            place = f"{person.number}0{number}"
            self.held().add(Text(f"1000_{place}", account, "A", "Hello", NOW - DAY, "1000"))
            self.held().add(Text(f"1000_{place}1", account, "A", "Anybody?", NOW - DAY, f"1000_{place}"))
            self.held().threads[f"t_{place}"] = Thread(f"t_{place}", account, "A", NOW - DAY, ((False, "Hi"),))

    def fulfil(self, person, clock):
        super().fulfil(person, clock)
        accounts = {value.partition(":")[2] for value in person.values(ACCOUNT)}
        for thread in [each for each in self.held().threads.values() if each.person in accounts]:
            del self.held().threads[thread.id]


class Facebook(Profile):
    """Audiences beside; who is in one can't be read."""

    key = service = "facebook"
    after = Did.ACCEPTED

    def held(self):
        return self.estate.twin(FacebookSandbox).held

    def ready(self):
        super().ready()
        self.estate.twin(FacebookSandbox).settings.audience_hours = 0
        self.held().audiences["601"] = Audience("601", "Users")

    def put(self, person):
        super().put(person)
        self.held().audiences["601"].members |= {("EMAIL_SHA256", hashed(value)) for value in person.values(EMAIL)}


class Instagram(Profile):
    key = service = "instagram"

    def held(self):
        return self.estate.twin(InstagramSandbox).held


class LinkedIn(Case):
    """Segments only; messages to the page can't be seen, so that a person looks whenever an account is known."""

    key = service = "linkedin"
    did = after = Did.MANUAL
    kept = ("page_messages",)
    bulk = True

    def twin(self):
        return self.estate.twin(LinkedInSandbox)

    def ready(self):
        self.twin().settings.segment_hours = 0
        self.twin().segments[1] = Segment(1, "Users")

    def put(self, person):
        self.twin().segments[1].members |= {hashed(value) for value in person.values(EMAIL)}
        for account in [value.partition(":")[2] for value in person.values(ACCOUNT) if value.startswith("linkedin:")]:
            number = f"2-{person.number}"
            self.twin().messages[number] = PageMessage(number, account, "A", NOW - DAY, "Hello")


class Twitter(Case):
    """Messages go, and a person looks for older ones, which no look can see."""

    key = service = "twitter"
    did = after = Did.MANUAL

    def twin(self):
        return self.estate.twin(TwitterSandbox)

    def ready(self):
        self.twin().settings.audience_hours = 0
        self.twin().audiences["2a01"] = TwitterAudience("2a01", "Users")

    def put(self, person):
        self.twin().audiences["2a01"].members |= {("email", hashed(value)) for value in person.values(EMAIL)}
        accounts = [value.partition(":")[2] for value in person.values(ACCOUNT) if value.startswith("twitter:")]
        known = {message.sender for message in self.twin().messages.values()}
        for account in (account for account in accounts if account not in known):
            number = f"{person.number}00"
            self.twin().messages[number] = Message(number, account, conversation(account), NOW - DAY, "Hello")
