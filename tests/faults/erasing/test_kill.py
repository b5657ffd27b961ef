"""SIGKILL anywhere between the approval and the last outcome, then the push again: the same end, and never a lie."""

from __future__ import annotations

from tests.faults.erasing.trial import Trial


def test_undisturbed(trial: Trial) -> None:
    trial.finish()
    trial.assert_done()
