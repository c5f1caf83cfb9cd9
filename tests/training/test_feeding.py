"""Batches are made ready ahead, on a thread that ends with its epoch, to the bits of those not."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from small_training import RecordedRows

import clearprop as cp
from clearprop.core.parameters import Array
from clearprop.preprocessing import PreparedRows
from clearprop.preprocessing.picture_recipe import PictureRecipe
from clearprop.training.augmentation import Augmenter, Pictures
from clearprop.training.feeding import Batch, Feed
from clearprop.training.samples import Samples, batches

RANDOM = np.random.RandomState(0)
BYTES = RANDOM.randint(0, 256, (40, 6, 5, 3)).astype(np.uint8)
FLOATS = (BYTES / 255).astype(np.float32)
LABELS = RANDOM.randint(0, 3, 40)
WEIGHTS = RANDOM.uniform(1, 2, 40).astype(np.float32)
AUGMENTATIONS = (cp.RandomFlip(), cp.RandomShift(0.2), cp.RandomColour(), cp.Mixup())


def augmenter(*kinds: cp.Augmentation) -> Augmenter:
    return Augmenter(kinds or AUGMENTATIONS, 5, cp.SoftmaxCrossEntropy(), 3, np.dtype(np.float32))


def prepared() -> PreparedRows:
    return PreparedRows(BYTES, PictureRecipe.fit(BYTES), np.float32)


def epoch(seed: int = 0) -> Iterator[Any]:
    return batches(40, 7, replacement=False, random_state=np.random.RandomState(seed))


def copied(batch: Batch) -> tuple[Array, ...]:
    return tuple(np.array(one) for one in batch if one is not None)


def fed(feed: Feed, first: int = 0, most: int = 99) -> list[tuple[Array, ...]]:
    with feed.ahead(epoch(), first) as rows:
        return [copied(feed(batch)) for batch, _ in zip(rows, range(most), strict=False)]


def in_two(do: Callable[[slice], None], count: int) -> None:
    for some in (slice(count // 3), slice(count // 3, count)):
        do(some)


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("clearprop-feed")]


def assert_same(found: list[tuple[Array, ...]], expected: list[tuple[Array, ...]]) -> None:
    for one, other in zip(found, expected, strict=True):
        for array, there in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, there)


@pytest.mark.parametrize("X", [FLOATS, prepared(), RecordedRows(FLOATS)], ids=type)
def test_rows_that_are_not_augmented_are_those_of_the_samples(X: Any) -> None:
    found = fed(Feed(Samples(X, LABELS, WEIGHTS)))
    assert_same(found, [(FLOATS[rows], LABELS[rows], WEIGHTS[rows]) for rows in epoch()])


@pytest.mark.parametrize("X", [FLOATS, prepared(), RecordedRows(FLOATS)], ids=type)
def test_batches_that_are_augmented_ahead_are_those_that_are_not(X: Any) -> None:
    change, before = augmenter(), FLOATS.copy()
    found = fed(Feed(Samples(X, LABELS, WEIGHTS), change), first=11)
    expected = [
        change(number, FLOATS[rows], np.empty_like(FLOATS[rows]), LABELS[rows], WEIGHTS[rows])
        for number, rows in enumerate(epoch(), 11)
    ]
    assert_same(found, [copied(Batch(*one)) for one in expected])
    np.testing.assert_array_equal(FLOATS, before)


def test_all_samples_in_order_are_changed_in_a_copy() -> None:
    before = FLOATS.copy()
    feed = Feed(Samples(FLOATS, LABELS), augmenter())
    with feed.ahead([slice(0, 40)], 0) as rows:
        x, y, weights = feed(next(rows))
    assert not np.array_equal(x, FLOATS)
    assert y.shape == (40, 3)
    assert weights is None
    np.testing.assert_array_equal(FLOATS, before)


def test_a_batch_stays_until_the_next_one_is_asked_for() -> None:
    feed = Feed(Samples(FLOATS, LABELS), augmenter())
    made = fed(feed)
    with feed.ahead(epoch(), 0) as rows:
        for batch, expected in zip(rows, made, strict=True):
            x, _, _ = feed(batch)
            if feed._coming:
                feed._coming[-1].result()  # the furthest one that is made ahead is ready
            np.testing.assert_array_equal(x, expected[0])


def test_an_epoch_that_is_left_early_leaves_nothing_behind() -> None:
    feed = Feed(Samples(prepared(), LABELS), augmenter())
    whole = fed(feed)
    assert_same(fed(feed, most=2), whole[:2])
    assert threads() == []
    with suppress(KeyboardInterrupt), feed.ahead(epoch(), 0) as rows:
        feed(next(rows))
        assert len(threads()) == 1
        raise KeyboardInterrupt
    assert threads() == []
    assert_same(fed(feed), whole)


def test_arrays_that_are_not_augmented_need_no_thread() -> None:
    feed = Feed(Samples(FLOATS, LABELS))
    with feed.ahead(epoch(), 0) as rows:
        feed(next(rows))
        assert threads() == []


def test_batches_that_are_made_when_asked_for_in_parts_are_those_made_ahead() -> None:
    feed = Feed(Samples(prepared(), LABELS, WEIGHTS), augmenter())
    ahead = fed(feed, first=7)
    with feed.ahead(epoch(), 7, in_two) as rows:
        asked_for = [copied(feed(batch)) for batch in rows]
        assert threads() == []
    assert_same(asked_for, ahead)
    assert_same([copied(feed(slice(0, 5)))], [(FLOATS[:5], LABELS[:5], WEIGHTS[:5])])


class Breaks(cp.RandomColour):
    def apply(self, pictures: Pictures, random_state: np.random.RandomState) -> None:
        raise ZeroDivisionError("on the second thread")


def test_errors_of_the_second_thread_come_up() -> None:
    feed = Feed(Samples(FLOATS, LABELS), augmenter(Breaks()))
    with pytest.raises(ZeroDivisionError, match="on the second thread"):
        fed(feed)
    assert threads() == []
