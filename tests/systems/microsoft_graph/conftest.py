import pytest

from include.sandbox.microsoft_graph import TENANT, MicrosoftGraphSandbox
from tests.systems.grants import provider


@pytest.fixture
def graph(quick):
    """Without a tenant in which the application has rights of its own."""
    with provider("microsoft_graph", MicrosoftGraphSandbox) as served:
        yield served


@pytest.fixture
def tenant():
    """Extra of a connection that has one."""
    return {"tenants": [TENANT]}
