"""The data of an invented company, the same for the same arguments: people, their CRM, files, accounts, logs, cache.

A pure generator without a clock: every age counts back from ``as_of``. Each method yields plain records of one store
and can be called again; records of different stores belong together (the search index holds Firestore's contacts). Ages
are spread so that on a first night the usual rules find a third to a half of a collection due. All addresses end in
domains reserved for examples (RFC 2606), all IP addresses in ranges reserved for documentation (RFC 5737, RFC 3849).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from random import Random

from include.sandbox import identities, names
from include.sandbox.draw import DAY, YEAR, ago, identifier, ip, ttl
from include.sandbox.identitytoolkit.model import Account
from include.sandbox.records import CacheEntry, Contact, Document, Fields, Identity, Person
from include.sandbox.storage.model import SeedObject

BUCKET = "clique-files"
_FEATURES = ("search", "contact_view", "import", "export", "reminder", "integrations", "login", "team", "billing")
_DEVICES = ("iPhone", "Android", "Chrome", "Safari", "Firefox", "Edge")
_COUNTRIES = ("DE", "FR", "US", "IL", "PL", "JP", "BR", "SE", "GB", "IN", "NZ", "ES")
_SOURCES = ("event", "own_prospect", "customer_prospect")
_KINDS = ("call", "email", "meeting", "note")
_FILES = (
    "contract.pdf",
    "Angebot Müller & Söhne.pdf",
    "契約書.pdf",
    "photo (1).jpg",
    "100%25.csv",
    "a..b.txt",
    "résumé.docx",
)
_LEVELS = ("info", "info", "info", "warning", "error")


class Estate:
    """The whole estate.

    Args:
        as_of: the night the data is as of, UTC.
        people: users of the CRM.
        workspaces: customers.
        seed: another one gives another company.
    """

    def __init__(self, as_of: datetime, people: int = 2000, workspaces: int = 40, seed: int = 7) -> None:
        if workspaces < 1 or people < 0:
            raise ValueError("an estate has at least one workspace and no negative number of people")
        self.as_of = as_of
        self._count = people
        self._seed = seed
        rng = self.rng("workspaces")
        self._workspaces = [identifier(rng) for _ in range(workspaces)]

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """All users, in no meaningful order."""
        rng = self.rng("people")
        return tuple(identities.person(rng, self.as_of, self._workspaces) for _ in range(self._count))

    @cached_property
    def identities(self) -> Mapping[str, Identity]:
        """What else each user is known by, by uid."""
        rng, more = self.rng("identities"), self.rng("connected accounts")
        return {
            person.uid: identities.connected(more, identities.identity(rng, person, self._workspaces))
            for person in self.people
        }

    def workspaces(self) -> Iterator[Document]:
        """``workspaces/{wid}``; the contract of one in thirteen has ended."""
        rng = self.rng("workspace fields")
        for number, workspace in enumerate(self._workspaces):
            fields: Fields = {"name": names.company(rng), "created_at": ago(self.as_of, rng, 6 * YEAR, 6.5 * YEAR)}
            if number % 13 == 5:
                fields["contract_ended_at"] = ago(self.as_of, rng, 10 * DAY, 2 * YEAR)
            yield Document(f"workspaces/{workspace}", fields)

    def users(self) -> Iterator[Document]:
        """``users/{uid}``."""
        for person in self.people:
            fields: Fields = {
                "email": person.email,
                "name": person.name,
                "workspace": person.workspace,
                "created_at": person.created_at,
                **identities.profile_fields(self.identities[person.uid]),
            }
            if person.last_login_at:
                fields["last_login_at"] = person.last_login_at
            if person.closed_at:
                fields["closed_at"] = person.closed_at
            yield Document(f"users/{person.uid}", fields)

    def files(self) -> Iterator[Document]:
        """``users/{uid}/files/{id}``, one for each object of a user."""
        rng = self.rng("file ids")
        for item in self.user_objects():
            fields: Fields = {"path": item.name, "uploaded_at": item.time_created}
            yield Document(f"users/{item.name.split('/')[1]}/files/{identifier(rng)}", fields)

    def contacts(self) -> Iterator[Contact]:
        """Three for each user; and one user in a hundred is a contact of another workspace."""
        rng = self.rng("contacts")
        for person in self.people:
            for _ in range(3):
                last = ago(self.as_of, rng, timedelta(), 6 * YEAR, skew=1.3)
                name, local = names.person(rng)
                yield Contact(
                    id=identifier(rng),
                    workspace=person.workspace,
                    owner=person.uid,
                    name=name,
                    email=f"{local}@prospect{rng.randrange(400)}.example",
                    source=rng.choice(_SOURCES),
                    created_at=max(last - rng.random() * YEAR, self.as_of - 6 * YEAR),
                    last_contact_at=last,
                )
        yield from self._contacted_users()

    def interactions(self) -> Iterator[Document]:
        """``…/contacts/{cid}/interactions/{iid}``: about two for each contact, the latest at its last contact."""
        rng = self.rng("interactions")
        for contact in self.contacts():
            recent = self.as_of - contact.last_contact_at < 2 * YEAR
            at = contact.last_contact_at
            for _ in range(rng.choice((2, 3, 4) if recent else (1, 1, 1, 2))):
                note = f"{rng.choice(_KINDS)} with {contact.name}"
                fields: Fields = {"at": at, "kind": rng.choice(_KINDS), "note": note}
                yield Document(f"{contact.path}/interactions/{identifier(rng)}", fields)
                at = contact.created_at + rng.random() * (at - contact.created_at)

    def posts(self) -> Iterator[Document]:
        """``posts/{id}``: public ones, about one for each user."""
        rng = self.rng("posts")
        for _ in range(self._count):
            author = rng.choice(self.people)
            fields: Fields = {
                "author": author.uid,
                "author_name": author.name,
                "text": f"How do you use {rng.choice(_FEATURES)} at {names.company(rng)}?",
                "at": author.created_at + rng.random() * (self.as_of - author.created_at),
                "public": True,
            }
            yield Document(f"posts/{identifier(rng)}", fields)

    def events(self) -> Iterator[Document]:
        """Product analytics, seven or eight for each user."""
        rng = self.rng("events")
        for _ in range(self._count * 15 // 2):
            fields: Fields = {
                "uid": rng.choice(self.people).uid,
                "at": ago(self.as_of, rng, timedelta(), 3 * YEAR, skew=1.4),
                "feature": rng.choice(_FEATURES),
                "country": rng.choice(_COUNTRIES),
                "device": rng.choice(_DEVICES),
                "ip": ip(rng),
            }
            yield Document(f"events/{identifier(rng)}", fields)

    def firestore(self) -> Iterator[Document]:
        """All Firestore documents."""
        yield from self.users()
        yield from self.files()
        yield from self.workspaces()
        for contact in self.contacts():
            yield Document(contact.path, contact.fields)
        yield from self.interactions()
        yield from self.events()
        yield from self.posts()

    def user_objects(self) -> Iterator[SeedObject]:
        """``users/{uid}/…`` in the bucket: live versions. ``customTime`` is when the account was closed."""
        rng = self.rng("objects")
        for number, person in enumerate(self.people):
            for index in range(rng.choice((1, 2, 2, 2))):
                first = person.created_at
                yield SeedObject(
                    name=f"users/{person.uid}/{index}/{rng.choice(_FILES)}",
                    time_created=first + rng.random() * ((person.closed_at or self.as_of) - first),
                    content=rng.randbytes(24),
                    custom_time=person.closed_at,
                    temporary_hold=number in self._on_hold and index == 0,
                )

    def objects(self) -> Iterator[SeedObject]:
        """All objects of the bucket, older versions before the live one of their name, then ``exports/…``."""
        rng = self.rng("versions")
        for item in self.user_objects():
            if rng.random() < 0.03:
                older = item.time_created - rng.random() * 30 * DAY - DAY
                yield SeedObject(
                    item.name,
                    older,
                    rng.randbytes(24),
                    custom_time=item.custom_time,
                    noncurrent_since=item.time_created,
                )
            yield item
        for _ in range(self._count // 5):
            made = ago(self.as_of, rng, timedelta(), 60 * DAY)
            yield SeedObject(f"exports/{made:%Y-%m-%d}/{identifier(rng)}.csv", made, rng.randbytes(48), "text/csv")

    def accounts(self) -> Iterator[Account]:
        """One Firebase Authentication account for each user, closed or not; some sign in with a custom token."""
        for number, person in enumerate(self.people):
            password = {"providerId": "password", "federatedId": person.email, "email": person.email}
            known = self.identities[person.uid]
            providers = [password] if person.verified or number % 4 else []
            yield Account(
                local_id=person.uid,
                email=person.email,
                email_verified=person.verified,
                disabled=person.closed_at is not None,
                created_at=_milliseconds(person.created_at),
                last_login_at=_milliseconds(person.last_login_at) if person.last_login_at else None,
                display_name=person.name,
                phone_number=known.phone,
                initial_email="".join(known.past_emails),
                providers=[*providers, known.provider] if known.provider else providers,
            )

    def contact_index(self) -> Iterator[Document]:
        """Elasticsearch ``contacts``: a mirror of the contacts."""
        return (Document(c.id, {"contact_id": c.id, **c.fields}) for c in self.contacts())

    def activity_index(self) -> Iterator[Document]:
        """Elasticsearch ``activity``: a mirror of the events."""
        for event in self.events():
            kept: Fields = {name: event.fields[name] for name in ("uid", "at", "feature", "country", "ip")}
            yield Document(event.id.removeprefix("events/"), kept)

    def log_index(self) -> Iterator[Document]:
        """Elasticsearch ``app-logs``: ten months of them."""
        rng = self.rng("logs")
        for _ in range(self._count * 15 // 2):
            person = rng.choice(self.people)
            level = rng.choice(_LEVELS)
            message = f"{level}: {rng.choice(_FEATURES)} for {person.email} took {rng.randrange(2000)} ms"
            at = ago(self.as_of, rng, timedelta(), 305 * DAY)
            yield Document(identifier(rng), {"at": at, "level": level, "uid": person.uid, "message": message})

    def cache(self) -> Iterator[CacheEntry]:
        """Redis: a profile for each user and one or two sessions; a few keys without a TTL or with one of days."""
        rng = self.rng("cache")
        for person in self.people:
            yield CacheEntry(f"profile:{person.uid}", f'{{"name": "{person.name}"}}', ttl(rng))
            for number in range(rng.choice((1, 2))):
                yield CacheEntry(f"session:{person.uid}:{number}", f"{person.email} {identifier(rng)}", ttl(rng))

    def _contacted_users(self) -> Iterator[Contact]:
        rng = self.rng("contacted users")
        for person in rng.sample(self.people, -(-self._count // 100)):
            others = [owner for owner in self.people if owner.workspace != person.workspace]
            for owner in rng.sample(others, min(1, len(others))):
                last = ago(self.as_of, rng, timedelta(), 6 * YEAR, skew=1.3)
                yield Contact(
                    id=identifier(rng),
                    workspace=owner.workspace,
                    owner=owner.uid,
                    name=person.name,
                    email=person.email,
                    source=rng.choice(_SOURCES),
                    created_at=last,
                    last_contact_at=last,
                )

    @cached_property
    def _on_hold(self) -> frozenset[int]:
        """Two people whose first file is under a hold: closed accounts, so that a rule meets it."""
        closed = [number for number, person in enumerate(self.people) if person.closed_at]
        return frozenset(closed[:2])

    def rng(self, stream: str) -> Random:
        """A stream of chance of its own: what one draws from it changes nothing else."""
        return Random(f"{self._seed}/{stream}")  # noqa: S311 - a seeded generator is the point


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
