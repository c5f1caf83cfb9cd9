"""The benchmark's convolutions: every peer has the same, and updates them to the same loss."""

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # bench/ is a part of the repository, not of the package

from bench import fronts  # noqa: E402
from bench.cells import CELLS  # noqa: E402
from bench.convolutions import Stepped  # noqa: E402
from bench.peers import PEERS, make  # noqa: E402
from bench.peers.clearprop import Clearprop  # noqa: E402
from bench.pool import settings_of  # noqa: E402
from bench.task import NEGLIGIBLE, Rule, Task, logits_of, loss_of  # noqa: E402
from bench.work import QUICK, Step  # noqa: E402

FRONTS = {
    "plain": (4, "relu", "pool", 5, "relu", "pool"),
    "norm": (4, "norm", "relu", "pool", 5, "norm", "relu"),
    "residual": (4, (4, "norm", "relu", 4, "norm"), "relu", "pool", 5, "average"),
}


def small(name):
    random_state = np.random.RandomState(3)
    X = random_state.standard_normal((24, 7, 6, 3))
    y = random_state.randint(0, 3, 24)
    rule = Rule((6, 3), 12, 8, "adam", 1e-3, epsilon=NEGLIGIBLE, front=FRONTS[name])
    return Task(rule, X, y, X[:7], y[:7])


def trained(peer, task, steps):
    peer.load(task)
    peer.fresh()
    peer.train(0, steps)
    return peer.final_loss()


def peers():
    for place, way, modules in (
        ("torch:PyTorch", "", ["torch"]),
        ("torch:PyTorch", "channels last", ["torch"]),
        ("jax:Jax", "step", ["jax"]),
        ("keras:Keras", "on jax", ["keras", "jax"]),
    ):
        if all(map(find_spec, modules)):
            yield make(f"bench.peers.{place}", way)


@pytest.mark.parametrize("name", FRONTS)
def test_clearprop_ends_at_the_loss_of_every_other_peer(name):
    task = small(name)
    expected = trained(Clearprop(""), task, 12)
    assert expected < 0.99 * loss_of(task.weights, task.X, task.y, task.rule.front)
    for peer in peers():
        close = 1e-7 if peer.way.startswith("on ") else 1e-9  # Keras has numbers of float32 within
        assert trained(peer, task, 12) == pytest.approx(expected, rel=close), (type(peer), peer.way)


@pytest.mark.parametrize("name", FRONTS)
def test_all_predict_with_running_statistics_that_moved_alike(name):
    task, found = small(name), []
    for peer in (Clearprop(""), *peers()):
        trained(peer, task, 6)
        if not peer.way.startswith("on "):  # Keras averages the variance that divides by N
            found.append(peer.predict(task.X_test))
    for one in found[1:]:
        np.testing.assert_allclose(one, found[0], rtol=1e-9)


def test_the_formula_of_a_front_is_that_of_the_layers():
    front = (4, "relu", (4,), "pool", 5, "average")
    task = replace(small("plain"), rule=replace(small("plain").rule, front=front))
    peer = Clearprop("")
    peer.load(task)
    peer.fresh()
    logits = logits_of(task.weights, task.X, front)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(peer.predict(task.X), chances, rtol=1e-9)


def test_a_norm_of_the_formula_takes_the_samples_that_are_given():
    x = np.random.RandomState(0).standard_normal((5, 2, 2, 3))
    weights = [(np.full(3, 2.0), np.ones(3))]
    y = fronts.features_of(("norm",), weights, x).reshape(x.shape)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 1)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)), 2, rtol=1e-4)


def test_shapes_and_features_of_a_front():
    front = FRONTS["residual"]
    assert list(fronts.shapes(front, (7, 6, 3))) == [
        ((3, 3, 3, 4), 4),
        ((3, 3, 4, 4), 0),  # a norm follows: it has the bias
        ((4,), 4),
        ((3, 3, 4, 4), 0),
        ((4,), 4),
        ((3, 3, 4, 5), 5),
    ]
    assert fronts.features(front, (7, 6, 3)) == (1, 1, 5)
    assert fronts.features(FRONTS["plain"], (7, 6, 3)) == (1, 1, 5)


def test_a_task_of_pictures_comes_back_from_its_file(tmp_path):
    task = small("residual")
    task.save(tmp_path / "task")
    again = Task.load(tmp_path / "task")
    assert again.rule == task.rule
    np.testing.assert_array_equal(again.X, task.X)


def test_who_knows_no_convolution_takes_no_part():
    task = small("plain")
    for place in ("published:Published", "sklearn:ScikitLearn"):
        assert not make(f"bench.peers.{place}", "").can(task)


def test_every_cell_has_its_threads_and_so_has_clearprop():
    cells = [cell for cell in CELLS.values() if isinstance(cell, Stepped)]
    assert {cell.threads for cell in cells} == {1, 2}
    for cell in cells:
        [job] = cell.jobs()
        [setting] = settings_of(PEERS[0], job.threads)
        assert setting.threads == cell.threads


@pytest.mark.slow
def test_the_photos_are_pictures_of_both_classes():
    cell = CELLS["conv-photos-1"]
    task = cell.make()
    assert task.X.shape == (128, 64, 64, 3)
    assert task.X.dtype == np.float32
    assert set(task.y) == {0, 1}


class Slow:
    """Takes 0.1 s for an update."""

    def ask(self, command, steps):
        return {"seconds": 0.1 * steps}


def test_a_step_is_the_mean_of_as_many_as_there_is_time_for():
    work = Step(200, "float32", 1e-3, first=1e-3)
    _, size = work.try_out(Slow(), replace(QUICK, turn=1.05))
    assert size == 10
    assert work.turn(Slow(), size, QUICK) == pytest.approx(0.1)
    assert [check.updates for check in work.checks(200)] == [10]
