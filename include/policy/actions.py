"""What a rule does with a record that is due."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What a rule does with a record that is due."""

    DELETE = "delete"
    ANONYMISE = "anonymise"


@dataclass(frozen=True, slots=True)
class Generalise:
    """Replace ``field`` by ``<field>_<how>`` that says less. The original field is removed.

    ``how``: ``month`` or ``year`` of a timestamp (``"2024-03"``, ``"2024"``); ``band`` of ``size`` for an integer (its
    lower end, an integer); ``prefix`` of ``size`` characters for a string. A missing field stays missing.
    """

    field: str
    how: str
    size: int = 0

    @property
    def target(self) -> str:
        """Name of the field that takes the generalised value."""
        return f"{self.field}_{self.how}"


@dataclass(frozen=True, slots=True)
class Anonymisation:
    """The declared list: fields removed and fields generalised. Whatever is not named stays as it is."""

    remove: tuple[str, ...]
    generalise: tuple[Generalise, ...] = ()

    @property
    def gone(self) -> tuple[str, ...]:
        """Every field that no longer exists afterwards."""
        return self.remove + tuple(g.field for g in self.generalise)
