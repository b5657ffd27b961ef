"""Random people: what they are known by and what they left in which service, beside others who look like them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import redis
from hypothesis import strategies as st

from include.policy.persons import RequestType
from include.sandbox import loggly, mailgun, sendgrid, tawk_to
from include.sandbox.app import Sandbox
from include.sandbox.estate import BUCKET, Estate
from include.sandbox.identitytoolkit.model import Account
from include.sandbox.storage.model import SeedObject
from tests.erasure import scan, truth

LOCAL, DOMAIN = "pat.quill", "graph.test"
UID = "u7Kq2PersonOfTheGraph0000042"
FEW = st.integers(0, 2)
SOURCES = ("event", "own_prospect", "customer_prospect")
SUPPRESSIONS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")
TABLES = ("bounces", "unsubscribes", "complaints", "whitelists")


@dataclass(frozen=True)
class Graph:
    """One person.

    Args:
        type: of the request.
        given: what the request names: the address of now, one of the past, or the user id.
        profile, account: whether the person has one.
        past: addresses of the past; only the first is known to the account.
        other: the account has an address of its own.
        capitals: the profile has the address as it was typed, with capitals.
        spaces: workspaces beside the own one, shared with others.
        ids: ids of browsers.
        left: how many records of each kind, by kind.
        about: sources of the contacts that are about the person.
        lists: suppression lists at SendGrid.
        tables: suppression tables at Mailgun.
        look_alikes: whether others have ids and addresses that hold the person's.
    """

    type: RequestType
    given: str
    profile: bool
    account: bool
    past: int
    other: bool
    capitals: bool
    spaces: int
    ids: int
    left: dict[str, int]
    about: tuple[str, ...]
    lists: frozenset[str]
    tables: frozenset[str]
    look_alikes: bool

    @property
    def now(self) -> str:
        """The address of the profile."""
        return f"{LOCAL.title()}@{DOMAIN}" if self.capitals else f"{LOCAL}@{DOMAIN}"

    @property
    def addresses(self) -> list[str]:
        """All addresses, that of now first."""
        past = [f"{LOCAL}{number}@past{number}.example" for number in range(self.past)]
        return [self.now, *past, *([f"p.quill@{DOMAIN}"] if self.other else [])]

    @property
    def request(self) -> tuple[str, str]:
        """Kind and value of the identifier that the request names."""
        if self.given == "uid":
            return "user_id", UID
        return "email", self.addresses[1 if self.given == "past" and self.past else 0]

    def known(self) -> scan.Known:
        """What can be known of the person from what the request names."""
        kind, value = self.request
        account = {self.account_address(), *self.addresses[1:2][: self.past]} if self.account else set()
        profile = set(self.addresses[: 1 + self.past]) if self.profile else set()
        in_reach = kind == "user_id" or value.lower() in {one.lower() for one in profile | account}
        if not in_reach or not (self.profile or self.account):
            return scan.Known(*((UID, (), ()) if kind == "user_id" else ("", (value,), ())))
        emails = dict.fromkeys((*([value] if kind == "email" else []), *sorted(profile | account)))
        return scan.Known(UID, tuple(emails), tuple(self.browsers()) if self.profile else ())

    def account_address(self) -> str:
        """The address of the account."""
        return self.addresses[-1] if self.other else self.now.lower()

    def browsers(self) -> list[str]:
        """Ids of Google Analytics."""
        return [f"{1234567890 + number}.1600000000" for number in range(self.ids)]

    def asked(self) -> truth.Asked:
        """As the independent look needs it."""
        return truth.Asked(self.known(), self.type is RequestType.ERASURE)


KINDS = (
    *("events", "posts", "files", "objects", "versions", "owned", "interactions", "activity", "logs"),
    *("sessions", "cached", "contacts", "messages", "members", "mails", "named_logs", "uid_logs", "tickets"),
)
"""Kinds of records of which the number is drawn."""


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any of them."""
    return Graph(
        type=draw(st.sampled_from(RequestType)),
        given=draw(st.sampled_from(("now", "now", "past", "uid"))),
        profile=draw(st.sampled_from((True, True, True, False))),
        account=draw(st.sampled_from((True, True, True, False))),
        past=draw(FEW),
        other=draw(st.booleans()),
        capitals=draw(st.booleans()),
        spaces=draw(FEW),
        ids=draw(FEW),
        left={kind: draw(FEW) for kind in KINDS},
        about=tuple(draw(st.lists(st.sampled_from(SOURCES), max_size=2))),
        lists=draw(st.frozensets(st.sampled_from(SUPPRESSIONS), max_size=3)),
        tables=draw(st.frozensets(st.sampled_from(TABLES), max_size=2)),
        look_alikes=draw(st.booleans()),
    )


def put(graph: Graph, sandbox: Sandbox, estate: Estate) -> None:
    """Into all services."""
    Settler(sandbox, estate, UID, graph.addresses, graph.left).leave(graph)
    if graph.look_alikes:
        for uid, address in (
            (f"{UID}x", f"jo{graph.now}"),
            (f"x{UID}", f"{graph.now}.example"),
            (UID[:-1], "q@x.test"),
        ):
            Settler(sandbox, estate, uid, [address], dict.fromkeys(graph.left, 1)).leave(graph)


