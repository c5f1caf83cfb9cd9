"""The benchmark: its peers do the same, and one that does not is found."""

import sys
from dataclasses import replace
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # bench/ is a part of the repository, not of the package

from bench import data, fits  # noqa: E402
from bench.cell import Bench  # noqa: E402
from bench.fits import SOLVERS, Fit, Fitting, Samples  # noqa: E402
from bench.footprint import needed  # noqa: E402
from bench.peers import CLEARPROP, PEERS, Entry, make  # noqa: E402
from bench.peers.clearprop import Clearprop  # noqa: E402
from bench.peers.estimators import Theirs  # noqa: E402
from bench.peers.published import Published  # noqa: E402
from bench.peers.sklearn import ScikitLearn  # noqa: E402
from bench.pool import Pool, settings_of  # noqa: E402
from bench.rounding import _reordered  # noqa: E402
from bench.task import NEGLIGIBLE, Rule, Task, loss_of  # noqa: E402
from bench.timing import measure, on_disk  # noqa: E402
from bench.work import FIRST_TOLERANCE, QUICK, Predicting, Training  # noqa: E402
from bench.worker import Worker  # noqa: E402

ADAM = {"optimizer": "adam", "learning_rate": 1e-3, "epsilon": NEGLIGIBLE}
TRAININGS = {  # every kind of rule that the cells have, on few samples
    "cat-float64": (Rule((20, 7, 5, 1), 12, None, "sgd", 0.0075, he=False), 60, "float64"),
    "cat-float32": (Rule((20, 7, 5, 1), 12, None, "sgd", 0.0075, he=False), 60, "float32"),
    "genes": (Rule((16, 8, 10), 16, 10, "momentum", 1e-3), 60, "float32"),
    "tiny-adam": (Rule((32, 32, 2), 12, 10, **ADAM), 3, "float64"),
    "small-sgd": (Rule((16, 8, 10), 12, 10, "sgd", 0.1), 20, "float32"),
    "small-adam": (Rule((16, 8, 10), 12, 10, **ADAM), 20, "float32"),
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
    for place, way, modules in (
        ("published:Published", "", ["numpy"]),
        ("sklearn:ScikitLearn", "", ["sklearn"]),
        ("torch:PyTorch", "", ["torch"]),
        ("jax:Jax", "loop", ["jax"]),
        ("keras:Keras", "on jax", ["keras", "jax"]),
    ):
        if all(map(find_spec, modules)):
            yield make(f"bench.peers.{place}", way)


@pytest.mark.parametrize("steps", [3, 12])
@pytest.mark.parametrize("name", TRAININGS)
def test_clearprop_ends_at_the_loss_of_every_other_peer(name, steps):
    task = small(name)
    expected = trained(Clearprop(""), task, steps)
    close = FIRST_TOLERANCE[task.X.dtype.name]
    before = loss_of(task.weights, task.X, task.y)
    assert abs(expected - before) > 10 * close * before, "nothing is learned, nothing compared"
    compared = 0
    for peer in peers():
        if peer.can(task) and peer.differs(task) is None:
            assert trained(peer, task, steps) == pytest.approx(expected, rel=close), type(peer)
            compared += 1
    assert compared or name == "tiny-adam"


def test_the_two_formulas_of_adam_are_told_apart_unless_epsilon_is_negligible():
    task = small("small-adam")
    other = replace(task, rule=replace(task.rule, epsilon=1e-4))
    expected = trained(Clearprop(""), other, 10)
    apart = abs(trained(ScikitLearn(""), other, 10) / expected - 1)
    assert apart > FIRST_TOLERANCE["float32"]


class Local:
    """A conversation with a worker in this process."""

    def __init__(self, setting):
        self.setting = setting
        self.worker = Worker(setting.entry.place, setting.way)

    def ask(self, command, **arguments):
        return getattr(self.worker, command)(**arguments)


class LocalPool:
    get = Local


class Hasty(Published):
    """Leaves out every other update."""

    def train(self, first, last):
        super().train(first, last - (last - first) // 2)


class Late(Published):
    """Does what it should at first, and too little from the eleventh update on."""

    def train(self, first, last):
        super().train(first, min(last, 10))


def measured(work, seconds, *entries):
    bench = Bench(LocalPool(), (CLEARPROP, *entries), replace(QUICK, trial=seconds, turn=seconds))
    return measure(bench, small("small-sgd"), work)


def test_who_does_the_same_agrees_and_who_does_less_does_not():
    figures = measured(
        Training(12, "float32", 1e-3),
        60.0,  # seconds, in which any machine does twelve updates
        Entry("loop", "bench.peers.published:Published", ()),
        Entry("hasty", f"{__name__}:Hasty", ()),
        Entry("late", f"{__name__}:Late", ()),
    )
    assert figures["clearprop"].agrees
    assert figures["clearprop"].ratio == 1
    assert figures["loop"].agrees
    assert figures["loop"].apart < 1e-3
    assert not figures["hasty"].agrees
    assert figures["late"].steps is None
    assert not figures["late"].agrees


def test_the_last_loss_compared_is_that_of_the_last_update_timed_or_an_earlier_one():
    work = Training(500, "float32", 0.1)
    assert [check.updates for check in work.checks(80)] == [10, 80]
    assert [check.updates for check in work.checks(4)] == [4]
    assert [check.updates for check in replace(work, until=50).checks(80)] == [10, 50]
    assert [check.tolerance for check in work.checks(80)] == [FIRST_TOLERANCE["float32"], 0.1]


def test_predictions_are_compared_too():
    loop = Entry("loop", "bench.peers.published:Published", ())
    assert measured(Predicting(), 1e-3, loop)["loop"].agrees


def test_a_worker_trains_anew_for_a_loss_that_it_has_not_reached(tmp_path):
    task = small("small-sgd")
    task.save(tmp_path / "task")
    worker = Worker("bench.peers.published:Published", "")
    worker.load(str(tmp_path / "task"))
    worker.train(12)
    before = trained(Published(""), task, 3)
    assert worker.loss(3)["loss"] == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize(
    "entry", [entry for entry in PEERS if entry.is_clearprop], ids=lambda one: one.name
)
def test_clearprop_compiles_in_a_process_of_its_own_or_is_told_not_to(entry):
    [setting] = settings_of(entry)
    with on_disk(small("small-adam")) as path, Pool() as pool:
        remote = pool.get(setting)
        assert remote.ask("load", path=path)["can"]
        assert remote.ask("train", steps=12)["seconds"] > 0
    variables = dict(entry.variables)
    fast = find_spec("numba") is not None and entry is CLEARPROP
    assert variables["CLEARPROP_KERNELS"] == ("compiled" if fast else "numpy")


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


def looked_at(every, **rule):
    """Return a small task whose test set is looked at after so many of its 12 updates."""
    task = small("tiny-adam")
    return replace(task, rule=replace(task.rule, every=every, **rule))


@pytest.mark.parametrize(("every", "looks"), [(3, 4), (5, 3), (12, 1), (None, 3)])
def test_a_race_looks_at_the_test_set_as_often_as_its_rule_says(every, looks):
    task = looked_at(every)
    for peer in (ScikitLearn(""), Clearprop("")):
        peer.load(task)
        peer.fresh()
        seen = []
        peer.learn(lambda seen=seen: seen.append(1))
        # Of what is left at the end clearprop says nothing: no target would be reached by it.
        assert len(seen) in (looks, 12 // task.every), type(peer)


def test_a_race_ends_where_a_look_says_so():
    task = looked_at(3)
    for peer in (ScikitLearn(""), Clearprop("")):
        peer.load(task)
        peer.fresh()
        looks = iter([False, True])
        peer.learn(lambda looks=looks: next(looks))
        assert next(looks, None) is None


def test_a_cycle_rises_and_falls_for_everybody():
    task = looked_at(2, cycle=True)
    rates = [task.rate(stretch.start) for stretch in task.stretches(0, 12)]
    top = rates.index(max(rates))
    assert 0 < top < len(rates) - 1
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    peer = Clearprop("")
    peer.load(task)
    schedule = peer.trainer.optimizer.learning_rate
    assert [schedule(step) for step in (1, 3, 5, 7, 9, 11)] == pytest.approx(rates)


def test_changed_digits_are_the_same_digits_in_their_order(monkeypatch):
    X, y, _, _ = data.digits()
    monkeypatch.setattr(data, "digits", lambda: (X[:64], y[:64], X[:0], y[:0]))
    changed, classes = data.changed_digits(48, 3)
    assert changed.shape == (144, 28, 28, 1)
    np.testing.assert_array_equal(classes, np.tile(y[:48], 3))
    versions = changed.reshape(3, 48, 784)
    for one, other in ((0, 1), (1, 2)):
        assert not np.array_equal(versions[one], versions[other])
    if data.has_digits():  # each is nearest to the digit that it was made of
        apart = ((versions[0][:, None] - X[None, :48]) ** 2).sum(axis=2)
        assert (apart.argmin(axis=1) == np.arange(48)).mean() > 0.6


def test_reordered_batches_hold_the_same_samples():
    task = small("genes")
    other = _reordered(task, 3)
    assert not np.array_equal(other.rows, task.rows)
    np.testing.assert_array_equal(np.sort(other.rows), np.sort(task.rows))
    np.testing.assert_array_equal(_reordered(task, 0).rows, task.rows)


def test_the_loss_that_peers_are_compared_by():
    W, b = np.array([[1.0], [0.0]]), np.array([0.5])
    X = np.array([[0.5, 9.0], [-0.5, 9.0]])
    one = loss_of([(W, b)], X, np.array([1, 0]))  # logits 1 and 0
    assert one == pytest.approx((np.log1p(np.exp(-1)) + np.log(2)) / 2)


def test_required_packages_are_found_through_others():
    assert {"scikit-learn", "numpy", "scipy"} <= needed("scikit-learn")
    assert "pytest" not in needed("scikit-learn")


class Shorter(Theirs):
    """Leaves out the last iteration."""

    def train(self, first, last):
        super().train(first, max(1, last - 1))


@pytest.mark.parametrize(("name", "solver"), list(product(("digits", "cancer"), SOLVERS)))
def test_estimators_end_at_one_loss_and_one_that_does_less_elsewhere(name, solver):
    entries = [
        Entry("clearprop", "bench.peers.estimators:Ours", (), is_clearprop=True),
        Entry("scikit-learn", "bench.peers.estimators:Theirs", ()),
        Entry("shorter", f"{__name__}:Shorter", ()),
    ]
    bench = Bench(LocalPool(), tuple(entries), replace(QUICK, rounds=1, trial=1e-6))
    figures = measure(bench, Fit(name, solver), Fitting(3, 1e-9))
    assert figures["clearprop"].ratio == 1
    assert figures["scikit-learn"].agrees
    assert figures["scikit-learn"].apart < 1e-9
    assert not figures["shorter"].agrees


def test_every_fit_becomes_a_line_with_the_estimators_of_both(monkeypatch):
    small = {
        "few": Samples("few", lambda: small_fit(float), (1, 1, 1)),
        "values": Samples("values", lambda: small_fit(csr_matrix), (1, 1, 1)),
    }
    monkeypatch.setattr(fits, "SAMPLES", small)
    bench = Bench(LocalPool(), PEERS, replace(QUICK, trial=1e-6, turn=1e-6))
    lines = fits.Fits("estimators", "", "").lines(bench)
    assert [line.title for line in lines] == [
        f"{name}; {solver}" for name in ("few", "values") for solver in SOLVERS
    ]
    for line in lines:
        assert set(line.figures) == {"clearprop", "NumPy alone", "scikit-learn"}
        assert line.figures["scikit-learn"].agrees


def small_fit(kind):
    random_state = np.random.RandomState(5)
    X = random_state.standard_normal((40, 3))
    if kind is float:
        return X, random_state.randint(0, 3, 40)
    return kind(X), X[:, 0] * 2


def test_sparse_documents_are_as_full_as_the_table_says():
    X, y = data.documents()
    assert X.shape == (20000, 5000)
    assert X.nnz / 1e8 == pytest.approx(0.005, rel=0.01)
    assert set(y) == {0, 1, 2, 3}
    np.testing.assert_allclose(np.sqrt(X.multiply(X).sum(axis=1)), 1)
