"""Fixtures of the questions that a system can be asked every night."""

import pytest

from tests.systems.persons import Room

SERVICES = {"firebase_auth": "identitytoolkit", "google_sign_in": "identitytoolkit", "cloud_storage": "storage"}


@pytest.fixture
def room_of(company_sandbox, quick):
    """A room of the sandbox for a system."""
    opened = []

    def open_room(system):
        opened.append(Room(company_sandbox, system, SERVICES.get(system, system)))
        return opened[-1]

    yield open_room
    for room in opened:
        room.close()
