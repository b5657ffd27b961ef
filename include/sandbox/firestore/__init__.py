"""A Firestore server in memory, good enough for the official client.

    sandbox ──► server (gRPC, faults, journal) ──► service (the RPCs)
                                                     ├─ query, filters ──► engine ──► store (documents, indexes)
                                                     ├─ aggregate, listing
                                                     └─ writes, transforms, transactions
    admin (REST: time to live)

What it refuses, and how, follows the official emulator; see ``tests/sandbox/test_firestore_differential.py``.
"""

from include.sandbox.firestore.sandbox import FirestoreSandbox

__all__ = ["FirestoreSandbox"]
