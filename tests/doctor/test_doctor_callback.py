"""The doctor that watches a training, and the examination of one that nobody watched."""

import numpy as np
import pytest
from doctor_trainings import net, real, toy, trained_by

import clearprop as cp
from clearprop.data.named import moons
from clearprop.doctor import Finding
from clearprop.errors import DivergedError, UsageError
from clearprop.network import Network


def zeros() -> Network:
    return net(2, [4], 1, cp.Tanh(), init=cp.Zeros())


def stalled() -> Network:
    return net(2, [16] * 4, 1, cp.Tanh(), init=cp.Normal(0.01))


def test_a_doctor_that_saw_nothing_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="callbacks="):
        _ = cp.Doctor().findings


def test_the_held_out_share_is_known_to_the_doctor() -> None:
    random_state = np.random.RandomState(3)
    X = random_state.randn(240, 40)
    y = (X[:, 0] + 0.5 * random_state.randn(240) > 0).astype(int)
    doctor = cp.Doctor()
    trained_by().fit(net(40, [64], 1), X, y, validation=0.75, callbacks=[doctor])
    assert [finding.illness for finding in doctor.findings] == ["overfitting"]


def test_what_can_be_told_before_the_first_update_is_told_before_it() -> None:
    (X, y), _ = toy(moons)
    order: list[str] = []

    class Steps(cp.Callback):
        def on_step_end(self, run: cp.Run) -> None:
            order.append("update")

    doctor = cp.Doctor(tell=lambda finding: order.append(finding.illness))
    trained_by(epochs=2, batch_size=None).fit(zeros(), X, y, callbacks=[doctor, Steps()])
    assert order[:2] == ["symmetric_weights", "update"]
    assert order.count("symmetric_weights") == 1
    assert set(order) - {"update"} == {finding.illness for finding in doctor.findings}


