"""What the product itself keeps after a night names nobody: every table of the ledger, and every file of the report."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from include.connection import Connection
from include.errors import PrivacyError
from include.ledger.log import Ledger
from include.ledger.note import Signer
from include.local.databases import Databases
from include.orchestration import closing
from include.retention.run import open_run
from include.sandbox.app import Sandbox
from include.sandbox.estate import Estate
from include.sandbox.faults import Fault, FaultKind
from tests.retention import kit
from tests.retention.personal import dump, found, planted, with_plain_hashes
from tests.retention.truth import Truth


@pytest.fixture
def leftovers(
    ledger: Ledger,
    small: Estate,
    company_sandbox: Sandbox,
    stores: kit.Stores,
    postgres: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """All that is kept of a night with people on hold and one accident."""
    desk = kit.desk_on(Ledger(ledger.engine, lambda: datetime.now(UTC)))
    fates = Truth(small).rules
    released = kit.hold(desk, min(fates["A1"].goes))
    for subject in (small.people[0].uid, min(fates["A1-profile"].goes).split("/")[1], next(small.contacts()).id):
        kit.hold(desk, subject)
    desk.holds.release(released.id, kit.STAFF, "settled")
    night = kit.night()
    open_run(desk, night, list(desk.policy.rules))
    company_sandbox.company.faults.add(Fault("firestore", FaultKind.LOST_ANSWER, "BatchWrite"))
    messages = []
    for rule in desk.policy.rules:
        kit.plan_and_allow(desk, night, rule.id, stores)
        try:
            kit.carry_out(desk, night, rule.id, stores)
        except PrivacyError as error:
            messages.append(str(error))
            kit.carry_out(desk, night, rule.id, stores)
    assert messages
    monkeypatch.setattr(closing, "find_connection", Connection)
    signer = Signer("ledger.example/evidence", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    assert not closing.close(desk, night, str(tmp_path), signer).unfinished
    files = [path.read_text() for path in sorted(tmp_path.iterdir())]
    assert len(files) == 4
    return "\n".join([dump(postgres, desk.ledger), *files, *messages])


def test_no_table_and_no_report_names_a_person_in_the_clear_or_by_a_plain_hash(leftovers: str, small: Estate) -> None:
    # The search itself must be able to find something.
    assert found([kit.PSEUDONYMS.subject(small.people[0].uid)], leftovers)
    assert found(["Profiles of inactive accounts"], leftovers)
    assert not found(with_plain_hashes(planted(small)), leftovers)
