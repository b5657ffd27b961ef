"""Sign-in and integrations: what ends is a link of an account, or a grant."""

from dataclasses import asdict

from include.errors import Refused, Unavailable
from include.policy.persons import IdentifierKind
from include.sandbox.faults import Fault
from include.sandbox.google_workspace import GoogleWorkspaceSandbox
from include.sandbox.identitytoolkit.model import Account
from include.sandbox.linkedin_sign_in import LinkedInSandbox
from include.sandbox.microsoft_graph import MicrosoftGraphSandbox
from include.systems.erasing import Did
from tests.systems.conformance.case import Case

UID, FEDERATED = IdentifierKind.USER_ID, IdentifierKind.FEDERATED_ID
TOKEN, EXTERNAL = IdentifierKind.OAUTH_TOKEN, IdentifierKind.EXTERNAL_ID


def named(person, kind, service):
    """Values of one service, without its name."""
    return [value.partition(":")[2] for value in person.values(kind) if value.startswith(f"{service}:")]


class GoogleWorkspace(Case):
    """Channels and watches are stopped, then the grants revoked."""

    key = service = "google_workspace"
    refusals = (Refused, Unavailable)  # a person's access token that ends is asked for anew by the next run

    def put(self, person):
        twin = self.estate.twin(GoogleWorkspaceSandbox)
        for token in named(person, TOKEN, "google"):
            twin.allow(token, f"user{person.number}@else.example", watch=True)
            for channel in named(person, IdentifierKind.NOTIFICATION_CHANNEL, "google"):
                twin.open_channel(token, *channel.split("/"))


class MicrosoftGraph(Case):
    """Subscriptions go; a refresh token can't be revoked for one application and ends by itself."""

    key = service = "microsoft_graph"
    did = Did.EXPIRING
    bulk = True
    kept = ("refresh_tokens",)

    def put(self, person):
        twin = self.estate.twin(MicrosoftGraphSandbox)
        users = named(person, EXTERNAL, "microsoft")
        for number, user in enumerate(users):
            for place in ("me/messages", f"users/{user}/events", f"users('{user}')/contacts"):
                twin.subscribe(f"s{person.number}-{number}-{place[-6:]}", user, place)
        for token in named(person, TOKEN, "microsoft"):
            twin.allow(token, next(iter(users), "nobody"))


class _SignIn(Case):
    """An account is one thing: its link goes, all else of it stays, and it is Firebase Authentication's."""

    provider = ""
    kept = ("accounts",)

    def put(self, person):
        # One person at a provider has one account: an id that is taken is no second one's.
        accounts = self.estate.identitytoolkit.accounts()
        taken = {link.get("rawId") for account in accounts for link in account.providers}
        free = [raw for raw in named(person, FEDERATED, self.provider) if raw not in taken]
        raw_ids = free or [f"r{person.number}"]
        links = [{"providerId": self.provider, "rawId": raw, "email": "a@else.example"} for raw in raw_ids]
        own = {"providerId": "password", "federatedId": "a@else.example"}
        other = {"providerId": "apple.com", "rawId": f"a{person.number}"}
        accounts = [Account(uid, providers=[own, other, *links]) for uid in person.values(UID)]
        self.estate.identitytoolkit.seed(accounts)

    def state(self):
        state = {}
        for account in self.estate.identitytoolkit.accounts():
            record = asdict(account)
            links = [link for link in record["providers"] if link["providerId"] == self.provider]
            record["providers"] = [link for link in record["providers"] if link not in links]
            state[f"accounts {self.text(record)}"] = True
            state |= {f"links {account.local_id} {self.text(link)}": True for link in links}
        return state


class GoogleSignIn(_SignIn):
    key, service = "google_sign_in", "identitytoolkit"
    provider = "google.com"


class LinkedInSignIn(_SignIn):
    """Two services: accounts in one, tokens in the other."""

    key = service = "linkedin_sign_in"
    provider = "oidc.linkedin"

    def put(self, person):
        super().put(person)
        for token in named(person, TOKEN, "linkedin"):
            self.estate.twin(LinkedInSandbox).allow(token, f"m{person.number}")

    def state(self):
        tokens = self.estate.records(self.service, "tokens")
        return super().state() | {f"tokens {self.text(record)}": True for record in tokens}

    def fail(self, kind, **more):
        super().fail(kind, **more)
        self.estate.faults.add(Fault("identitytoolkit", kind, **more))

    def calls(self):
        services = (self.service, "identitytoolkit")
        return sum(call["service"] in services for call in self.estate.journal.as_json())
