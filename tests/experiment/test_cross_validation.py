"""Cross-validation: every sample is answered for once, by who has not seen it."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.core.blas import available_cores
from clearprop.data import Dataset
from clearprop.data.folds import folds
from clearprop.errors import DataError, UsageError
from clearprop.experiment import (
    Settings,
    cross_validation,
    learn,
    load_dataset,
    measure,
    set_task,
)
from clearprop.experiment.building import build_network, build_trainer
from clearprop.experiment.cross_validation import cross_validate


@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=80),
    st.integers(2, 7),
    st.integers(0, 2**32 - 1),
)
def test_folds_take_every_sample_once_and_each_class_evenly(y, count, seed) -> None:
    y = np.unique(y, return_inverse=True)[1]
    names = tuple(map(str, range(y.max() + 1)))
    dataset = Dataset("some", "array", np.zeros((len(y), 2)), y, names)
    lone = np.bincount(y)[y] == 1
    if (~lone).sum() < 2:
        with pytest.raises(DataError, match="no two samples"):
            folds(dataset, count, seed)
        return
    parts = folds(dataset, count, seed)
    np.testing.assert_array_equal(np.sum(parts, axis=0), ~lone)
    sizes = [part.sum() for part in parts]
    assert max(sizes) - min(sizes) <= 1
    for k in range(len(names)):
        each = [(part & (y == k)).sum() for part in parts]
        assert max(each) - min(each) <= 1
        assert all((~part & (y == k)).any() for part in parts)  # it can be learned


def task_of(**given):
    settings = Settings(
        **{"data": "iris", "folds": 3, "epochs": 8, "l2": 0.1, "layers": (32,), **given}
    )
    return set_task(settings, load_dataset(settings))


def test_answers_are_those_of_networks_that_have_not_seen_the_fold() -> None:
    task = task_of(dtype="float64")
    found = cross_validate(task)
    assert sorted(found.rows) == list(range(150))
    logits = []  # of each fold after each epoch, by training epoch for epoch anew
    for part, fold in found.trials:
        assert not set(part.train.sources) & set(fold.sources)
        X, y = part.prepared(part.train)
        trainer = build_trainer(task.settings, len(part.train))
        after = []
        for epochs in range(1, 9):
            network = build_network(task.settings, part.recipe)
            replace(trainer, epochs=epochs).fit(network, X, y)
            after.append(network.logits(part.prepared(fold)[0]))
        logits.append(after)
    losses = np.array(
        [
            [cp.SoftmaxCrossEntropy()(one, fold.y)[0] * len(fold) for one in after]
            for after, (_, fold) in zip(logits, found.trials, strict=True)
        ]
    )
    assert found.epoch == 1 + losses.sum(axis=0).argmin()
    np.testing.assert_allclose(
        [row["validation_loss"] for row in found.curve], losses.sum(axis=0) / 150
    )
    start = 0
    for k, (after, (_, fold)) in enumerate(zip(logits, found.trials, strict=True)):
        best = np.delete(losses, k, axis=0).sum(axis=0).argmin()
        given = found.answers.untempered[start : start + len(fold)]
        np.testing.assert_allclose(given, cp.SoftmaxCrossEntropy().predict_proba(after[best]))
        start += len(fold)


def test_a_fold_has_no_vote_in_the_choice_of_its_own_epoch(monkeypatch) -> None:
    """Were a fold's own losses another's, its own answers would be the same."""
    from clearprop.experiment import cross_validation

    own = cross_validation._Trial.losses
    plain = cross_validate(task_of())

    def falsified(trial, epochs):
        losses = own(trial, epochs)
        return losses[::-1] if trial.fold.sources == plain.trials[0][1].sources else losses

    monkeypatch.setattr(cross_validation._Trial, "losses", falsified)
    n = len(plain.trials[0][1])
    again = cross_validate(task_of())
    np.testing.assert_array_equal(again.answers.losses[:n], plain.answers.losses[:n])


def test_the_strength_of_l2_is_chosen_with_the_epoch_and_by_no_fold_for_itself() -> None:
    tried = {l2: cross_validate(task_of(l2=l2, epochs=20)) for l2 in (0.1, 1.0)}
    found = cross_validate(task_of(l2=None, epochs=20))
    least = {l2: min(row["validation_loss"] for row in one.curve) for l2, one in tried.items()}
    best = min(least, key=least.get)
    assert found.settings.l2 == best
    assert found.epoch == tried[best].epoch
    assert found.curve == tried[best].curve
    # Where all folds choose one strength, the answers are those that it gives alone.
    np.testing.assert_array_equal(found.answers.losses, tried[best].answers.losses)
    trained = learn(task_of(l2=None, epochs=20))
    assert trained.task.settings.l2 == trained.model.training["settings"]["l2"] == best
    (note,) = trained.task.notes
    assert all(f"{loss:.4f} with L2 {l2:g}" in note for l2, loss in least.items())


def test_a_fold_goes_all_the_way_though_it_gets_no_better() -> None:
    """To end it would be a choice of its own samples."""
    task = task_of(epochs=200, learning_rate=0.05, schedule="constant", l2=0.0)
    found = cross_validate(task)
    losses = [row["validation_loss"] for row in found.curve]
    assert int(np.argmin(losses)) < 60
    assert len(losses) == 200


def test_then_all_samples_are_learned_from_up_to_the_best_epoch() -> None:
    task = task_of()
    trained = learn(task)
    epoch = trained.out_of_fold.epoch
    assert len(trained.history) == trained.history.best_epoch == epoch
    again = build_network(task.settings, task.recipe)
    trainer = replace(build_trainer(task.settings, 150), epochs=epoch)
    trainer.fit(again, *task.prepared(task.train))
    np.testing.assert_array_equal(again.parameters.data, trained.model.network.parameters.data)
    found = measure(trained)
    assert found.parts.keys() == {"folds", "train"}
    assert found.score.samples == 150


def test_a_fold_that_diverges_is_told() -> None:
    trained = learn(task_of(learning_rate=1e30, optimizer="sgd", activation="relu"))
    assert trained.diverged is not None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"folds": 1}, "A single fold leaves nothing to learn from"),
        ({"folds": 5, "validation": "0.2"}, "leave --validation out"),
        ({"folds": 5, "patience": 3}, "leave --patience out"),
    ],
)
def test_what_folds_have_no_use_for(given, message) -> None:
    settings = Settings(data="iris", **given)
    with pytest.raises(UsageError, match=message):
        set_task(settings, load_dataset(settings))


def test_the_only_sample_of_a_class_is_learned_from_and_not_scored(tmp_path) -> None:
    rows = [f"{x},{'ab'[x % 2]}" for x in range(30)] + ["99,c"]
    path = tmp_path / "lone.csv"
    path.write_text("\n".join(["x,y", *rows]))
    settings = Settings(data=str(path), epochs=3)
    measured = measure(learn(set_task(settings, load_dataset(settings))))
    assert measured.score.samples == 30
    assert measured.model.class_names == ("a", "b", "c")


def test_folds_at_once_are_those_of_one_after_the_other(monkeypatch) -> None:
    found = []
    for at_once in (1, 3):
        monkeypatch.setattr(cross_validation, "choose_threads", lambda *_, n=at_once: n)
        line = cp.ProgressLine(io.StringIO(), labels=cross_validation.fold_labels(task_of()))
        one = cross_validate(task_of(), [line])
        assert not line._running
        found.append((one.epoch, one.curve, one.answers.untempered.tobytes()))
    assert found[0] == found[1]


def test_folds_of_larger_updates_are_trained_at_once(monkeypatch) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    cores = available_cores()
    assert cross_validation.folds_at_once(task_of(layers=(8,))) == 1
    assert cross_validation.folds_at_once(task_of(layers=(2000, 2000), batch_size=0)) == cores
