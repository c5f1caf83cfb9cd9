"""What each augmentation does to pictures, and what it leaves alone."""

from typing import Any

import numpy as np
import pytest

import clearprop as cp
from clearprop.core.parameters import Array
from clearprop.errors import UsageError
from clearprop.training.augmentation import AUGMENTATIONS, Augmenter

RANDOM = np.random.RandomState(0)
GREY = RANDOM.uniform(size=(12, 9, 8, 1))
COLOUR = RANDOM.uniform(size=(12, 8, 10, 3))
LABELS = RANDOM.randint(0, 4, 12)
KINDS = list(AUGMENTATIONS.values())


def augmented(
    x: Array,
    *kinds: cp.Augmentation,
    y: Array = LABELS,
    weights: Array | None = None,
    number: int = 0,
    seed: int = 0,
    **more: Any,
) -> tuple[Array, Array, Array | None]:
    more = {"loss": cp.SoftmaxCrossEntropy(), "outputs": 4, "dtype": x.dtype, **more}
    return Augmenter(kinds, seed, **more)(number, x.copy(), np.empty_like(x), y, weights)


@pytest.mark.parametrize("x", [GREY, COLOUR, GREY[..., 0]], ids=["grey", "colour", "without"])
@pytest.mark.parametrize("kind", KINDS)
def test_pictures_keep_shape_range_and_dtype(kind: type[cp.Augmentation], x: Array) -> None:
    for dtype in (np.float32, np.float64):
        given = x.astype(dtype)
        changed, y, _ = augmented(given, kind(kind.most), number=3)
        assert changed.shape == x.shape
        assert changed.dtype == dtype
        assert 0 <= changed.min() <= changed.max() <= 1
        assert not np.array_equal(changed, given)
        assert len(y) == len(LABELS)


