"""What a rule is made of: where, since when, how long, what is done, on what ground, and within which limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from include.policy.actions import Action, Anonymisation, Generalise
from include.policy.canonical import sha256
from include.policy.period import Period
from include.policy.persons import Person
from include.policy.register import Key, Model, Reference, Text

if TYPE_CHECKING:
    from include.policy.model import Policy

RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9-]{0,30}$")]
HoldingId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_-]*$")]
Percent = Annotated[int, Field(ge=1, le=100)]
Count = Annotated[int, Field(ge=1)]


def _period(value: object) -> Period:
    if isinstance(value, Period):
        return value
    if not isinstance(value, str):
        raise ValueError("a period is a number and a unit, as in '36 months', '30 days' or '24 hours'")
    return Period.parse(value)


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("a date is written in quotes as year-month-day, as in '2026-01-31'") from None


PeriodText = Annotated[
    Period,
    BeforeValidator(_period),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,3} (hour|day|week|month|year)s?$"}),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


class Holding(Model):
    """A place in a system that holds personal data of one kind, in the words of the system's module."""

    id: SkipJsonSchema[HoldingId] = Field(description="the name of the entry, such as 'firestore.contacts'")
    system: Key = Field(description="key of an entry of 'systems'")
    category: Text = Field(description="category of personal data")
    location: Mapping[str, Text] = Field(description="location in the words of the system's module; {} for all of it")
    subject: Text | None = Field(description="how a record names its person; null if it names nobody")
    triggers: Mapping[str, Text] = Field(min_length=1, description="names of events, each with the field that dates it")
    fields: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict, description="other fields of a record, each with a list of its values ([] for any)"
    )
    persons: tuple[Person, ...] = Field((), description="a list of the ways in which records are about a person")
    note: Text | None = Field(None, description="any remark for the record")


class GeneraliseField(Model):
    """A field that says less afterwards; see :class:`include.policy.actions.Generalise`."""

    field: Text = Field(description="name of the field")
    how: Annotated[str, StringConstraints(pattern="^(month|year|band|prefix)$")] = Field(
        description="one of 'month', 'year', 'band', 'prefix'"
    )
    size: Annotated[int, Field(ge=0)] = Field(0, description="width of a 'band' or length of a 'prefix'")


class AnonymiseList(Model):
    """Fields removed and fields generalised; whatever is not named stays as it is."""

    remove: tuple[Text, ...] = Field(min_length=1, description="a list of fields that go")
    generalise: tuple[GeneraliseField, ...] = Field((), description="a list of entries with 'field' and 'how'")


class Confirmation(Model):
    """Who took the decision that the policy leaves open."""

    by: Text = Field(description="name and function of the person who confirmed the period")
    on: Day = Field(description="day of the confirmation, in quotes, as in '2026-01-31'")


class Range(Model):
    """The periods that the source of a rule supports."""

    shortest: PeriodText = Field(description="a period such as '12 months'")
    longest: PeriodText = Field(description="a period such as '36 months'")


class Schedule(Model):
    """What each period has, whoever enforces it."""

    id: RuleId = Field(description="a capital letter, then letters, digits and '-', as in 'C2'")
    name: Text = Field(description="what goes, in a few words")
    period: PeriodText = Field(description="a number and a unit, as in '36 months', '30 days' or '24 hours'")
    range: Range | None = Field(None, description="'shortest' and 'longest' period that the source supports")
    action: Annotated[Action, Field(strict=False)] = Field(Action.DELETE, description="'delete' or 'anonymise'")
    legal_basis: Text = Field(description="legal basis of keeping the data that long")
    source: Text = Field(description="why this figure: a decision, a recommendation, or the judgement behind it")
    policy: tuple[Reference, ...] = Field(min_length=1, description="a list of sections or rows of the policy")
    confirmed: Confirmation | None = Field(description="null while the period is a default, else 'by' and 'on'")
    note: Text | None = Field(None, description="any remark for the record")


class Budget(Model):
    """Most that one rule may remove in one run; what is left out comes from ``guard``.

    Args:
        max_records: records.
        max_share_percent: share of what the holding contains.
        baseline_factor: times the median of the nights before.
    """

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required", None))

    max_records: Count = Field(description="a whole number of records")
    max_share_percent: Percent = Field(description="a whole number from 1 to 100")
    baseline_factor: Count = Field(description="a whole number")


class Guard(Budget):
    """The limits of every rule that does not set its own.

    Args:
        baseline_nights: nights that make the baseline.
        tolerance_records: how far the count may grow between approval and run before a new approval is needed.
    """

    model_config = ConfigDict(json_schema_extra={})

    baseline_nights: Count = Field(description="a whole number of nights")
    tolerance_records: Annotated[int, Field(ge=0)] = Field(description="a whole number of records, 0 for none")


def _budget_is_optional(schema: dict[str, Any]) -> None:
    schema["required"].remove("budget")


class Rule(Schedule):
    """What this installation does every night with the records of one holding."""

    model_config = ConfigDict(json_schema_extra=_budget_is_optional)

    holding: HoldingId = Field(description="id of an entry of 'holdings'")
    trigger: Text = Field(description="name of a trigger of the holding: the event that starts the period")
    where: Mapping[str, Text] = Field(default_factory=dict, description="fields and the value each must have")
    anonymise: AnonymiseList | None = Field(None, description="the list of fields, for the action 'anonymise'")
    alongside: tuple[RuleId, ...] = Field((), description="rules that may select the same records; the first due acts")
    budget: Budget = Field(description="limits that differ from 'guard'")

    def anonymisation(self) -> Anonymisation | None:
        """The declared list in the form that systems take; None for a deletion."""
        if self.anonymise is None:
            return None
        generalise = tuple(Generalise(g.field, g.how, g.size) for g in self.anonymise.generalise)
        return Anonymisation(self.anonymise.remove, generalise)

    def scope_digest(self, policy: Policy) -> str:
        """SHA-256 of everything that decides which records are selected and what becomes of them.

        An approval is bound to it: budgets, sources and remarks may change, the scope may not.
        """
        holding = policy.holding(self.holding)
        return sha256(
            {
                "rule": self.id,
                "system": holding.system,
                "location": dict(holding.location),
                "subject": holding.subject,
                "trigger_field": holding.triggers[self.trigger],
                "period": str(self.period),
                "action": str(self.action),
                "where": dict(self.where),
                "anonymise": self.anonymise.model_dump(mode="json") if self.anonymise else None,
            }
        )


class Enforcement(StrEnum):
    """Who keeps a promise. In neither case has this installation looked."""

    VENDOR = "vendor"
    LATER = "later"


class Promise(Schedule):
    """A period that this installation does not enforce: it is shown as such everywhere and never run.

    ``vendor``: the system's own expiry is expected to keep it. ``later``: no module of this release does it.
    """

    system: Key = Field(description="key of an entry of 'systems'")
    data: Text = Field(description="the data it is about")
    starts: Text = Field(description="the event that starts the period, in words")
    enforced: Annotated[Enforcement, Field(strict=False)] = Field(
        description="'vendor' (its own expiry setting) or 'later' (not by this release)"
    )
    how: Text = Field(description="the setting or the work that would keep it, in a sentence")
