"""A vault to copy for each trial, and at the end a word on what the kills came to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.local.databases import Databases
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.subjects import database as vault_database
from tests.conftest import VAULT_OWNER
from tests.erasure import kit

pytest.register_assert_rewrite("tests.faults.erasing.trial")
from tests.erasure.conftest import desk, open_mailer, sandbox, systems, time  # noqa: E402
from tests.faults.erasing.trial import TALLY, Trial, new_trial  # noqa: E402 - rewritten first

__all__ = ["desk", "estate", "open_mailer", "sandbox", "systems", "time"]
_TEMPLATE = "erasing_vault_template"


@pytest.fixture(scope="session")
def vault_template(postgres: Databases) -> Iterator[str]:
    for role in (VAULT_OWNER, vault_database.WRITER):
        postgres.ensure_role(role, "test")
    postgres.drop_database(_TEMPLATE)
    postgres.ensure_database(_TEMPLATE, VAULT_OWNER, [vault_database.WRITER])
    vault_database.migrate(postgres.url(_TEMPLATE, VAULT_OWNER, "test"))
    yield _TEMPLATE
    postgres.drop_database(_TEMPLATE)


@pytest.fixture
def estate() -> Estate:
    return kit.estate(people=8)


@pytest.fixture
def trial(company_sandbox: Sandbox, postgres: Databases, ledger_template: str, vault_template: str) -> Iterator[Trial]:
    with new_trial(company_sandbox, postgres, ledger_template, vault_template) as started:
        yield started


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY.kills:
        terminalreporter.section("kill trials of the erasure")
        for line in TALLY.lines():
            terminalreporter.write_line(line)
