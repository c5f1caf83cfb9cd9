"""Pictures that are unlike those of the training are noticed, and others are not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from clearprop.data import load
from clearprop.errors import UsageError
from clearprop.preprocessing import (
    Likeness,
    PictureRecipe,
    Preprocessing,
    fit_recipe,
    read_inputs,
)

REAL = Path(__file__).parents[2] / "../shared/data"
RANDOM = np.random.RandomState(5)

COLOURED = RANDOM.randint(0, 200, (40, 8, 8, 3)).astype(np.uint8)


def strokes(count: int) -> NDArray[np.uint8]:
    """Draw light strokes on black, as digits are: uint8, shape (count, 12, 12)."""
    pictures = np.zeros((count, 12, 12), np.uint8)
    for one in pictures:
        one[2:10, RANDOM.randint(3, 8) :][:, :2] = RANDOM.randint(180, 256)
    return pictures


def noted(training: NDArray[Any], pictures: NDArray[Any]) -> tuple[str, ...]:
    names = [f"{row}.png" for row in range(len(pictures))]
    return Likeness.fit(training).unlike(pictures, names)


def test_the_look_is_mean_and_deviation_over_pictures() -> None:
    found = Likeness.fit(COLOURED)
    level = COLOURED.astype(np.float64).mean(axis=3)
    sides = np.ones((8, 8), bool)
    sides[1:-1, 1:-1] = False
    weights = sides.astype(float)
    weights[[0, 0, -1, -1], [0, -1, 0, -1]] = 2  # a corner lies on two sides
    border = (level * weights).sum(axis=(1, 2)) / weights.sum()
    saturation = (COLOURED.max(axis=3).astype(int) - COLOURED.min(axis=3)).mean(axis=(1, 2))
    for measure, each in (
        ("brightness", level.mean(axis=(1, 2))),
        ("border", border),
        ("contrast", level.std(axis=(1, 2))),
        ("saturation", saturation),
    ):
        np.testing.assert_allclose(
            getattr(found, measure), (each.mean(), each.std()), atol=0.051, err_msg=measure
        )
    assert found.grey == 0


def test_dark_on_light_is_noticed_by_a_model_of_light_on_dark_and_the_other_way() -> None:
    training = strokes(50)
    assert noted(training, strokes(20)) == ()
    assert noted(255 - training, 255 - strokes(20)) == ()
    (note,) = noted(training, 255 - strokes(1))
    assert note.startswith("0.png is dark on light, the training pictures light on dark; invert")
    (note,) = noted(255 - training, strokes(2))
    assert note.startswith("2 pictures, such as 0.png, are light on dark, the training pictures da")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda X: X // 2 + 128, "on a lighter background"),
        (lambda X: X // 64, "on a darker background"),
        (lambda X: np.full_like(X, 99), "much flatter"),
        (lambda X: np.repeat(X[..., :1], 3, axis=3), "grey, and the training pictures in colour"),
        (lambda X: X[..., :1] // 2 + np.array([150, 0, 0], np.uint8), "more colourful"),
    ],
)
def test_each_kind_of_unlikeness_has_its_words(change: Any, words: str) -> None:
    notes = noted(COLOURED, change(COLOURED[:3]))
    assert len(notes) == 1
    assert words in notes[0]
    assert noted(COLOURED, COLOURED[:3]) == ()


def test_the_middle_alone_may_be_far_brighter() -> None:
    bright = np.zeros((1, 12, 12), np.uint8)
    bright[:, 1:-1, 1:-1] = 255
    (note,) = noted(strokes(50), bright)
    assert "0.png is far brighter than the training pictures (brightness 177 of 255" in note


def test_grey_pictures_are_usual_where_training_has_some() -> None:
    training = COLOURED.copy()
    training[0] = training[0, ..., :1]
    assert noted(training, training[:1]) == ()


def test_thousands_of_unlike_pictures_take_one_sentence() -> None:
    assert len(noted(strokes(50), 255 - strokes(3000))) == 1


def test_no_pictures_have_no_notes() -> None:
    assert noted(COLOURED, COLOURED[:0]) == ()


@pytest.mark.parametrize(
    "changes", [{"border": (1.0,)}, {"contrast": 3}, {"grey": "no"}, {"grey": float("nan")}]
)
def test_numbers_that_can_t_be_are_refused(changes: dict[str, Any]) -> None:
    pair = (1.0, 1.0)
    given = {"brightness": pair, "border": pair, "contrast": pair, "saturation": pair, "grey": 0.0}
    with pytest.raises(UsageError, match="of pictures"):
        Likeness(**given | changes)


def test_it_travels_with_the_recipe_and_old_recipes_have_none() -> None:
    recipe = fit_recipe(load("digits"))
    assert Preprocessing.from_config(recipe.to_config()) == recipe
    old = {"type": "PictureRecipe", "size": [8, 8], "channels": 1}
    assert Preprocessing.from_config(
        {"type": "Preprocessing", "inputs": old, "target": recipe.to_config()["target"]}
    ).inputs == PictureRecipe((8, 8), 1)


def test_own_digits_black_on_white_are_noticed(tmp_path: Path) -> None:
    digits = load("digits")
    recipe = fit_recipe(digits)
    for number, turned in enumerate((False, True)):
        pixels = digits.X[number] if not turned else 255 - digits.X[number]
        Image.fromarray(pixels).resize((80, 80)).save(tmp_path / f"{number}.png")
    found = read_inputs([tmp_path / "0.png", tmp_path / "1.png"], recipe)
    assert len(found.notes) == 1
    assert found.notes[0].startswith(f"{tmp_path / '1.png'} is dark on light")


def test_held_out_digits_raise_no_false_alarm() -> None:
    digits = load("digits")
    likeness = Likeness.fit(digits.X[:1400])
    assert likeness.unlike(digits.X[1400:], ["a.png"] * 397) == ()


@pytest.mark.parametrize("name", ["mnist", "catvnoncat"])
def test_real_pictures_to_test_raise_no_false_alarm(name: str) -> None:
    if not (REAL / name).is_dir():
        pytest.skip(f"{REAL / name} is not here")
    dataset = load(REAL / name)
    likeness, test = Likeness.fit(dataset.X), dataset.test
    assert test is not None
    assert likeness.unlike(test.X, [test.source(row) for row in range(len(test))]) == ()
    if name == "mnist":
        (note,) = likeness.unlike(255 - test.X, ["a.png"] * len(test))
        assert note.startswith("10000 pictures, such as a.png, are dark on light")
