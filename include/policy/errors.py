"""What a policy file can have wrong, and the one error that carries all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from include.errors import Refused


class Severity(StrEnum):
    """An error stops the file from being used; a warning is shown and stops nothing."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake: where (lines and columns count from 1), and what is wrong and what is accepted in a sentence."""

    line: int
    column: int
    severity: Severity
    message: str

    def at(self, file: str) -> str:
        """The form that editors and CI logs turn into a link: ``file:line:column: error: sentence``."""
        return f"{file}:{self.line}:{self.column}: {self.severity}: {self.message}"


class PolicyInvalid(Refused):
    """The policy file has mistakes; nothing runs until a person has mended it.

    Args:
        file: the file as it was named to the loader.
        findings: all errors, in the order of the file.
    """

    def __init__(self, file: str, findings: Sequence[Finding]) -> None:
        self.file = file
        self.findings = tuple(findings)
        mistakes = "1 mistake" if len(self.findings) == 1 else f"{len(self.findings)} mistakes"
        super().__init__("policy", f"use {file}: {mistakes}", "Mend what is listed and run the lint again.")

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(finding.at(self.file) for finding in self.findings)])

    def __reduce__(self) -> tuple[type[PolicyInvalid], tuple[str, tuple[Finding, ...]]]:
        """Airflow carries errors between processes."""
        return type(self), (self.file, self.findings)
