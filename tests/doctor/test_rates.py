"""Learning rates from 0.1 to 1e12: the doctor's first word is the rate, and its advice cures."""

from contextlib import suppress
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

import clearprop as cp
from clearprop.doctor.case import Case
from clearprop.errors import DivergedError
from clearprop.experiment import Measured, Settings, Trained, learn, load_dataset, measure, set_task
from clearprop.experiment.consultation import first_finding, needs_doctor
from clearprop.training import History
from clearprop.training.samples import checked_samples

EPOCHS = {"iris": 80, "digits": 8, "sonar.csv": 60}


def run(settings: Settings) -> tuple[Trained, Measured]:
    trained = learn(set_task(settings, load_dataset(settings)))
    return trained, measure(trained)


@pytest.mark.parametrize("layers", [(), (32,), (64, 32, 16)], ids=str)
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("data", EPOCHS)
def test_the_rate_comes_first_and_what_is_advised_beats_the_larger_class(
    data: str, optimizer: str, layers: tuple[int, ...], shared_data: Path
) -> None:
    seed = crc32(f"{data} {optimizer} {layers}".encode())
    rate = float(10 ** np.random.RandomState(seed).uniform(-1, 12))
    settings = Settings(
        data=str(shared_data / "tables" / data) if data.endswith(".csv") else data,
        optimizer=optimizer,
        learning_rate=rate,
        layers=layers,
        epochs=EPOCHS[data],
        folds=0,
    )
    trained, measured = run(settings)
    score = measured.score
    is_ill = trained.diverged is not None or score is None or not score.beats("constant")
    finding = first_finding(trained) if needs_doctor(trained, measured) else None
    if not is_ill and finding is None:
        return  # a linear network, whose answers a rate only scales
    assert finding is not None
    assert finding.illness == "learning_rate_too_high"
    cured, after = run(finding.apply(settings))
    assert cured.diverged is None
    assert after.score is not None
    assert after.score.beats("constant")


@pytest.fixture
def moons() -> cp.Dataset:
    return cp.load_data("moons")


def net() -> cp.Network:
    return cp.Network(
        [cp.Dense(8), cp.Tanh(), cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,)
    )


def case(moons: cp.Dataset, scale: float, losses: list[float], stopped: str = "early") -> Case:
    """Return a case of a network with the last layer scaled, and the losses that it went through.

    It answers the wrong way round where the scale is below zero.
    """
    network, start = net(), net()
    cp.Trainer(optimizer=cp.Adam(0.03), epochs=20).fit(network, moons.X, moons.y)
    network.parameters["2.W"][...] *= scale
    network.parameters["2.b"][...] *= scale
    history = History({"epoch": k, "step": k, "loss": loss} for k, loss in enumerate(losses, 1))
    history.stopped = stopped
    return Case(network, start, checked_samples(network, moons.X, moons.y), history=history)


FALL, RISE = [0.6, 0.3, 0.2], [0.6, 0.3, 9.0]


@pytest.mark.parametrize(
    ("scale", "losses", "stopped", "exploded", "risen"),
    [
        (1.0, FALL, "early", False, False),
        (1.0, RISE, "early", False, True),  # the best epoch is kept, and good
        (-1.0, FALL, "early", False, True),
        (-1e6, FALL, "early", True, True),
        (-1e6, [], "finished", True, True),
        (1.0, FALL, "diverged", True, True),
    ],
)
def test_a_loss_has_exploded_only_where_what_is_kept_is_out_of_all_proportion(
    moons: cp.Dataset, scale: float, losses: list[float], stopped: str, exploded: bool, risen: bool
) -> None:
    found = case(moons, scale, losses, stopped)
    assert (found.has_exploded, found.has_risen) == (exploded, risen)


def test_first_weights_that_are_far_too_large_have_not_risen(moons: cp.Dataset) -> None:
    start = net()
    start.parameters["2.W"][...] *= 1e6
    network = start.copy()
    network.parameters["2.W"][...] /= 10
    samples = checked_samples(network, moons.X, moons.y)
    found = Case(network, start, samples)
    assert found.training_score.loss > 1e3
    assert not found.has_exploded
    assert not found.has_risen
    assert found.start_loss == pytest.approx(10 * found.training_score.loss, rel=0.01)


@pytest.mark.parametrize("rate", [30.0, 3e5, 3e11])
def test_lower_rates_are_found_from_any_height_in_a_few_trials(rate: float) -> None:
    moons = cp.load_data("moons")
    trainer, doctor = cp.Trainer(optimizer=cp.SGD(rate), epochs=3), cp.Doctor()
    with suppress(DivergedError):
        trainer.fit(net(), moons.X, moons.y, callbacks=[doctor])
    first = doctor.findings[0]
    assert first.illness == "learning_rate_too_high"
    assert 0.01 <= first.changes["learning_rate"] <= 3.0
    trials = doctor._case.trials  # type: ignore[union-attr]
    assert len(trials._done) <= 8
    assert trials.updates == 300


def test_what_is_learned_by_heart_before_the_epoch_that_is_kept_is_no_illness() -> None:
    noisy = np.random.RandomState(3)
    X = noisy.randn(260, 40)
    y = (X[:, 0] + 0.5 * noisy.randn(260) > 0).astype(int)
    found = []
    for stopping in (None, cp.EarlyStopping(5)):
        network = cp.Network(
            [cp.Dense(64), cp.ReLU(), cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(40,)
        )
        doctor = cp.Doctor()
        trainer = cp.Trainer(optimizer=cp.Adam(0.003), epochs=60, early_stopping=stopping)
        trainer.fit(network, X[:60], y[:60], validation=(X[60:], y[60:]), callbacks=[doctor])
        found.append(doctor.examination.illnesses)
    assert found == [("overfitting",), ()]
