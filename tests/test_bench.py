"""The benchmark: its peers do the same, and README shows what it measured."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # bench/ is a part of the repository, not of the package

from bench import report  # noqa: E402
from bench.cells import CELLS  # noqa: E402
from bench.footprint import needed  # noqa: E402
from bench.peers.clearprop import Clearprop  # noqa: E402
from bench.peers.published import Published  # noqa: E402
from bench.peers.sklearn import ScikitLearn  # noqa: E402
from bench.results import Figure, Line, Results  # noqa: E402
from bench.task import Rule, Task, loss_of  # noqa: E402
from bench.timing import TOLERANCE  # noqa: E402

CLOSE = 1e-5  # relative, of float32 losses after a few updates
TRAININGS = {  # every kind of rule that the cells have, on few samples
    "cat-float64": (Rule((20, 7, 5, 1), 12, None, "sgd", 0.0075, he=False), 60, "float64"),
    "cat-float32": (Rule((20, 7, 5, 1), 12, None, "sgd", 0.0075, he=False), 60, "float32"),
    "genes": (Rule((16, 8, 10), 16, 10, "momentum", 1e-3), 60, "float32"),
    "tiny-adam": (Rule((32, 32, 2), 12, 10, "adam", 1e-3), 3, "float64"),
    "small-sgd": (Rule((16, 8, 10), 12, 10, "sgd", 0.1), 20, "float32"),
    "small-adam": (Rule((16, 8, 10), 12, 10, "adam", 1e-3), 20, "float32"),
}


def small(name):
    rule, features, dtype = TRAININGS[name]
    random_state = np.random.RandomState(5)
    X = random_state.standard_normal((40, features)).astype(dtype)
    y = random_state.randint(0, max(rule.widths[-1], 2), 40)
    return Task(rule, X, y, X[:7], y[:7])


def trained(peer, task, steps):
    peer.load(task)
    peer.fresh()
    peer.train(0, steps)
    return loss_of(peer.weights(), task.X, task.y)


def peers():
    for peer, module in (
        ("bench.peers.published:Published", "numpy"),
        ("bench.peers.sklearn:ScikitLearn", "sklearn"),
        ("bench.peers.torch:PyTorch", "torch"),
        ("bench.peers.jax:Jax", "jax"),
    ):
        if find_spec(module):
            yield peer


@pytest.mark.parametrize("steps", [3, 12])
@pytest.mark.parametrize("name", TRAININGS)
def test_clearprop_ends_at_the_loss_of_every_other_peer(name, steps):
    task = small(name)
    expected = trained(Clearprop(""), task, steps)
    before = loss_of(task.weights, task.X, task.y)
    assert abs(expected - before) > 10 * CLOSE * before, "nothing is learned, nothing compared"
    compared = 0
    for place in peers():
        module, _, kind = place.partition(":")
        peer = getattr(__import__(module, fromlist=[kind]), kind)("loop")
        if peer.can(task) and peer.differs(task) is None:
            assert trained(peer, task, steps) == pytest.approx(expected, rel=CLOSE), place
            compared += 1
    assert compared or name == "tiny-adam"


def test_a_peer_that_trains_differently_is_found():
    task = small("small-sgd")
    other = Task(Rule((16, 8, 10), 12, 10, "sgd", 0.11), task.X, task.y)
    expected = trained(Clearprop(""), task, 12)
    assert abs(trained(Published(""), other, 12) - expected) > TOLERANCE["float32"] * expected


@pytest.mark.parametrize("name", ["cat-float64", "small-sgd"])
def test_predictions_are_the_same(name):
    task = small(name)
    certain = []
    for peer in (Clearprop(""), Published(""), ScikitLearn("")):
        peer.load(task)
        peer.fresh()
        chances = np.asarray(peer.predict(task.X_test))
        certain.append(chances[:, -1])
    for one in certain[1:]:
        np.testing.assert_allclose(one, certain[0], rtol=1e-4)


def test_a_task_comes_back_from_its_file(tmp_path):
    task = small("genes")
    task.save(tmp_path / "task.safetensors")
    again = Task.load(tmp_path / "task.safetensors")
    assert again.rule == task.rule
    np.testing.assert_array_equal(again.X, task.X)
    np.testing.assert_array_equal(again.rows, task.rows)


def test_every_epoch_sees_every_sample_once():
    task = small("genes")
    first, second = task.rows[:4].ravel(), task.rows[4:8].ravel()
    assert sorted(first) == sorted(second) == list(range(40))
    assert list(first) != list(second)
    assert task.epochs(2, 9) == [slice(2, 4), slice(4, 8), slice(8, 9)]


def test_the_loss_that_peers_are_compared_by():
    W, b = np.array([[1.0], [0.0]]), np.array([0.5])
    X = np.array([[0.5, 9.0], [-0.5, 9.0]])
    one = loss_of([(W, b)], X, np.array([1, 0]))  # logits 1 and 0
    assert one == pytest.approx((np.log1p(np.exp(-1)) + np.log(2)) / 2)


def test_required_packages_are_found_through_others():
    assert {"scikit-learn", "numpy", "scipy"} <= needed("scikit-learn")
    assert "pytest" not in needed("scikit-learn")


def test_the_table_shows_ratios_and_what_is_not_comparable():
    line = Line(
        "a",
        "Title",
        "s",
        {
            "clearprop": Figure(0.002, 1.0),
            "floor": Figure(0.001, 0.5),
            "PyTorch": Figure(0.04, 20.0, agrees=True),
            "JAX": Figure(0.001, 0.5, agrees=False),
            "Keras": Figure(None, remark="not reached: 97.00% at best"),
        },
    )
    rows = report.table(Results((line,), {})).splitlines()
    assert rows[0] == "|  | clearprop | over the floor | PyTorch | JAX | Keras |"
    assert rows[2] == "| Title | 2.00 ms | 2.00 × | 20 × | other result | not reached |"


def test_lines_that_are_measured_again_stay_in_their_place():
    old = [Line(name, name, "s", {}) for name in "ab"]
    results = Results().with_lines(old, {"date": "1"})
    again = results.with_lines([Line("a", "new", "s", {})], {"date": "2"})
    assert [line.title for line in again.lines] == ["new", "b"]
    assert again.measured == {"a": {"date": "2"}, "b": {"date": "1"}}


def test_readme_shows_the_table_of_the_results_and_none_before_there_are_any():
    readme = report.README.read_text(encoding="utf-8")
    if not Results.load().lines:
        assert "bench/results" not in readme
    else:
        assert report.readme_with(report.table(Results.load()), readme) == readme


def test_results_md_is_made_from_the_results():
    if not Results.load().lines:
        assert not report.FILE.exists()
    else:
        assert report.FILE.read_text(encoding="utf-8") == report.details(Results.load())


def test_every_line_of_the_results_belongs_to_a_cell():
    for line in Results.load().lines:
        assert line.name in CELLS or line.name.rpartition("-")[0] in CELLS
