"""Training on samples that stay on disk: the same bytes, as good as in memory, refused in words."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from small_blocks import SmallBlocks
from small_training import small_network, two_classes, without_seconds

import clearprop as cp
from clearprop.core.kernels import kernel
from clearprop.core.parameters import Array
from clearprop.errors import DataError, UsageError
from clearprop.network import Network
from clearprop.training.samples import checked_samples
from clearprop.training.streaming import Streamed

SAMPLES, PIECE = 1440, 12
X, Y = two_classes(SAMPLES)
HELD_OUT = two_classes(400)
BODIES: dict[str, Sequence[cp.Layer]] = {
    "compiled": (cp.Dense(8), cp.ReLU()),
    "plain": (cp.Dense(8), cp.BatchNorm(), cp.ReLU(), cp.Dropout(0.2)),
}


def blocks(memory: int = 1, **arrays: Array) -> SmallBlocks:
    """Cut the samples into pieces, three of which lie in a run."""
    pieces = SAMPLES // PIECE
    samples = arrays.get("X", X), arrays.get("y", Y)
    return SmallBlocks(*samples, [PIECE] * pieces, [at // 3 for at in range(pieces)], memory)


def trained(
    given: Any = None, body: str = "compiled", y: Any = None, **settings: Any
) -> tuple[Network, cp.History]:
    given_to_fit = ("checkpoint", "resume", "callbacks")
    fit = {name: settings.pop(name) for name in given_to_fit if name in settings}
    net = small_network(*BODIES[body])
    trainer = cp.Trainer(**{"epochs": 4, "batch_size": 16} | settings)
    history = trainer.fit(net, blocks() if given is None else given, y, validation=HELD_OUT, **fit)
    return net, history


def content(net: Network) -> bytes:
    return net.parameters.data.tobytes() + net.state.data.tobytes()


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_seed_gives_the_same_bytes(body: str, threads: int) -> None:
    (one, first), (again, second) = (trained(body=body, threads=threads) for _ in range(2))
    assert content(one) == content(again)
    assert without_seconds(first) == without_seconds(second)
    other, _ = trained(body=body, threads=threads, seed=7)
    assert content(other) != content(one)


@pytest.mark.parametrize("body", BODIES)
def test_threads_change_last_digits_at_most(body: str) -> None:
    (one, _), (two, _) = (trained(body=body, threads=threads) for threads in (1, 2))
    np.testing.assert_allclose(one.parameters.data, two.parameters.data, rtol=1e-9)


def test_compiled_steps_and_plain_ones_learn_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    compiled, _ = trained()
    monkeypatch.setattr(kernel, "_mode", kernel._Mode("numpy"))
    plain, _ = trained()
    np.testing.assert_allclose(compiled.parameters.data, plain.parameters.data, rtol=1e-7)


@pytest.mark.parametrize("body", BODIES)
def test_it_learns_as_well_as_in_memory(body: str) -> None:
    _, on_disk = trained(body=body)
    _, in_memory = trained(X, body, Y)
    mine, expected = (history.rows[-1]["validation_loss"] for history in (on_disk, in_memory))
    assert mine == pytest.approx(expected, rel=0.05)
    begun, _ = small_network(*BODIES[body]).loss_and_gradient(*HELD_OUT)
    assert expected < 0.7 * begun


def test_an_epoch_learns_from_every_sample_once() -> None:
    """With a rate of almost nothing, the mean of the batches' losses is the loss of all samples."""
    net = small_network()
    expected, _ = net.loss_and_gradient(X, Y)
    history = cp.Trainer(optimizer=cp.SGD(1e-12), epochs=1, batch_size=16).fit(net, blocks(), None)
    assert history.rows[0]["loss"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("body", BODIES)
def test_it_goes_on_where_a_piece_became_unreadable_and_was_mended(
    tmp_path: Path, body: str
) -> None:
    whole, expected = trained(body=body)
    net, torn, path = small_network(*BODIES[body]), blocks(), tmp_path / "file"
    torn.left = 1 + SAMPLES // PIECE * 5 // 2  # in the middle of the third epoch
    seldom = cp.Checkpoint(path, 3600)  # what breaks is what has it written
    trainer = cp.Trainer(epochs=4, batch_size=16)
    with pytest.raises(DataError, match=r"^piece \d+ can't be read\.$"):
        trainer.fit(net, torn, None, validation=HELD_OUT, checkpoint=seldom)
    with safe_open(path, framework="numpy") as file:
        assert json.loads(file.metadata()["clearprop"])["epoch"] == 2
    mended, history = trained(body=body, checkpoint=seldom, resume=True)
    assert content(mended) == content(whole)
    assert without_seconds(history) == without_seconds(expected)


def test_a_checkpoint_of_other_samples_is_refused(tmp_path: Path) -> None:
    checkpoint = cp.Checkpoint(tmp_path / "file", 0)
    trained(checkpoint=checkpoint, epochs=2)
    with pytest.raises(UsageError, match="was made with data = "):
        trained(blocks(y=1 - Y), checkpoint=checkpoint, resume=True)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"batch_size": None}, "Samples on disk are learned from in batches.* all samples"),
        ({"optimizer": cp.LBFGS(), "batch_size": None}, "Samples on disk are learned from in"),
        ({"replacement": True}, "each once an epoch; found replacement"),
        ({"sample_space": True}, "can't be had with sample_space=True"),
    ],
)
def test_what_needs_all_samples_in_memory_is_refused(settings: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        trained(**settings)


def test_blocks_have_targets_of_their_own_and_give_none_to_validate() -> None:
    with pytest.raises(UsageError, match="targets and weights of their own"):
        trained(y=Y)
    with pytest.raises(UsageError, match="give validation="):
        cp.Trainer(epochs=1).fit(small_network(), blocks(), None, validation=0.2)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1.0, 1: 5.0}])
