"""What checks of one's own backward pass begin with."""

import pytest
from own_network import OwnNetwork


@pytest.fixture
def net():
    return OwnNetwork()
