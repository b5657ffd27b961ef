"""Clients that write whole requests, with the identifiers in them, to their logs at DEBUG."""

from __future__ import annotations

import logging


def silence(*loggers: str) -> None:
    """Keep loggers, and those below them, from anything finer than INFO, whatever the root logger is set to."""
    for name in loggers:
        logger = logging.getLogger(name)
        if logger.level < logging.INFO:
            logger.setLevel(logging.INFO)
