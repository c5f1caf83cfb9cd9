"""Training on augmented pictures: exact, resumable, and refused where it can't be."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_training import without_seconds

import clearprop as cp
from clearprop.core import kernels
from clearprop.errors import UsageError
from clearprop.preprocessing import PreparedRows
from clearprop.preprocessing.picture_recipe import PictureRecipe

RANDOM = np.random.RandomState(0)
BYTES = RANDOM.randint(0, 256, (50, 8, 7, 3)).astype(np.uint8)
X = BYTES / 255
Y = RANDOM.randint(0, 3, 50)
AUGMENT = (
    *(cp.RandomFlip(), cp.RandomShift(), cp.RandomRotation(), cp.RandomScale(), cp.RandomCrop()),
    *(cp.RandomColour(), cp.RandomErasing(), cp.Mixup()),
)
TRAINER = cp.Trainer(epochs=4, batch_size=8, augment=AUGMENT, seed=3)


def network(
    loss: cp.Loss = cp.SoftmaxCrossEntropy(),  # noqa: B008 - frozen
    outputs: int = 3,
    dtype: str = "float64",
) -> cp.Network:
    layers = [cp.Flatten(), cp.Dense(9), cp.BatchNorm(), cp.ReLU(), cp.Dropout(0.3)]
    return cp.Network(
        [*layers, cp.Dense(outputs)], loss=loss, input_shape=(8, 7, 3), seed=1, dtype=dtype
    )


def trained(trainer: cp.Trainer = TRAINER, samples: Any = X, **more: Any) -> tuple[Any, ...]:
    net = network(**{name: more.pop(name) for name in ("loss", "dtype") if name in more})
    history = trainer.fit(net, samples, Y, validation=(X[:9], Y[:9]), **more)
    return net.parameters.data, net.state.data, without_seconds(history)


def assert_same(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    assert one[2] == other[2]


def test_the_same_seed_gives_the_same_bits_and_another_one_others() -> None:
    whole = trained()
    assert_same(trained(), whole)
    assert not np.array_equal(trained(replace(TRAINER, seed=4))[0], whole[0])
    assert not np.array_equal(trained(replace(TRAINER, augment=()))[0], whole[0])


def test_batches_and_dropout_are_drawn_as_without_augmentation() -> None:
    still = tuple(kind(0) for kind in map(type, AUGMENT[:5]))
    assert_same(trained(replace(TRAINER, augment=still)), trained(replace(TRAINER, augment=())))


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_changes_nothing(threads: int) -> None:
    assert_same(trained(replace(TRAINER, threads=threads)), trained())


@pytest.mark.slow
def test_compiled_loops_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    monkeypatch.setattr(kernels.kernel._mode, "compiles", False)
    by_formulas = trained(dtype="float32")
    monkeypatch.setattr(kernels.kernel._mode, "compiles", True)
    assert_same(trained(dtype="float32"), by_formulas)


@pytest.mark.slow
def test_compiled_steps_of_pictures_see_the_same_mixed_samples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    weights = np.random.RandomState(1).uniform(0.5, 1.5, len(Y))
    found = []
    for compiles in (False, True):
        monkeypatch.setattr(kernels.kernel._mode, "fixed", True)
        monkeypatch.setattr(kernels.kernel._mode, "compiles", compiles)
        net = cp.Network(
            [cp.Conv2D(8), cp.ReLU(), cp.MaxPool2D(), cp.Flatten(), cp.Dense(3)],
            loss=cp.SoftmaxCrossEntropy(),
            input_shape=(8, 7, 3),
            dtype="float32",
        )
        history = TRAINER.fit(net, X, Y, sample_weight=weights)
        found.append((net.parameters.data, history["loss"], history["accuracy"]))
    for plain, compiled in zip(*found, strict=True):
        np.testing.assert_allclose(compiled, plain, rtol=1e-4, atol=1e-6)


def test_rows_that_are_prepared_on_the_way_give_the_same_bits() -> None:
    rows = PreparedRows(BYTES, PictureRecipe.fit(BYTES), np.float64)
    assert_same(trained(samples=rows), trained(samples=rows[:]))


class StopAt(cp.Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, run: cp.Run) -> None:
        if run.step == self.step:
            run.stop()


@pytest.mark.parametrize("step", [1, 7, 10, 14, 20])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(tmp_path: Path, step: int) -> None:
    place = cp.Checkpoint(tmp_path / "run.safetensors", 0)
    trained(callbacks=[StopAt(step)], checkpoint=place)
    assert_same(trained(checkpoint=place, resume=True), trained())


def test_a_run_goes_on_with_its_augmentation_only(tmp_path: Path) -> None:
    place = cp.Checkpoint(tmp_path / "run.safetensors", 0)
    trained(callbacks=[StopAt(9)], checkpoint=place)
    for other in ((), AUGMENT[:3], (*AUGMENT[:-1], cp.Mixup(0.3))):
        with pytest.raises(UsageError, match="was made with augment = "):
            trained(replace(TRAINER, augment=other), checkpoint=place, resume=True)


def test_mixed_targets_have_the_gradient_of_their_loss() -> None:
    shares = np.random.RandomState(1).dirichlet([0.5] * 3, 6)
    yes = np.random.RandomState(2).uniform(size=(6, 2))
    for loss, y in (
        (cp.SoftmaxCrossEntropy(), shares),
        (cp.SoftmaxFocal(), shares),
        (cp.BinaryCrossEntropy(), yes),
        (cp.BinaryFocal(), yes),
    ):
        logits = np.random.RandomState(3).standard_normal(y.shape)
        _, dlogits = loss(logits, y)
        for place in np.ndindex(logits.shape):
            step = np.zeros_like(logits)
            step[place] = 1e-6
            slope = (loss(logits + step, y)[0] - loss(logits - step, y)[0]) / 2e-6
            assert abs(slope - dlogits[place]) < 1e-9


def test_rows_of_one_hot_shares_cost_what_their_classes_cost() -> None:
    loss, logits = cp.SoftmaxCrossEntropy(), np.random.RandomState(0).standard_normal((9, 3))
    rows = loss.mixable(Y[:9], 3, logits.dtype)
    np.testing.assert_array_equal(loss.mixable(rows, 3, logits.dtype), rows)
    cost, dlogits = loss(logits, rows)
    expected, gradient = loss(logits, Y[:9])
    assert cost == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(dlogits, gradient, rtol=1e-13)


def test_accuracy_counts_the_class_of_the_larger_share() -> None:
    """A network that knows every picture by heart is right, though no target is whole."""
    corners = np.zeros((30, 4, 4))
    y = np.arange(30) % 3
    for n, label in enumerate(y):
        corners[n, 1 + label // 2, 1 + label % 2] = 1
    net = cp.Network([cp.Flatten(), cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4, 4))
    trainer = cp.Trainer(optimizer=cp.Adam(0.1), epochs=40, augment=[cp.Mixup(0.4)])
    history = trainer.fit(net, corners, y)
    assert history["accuracy"][-1] > 0.95
    assert history["loss"][-1] > 0.1


@pytest.mark.parametrize("loss", [cp.MulticlassHinge(), cp.Hinge()])
def test_hinges_take_no_mixed_targets(loss: cp.Loss) -> None:
    net = network(loss, outputs=3 if loss.one_of_many else 1)
    with pytest.raises(UsageError, match=r"takes whole classes, .*Leave mixup out"):
        TRAINER.fit(net, X, Y % 2)
    replace(TRAINER, augment=AUGMENT[:-1]).fit(net, X, Y % 2)


def test_samples_that_are_no_pictures() -> None:
    net = cp.Network([cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(3,))
    with pytest.raises(UsageError, match=re.escape("shape (H, W) or (H, W, C); the network takes")):
        TRAINER.fit(net, np.zeros((5, 3)), np.zeros(5, int))


def test_optimizers_that_look_at_one_loss_are_refused() -> None:
    with pytest.raises(UsageError, match=r"LBFGS finds its steps .* leave augment out"):
        cp.Trainer(optimizer=cp.LBFGS(), augment=[cp.RandomFlip()])


@pytest.mark.parametrize("wrong", ["flip", [cp.RandomFlip], [cp.RandomFlip(), "shift"], None])
def test_what_is_no_augmentation(wrong: Any) -> None:
    with pytest.raises(UsageError, match="augment is a sequence of augmentations"):
        cp.Trainer(augment=wrong)


def test_sample_space_is_never_chosen_and_refused() -> None:
    wide = np.random.RandomState(0).uniform(size=(20, 60, 60))
    y = np.arange(20) % 2
    runs = {}
    for augment in ((), (cp.RandomShift(),)):
        net = cp.Network(
            [cp.Flatten(), cp.Dense(4), cp.ReLU(), cp.Dense(1)],
            loss=cp.BinaryCrossEntropy(),
            input_shape=(60, 60),
        )
        trainer = cp.Trainer(optimizer=cp.SGD(0.01), epochs=200, batch_size=None, augment=augment)
        trainer.fit(net, wide, y, callbacks=[found := Engines()])
        runs[bool(augment)] = found.is_in_sample_space
    assert runs == {False: True, True: False}
    with pytest.raises(UsageError, match="not be exact, as augmentation changes the samples"):
        cp.Trainer(
            optimizer=cp.SGD(0.01), batch_size=None, augment=[cp.RandomShift()], sample_space=True
        ).fit(net, wide, y)


class Engines(cp.Callback):
    def on_train_begin(self, run: cp.Run) -> None:
        self.is_in_sample_space = run.engine.is_in_sample_space
