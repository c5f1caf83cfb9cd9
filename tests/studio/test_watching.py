"""A training that is watched does what it is asked, and computes what it computes alone."""

import os
import signal
import threading
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from asking import SECONDS, InThread, fit

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.experiment import Settings, learn, load_dataset, set_task
from clearprop.experiment.cross_validation import fold_labels
from clearprop.studio import mailbox as mailbox_module
from clearprop.studio.controls import Controls
from clearprop.studio.mailbox import Mailbox
from clearprop.studio.watching import Watching

X = np.random.RandomState(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(np.int64)


class Recorder(cp.Callback):
    """Puts down what happens, and lets a test wait until some of it has."""

    def __init__(self, wants_every_step=True):
        self.steps, self.epochs = [], []
        self.changed = threading.Condition()
        self._wants_every_step = wants_every_step

    @property
    def wants_every_step(self):
        return self._wants_every_step

    def on_step_end(self, run):
        with self.changed:
            self.steps.append(run.step)
            self.changed.notify_all()

    def on_epoch_end(self, run):
        with self.changed:
            self.epochs.append(run.epoch)
            self.changed.notify_all()


@pytest.fixture
def network():
    layers = [cp.Dense(4), cp.Tanh(), cp.Dense(1)]
    return cp.Network(layers, loss=cp.BinaryCrossEntropy(), input_shape=(3,), seed=1)


class Watched:
    """A training in a thread of its own, and what steers it."""

    def __init__(self, network, *labels, **settings):
        self.mailbox, self.controls = Mailbox(), PausedControls()
        self.watching = Watching(self.mailbox, self.controls, labels or ("",))
        self.network = network
        self.trainer = cp.Trainer(**{"epochs": 5, "batch_size": 10, "threads": 1} | settings)

    def begin(self, *callbacks):
        """Begin to train."""
        return InThread(
            lambda: self.trainer.fit(self.network, X, Y, callbacks=[*callbacks, self.watching])
        )

    def begin_with_one_step(self, *callbacks):
        """Begin, and wait after an update."""
        self.controls.ask("pause")
        training = self.begin(*callbacks)
        self.controls.wait_for_pause()
        self.controls.ask("step")
        self.controls.wait_for_pause()
        return training

    @property
    def told(self):
        return self.mailbox.trainings[-1].told()


class PausedControls(Controls):
    """Controls that say when a training has come to wait."""

    def __init__(self):
        super().__init__()
        self.waits = threading.Semaphore(0)
        self._seen = None

    def wait(self, seen, seconds):
        if seen is not self._seen:  # not once more for the same
            self._seen = seen
            self.waits.release()
        super().wait(seen, seconds)

    def wait_for_pause(self):
        assert self.waits.acquire(timeout=SECONDS)


class TestWithoutWishes:
    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"batch_size": None},
            {"optimizer": cp.LBFGS(), "batch_size": "auto"},
            {"optimizer": cp.Momentum(0.1), "epochs": 400},
            {"optimizer": cp.SGD(0.1), "sample_space": True},
        ],
        ids=["batches", "all at once", "L-BFGS", "compiled", "sample space"],
    )
    def test_it_has_the_bits_that_it_has_alone(self, network, settings):
        alone, one = network.copy(), Watched(network, **settings)
        history = one.begin().result()
        expected = one.trainer.fit(alone, X, Y)
        np.testing.assert_array_equal(network.parameters.data, alone.parameters.data)
        assert history["loss"] == expected["loss"]
        assert history.stopped == expected.stopped

    def test_all_of_it_is_there_to_be_looked_at(self, network):
        one = Watched(network)
        history = one.begin().result()
        (found,) = one.mailbox.trainings
        assert found.history().rows == history.rows
        assert [epoch for epoch, _ in found.kept.kept] == [0, 1, 2, 3, 4, 5]
        latest = found.latest.as_network()
        np.testing.assert_array_equal(
            latest.parameters.data, network.parameters.data.astype(np.float32)
        )
        told = found.told()
        assert (told["state"], told["stopped"]) == ("ended", "finished")
        assert (told["epoch"], told["epochs"], told["step"], told["rate"]) == (5, 5, 20, 0.001)

    def test_what_was_seen_stays_as_it_was_whatever_becomes_of_the_history(self, network):
        one = Watched(network)
        history = one.begin().result()
        (found,) = one.mailbox.trainings
        before = deepcopy(found.rows)
        history.rows[0].clear()
        assert found.rows == before

    def test_snapshots_are_at_most_two_a_second_and_rarer_where_they_are_dear(
        self, network, monkeypatch
    ):
        now, cost = [0.0], [0.0]

        class Clock:
            @staticmethod
            def perf_counter():
                return now[0]

        monkeypatch.setattr(mailbox_module, "time", Clock)
        taken = []
        snapshot = mailbox_module.Watched._snapshot

        def slow(watched, run):
            taken.append(now[0])
            now[0] += cost[0]
            return snapshot(watched, run)

        monkeypatch.setattr(mailbox_module.Watched, "_snapshot", slow)

        class Passing(cp.Callback):
            def on_epoch_end(self, run):
                now[0] += 0.125  # seconds an epoch
                if run.epoch == 50:
                    cost[0] = 0.03125

        one = Watched(network, epochs=150)
        one.begin(Passing()).result()
        gaps = np.diff(taken[:-1])  # the last one is taken at the end
        assert len(gaps) > 8
        assert gaps[:8] == pytest.approx(0.5)
        assert gaps[-2:] == pytest.approx(3.125, abs=0.2)  # 100 times what one costs

    def test_of_a_network_too_large_for_a_page_no_weights_are_copied(self, network, monkeypatch):
        monkeypatch.setattr(mailbox_module, "_LARGEST", 100)  # bytes; it has 21 parameters
        one = Watched(network)
        one.begin().result()
        (found,) = one.mailbox.trainings
        assert found.is_too_large
        assert (found.latest.epoch, found.told()["epoch"], len(found.rows)) == (0, 5, 5)


