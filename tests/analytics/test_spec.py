"""The specification: what shapes the bytes of a table is in its digest, and reading it stays cheap."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest
from pydantic import ValidationError

from include.analytics.lint import build
from include.analytics.spec import Specification
from include.policy.document import parse
from tests.analytics.test_lint import GOOD


def digests(text: str) -> tuple[str, str]:
    made = build(parse(text))
    return made.digest, made.table_digest(made.tables[0])


def changed(old: str, new: str) -> tuple[str, str]:
    assert old in GOOD
    return digests(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("keys: [DE, FR]", "keys: [DE, US]"),
        (", other: rest", ""),
        ("max_groups: 4", "max_groups: 3"),
        ("max_groups: 4", "max_groups: 4\n    minimum_count: 30"),
        ('rho: "0.01"', 'rho: "0.011"'),
        ('delta: "1e-8"', 'delta: "2e-8"'),
        ("cap: 9", "cap: 8"),
        ("{kind: users}", "{kind: users, weight: 2}"),
        ("period: daily", "period: weekly"),
        ("location: events", "location: other"),
        ("user: uid", "user: person"),
        ("tables:", "left_out: [{holding: firestore.users, field: restricted, reason: article 18}]\ntables:"),
    ],
)
def test_what_shapes_the_bytes_makes_a_new_version(old: str, new: str) -> None:
    whole, table = changed(old, new)
    assert table != digests(GOOD)[1]
    assert whole != digests(GOOD)[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: Features", "title: Parts"),
        ("expected_keys: 9", "expected_keys: 12"),
        ("users: 100000", "users: 90000"),
        ('version: "1"', 'version: "2"'),
        ('rho_month: "1"', 'rho_month: "2"'),
        ("ip: {about: address", "ip: {about: the address"),
    ],
)
def test_what_does_not_shape_them_is_no_new_release(old: str, new: str) -> None:
    whole, table = changed(old, new)
    assert table == digests(GOOD)[1]
    assert whole != digests(GOOD)[0]


def test_one_number_has_one_digest() -> None:
    assert changed('rho: "0.01"', 'rho: "0.010"') == digests(GOOD)
    assert changed('rho: "0.01"', 'rho: "1e-2"') == digests(GOOD)


def test_the_parts_of_the_measures_are_no_more_than_the_whole() -> None:
    table = build(parse(GOOD.replace("{kind: users}", "{kind: users, weight: 5}"))).tables[0]
    parts = [table.rho_of(measure) for measure in table.measures]
    assert sum(parts, Decimal(0)) <= Decimal("0.01")
    assert sum(parts, Decimal(0)) > Decimal("0.0099999999")
    assert parts[0] > 4 * parts[1]


def test_a_specification_does_not_change_after_it_was_read() -> None:
    made = build(parse(GOOD))
    with pytest.raises(ValidationError):
        made.tables[0].max_groups = 9
    assert isinstance(made, Specification)


def test_reading_a_specification_loads_no_data_frames_and_no_solver() -> None:
    """A DAG file is parsed every few seconds, in a process of its own."""
    code = (
        "import sys; from include.analytics.spec import load; load(); from include.analytics import forecast;"
        "print([name for name in ('polars', 'opendp', 'highspy', 'numpy', 'sqlalchemy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
