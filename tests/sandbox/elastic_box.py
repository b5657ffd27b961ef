"""A server mounted as in the sandbox's process, and the official client on it."""

import pytest
from elasticsearch import ApiError, BadRequestError
from starlette.applications import Starlette
from starlette.routing import Mount

from include.sandbox.elasticsearch import ElasticsearchSandbox
from include.sandbox.faults import Faults, Journal

JSON = {"accept": "application/json"}


class Box:
    """A server mounted under a prefix, as in the sandbox's process."""

    def __init__(self, major: int = 9) -> None:
        self.faults, self.journal = Faults(), Journal()
        self.server = ElasticsearchSandbox(self.faults, self.journal, major=major)
        self.app = Starlette(routes=[Mount("/elasticsearch", self.server.app)])


def refused(error: type[ApiError] | tuple[type[ApiError], ...] = BadRequestError, words: str | None = None):
    return pytest.raises(error, match=words)
