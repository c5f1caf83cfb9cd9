"""What every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # there is one for each core: one thread is enough
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy reads it when it is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")
# Each of the many commands that tests start would compile all of clearprop anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A slow machine is no failure.
settings.register_profile("whole", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=40)


def pytest_configure(config: pytest.Config) -> None:
    """Draw fewer examples, where no test says how many, but where all tests are run (-m "")."""
    settings.load_profile("quick" if config.getoption("markexpr") else "whole")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = Path(__file__).parents[1] / "../shared/data"
    if not folder.is_dir():
        pytest.skip("real data (../shared/data) is not here")
    return folder
