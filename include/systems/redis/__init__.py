"""Redis: keys that would not expire in time, and keys of persons.

system ── what the retention engine calls: keys go by pattern while a script makes sure that they are still due
erasing ── what the erasure engine calls: keys go by name
├── patterns   the pattern of a holding: SCAN's glob, an exact match in code, the subject in a key
└── client     connection, single server or Cluster, errors
"""

from include.systems.redis.erasing import ERASING_CARD, RedisErasing, connect_erasing
from include.systems.redis.system import CARD, RedisSystem, connect

__all__ = ["CARD", "ERASING_CARD", "RedisErasing", "RedisSystem", "connect", "connect_erasing"]
