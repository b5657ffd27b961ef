"""Redis: keys that would not expire in time, removed by pattern while a script makes sure that they are still due.

system ── what the retention engine calls
├── patterns   the pattern of a holding: SCAN's glob, an exact match in code, the subject in a key
└── client     connection, single server or Cluster, errors
"""

from include.systems.redis.system import CARD, RedisSystem, connect

__all__ = ["CARD", "RedisSystem", "connect"]