class TestPauses:
    def test_nothing_is_computed_in_a_pause(self, network):
        one, recorder = Watched(network), Recorder()
        one.controls.ask("pause")
        training = one.begin(recorder)
        one.controls.wait_for_pause()
        assert one.told["state"] == "paused"
        before = network.parameters.data.copy()
        for done in range(1, 7):  # an epoch has four updates
            one.controls.ask("step")
            one.controls.wait_for_pause()
            assert recorder.steps == [*range(1, done + 1)]
            assert one.told["step"] == done
        assert one.told["stepped"] == "update"
        assert recorder.epochs == [1]
        assert not np.array_equal(before, network.parameters.data)
        np.testing.assert_array_equal(  # the latest weights are seen in a pause, however short ago
            one.mailbox.trainings[0].latest.parameters, network.parameters.data.astype(np.float32)
        )
        one.controls.ask("go on")
        history = training.result()
        assert len(history) == 5
        assert one.told["state"] == "ended"

    def test_its_bits_are_those_of_a_training_without_pauses(self, network):
        alone, one = network.copy(), Watched(network)
        training = one.begin_with_one_step()
        one.controls.ask("go on")
        training.result()
        one.trainer.fit(alone, X, Y)
        np.testing.assert_array_equal(network.parameters.data, alone.parameters.data)

    def test_where_updates_are_done_in_one_call_a_step_ends_with_the_epoch(self, network):
        """As compiled steps do them: the loop looks up after several."""
        one = Watched(network)
        one.controls.ask("pause")
        run = cp.Run(
            engine=InThread,
            optimizer=cp.SGD(0.1),
            optimizer_state={},
            samples=None,
            held_out=None,
            random_state=np.random.RandomState(0),
            epochs=9,
            steps_per_epoch=40,
        )
        run.write_back = lambda: network
        done = []

        def train():
            one.watching.on_train_begin(run)
            for _ in range(2):
                for _ in range(4):
                    run.step += 10
                    done.append(run.step)
                    one.watching.on_step_end(run)
                run.epoch += 1
                one.watching.on_epoch_end(run)

        training = InThread(train)
        one.controls.wait_for_pause()
        one.controls.ask("step")
        one.controls.wait_for_pause()
        assert done == [10, 20, 30, 40]
        assert (run.epoch, one.told["stepped"]) == (1, "epoch")
        one.controls.ask("go on")
        training.result()
        assert len(done) == 8

    def test_ctrl_c_ends_it_in_a_pause_too(self, network):
        one = Watched(network)
        one.controls.ask("pause")

        def interrupt():
            one.controls.wait_for_pause()
            os.kill(os.getpid(), signal.SIGINT)

        interrupting = InThread(interrupt)
        history = one.trainer.fit(network, X, Y, callbacks=[one.watching])  # in the main thread
        interrupting.result()
        assert history.stopped == "interrupted"