def test_a_training_that_comes_to_nothing_is_told_of_after_a_quarter_of_its_epochs() -> None:
    (X, y), _ = toy(moons)
    epochs_when_told: list[int] = []

    class Watcher(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            self.epoch = run.epoch

    watcher = Watcher()

    def tell(finding: Finding) -> None:
        if finding.illness == "small_initial_weights":
            epochs_when_told.append(watcher.epoch)

    callbacks = [watcher, cp.Doctor(tell=tell)]
    trained_by(cp.SGD(0.1), epochs=40).fit(stalled(), X, y, callbacks=callbacks)
    assert epochs_when_told == [10]


def test_nobody_is_told_of_a_healthy_training() -> None:
    (X, y), _ = toy(moons)
    told: list[Finding] = []
    network = net(2, [16], 1, cp.Tanh())
    trained_by(cp.Adam(0.02)).fit(network, X, y, callbacks=[cp.Doctor(tell=told.append)])
    assert told == []


def test_watching_changes_nothing() -> None:
    (X, y), _ = toy(moons)
    weights = []
    for callbacks in ([], [cp.Doctor(tell=lambda _finding: None)]):
        network = net(2, [8], 1)
        trained_by(cp.SGD(0.1), epochs=8).fit(network, X, y, validation=0.2, callbacks=callbacks)
        weights.append(network.parameters.data)
    np.testing.assert_array_equal(*weights)


@pytest.mark.parametrize("sample_space", [False, True])
def test_a_training_in_sample_space_is_examined_as_any_other(sample_space: bool) -> None:
    random_state = np.random.RandomState(0)
    X, y = random_state.randn(60, 200), np.arange(60) % 2
    X[:, 0] += 4.0 * y
    network = net(200, [8, 8, 8], 1, cp.Tanh(), init=cp.Normal(0.01))
    doctor = cp.Doctor()
    trainer = trained_by(cp.SGD(0.05), 200, None, sample_space=sample_space)
    trainer.fit(network, X, y, callbacks=[doctor])
    assert doctor.findings[0].illness == "small_initial_weights"


@pytest.mark.parametrize("sample_space", [False, True])
def test_the_update_that_overflowed_is_found(sample_space: bool) -> None:
    random_state = np.random.RandomState(0)
    X, y = random_state.randn(30, 80), random_state.randn(30)
    network = net(80, [8], 1, loss=cp.MeanSquaredError())
    doctor = cp.Doctor()
    trainer = trained_by(cp.SGD(1e4), 200, None, sample_space=sample_space)
    with pytest.raises(DivergedError, match=r"update (\d+)") as raised:
        trainer.fit(network, X, y, callbacks=[doctor])
    kept = network.parameters.data.copy()
    first, second, *_ = doctor.findings
    assert first.illness == "learning_rate_too_high"
    assert second.illness == "not_a_number"
    assert f"In {second.facts['when'].removeprefix('In ')}" in second.measurement
    assert second.facts["when"].removeprefix("In ") in str(raised.value)
    np.testing.assert_array_equal(network.parameters.data, kept)


def test_a_resumed_training_is_examined_from_its_first_weights(tmp_path) -> None:
    (X, y), _ = toy(moons)
    checkpoint = cp.Checkpoint(tmp_path / "run.safetensors", every=0)
    trained_by(cp.SGD(0.1), 10).fit(stalled(), X, y, checkpoint=checkpoint)
    network, doctor = stalled(), cp.Doctor()
    longer = trained_by(cp.SGD(0.1), 20)
    longer.fit(network, X, y, checkpoint=checkpoint, resume=True, callbacks=[doctor])
    assert doctor.findings[0].illness == "small_initial_weights"


def test_examining_afterwards_finds_what_watching_finds() -> None:
    train, held = real("digits")
    network, doctor = net(64, [32, 32, 32], 10, init=cp.Normal(0.01)), cp.Doctor()
    trainer = trained_by(cp.SGD(0.1), 30)
    history = trainer.fit(network, *train, validation=held, callbacks=[doctor])
    found = cp.examine(network, *train, validation=held, trainer=trainer, history=history)
    assert found.to_json() == doctor.examination.to_json()


def test_a_diverged_training_is_repeated_to_find_where() -> None:
    train, held = real("diabetes")
    network, trainer = net(10, [16], 1, loss=cp.MeanSquaredError()), trained_by(cp.SGD(10.0))
    with pytest.raises(DivergedError) as raised:
        trainer.fit(network, *train, validation=held)
    history = raised.value.history
    found = cp.examine(network, *train, validation=held, trainer=trainer, history=history)
    assert found.illnesses[:2] == ("learning_rate_too_high", "not_a_number")


def test_a_training_that_has_not_begun_can_be_examined() -> None:
    train, held = real("digits")
    trainer = trained_by(cp.SGD(0.1), 30)
    sick = cp.examine(stalled_digits := net(64, [32] * 3, 10, init=cp.Normal(0.01)), *train)
    assert sick.illnesses[0] == "small_initial_weights"
    assert not np.any(stalled_digits.parameters["0.b"])
    fast = cp.examine(net(64, [32], 10), *train, validation=held, trainer=trained_by(cp.Adam(3.0)))
    assert fast.illnesses == ("learning_rate_too_high",)
    assert not cp.examine(net(64, [32], 10), *train, validation=held, trainer=trainer)


def test_weights_that_are_not_finite_are_named() -> None:
    (X, y), _ = toy(moons)
    network = net(2, [8], 1)
    network.parameters["0.W"][0, 0] = np.nan
    assert "not_a_number" in cp.examine(network, X, y).illnesses


def test_without_a_trainer_the_learning_rate_is_no_subject() -> None:
    train, _ = real("digits")
    network = net(64, [32], 10)
    history = trained_by(cp.Adam(3.0), 10).fit(network, *train)
    found = cp.examine(network, *train, history=history).illnesses
    assert "learning_rate_too_high" not in found
    assert found


def test_samples_that_don_t_fit_are_refused() -> None:
    with pytest.raises(cp.ClearpropError, match="X has shape"):
        cp.examine(net(2, [4], 1), np.zeros((5, 3)), np.zeros(5))


class OwnAdam(cp.Adam):
    """An optimizer that `clearprop` itself does not have."""


def test_advice_on_an_optimizer_of_one_s_own_names_what_it_derives_from() -> None:
    train, held = real("digits")
    trainer = trained_by(OwnAdam(3.0), 5)
    (finding,) = cp.examine(net(64, [32], 10), *train, validation=held, trainer=trainer)
    (line,) = finding.python
    assert line.startswith("cp.Trainer(optimizer=cp.Adam(")
