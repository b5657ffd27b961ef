"""What the estate draws from a stream of chance: ids, ages, addresses of machines, times to live."""

from __future__ import annotations

import string
from datetime import datetime, timedelta
from random import Random

DAY = timedelta(days=1)
YEAR = 365.25 * DAY
_ID = string.ascii_uppercase + string.ascii_lowercase + string.digits


def identifier(rng: Random, length: int = 20) -> str:
    """An id as Firestore makes them."""
    return "".join(rng.choices(_ID, k=length))


def ago(as_of: datetime, rng: Random, least: timedelta, most: timedelta, skew: float = 1.0) -> datetime:
    """A moment between ``most`` and ``least`` before ``as_of``; a skew above 1 favours recent ones."""
    age = least + (most - least) * rng.random() ** skew
    moment: datetime = as_of - age
    return moment - timedelta(microseconds=moment.microsecond % 1000)


def ip(rng: Random) -> str:
    """An address of a range reserved for documentation."""
    if rng.random() < 0.2:
        return f"2001:db8::{rng.randrange(1, 0xFFFF):x}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def ttl(rng: Random) -> int | None:
    """Seconds to live of a cache entry: mostly less than a day, sometimes days, sometimes none at all."""
    chance = rng.random()
    if chance < 0.03:
        return None
    return rng.randrange(2, 10) * 86_400 if chance < 0.08 else rng.randrange(600, 86_000)