class TestRates:
    def test_one_holds_from_the_next_update_on(self, network):
        twin, one = network.copy(), Watched(network, optimizer=cp.SGD(0.5), epochs=2)
        training = one.begin_with_one_step()
        one.controls.ask("rate", 0.125)
        one.controls.ask("go on")
        history = training.result()
        assert history["learning_rate"] == [0.125, 0.125]
        assert one.told["rate_by_hand"] is True

        class Twice(cp.Callback):
            def on_step_end(self, run):
                if run.step == 1:
                    run.optimizer = cp.SGD(0.125)

        expected = one.trainer.fit(twin, X, Y, callbacks=[Twice()])
        assert history["loss"] == expected["loss"]
        np.testing.assert_array_equal(network.parameters.data, twin.parameters.data)

    def test_it_is_remarked_and_leaves_a_schedule(self, network):
        one = Watched(network, optimizer=cp.SGD(cp.CosineSchedule(0.5, 20)))
        remarks = []

        class Listening(cp.Callback):
            def on_train_end(self, run):
                remarks.extend(run.remarks)

        one.controls.ask("rate", 0.25)
        history = one.begin(Listening()).result()
        assert history["learning_rate"] == [0.25] * 5
        assert "The learning rate was set by hand from 0.5 to 0.25 after 0 updates." in remarks

    def test_l_bfgs_has_none(self, network):
        one = Watched(network, optimizer=cp.LBFGS(), batch_size="auto")
        one.controls.ask("rate", 0.25)
        history = one.begin().result()
        assert "learning_rate" not in history.columns
        assert one.told["rate"] is None
        assert one.told["rate_by_hand"] is False

    @pytest.mark.parametrize(
        "value", [-1, float("nan"), float("inf"), True, "0.1", None, [0.1], 10**400]
    )
    def test_what_is_none_is_refused(self, value):
        controls = Controls()
        with pytest.raises(UsageError, match="A learning rate is a number of at least 0"):
            controls.ask("rate", value)
        assert controls.wish.rate is None


class TestEnds:
    def test_stop_keeps_what_was_learned(self, network):
        one, recorder = Watched(network), Recorder()
        training = one.begin_with_one_step(recorder)
        one.controls.ask("stop")
        history = training.result()
        assert history.stopped == one.told["stopped"] == "asked"
        assert recorder.steps == [1]
        assert one.told["state"] == "ended"

    def test_one_that_fails_has_ended_too(self, network):
        class Failing(cp.Callback):
            def on_epoch_end(self, run):
                raise KeyError("mine")

        one = Watched(network)
        with pytest.raises(KeyError):
            one.begin(Failing()).result()
        assert one.told["state"] == "ended"


class TestFolds:
    @pytest.fixture
    def task(self):
        settings = Settings(data="iris", layers=(4,), epochs=6, folds=3, batch_size=16, l2=0.1)
        return set_task(settings, load_dataset(settings))

    def watching(self, task):
        labels = [*fold_labels(task), "all samples"]
        return Watching(Mailbox(), PausedControls(), labels)

    def test_each_training_is_there_by_its_name(self, task):
        watching = self.watching(task)
        learn(task, callbacks=[watching], in_folds=[watching])
        found = watching.mailbox.trainings
        assert [one.label for one in found] == [
            *("fold 1 of 3", "fold 2 of 3", "fold 3 of 3", "all samples")
        ]
        assert [one.is_kept for one in found] == [False, False, False, True]
        assert {one.told()["state"] for one in found} == {"ended"}

    def test_stopped_in_one_the_others_are_trained_as_long(self, task):
        watching = self.watching(task)

        class Stopping(cp.Callback):
            def on_epoch_end(self, run):
                if run.epoch == 2 and len(watching.mailbox.trainings) == 1:
                    watching.controls.ask("stop")

        trained = learn(task, callbacks=[watching], in_folds=[Stopping(), watching])
        epochs = [len(one.rows) for one in watching.mailbox.trainings]
        assert epochs[:3] == [2, 2, 2]
        assert 1 <= epochs[3] <= 2
        assert trained.history.stopped == "finished"
        assert watching.notes == [
            "By hand, fold 1 of 3 was stopped after 2 epochs: "
            "those after it were trained no longer."
        ]

    def test_a_rate_holds_for_those_to_come_and_is_noted_where_no_history_stays(self, task):
        watching = self.watching(task)
        task = replace(task, settings=replace(task.settings, learning_rate=0.5, optimizer="sgd"))
        watching.controls.ask("rate", 0.25)
        trained = learn(task, callbacks=[watching], in_folds=[watching])
        for one in watching.mailbox.trainings:
            assert {row["learning_rate"] for row in one.rows} == {0.25}
        assert set(trained.history["learning_rate"]) == {0.25}
        assert len(watching.notes) == 3
        assert "fold 2 of 3, the learning rate was set by hand from" in watching.notes[1]


def test_a_paused_task_goes_on_where_it_was(moons):
    one = Watched(moons.network)
    alone = moons.network.copy()
    fit(replace(moons, network=alone))
    one.controls.ask("pause")
    training = InThread(lambda: fit(moons, one.watching))
    one.controls.wait_for_pause()
    one.controls.ask("go on")
    training.result()
    np.testing.assert_array_equal(moons.network.parameters.data, alone.parameters.data)
