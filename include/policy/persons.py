"""What the policy file says about one person's records: who they are known by, what goes on request, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from include.policy.register import Key, Model, Text


class IdentifierKind(StrEnum):
    """What a person can be known by. The names are part of the evidence: add to them, never change one."""

    EMAIL = "email"
    USER_ID = "user_id"
    FEDERATED_ID = "federated_id"
    PHONE = "phone"
    WORKSPACE = "workspace"
    CONTACT_ID = "contact_id"
    ANALYTICS_CLIENT_ID = "analytics_client_id"
    ANALYTICS_APP_INSTANCE_ID = "analytics_app_instance_id"
    PUSH_ID = "push_id"
    INSTALLATION_ID = "installation_id"
    FILE_PREFIX = "file_prefix"
    OAUTH_TOKEN = "oauth_token"  # noqa: S105 - the name of a kind
    """A stored grant, as ``<provider>:<token>``: ``google``, ``microsoft``, ``linkedin``."""
    EXTERNAL_ID = "external_id"
    """An account at another service, as ``<service>:<id there>``, such as ``facebook:…`` or ``twitter:…``."""
    NOTIFICATION_CHANNEL = "notification_channel"
    """What a service was told to report changes to, as ``google:<channel id>/<resource id>``."""


class RequestType(StrEnum):
    """What a person asked for, as far as it deletes."""

    ERASURE = "erasure"
    """Article 17 GDPR: everything goes, public posts included."""
    ACCOUNT_DELETION = "account_deletion"
    """Section 6.2 of the policy: the account goes, public activity stays without its author."""


class Disposal(StrEnum):
    """What becomes of a person's records in a holding."""

    DELETE = "delete"
    """The records go."""
    UNLINK = "unlink"
    """The fields that name the person go, the records stay."""
    KEEP = "keep"
    """The records stay, on a stated ground."""
    ROUTE = "route"
    """Another controller decides: the request is passed on, the records stay until it has."""


Kind = Annotated[IdentifierKind, Field(strict=False)]
Effect = Annotated[Disposal, Field(strict=False)]


class Person(Model):
    """One way in which the records of a holding are about a person."""

    identifier: Kind = Field(description="kind of identifier by which a record names the person, such as 'user_id'")
    match: Text = Field(description="where a record has it, in the forms of 'subject', such as 'id' or 'field:owner'")
    where: Mapping[str, tuple[Text, ...]] = Field(
        default_factory=dict, description="fields of a record, each with the list of values it must have one of"
    )
    erasure: Effect = Field(Disposal.DELETE, description="one of 'delete', 'unlink', 'keep', 'route'")
    account_deletion: Effect = Field(Disposal.DELETE, description="one of 'delete', 'unlink', 'keep', 'route'")
    unlink: tuple[Text, ...] = Field((), description="a list of fields that name the person, for 'unlink'")
    ground: Text | None = Field(None, description="why records stay, for 'unlink', 'keep' and 'route'")
    controller: Annotated[str, StringConstraints(pattern="^parent$")] | None = Field(
        None, description="where a record names the controller that a request is routed to: 'parent', the record above"
    )

    def disposal(self, request: RequestType) -> Disposal:
        """What becomes of the records under a request of that type."""
        return self.erasure if request is RequestType.ERASURE else self.account_deletion


class IdentitySource(Model):
    """Records of a holding that tie a person's identifiers to each other."""

    holding: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_-]*$")] = Field(
        description="id of an entry of 'holdings'"
    )
    identifiers: Mapping[Kind, tuple[Text, ...]] = Field(
        min_length=1, description="kinds of identifiers, each with the list of places in a record that hold one"
    )


class Stage(Model):
    """Systems that are worked on at the same time, after the stage before has ended."""

    name: Key = Field(description="a name such as 'copies'")
    systems: tuple[Key, ...] = Field(description="a list of keys of 'systems'")


class Answer(Model):
    """How the person is told."""

    before: Key = Field(description="name of the stage that starts only after the person was told")
    senders: tuple[Key, ...] = Field(min_length=1, description="systems that send it: the first one, then its backups")
    sender: Text = Field(description="the address that the answer comes from")


class Requests(Model):
    """How requests of persons are carried out."""

    stages: tuple[Stage, ...] = Field(min_length=1, description="a list of stages in the order of work")
    identity: tuple[IdentitySource, ...] = Field((), description="a list of holdings that tie identifiers together")
    answer: Answer
    keep_suppressions: Mapping[Key, tuple[Text, ...]] = Field(
        default_factory=dict, description="systems, each with the suppression lists that survive an erasure"
    )
    suppression_ground: Text = Field(description="why those suppressions stay")
    recheck_days: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        min_length=1, description="a list of days after an erasure on which every system is looked at again"
    )
    tolerance_records: Annotated[int, Field(ge=0)] = Field(
        description="how many more records than planned may be found before a new approval is needed"
    )
    tombstone_days: Annotated[int, Field(ge=1)] = Field(
        395, description="days for which an erased person is recognised by a keyed hash, should the data come back"
    )
    four_eyes: bool = Field(description="true if whoever opened a request may not approve it")

    @property
    def systems(self) -> tuple[str, ...]:
        """All systems of all stages, in the order of work."""
        return tuple(system for stage in self.stages for system in stage.systems)
