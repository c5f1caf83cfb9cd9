"""Several architectures side by side."""

import math
from typing import Any

import numpy as np
import pytest

from clearprop.experiment import Settings, learn, load_dataset, measure, set_task
from clearprop.experiment.comparison import Architecture, Trial, compare

SETTINGS = Settings(data="moons", epochs=2, batch_size=50, seed=3)


@pytest.mark.parametrize(
    "given",
    [
        {"folds": 0},
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"folds": 0, "test": "0"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_every_architecture_gets_every_seed_and_the_score_that_it_has_alone(
    given: dict[str, Any],
) -> None:
    every = SETTINGS.changed(given)
    found = list(compare(every, [(), (4, 2)], repeats=2))
    assert [architecture.label for architecture in found] == ["none", "4,2"]
    for architecture, layers, parameters in zip(found, [(), (4, 2)], [3, 25], strict=True):
        assert [trial.seed for trial in architecture.trials] == [3, 4]
        for trial in architecture.trials:
            settings = every.changed({"layers": layers, "seed": trial.seed})
            task = set_task(settings, load_dataset(settings))
            alone = measure(learn(task))
            part = "folds" if not given else "test" if "test" not in given else "validation"
            assert next(iter(alone.parts)) == part  # the first that there is gives the score
            assert trial.part == part
            assert trial.score == alone.parts[part].score
            assert trial.baselines == {
                name: scores["accuracy"] for name, scores in alone.parts[part].baselines.items()
            }
            assert (trial.score_name, trial.parameters) == ("accuracy", parameters)
            assert trial.layers == layers


def trial(score: float) -> Trial:
    to_beat = {"constant": score / 2, "linear": 0.5}
    return Trial((20, 7), 0, 100, "test", "accuracy", score, 1.5, to_beat)


def test_a_trial_that_diverged_counts_for_nothing() -> None:
    lost = Trial((20, 7), 1, 100, "train", "accuracy", math.nan, 0.0, {})
    for trials in ((lost, trial(0.5), trial(1.0)), (trial(0.5), trial(1.0), lost)):
        found = Architecture(trials)
        assert (found.mean, found.baselines) == (0.75, {"constant": 0.375, "linear": 0.5})
        assert found.to_json()["part"] == "test"
    assert Architecture((lost,)).baselines == {}
    assert math.isnan(Architecture((lost,)).mean)


def test_mean_and_spread_are_those_of_the_trials() -> None:
    architecture = Architecture((trial(0.5), trial(0.75), trial(1.0)))
    assert architecture.mean == 0.75
    assert architecture.spread == pytest.approx(np.std([0.5, 0.75, 1.0], ddof=1))
    assert math.isnan(Architecture((trial(0.5),)).spread)
    assert architecture.to_json() == {
        "layers": [20, 7],
        "parameters": 100,
        "part": "test",
        "score": "accuracy",
        "scores": [0.5, 0.75, 1.0],
        "mean": 0.75,
        "spread": 0.25,
        "seconds": [1.5, 1.5, 1.5],
        "baselines": {"constant": 0.375, "linear": 0.5},
    }
