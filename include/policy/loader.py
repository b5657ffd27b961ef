"""Read a policy file into its typed form. DAG files do this while they are parsed: it stays cheap."""

from __future__ import annotations

from pathlib import Path

from include.policy.document import Document, read_file
from include.policy.errors import PolicyInvalid, Severity
from include.policy.lint import lint
from include.policy.model import Policy


def load(path: str | Path) -> Policy:
    """Read, check and type a policy file.

    Raises:
        PolicyInvalid: it has mistakes; all of them are listed.
        Refused: it can't be read.
    """
    return build(read_file(path))


def build(document: Document) -> Policy:
    """Type a document that was read.

    Raises:
        PolicyInvalid: it has mistakes; all of them are listed.
    """
    mistakes = [finding for finding in lint(document) if finding.severity is Severity.ERROR]
    if mistakes:
        raise PolicyInvalid(document.file, mistakes)
    return Policy.model_validate(document.data)
