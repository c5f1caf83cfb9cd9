"""The threshold of two classes: the best by scikit-learn, chosen by samples that don't score."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import TunedThresholdClassifierCV

import clearprop as cp
from clearprop.data import Dataset
from clearprop.errors import UsageError
from clearprop.experiment import Settings, learn, load_dataset, measure, set_task
from clearprop.experiment import cross_validation as folds
from clearprop.experiment.answers import Answers
from clearprop.experiment.thresholds import choose
from clearprop.files import models
from clearprop.preprocessing import ClassTarget, Preprocessing

TARGET = ClassTarget(("no", "yes"), "y")


def answers(truth, shares, target=TARGET) -> Answers:
    """Answers with these probabilities of the positive class; truth is 1 where it is."""
    shares, own = np.asarray(shares), np.asarray(truth)
    both = np.empty((len(own), 2), shares.dtype)
    both[:, target.positive], both[:, 1 - target.positive] = shares, 1 - shares
    labels = np.where(own, target.positive, 1 - target.positive)
    return Answers(np.zeros(len(own)), labels, both.argmax(axis=1), both)


samples = st.tuples(
    st.lists(st.booleans(), min_size=2, max_size=60),
    st.integers(0, 2**31),
    st.sampled_from([1, 2, 16]),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from([0, 1]),
)


def drawn(some):
    truth, seed, digits, dtype, positive = some
    truth = np.array(truth)
    assume(0 < truth.sum() < len(truth))
    random = np.random.default_rng(seed)
    shares = np.clip(random.normal(0.3 + 0.3 * truth, 0.3), 0, 1).round(digits).astype(dtype)
    target = replace(TARGET, positive=positive)
    return truth, shares, answers(truth, shares, target), target


@given(samples)
def test_the_best_f1_is_that_of_the_precision_recall_curve(some) -> None:
    truth, shares, own, target = drawn(some)
    chosen = choose("f1", target, own).target
    said = own.by_threshold(chosen).predicted == target.positive
    precision, recall, _ = metrics.precision_recall_curve(truth, shares)
    total = precision + recall
    curve = 2 * precision * recall / np.where(total > 0, total, 1)
    best = curve.max()
    if shares.min() == 0:  # a threshold of 0, which names these, is none
        every = [metrics.f1_score(truth, shares >= one) for one in np.unique(shares[shares > 0])]
        best = max(every, default=0.0)
    assert metrics.f1_score(truth, said) == pytest.approx(best)
    assert 0 < chosen.threshold < 1


@given(samples, st.sampled_from([0.25, 1.0, 3.0, 40.0]))
def test_a_cost_is_the_least_of_all_thresholds(some, ratio) -> None:
    truth, shares, own, target = drawn(some)

    def cost(said):
        return ratio * np.sum(truth & ~said) + np.sum(~truth & said)

    chosen = choose(f"cost:{ratio}", target, own).target
    said = own.by_threshold(chosen).predicted == target.positive
    tried = [*np.unique(shares[shares > 0]), *([np.inf] if shares.max() < 1 else [])]
    assert cost(said) == min(cost(shares >= one) for one in tried or [1])


class Known(ClassifierMixin, BaseEstimator):
    """Gives its only feature as the probability."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def test_scikit_learns_own_choice_is_no_better() -> None:
    random = np.random.default_rng(3)
    truth = random.random(400) < 0.1
    shares = np.clip(random.normal(0.1 + 0.2 * truth, 0.1), 0.001, 0.999)
    model = Known().fit(shares[:, None], truth.astype(int))
    own = answers(truth, shares)
    cost = metrics.make_scorer(lambda y, said: -5 * np.sum(y > said) - np.sum(y < said))
    for by, scorer in (("f1", "f1"), ("cost:5", cost)):
        tuned = TunedThresholdClassifierCV(
            model, scoring=scorer, cv="prefit", refit=False, thresholds=np.unique(shares)
        ).fit(shares[:, None], truth.astype(int))
        assert tuned.best_threshold_ < 0.4
        said = own.by_threshold(choose(by, TARGET, own).target).predicted
        score = metrics.f1_score if by == "f1" else cost._score_func
        assert score(truth.astype(int), said) == tuned.best_score_


@pytest.mark.parametrize(
    ("truth", "shares", "threshold"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], 0.25),
        ([0, 0, 1, 1], [0.1, 0.21, 0.48, 0.9], 0.3),  # the middle, 0.345, in fewer digits
        ([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9], 0.5),  # nothing is better than the usual
        ([0, 1, 0, 1], [0.7, 0.8, 0.6, 0.9], 0.75),
        ([0, 1, 1, 1], [0.62, 0.85, 0.7, 0.9], 0.66),
        ([0, 1], [0.2, 0.2], 0.1),  # F1 wants all where nothing tells them apart
        ([1, 0], [1.0, 0.0], 0.5),
    ],
)
def test_of_thresholds_equally_good_the_nearest_to_one_half_in_few_digits(
    truth, shares, threshold
) -> None:
    assert choose("f1", TARGET, answers(truth, shares)).target.threshold == threshold