@pytest.mark.parametrize("kind", KINDS)
def test_strength_0_changes_nothing(kind: type[cp.Augmentation]) -> None:
    changed, y, _ = augmented(COLOUR, kind(0))
    np.testing.assert_allclose(changed, COLOUR, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(y, LABELS)


def test_movements_of_strength_0_keep_every_bit() -> None:
    moved = [kind(0) for kind in KINDS if kind.name in {"flip", "shift", "rotate", "scale", "crop"}]
    assert len(moved) == 5
    np.testing.assert_array_equal(augmented(COLOUR, *moved)[0], COLOUR)


def test_all_or_no_pictures_are_mirrored() -> None:
    changed, _, _ = augmented(COLOUR, cp.RandomFlip(1))
    np.testing.assert_array_equal(changed, COLOUR[:, :, ::-1])
    some, _, _ = augmented(COLOUR, cp.RandomFlip())
    mirrored = [np.array_equal(one, old[:, ::-1]) for one, old in zip(some, COLOUR, strict=True)]
    kept = [np.array_equal(one, old) for one, old in zip(some, COLOUR, strict=True)]
    assert 0 < sum(mirrored) < len(COLOUR)
    assert sum(mirrored) + sum(kept) == len(COLOUR)


def ramp(height: int = 41, width: int = 61) -> Array:
    """Return pictures whose two channels are the row and the column, counted from the middle."""
    rows, columns = np.mgrid[:height, :width]
    one = np.stack([rows - (height - 1) / 2, columns - (width - 1) / 2], axis=-1)
    return np.tile(one, (200, 1, 1, 1))


def centre(x: Array) -> Array:
    return x[:, 18:23, 28:33]


def test_shifts_go_as_far_as_said_and_all_ways() -> None:
    x = ramp()
    change = centre(augmented(x, cp.RandomShift(0.2), y=np.zeros(200, int))[0] - x)
    by = change.mean(axis=(1, 2))
    assert np.ptp(change, axis=(1, 2)).max() < 1e-9
    for moved, side in zip(by.T, (41, 61), strict=True):
        assert -0.2 * side <= moved.min() < -0.17 * side
        assert 0.17 * side < moved.max() <= 0.2 * side


def test_rotations_keep_distances_and_go_as_far_as_said() -> None:
    x = ramp()
    changed = centre(augmented(x, cp.RandomRotation(30), y=np.zeros(200, int))[0])
    np.testing.assert_allclose(
        np.linalg.norm(changed, axis=-1), np.linalg.norm(centre(x), axis=-1), atol=1e-9
    )
    angles = np.degrees(np.arctan2(changed[:, 2, 4, 0], changed[:, 2, 4, 1]))
    assert -30 <= angles.min() < -27
    assert 27 < angles.max() <= 30


def test_scales_lie_between_the_two_factors() -> None:
    x = ramp()
    changed = centre(augmented(x, cp.RandomScale(0.5), y=np.zeros(200, int))[0])
    factors = changed[:, 2, 4, 1] / 2
    np.testing.assert_allclose(
        changed, factors[:, np.newaxis, np.newaxis, np.newaxis] * centre(x), atol=1e-9
    )
    assert 1 / 1.5 <= factors.min() < 0.7
    assert 1.4 < factors.max() <= 1.5


def test_crops_lie_within_the_picture() -> None:
    x = ramp()
    changed, _, _ = augmented(x, cp.RandomCrop(0.5), y=np.zeros(200, int), limits=(-99, 99))
    sides = changed[:, -1, -1] - changed[:, 0, 0]
    shares = sides / (40, 60)
    np.testing.assert_allclose(shares[:, 0], shares[:, 1], atol=1e-9)
    assert 0.5 <= shares.min() < 0.55
    assert 0.95 < shares.max() <= 1
    inner = np.diff(changed[..., 0], axis=1)  # where nothing is reflected, rows go on evenly
    np.testing.assert_allclose(inner, shares[:, :1, np.newaxis] + 0 * inner, atol=1e-9)


def test_several_movements_are_one_map_that_is_interpolated_once() -> None:
    moved = (cp.RandomShift(0.3), cp.RandomRotation(20), cp.RandomScale(0.2))
    x = ramp()
    together = augmented(x, *moved, y=np.zeros(200, int))[0]
    random_state, product = np.random.RandomState([0, 0, 0]), np.eye(3)
    for one in moved:
        maps = np.tile(np.eye(3), (200, 1, 1))
        one.draw(maps, (41, 61), random_state)
        product = product @ maps
    places = np.concatenate([x, np.ones((*x.shape[:3], 1))], axis=-1)
    expected = np.einsum("nij,nhwj->nhwi", product[:, :2], places)
    np.testing.assert_allclose(centre(together), centre(expected), atol=1e-9)


def test_colours_follow_the_formula() -> None:
    x = COLOUR / 4 + 0.3  # far from both limits
    changed, _, _ = augmented(x, cp.RandomColour(0.2))
    saturation, contrast, brightness = (
        np.random.RandomState([0, 0, 0]).uniform(-0.2, 0.2, (12, 3)).T
    )
    for n in range(len(x)):
        grey = x[n].mean(axis=-1, keepdims=True)
        toned = grey + (1 + saturation[n]) * (x[n] - grey)
        expected = (1 + contrast[n]) * (toned - x[n].mean()) + x[n].mean() + brightness[n] / 2
        np.testing.assert_allclose(changed[n], expected, atol=1e-12)


def test_what_is_erased_is_one_rectangle_of_the_mean_colour() -> None:
    x = RANDOM.uniform(size=(300, 30, 40, 3))
    changed, _, _ = augmented(x, cp.RandomErasing(0.3), y=np.zeros(300, int))
    differs = (changed != x).any(axis=-1)
    erased = np.flatnonzero(differs.any(axis=(1, 2)))
    assert 110 < len(erased) < 190
    for n in erased:
        rows, columns = differs[n].any(axis=1), differs[n].any(axis=0)
        assert differs[n].sum() == rows.sum() * columns.sum()
        expected = np.broadcast_to(x[n].mean(axis=(0, 1)), changed[n][differs[n]].shape)
        np.testing.assert_allclose(changed[n][differs[n]], expected)
    shares = differs[erased].mean(axis=(1, 2))
    assert 0.01 < shares.min() < 0.06
    assert 0.25 < shares.max() < 0.33


def test_mixup_mixes_pictures_targets_and_weights_alike() -> None:
    weights = RANDOM.uniform(1, 2, 12)
    changed, y, mixed = augmented(COLOUR, cp.Mixup(1), weights=weights)
    random_state = np.random.RandomState([0, 0, 0])
    share = random_state.beta(1, 1, 12)
    partners = random_state.permutation(12)
    share = np.maximum(share, 1 - share)
    one_hot = np.eye(4)[LABELS]
    for n, (s, other) in enumerate(zip(share, partners, strict=True)):
        np.testing.assert_allclose(changed[n], s * COLOUR[n] + (1 - s) * COLOUR[other])
        np.testing.assert_allclose(y[n], s * one_hot[n] + (1 - s) * one_hot[other])
        assert mixed is not None
        np.testing.assert_allclose(mixed[n], s * weights[n] + (1 - s) * weights[other])


def test_mixup_mixes_answers_of_yes_and_no_and_values() -> None:
    answers = RANDOM.randint(0, 2, (12, 1)).astype(float)
    for loss in (cp.BinaryCrossEntropy(), cp.MeanSquaredError()):
        _, y, _ = augmented(COLOUR, cp.Mixup(2), y=answers, loss=loss, outputs=1)
        assert y.shape == (12, 1)
        assert 0 <= y.min() <= y.max() <= 1
        assert ((y > 0) & (y < 1)).any()


def test_the_same_update_gets_the_same_bits_and_others_do_not() -> None:
    every = [kind() for kind in KINDS]
    one, again = (augmented(COLOUR, *every, number=7)[0] for _ in "ab")
    np.testing.assert_array_equal(one, again)
    for other in ({"number": 8}, {"number": 7 + 2**32}, {"number": 7, "seed": 1}):
        assert not np.array_equal(augmented(COLOUR, *every, **other)[0], one)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", [-0.1, 1000, np.nan, "much", True])
def test_strengths_that_can_not_be(kind: type[cp.Augmentation], wrong: Any) -> None:
    with pytest.raises(UsageError, match=f"The strength of {kind.name} is a number from 0 to"):
        kind(wrong)


def test_signs_and_sides_are_not_mirrored() -> None:
    signs = (["0", "1", "2"], ["a", "b"], ["00", "42"], [" 7 ", "B"])
    words = (
        ["left", "right"],
        ["turn_left", "stop"],
        ["cat", "Digit 4"],
        ["LeftHand", "left-hand"],
    )
    for names in (*signs, *words):
        assert cp.RandomFlip.not_borne(names) in names
    for names in (["cats", "dogs"], ["cleft", "bright"], ["a", "dog"], ["1997", "2001"], []):
        assert cp.RandomFlip.not_borne(names) is None


def test_other_words_of_classes_that_do_not_bear_a_change() -> None:
    assert cp.RandomScale.not_borne(["small bolt", "large bolt"]) == "small bolt"
    assert cp.RandomColour.not_borne(["day", "night"]) == "day"
    assert cp.RandomRotation.not_borne(["tilted", "upright"]) == "tilted"
    assert cp.RandomShift.not_borne(["left", "right"]) is None
