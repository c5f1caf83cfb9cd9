"""scikit-learn's own tests of MLPClassifier and MLPRegressor, passed by clearprop's."""

import pytest
from borrowed import borrowed_tests

# Theirs run so: they provoke warnings and don't always catch them.
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

globals().update(borrowed_tests())


@pytest.fixture
def global_random_seed() -> int:
    return 42


def test_they_are_all_here() -> None:
    assert len(borrowed_tests()) >= 40