def test_a_number_is_taken_as_it_is() -> None:
    assert choose("0.07", TARGET, None).target.threshold == 0.07


@pytest.mark.parametrize("by", ["f1", "cost:5"])
@pytest.mark.parametrize(
    ("own", "reason"),
    [
        (None, "there are no samples to choose with"),
        (answers([0, 1], [np.nan, 0.5]), "some probabilities are not finite"),
        (answers([0, 0], [0.3, 0.5]), "none of those to choose with are 'yes'"),
        (answers([1, 1], [0.3, 0.5]), "all of those to choose with are 'yes'"),
    ],
)
def test_where_nothing_can_be_chosen_it_is_one_half_and_said(by, own, reason) -> None:
    found = choose(by, TARGET, own)
    assert found.target.threshold == 0.5
    assert f"0.5 on, as {by} could not choose: {reason}." in str(found)
    assert found.to_json()["why_even"] == reason


@pytest.mark.parametrize(
    ("names", "counts", "positive"),
    [
        (("no", "yes"), (10, 90), "yes"),
        (("FALSE", "TRUE"), (10, 90), "TRUE"),
        (("0", "1"), (10, 90), "1"),
        (("+", "-"), (90, 10), "+"),
        (("bad", "good"), (30, 70), "bad"),
        (("bad", "good"), (70, 30), "good"),
        (("f", "m"), (50, 50), "m"),
        (("1", "2"), (49, 51), "1"),  # 1 says yes where the other says no
        (("a", "b", "c"), (1, 2, 3), None),
    ],
)
def test_the_class_that_says_yes_is_positive_or_else_the_rarer(names, counts, positive) -> None:
    y = np.repeat(np.arange(len(names)), counts)
    dataset = Dataset("some", "array", np.zeros((len(y), 1)), y, names)
    assert ClassTarget.fit(dataset).positive_name == positive


def noisy(path, rows, seed=0):
    """Write a table in which 'bad', the rarer and first class, is likelier for large numbers."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2))
    bad = random.random(rows) < 1 / (1 + np.exp(2 - 1.5 * x[:, 0]))
    lines = [
        f"{a:.4f},{b:.4f},{'bad' if one else 'good'}" for (a, b), one in zip(x, bad, strict=True)
    ]
    path.write_text("\n".join(["a,b,loan", *lines]) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return noisy(tmp_path_factory.mktemp("loans") / "loans.csv", 400)


def task_of(table, **given):
    settings = Settings(data=table, layers=(8,), epochs=6, **given)
    return set_task(settings, load_dataset(settings))


def test_validation_samples_choose_and_test_samples_score(table) -> None:
    task = task_of(table, folds=0, threshold="f1")
    trained = learn(task)
    target = trained.model.preprocessing.target
    assert target.positive_name == "bad"
    network = task.network
    shares_of = trained.model.shares
    own = shares_of(network.logits(task.prepared(task.validation)[0]))[:, 0]
    truth = task.validation.y == 0
    precision, recall, _ = metrics.precision_recall_curve(truth, own)
    best = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-9))
    assert metrics.f1_score(truth, own >= target.threshold) == pytest.approx(best)
    assert trained.threshold.samples == len(task.validation)

    measured = measure(trained)
    shares = shares_of(network.logits(task.prepared(task.test)[0]))[:, 0]
    said = (shares < target.threshold).astype(int)
    scores = measured.score.scores
    assert measured.score.score_name == "balanced_accuracy"
    assert scores["balanced_accuracy"] == metrics.balanced_accuracy_score(task.test.y, said)
    assert scores["f1"] == metrics.f1_score(task.test.y, said, pos_label=0)
    assert scores["accuracy"] < metrics.accuracy_score(task.test.y, shares < 0.5)


def test_baselines_are_scored_at_one_half_and_compared_by_the_ranking(table) -> None:
    plain = measure(learn(task_of(table, folds=0))).score
    found = measure(learn(task_of(table, folds=0, threshold="0.3"))).score
    assert found.baselines == plain.baselines
    assert found.scores["balanced_accuracy"] != plain.scores["balanced_accuracy"]
    for name in ("constant", "linear"):
        above = found.scores["roc_auc"] > found.baselines[name]["roc_auc"]
        assert found.beats(name) is above


@pytest.mark.parametrize("by", ["f1", "cost:4"])
def test_each_fold_gets_the_threshold_of_the_others(table, monkeypatch, by) -> None:
    asked = []

    def spied(by, target, own):
        asked.append(own)
        return choose(by, target, own)

    monkeypatch.setattr(folds, "choose", spied)
    found = folds.cross_validate(task_of(table, folds=4, threshold=by))
    every, *others = asked
    np.testing.assert_array_equal(every.untempered, found.answers.untempered)
    assert (
        found.threshold.target.threshold == choose(by, every_target(found), every).target.threshold
    )
    ends = np.cumsum([len(fold) for _, fold in found.trials])
    for (_, fold), own, end in zip(found.trials, others, ends, strict=True):
        rows = slice(end - len(fold), end)
        rest = np.delete(found.answers.truth, rows)
        np.testing.assert_array_equal(own.truth, rest)
        at = choose(by, every_target(found), own).target.threshold
        said = np.where(found.answers.probabilities[rows, 0].astype(float) >= at, 0, 1)
        np.testing.assert_array_equal(found.answers.predicted[rows], said)


def every_target(found):
    return replace(found.threshold.target, threshold=None)


def test_a_fold_has_no_vote_in_what_chooses_its_threshold(table, monkeypatch) -> None:
    """Not even by the epoch of the others' answers: were its losses others, they are the same."""
    asked, own = [], folds._Trial.losses

    def spied(by, target, own):
        asked.append(own.probabilities)
        return choose(by, target, own)

    monkeypatch.setattr(folds, "choose", spied)
    plain = folds.cross_validate(task_of(table, folds=4, threshold="f1"))
    first = plain.trials[0][1].sources

    def falsified(trial, epochs):
        losses = own(trial, epochs)
        return losses[::-1] * 100 if trial.fold.sources == first else losses

    monkeypatch.setattr(folds._Trial, "losses", falsified)
    folds.cross_validate(task_of(table, folds=4, threshold="f1"))
    (every, of_first, *_), (every_then, of_first_then, *_) = asked[:5], asked[5:]
    np.testing.assert_array_equal(of_first, of_first_then)
    assert not np.array_equal(every, every_then)


