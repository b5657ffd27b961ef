"""What the published text says, as data: the company, the sections, the processing activities, the systems.

Nothing here decides what is deleted; the rules are in :mod:`include.policy.model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

Text = Annotated[str, StringConstraints(pattern=r"\S", strip_whitespace=True)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.()-]*$")]


class Model(BaseModel):
    """Base of everything in the file: immutable, no unknown keys, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Company(Model):
    """The controller, article 30(1)(a) GDPR."""

    name: Text = Field(description="the legal name of the controller")
    contact: Text = Field(description="the address to which the policy sends requests")
    representative: Text | None = Field(None, description="representative in the Union (article 27), if one is named")
    data_protection_officer: Text | None = Field(None, description="contact of the data protection officer, if named")
    website: Text | None = Field(None, description="the website that the policy speaks of")


class Published(Model):
    """The text that this file encodes."""

    title: Text = Field(description="title of the published policy")
    published: Text = Field(description="the date the text itself carries, as it writes it")
    language: Text = Field("en", description="language of the published text")


class Section(Model):
    """A part of the published text that something in this file can cite."""

    id: Reference = Field(description="number of the section as the text has it, such as '6.1'")
    title: Text = Field(description="what the section is about")
    gap: Text | None = Field(None, description="what is missing in the published text, and how this file fills it")
    note: Text | None = Field(None, description="what the section asks for, where no rule or system can show it")


class Recipient(Model):
    """A system that an activity hands data to."""

    system: Key = Field(description="key of an entry of 'systems'")
    purpose: Text | None = Field(None, description="what the policy names the system for")
    qualification: Text | None = Field(None, description="what the policy promises about it, such as 'no identifier'")


class Capacity(StrEnum):
    """In which capacity the company processes the data."""

    CONTROLLER = "controller"
    PROCESSOR = "processor"


class Activity(Model):
    """A processing activity, article 30(1) GDPR: a row of the policy's table."""

    id: Reference = Field(description="number of the row, such as '1.5'; rules and systems cite it")
    section: Reference = Field(description="id of an entry of 'sections'")
    name: Text = Field(description="what the person does or what happens")
    subjects: tuple[Text, ...] = Field(min_length=1, description="a list of categories of persons")
    categories: tuple[Text, ...] = Field(min_length=1, description="a list of categories of personal data")
    purpose: Text = Field(description="what the data is used for")
    legal_basis: tuple[Text, ...] = Field(min_length=1, description="a list of legal bases as the policy states them")
    acting_as: Annotated[Capacity, Field(strict=False)] = Field(
        Capacity.CONTROLLER, description="'controller' or 'processor'"
    )
    recipients: tuple[Recipient, ...] = Field((), description="a list of entries with 'system'")
    if_not_provided: Text | None = Field(None, description="consequence of not providing the data")
    note: Text | None = Field(None, description="any remark for the record")


class Role(StrEnum):
    """What the operator of a system is to the company."""

    FIRST_PARTY = "first_party"
    PROCESSOR = "processor"
    JOINT_CONTROLLER = "joint_controller"
    CONTROLLER = "controller"


class Erasure(StrEnum):
    """How a person's data leaves a system.

    ``delete``: on request through its interface. ``expire``: it cannot be deleted, it ends at the vendor's date.
    ``derived``: it follows another system. ``no_identifier``: none is sent, which a claim says and a check confirms.
    ``manual``: a person does it in the vendor's own pages.
    """

    DELETE = "delete"
    EXPIRE = "expire"
    DERIVED = "derived"
    NO_IDENTIFIER = "no_identifier"
    MANUAL = "manual"


class ClaimKind(StrEnum):
    """What a machine has to look at to tell whether a claim holds."""

    NO_IDENTIFIERS = "no_identifiers"
    ONLY_IDENTIFIERS = "only_identifiers"
    DERIVED_FROM = "derived_from"
    LIMITED_USE = "limited_use"


class Claim(Model):
    """A statement about a system that can turn out to be untrue."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]*$")] = Field(
        description="a name for it, such as 'hotjar.no_identifiers'"
    )
    kind: Annotated[ClaimKind, Field(strict=False)] = Field(
        description="one of 'no_identifiers', 'only_identifiers', 'derived_from', 'limited_use'"
    )
    says: Text = Field(description="the statement in own words")
    policy: tuple[Reference, ...] = Field(
        (), description="sections or rows that make the statement; none if it is ours"
    )
    identifiers: tuple[Text, ...] = Field((), description="the identifiers that may be sent, for 'only_identifiers'")
    source: Key | None = Field(None, description="the system it is derived from, for 'derived_from'")


class System(Model):
    """A place where personal data is, or would be if a claim were untrue."""

    key: SkipJsonSchema[Key] = Field(description="the name of the entry")
    name: Text = Field(description="the name people know it by")
    policy: tuple[Reference, ...] = Field(min_length=1, description="a list of the sections or rows that name it")
    role: Annotated[Role, Field(strict=False)] = Field(
        description="one of 'first_party', 'processor', 'joint_controller', 'controller'"
    )
    operator: Text = Field(description="who runs it")
    identifiers: tuple[Text, ...] = Field(description="a list of identifiers of persons sent to it; [] for none")
    erasure: Annotated[Erasure, Field(strict=False)] = Field(
        description="one of 'delete', 'expire', 'derived', 'no_identifier', 'manual'"
    )
    claims: tuple[Claim, ...] = Field((), description="a list of statements that can be checked")
    location: Text | None = Field(None, description="where the data is stored; leave out if nobody has established it")
    safeguard: Text | None = Field(None, description="safeguard of a transfer (article 46), if established")
    note: Text | None = Field(None, description="any remark for the record")


class Protected(Model):
    """Records that no rule may select, whatever is written elsewhere in the file."""

    system: Key = Field(description="key of an entry of 'systems'")
    location: Mapping[str, Text] = Field(min_length=1, description="location in the words of the system's module")
    reason: Text = Field(description="why these records stay")
