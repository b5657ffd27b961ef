"""The private folder: nobody else reads it, and a killed process leaves nothing for long."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from include.analytics.spool import private_folder
from include.errors import Unavailable

HOLD = """
import sys, time
from pathlib import Path
from include.analytics.spool import private_folder
with private_folder(Path(sys.argv[1])) as folder:
    (folder / "events").mkdir()
    (folder / "events" / "secret").write_text("jane")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_only_this_account_reads_it_and_it_is_gone_afterwards(tmp_path: Path) -> None:
    base = tmp_path / "spool"
    with private_folder(base) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        assert base.stat().st_mode & 0o077 == 0
        (folder / "events").write_text("x")
    assert [path.name for path in base.iterdir()] == ["lock"]


def test_an_error_removes_it_too(tmp_path: Path) -> None:
    with pytest.raises(KeyError), private_folder(tmp_path / "spool"):
        raise KeyError
    assert [path.name for path in (tmp_path / "spool").iterdir()] == ["lock"]


def test_two_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    with private_folder(tmp_path / "spool") as one:
        with private_folder(tmp_path / "spool") as other:
            assert one != other
            assert one.is_dir()
        assert one.is_dir()


def test_the_folder_of_a_killed_process_goes_with_the_next_one(tmp_path: Path) -> None:
    base = tmp_path / "spool"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(base)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        abandoned = Path(process.stdout.readline().strip())
        with private_folder(base):
            assert (abandoned / "events" / "secret").exists(), "its process is at work"
        process.kill()
    assert abandoned.exists()
    with private_folder(base) as folder:
        assert sorted(path.name for path in base.iterdir()) == ["lock", folder.name]


def test_a_place_that_cannot_be_written_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="PRIVACY_SPOOL"), private_folder(Path("/proc/nowhere")):
        pass
