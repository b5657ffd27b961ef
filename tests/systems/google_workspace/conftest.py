import pytest

from include.sandbox.google_workspace import GoogleWorkspaceSandbox
from tests.systems.grants import provider


@pytest.fixture
def google(quick):
    with provider("google_workspace", GoogleWorkspaceSandbox) as served:
        yield served
