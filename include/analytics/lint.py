"""Lint of a release specification: every mistake at once, each at its line."""

from __future__ import annotations

from include.analytics.spec import Specification
from include.policy.document import Document
from include.policy.errors import Finding, PolicyInvalid, Severity


def build(document: Document) -> Specification:
    """Type a document that was read.

    Raises:
        PolicyInvalid: it has mistakes; all of them are listed.
    """
    mistakes = [finding for finding in lint(document) if finding.severity is Severity.ERROR]
    if mistakes:
        raise PolicyInvalid(document.file, mistakes)
    return Specification.model_validate(document.data)


def lint(document: Document) -> list[Finding]:
    """All mistakes and warnings of a document, in the order of the file."""
    return list(document.findings)
