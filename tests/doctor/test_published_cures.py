"""The stalled published recipes: what the doctor advises, followed to the letter, frees them."""

from pathlib import Path

import pytest

from clearprop.experiment import Settings
from clearprop.reproduce import EXPERIMENTS, find_experiment
from clearprop.reproduce.published import Published, accuracy


def accuracy_after(published: Published, data: Path, settings: Settings) -> float:
    """Train to the end, and return the accuracy on the test set in %."""
    parts = published.read(data)
    network, _ = published.train(parts, settings)
    return accuracy(network, parts.test)


@pytest.mark.parametrize(
    ("name", "causes", "changes", "least"),
    [
        (
            "mnist-ffn",
            ("small_initial_weights", "learning_rate_too_low"),
            {"init": "he", "learning_rate": 0.1},
            96,
        ),
        ("cat-tanh", ("small_initial_weights", "vanishing_gradients"), {"init": "scaled"}, 68),
    ],
)
@pytest.mark.slow
def test_the_advice_frees_a_stalled_recipe(
    shared_data: Path, name: str, causes: tuple[str, ...], changes: dict[str, object], least: int
) -> None:
    published = find_experiment(name).published
    assert published is not None
    examination = published.examine(shared_data)
    assert examination.illnesses[:2] == causes
    assert "one_answer" in examination.illnesses
    assert examination.changes == changes
    settings = examination.apply(published.settings)
    assert accuracy_after(published, shared_data, settings) > least


def test_the_cats_stay_at_34_percent_as_published(shared_data: Path) -> None:
    published = find_experiment("cat-tanh").published
    assert published is not None
    assert accuracy_after(published, shared_data, published.settings) == pytest.approx(34)


@pytest.mark.slow
def test_a_published_recipe_that_learns_is_healthy(shared_data: Path) -> None:
    published = EXPERIMENTS["cat-4-layer"].published
    assert published is not None
    assert not published.examine(shared_data)