def test_a_number_holds_for_every_fold_and_for_the_model(table) -> None:
    trained = learn(task_of(table, folds=3, threshold="0.2"))
    own = trained.out_of_fold.answers
    np.testing.assert_array_equal(own.predicted == 0, own.probabilities[:, 0] >= 0.2)
    assert trained.model.preprocessing.target.threshold == 0.2


def test_a_saved_model_answers_by_its_threshold(table, tmp_path) -> None:
    trained = learn(task_of(table, folds=3, threshold="cost:6"))
    models.save(tmp_path / "model.safetensors", trained.model)
    model = cp.load(tmp_path / "model.safetensors")
    at = model.preprocessing.target.threshold
    assert at == trained.threshold.target.threshold < 0.4
    said, shares = model.predict(table), model.predict_proba(table)
    np.testing.assert_array_equal(said == "bad", shares[:, 0] >= at)
    assert (said == "bad").sum() > (shares[:, 0] > 0.5).sum()


def test_a_recipe_that_tells_no_threshold_is_read_as_without_one() -> None:
    config = {"type": "ClassTarget", "class_names": ["a", "b"], "name": "y"}
    recipe = {
        "type": "Preprocessing",
        "inputs": {"type": "ArrayRecipe", "shape": [1], "mean": [0.0], "std": [1.0]},
        "target": config,
    }
    target = Preprocessing.from_config(recipe).target
    assert (target.threshold, target.positive) == (None, 1)


@pytest.mark.parametrize("positive", [2, -1, "bad"])
def test_a_positive_class_that_is_none_is_refused(positive) -> None:
    with pytest.raises(UsageError, match="positive class"):
        ClassTarget(("a", "b"), "y", positive=positive)


@pytest.mark.parametrize("value", [0.3, "0.3", "1e-3", "f1", "cost:5", "cost:0.2"])
def test_what_a_threshold_may_be(value) -> None:
    assert Settings(data="moons", threshold=value).threshold == str(value)


@pytest.mark.parametrize(
    "value", [0, 1, "1", 1.5, True, "nan", "F2", "cost:", "cost:0", "cost:-1", "cost:inf", [0.3]]
)
def test_what_a_threshold_may_not_be(value) -> None:
    with pytest.raises(UsageError, match=r"threshold takes a probability .* cost:5; found"):
        Settings(data="moons", threshold=value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": "iris", "threshold": "f1"}, "two classes; species has 3 classes"),
        ({"data": "diabetes", "threshold": "0.3"}, "two classes; progression has values"),
        (
            {"data": "moons", "threshold": "cost:2", "validation": "0"},
            "cost:2 is chosen by samples that are not learned from, and none are held out",
        ),
    ],
)
def test_a_threshold_that_can_not_be_had_is_refused(given, message) -> None:
    settings = Settings(**given)
    with pytest.raises(UsageError, match=message):
        set_task(settings, load_dataset(settings))


def test_a_number_needs_no_samples_to_choose_with() -> None:
    settings = Settings(data="moons", threshold=0.3, validation="0", test="0")
    assert set_task(settings, load_dataset(settings)).settings.threshold == "0.3"