class Settler:
    """Leaves records of one person in all services."""

    def __init__(self, sandbox: Sandbox, estate: Estate, uid: str, addresses: list[str], left: dict[str, int]) -> None:
        self._company, self._redis = sandbox.company, sandbox.endpoints["redis"]
        self._estate, self._uid, self._addresses, self._left = estate, uid, addresses, left
        self._at: datetime = estate.as_of - timedelta(days=3)

    def leave(self, graph: Graph) -> None:
        """Everything."""
        self._identity(graph)
        self._firestore(graph)
        self._stores()
        self._sendgrid(graph)
        self._mailgun(graph)
        self._logs()

    def _each(self, kind: str) -> list[str]:
        return [f"{self._uid}-{kind}-{number}" for number in range(self._left[kind])]

    def _address(self, number: int) -> str:
        return self._addresses[number % len(self._addresses)]

    def _identity(self, graph: Graph) -> None:
        mine = self._uid == UID
        spaces = [one.id.partition("/")[2] for one in self._estate.workspaces()][: 1 + graph.spaces]
        if graph.profile or not mine:
            past = self._addresses[1 : 1 + graph.past] if mine else []
            fields = {"email": self._addresses[0], "past_emails": past, "workspaces": spaces, "workspace": spaces[0]}
            browsers = graph.browsers() if mine else []
            self._company.firestore.seed([(f"users/{self._uid}", {**fields, "analytics_client_ids": browsers})])
        if graph.account or not mine:
            email = graph.account_address() if mine else self._addresses[0].lower()
            initial = self._addresses[1] if mine and graph.past else ""
            self._company.identitytoolkit.seed([Account(self._uid, email, initial_email=initial)])

    def _firestore(self, graph: Graph) -> None:
        uid, put = self._uid, self._company.firestore.seed
        space, owner = self._estate.people[0].workspace, self._estate.people[0].uid
        put((f"events/{one}", {"uid": uid, "feature": "search"}) for one in self._each("events"))
        put((f"posts/{one}", {"author": uid, "author_name": "Pat", "text": "Hi"}) for one in self._each("posts"))
        put((f"users/{uid}/files/{one}", {"path": "x"}) for one in self._each("files"))
        contacts = [
            (one, {"owner": uid, "email": f"{number}@p.example", "source": "own_prospect"})
            for number, one in enumerate(self._each("owned"))
        ]
        contacts += [
            (f"{uid}-about-{number}", {"owner": owner, "email": self._address(number), "source": source})
            for number, source in enumerate(graph.about)
        ]
        for identifier, fields in contacts:
            path = f"workspaces/{space}/contacts/{identifier}"
            put([(path, dict(fields))])
            put((f"{path}/interactions/{number}", {"note": "call"}) for number in range(self._left["interactions"]))
        mirror = [(identifier, {"contact_id": identifier, **fields}) for identifier, fields in contacts]
        self._company.elasticsearch.seed("contacts", mirror)

    def _stores(self) -> None:
        uid, seed = self._uid, self._company.elasticsearch.seed
        seed("activity", [(one, {"uid": uid, "feature": "search"}) for one in self._each("activity")])
        seed("app-logs", [(one, {"uid": uid, "message": f"{uid} was here"}) for one in self._each("logs")])
        name = f"users/{uid}/0/a.txt"
        older = [
            SeedObject(name, self._at - timedelta(days=n + 2), noncurrent_since=self._at - timedelta(days=n + 1))
            for n in reversed(range(self._left["versions"]))
        ]
        newer = [SeedObject(f"users/{uid}/{n}/a.txt", self._at, b"x") for n in range(self._left["objects"])]
        self._company.storage.seed(BUCKET, [*older, *newer])
        host, _, port = self._redis.rpartition(":")
        with redis.Redis(host, int(port)) as client:
            for number in range(self._left["sessions"]):
                client.set(f"session:{uid}:{number}", "x")
            if self._left["cached"]:
                client.set(f"profile:{uid}", "x")

    def _sendgrid(self, graph: Graph) -> None:
        for number in range(self._left["contacts"]):
            account = self._company.sendgrid.account(sendgrid.SUBUSER if number else "")
            first, *more = self._addresses
            identifier = str(UUID(int=hash((self._uid, number)) % 2**128, version=4))
            account.add_contact(sendgrid.Contact(identifier, first, more[:1], "Pat", "Quill", self._at))
        own = self._company.sendgrid.account()
        for number, kind in enumerate(sorted(graph.lists)):
            address = self._address(number).lower()
            own.suppressions[kind][address] = sendgrid.Suppressed(address, int(self._at.timestamp()))
        for number, one in enumerate(self._each("messages")):
            to = self._address(number).lower()
            own.add_message(sendgrid.Message(one, "hello@clique.test", to, "Hi", "delivered", self._at))

    def _mailgun(self, graph: Graph) -> None:
        domains = [self._company.mailgun.domain(name) for name in mailgun.DOMAINS]
        for number, table in enumerate(sorted(graph.tables)):
            domains[number % 2].add(table, mailgun.Entry(self._address(number), self._at, "550", "No such mailbox"))
        for number, mailing in zip(range(self._left["members"]), self._company.mailgun.lists.values(), strict=False):
            address = self._address(number)
            mailing.members[address.lower()] = mailgun.Member(address.upper(), "Pat")
        for number, one in enumerate(self._each("mails")):
            event = mailgun.Event(one, "delivered", self._at, self._address(number), "hello@clique.test", "Hi", one)
            domains[number % 2].add_event(event)

    def _logs(self) -> None:
        said = [f"slow for {self._address(number)}." for number, _ in enumerate(self._each("named_logs"))]
        content = [{"message": text} for text in said] + [{"uid": self._uid}] * self._left["uid_logs"]
        self._company.loggly.seed(
            loggly.Event(f"{self._uid}-log-{number}", self._at, one) for number, one in enumerate(content)
        )
        self._company.tawk_to.seed(
            tickets=[
                tawk_to.Ticket(one, number, self._at, "", self._address(number), "", "Help", (("v", "please"),))
                for number, one in enumerate(self._each("tickets"))
            ]
        )
