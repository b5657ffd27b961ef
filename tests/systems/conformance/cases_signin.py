"""Sign-in and integrations: what ends is a link of an account, or a grant."""

from include.policy.persons import IdentifierKind
from include.sandbox.google_workspace import GoogleWorkspaceSandbox
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
