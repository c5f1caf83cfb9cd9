"""Runs whose learning rate was set by hand say so, and go on with it."""

import pytest

import clearprop as cp
from clearprop.studio.by_hand import GoOnByHand, in_words, rates_by_hand

RATES = [0.5, 0.5, 0.25, 0.25, 0.125, 0.5, 0.25]


def rows(rates):
    return [
        {"epoch": epoch, "step": 10 * epoch, "loss": 1.0, "learning_rate": rate}
        for epoch, rate in enumerate(rates, 1)
    ]


def test_each_rate_is_told_with_its_first_epoch():
    assert list(rates_by_hand(rows(RATES), cp.SGD(0.5))) == [(3, 0.25), (5, 0.125), (7, 0.25)]
    assert in_words(rows(RATES[:5]), cp.SGD(0.5)) == [
        "The learning rate was set by hand, to 0.25 from epoch 3 on, to 0.125 from epoch 5 on: "
        "these numbers are not what the settings alone give."
    ]


@pytest.mark.parametrize(
    "optimizer",
    [cp.SGD(0.5), cp.Adam(cp.CosineSchedule(0.3, 70)), cp.Momentum(cp.OneCycleSchedule(0.1, 70))],
)
def test_a_rate_of_the_settings_is_none(optimizer):
    own = [optimizer.rate(10 * epoch - 1) for epoch in range(1, 8)]
    assert in_words(rows(own), optimizer) == []


def test_a_history_without_rates_has_none():
    told = [{"epoch": 1, "step": 1, "loss": 1.0}]
    assert in_words(told, cp.LBFGS()) == []
    assert in_words([], cp.SGD(0.1)) == []


class TestResumed:
    """An interrupted run, whose rate was set by hand, goes on as one that was not interrupted."""

    def trained(self, path, *callbacks, resume=False, optimizer=None):
        moons = cp.load_data("moons")
        network = cp.Network(
            [cp.Dense(4), cp.Tanh(), cp.Dense(1)],
            loss=cp.BinaryCrossEntropy(),
            input_shape=(2,),
            seed=0,
        )
        trainer = cp.Trainer(optimizer=optimizer or cp.SGD(cp.CosineSchedule(0.5, 100)), epochs=6)
        history = trainer.fit(
            network,
            moons.X,
            moons.y,
            callbacks=callbacks,
            checkpoint=cp.Checkpoint(path, every=0),
            resume=resume,
        )
        return network, history

    class ByHand(cp.Callback):
        """Sets a rate after the second epoch, and stops after an epoch."""

        def __init__(self, stop_after=None):
            self.stop_after, self.remarks = stop_after, []

        def on_epoch_end(self, run):
            if run.epoch == 2:
                run.optimizer = cp.SGD(0.0625)
            if run.epoch == self.stop_after:
                run.stop()

        def on_train_end(self, run):
            self.remarks = list(run.remarks)

    def test_it_goes_on_with_that_rate_and_says_so(self, tmp_path):
        whole, expected = self.trained(tmp_path / "whole.safetensors", self.ByHand())
        path = tmp_path / "cut.safetensors"
        self.trained(path, self.ByHand(stop_after=4))
        hand = self.ByHand()
        network, history = self.trained(path, GoOnByHand(), hand, resume=True)
        assert history["learning_rate"][2:] == [0.0625] * 4
        assert history["loss"] == expected["loss"]
        assert network.parameters.data.tobytes() == whole.parameters.data.tobytes()
        assert hand.remarks[-2].startswith(
            "The learning rate was set by hand, to 0.0625 from epoch 3 on"
        )
        assert hand.remarks[-1] == "It goes on with 0.0625."

    def test_one_that_was_left_alone_goes_on_to_the_same_bits(self, tmp_path):
        class Stop(cp.Callback):
            def on_epoch_end(self, run):
                if run.epoch == 3:
                    run.stop()

        whole, _ = self.trained(tmp_path / "whole.safetensors")
        path, hand = tmp_path / "cut.safetensors", GoOnByHand()
        self.trained(path, Stop())
        network, _ = self.trained(path, hand, resume=True)
        assert network.parameters.data.tobytes() == whole.parameters.data.tobytes()
