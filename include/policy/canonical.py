"""One form of a value in bytes, and its digest: the same content gives the same digest on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def sha256(content: Any) -> str:
    """SHA-256, in hex, of JSON with sorted keys, no blanks, UTF-8, and no number that JSON does not have.

    Raises:
        ValueError: ``content`` holds a NaN or an infinity.
    """
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
