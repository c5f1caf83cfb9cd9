"""The two ways to take steps."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from clearprop.core.kernels import kernel


@pytest.fixture(params=["numpy", "compiled"], scope="module")
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run every test with the layers' own steps, and with compiled ones where they know how."""
    if request.param == "compiled" and find_spec("numba") is None:
        pytest.skip("Numba (the extra 'fast') is not installed")
    before = kernel._mode
    kernel._mode = kernel._Mode(request.param)
    yield request.param
    kernel._mode = before