@pytest.mark.parametrize("body", BODIES)
def test_classes_are_weighted_as_in_memory(class_weight: Any, body: str) -> None:
    _, on_disk = trained(body=body, class_weight=class_weight)
    _, in_memory = trained(X, body, Y, class_weight=class_weight)
    mine, expected = (history.rows[0]["loss"] for history in (on_disk, in_memory))
    assert mine == pytest.approx(expected, rel=0.1)
    _, unweighted = trained(body=body)
    assert on_disk.rows[-1]["loss"] != unweighted.rows[-1]["loss"]


def test_nobody_reads_on_after_an_error() -> None:
    class Stops(cp.training.Callback):
        wants_every_step = True

        def on_step_end(self, run: cp.training.Run) -> None:
            raise ValueError("stops")

    before = {*threading.enumerate()}
    with pytest.raises(ValueError, match="stops") as kept:
        trained(callbacks=[Stops()])
    assert kept.tb is not None
    assert {*threading.enumerate()} <= before


def test_a_class_without_samples_weighs_nothing_as_in_memory() -> None:
    net = cp.Network([cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=X.shape[1:])
    given = blocks(y=np.ravel(Y).astype(np.int64) * 2)  # the second of three classes is not there
    here = checked_samples(net, X, given.y).class_weighted("balanced", net.dtype)
    there = Streamed.of(given, net, 16)
    weighted = there.class_weighted("balanced", net.dtype)
    rows = next(weighted.batches(16, replacement=False, random_state=np.random.RandomState(0)))
    assert here.weights is not None
    assert weighted.weights is not None
    of_class = {int(one): here.weights[given.y == one][0] for one in (0, 2)}
    assert weighted.weights[rows].tolist() == [of_class[int(one)] for one in weighted.y[rows]]
    with pytest.raises(UsageError, match="names the class 1, which does not occur"):
        there.class_weighted({1: 2.0}, net.dtype)
