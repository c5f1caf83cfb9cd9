"""Augmentation as settings say it: words, presets, what classes bear, and what is chosen."""

from math import prod
from typing import Any

import pytest

import clearprop as cp
from clearprop.errors import UnknownNameError, UsageError
from clearprop.experiment import Settings
from clearprop.experiment.augmenting import (
    LIGHT,
    PRESETS,
    STRONG,
    augmentations,
    in_words,
    spelled,
)
from clearprop.experiment.building import build_trainer
from clearprop.experiment.defaults import Extent
from clearprop.experiment.settings import described, resolve, settings_in
from clearprop.training.augmentation import AUGMENTATIONS

ANIMALS, DIGITS = ("cats", "dogs"), tuple("0123456789")
KIND = described(Settings)["augment"].kind


def resolved(
    samples: int = 1000,
    shape: tuple[int, ...] = (64, 64, 3),
    names: tuple[str, ...] = ANIMALS,
    *,
    are_pictures: bool = True,
    **given: Any,
) -> Settings:
    extent = Extent(
        samples,
        prod(shape),
        has_test_set=False,
        shape=shape,
        are_pictures=are_pictures,
        class_names=names,
    )
    return resolve(Settings(data="x", **given), extent)


def names_of(settings: Settings) -> list[str]:
    return [word.partition(":")[0] for word in settings.augment or ()]


def test_fewer_pictures_are_changed_more() -> None:
    few, many = resolved(9_999), resolved(10_000)
    assert few.augment == spelled((STRONG,), ANIMALS)
    assert many.augment == spelled((LIGHT,), ANIMALS)
    assert augmentations(few.augment or ()) == PRESETS[STRONG]
    assert augmentations(many.augment or ()) == PRESETS[LIGHT]


def test_signs_are_not_mirrored_unless_it_is_asked_for() -> None:
    assert "flip" in names_of(resolved(shape=(28, 28)))
    assert "flip" not in names_of(resolved(shape=(28, 28), names=DIGITS))
    assert "flip" not in names_of(resolved(shape=(28, 28), names=DIGITS, augment="strong"))
    assert names_of(resolved(names=("left", "right"), augment=["flip"])) == ["flip"]
    assert "flip" in names_of(resolved(names=("left", "right"), augment=["light", "flip"]))


@pytest.mark.parametrize(
    "given",
    [
        {"layers": (20,)},
        {"network": "dense"},
        {"optimizer": "lbfgs"},
        {"shape": (8, 8)},
        {"shape": (30,)},
        {"are_pictures": False},
        {"names": ()},
        {"augment": "none"},
        {"augment": ()},
    ],
    ids=str,
)
def test_nothing_is_changed_where_nobody_asked_and_it_may_not_fit(given: dict[str, Any]) -> None:
    assert resolved(**given).augment == ()


def test_a_dense_network_may_be_asked_for_it() -> None:
    assert names_of(resolved(layers=(20,), augment="shift")) == ["shift"]


def test_words_are_read_and_written() -> None:
    assert KIND.check("augment", KIND.parse("flip, Shift:0.2")) == ("flip", "shift:0.2")
    assert KIND.check("augment", KIND.parse("none")) == ()
    assert KIND.check("augment", "light") == ("light",)
    assert KIND.write(()) == "none"
    assert KIND.write(("flip", "shift:0.2")) == "flip,shift:0.2"


def test_words_become_augmentations_in_the_order_they_are_done() -> None:
    assert augmentations(("mixup:0.4", "rotate", "flip:0.3")) == (
        cp.RandomFlip(0.3),
        cp.RandomRotation(),
        cp.Mixup(0.4),
    )
    strong = list(PRESETS[STRONG])
    assert augmentations(("strong", "rotate:3"))[2] == cp.RandomRotation(3.0)
    assert [type(one) for one in augmentations(("strong", "rotate:3"))] == list(map(type, strong))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_what_is_spelled_stands_for_the_same(name: str) -> None:
    kind: Any = AUGMENTATIONS[name]
    for one in (kind(), kind(0.125), kind(1 / 3)):
        again = augmentations(spelled((f"{name}:{one.strength!r}",), ANIMALS))
        assert again == (one,)
    assert spelled((f"{name}:{kind().strength!r}",), ANIMALS) == (name,)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("ligth", "There is no augmentation 'ligth'. Did you mean 'light'?"),
        (["flip", "shfit"], "There is no augmentation 'shfit'. Did you mean 'shift'?"),
        ("shift:far", "The strength of shift is a number, as in shift:0.1; found 'far'."),
        ("shift:2", "The strength of shift is a number from 0 to 1, found 2.0."),
        ("rotate:nan", "The strength of rotate is a number from 0 to 180, found nan."),
        (["none", "flip"], "augment takes none alone, found none, flip."),
        ("", "There is no augmentation ''."),
        (3, "augment takes none, light, strong, or a list of names"),
        ([3], "augment takes none, light, strong, or a list of names"),
    ],
)
def test_words_that_can_not_be(words: Any, message: str) -> None:
    with pytest.raises((UsageError, UnknownNameError)) as error:
        Settings(data="x", augment=words)
    assert message in str(error.value)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="--augment light changes pictures, and a sample of these"):
        resolved(shape=(30,), augment="light")
    with pytest.raises(UsageError, match="leave augment out"):
        resolved(optimizer="lbfgs", augment="light")


def test_trainers_get_what_settings_say() -> None:
    settings = resolved(augment=["flip", "shift:0.25"])
    assert build_trainer(settings, 100).augment == (cp.RandomFlip(), cp.RandomShift(0.25))
    assert build_trainer(resolved(augment="none"), 100).augment == ()


def test_runs_of_before_there_was_any_are_repeated_without() -> None:
    assert settings_in("config.toml", {"data": "x"}).augment == ()
    assert settings_in("config.toml", {"data": "x", "augment": ["flip"]}).augment == ("flip",)


def test_what_was_chosen_is_said() -> None:
    chosen = spelled((STRONG,), DIGITS)
    changed, left_out = in_words(None, chosen, 1652, DIGITS)
    assert "at random in training, by shift, rotate, scale, crop, colour, erase" in changed
    assert "as there are 1,652; --augment none leaves them as they are" in changed
    assert "Flip is left out, as the class '0' may not bear it" in left_out
    assert in_words(("flip",), ("flip",), 1652, DIGITS) == (
        "Pictures are changed at random in training, by flip.",
    )
    assert in_words((), (), 1652, DIGITS) == ()
