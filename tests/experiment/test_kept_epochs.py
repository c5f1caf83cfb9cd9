"""Some epochs of a run are kept, evenly spaced, and read back for its page."""

from pathlib import Path

import numpy as np
import pytest

import clearprop as cp
from clearprop.experiment import epochs_kept
from clearprop.experiment.epochs_kept import KeptEpochs, read_kept, save_kept


def trained(epochs: int) -> tuple[KeptEpochs, cp.Network]:
    X = np.random.RandomState(0).randn(20, 3)
    network = cp.Network([cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,))
    kept = KeptEpochs()
    cp.Trainer(epochs=epochs).fit(network, X, np.arange(20) % 2, callbacks=[kept])
    return kept, network


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(5, range(6)), (23, range(24)), (24, range(0, 25, 2)), (100, range(0, 97, 8))],
)
def test_they_are_evenly_spaced_however_many_there_are(epochs: int, expected: range) -> None:
    kept, _ = trained(epochs)
    assert [epoch for epoch, _ in kept.kept] == list(expected)


def test_they_are_what_the_network_was_then(tmp_path: Path) -> None:
    kept, network = trained(6)
    for epochs in (3, 6):
        _, other = trained(epochs)
        np.testing.assert_array_equal(
            dict(kept.kept)[epochs], other.parameters.data.astype(np.float32)
        )
    save_kept(tmp_path / "epochs.safetensors", kept.kept)
    again = read_kept(tmp_path / "epochs.safetensors", network)
    assert [epoch for epoch, _ in again] == list(range(7))
    np.testing.assert_array_equal(again[3][1], dict(kept.kept)[3])


def test_of_a_large_network_fewer_are_kept_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs_kept, "_LARGEST", 8 * 3)
    assert len(trained(40)[0].kept) <= 3
    monkeypatch.setattr(epochs_kept, "_LARGEST", 15)
    assert trained(40)[0].kept == []


def test_what_is_gone_or_of_another_network_is_none(tmp_path: Path) -> None:
    kept, network = trained(2)
    path = tmp_path / "epochs.safetensors"
    assert read_kept(path, network) == []
    save_kept(path, [])
    assert not path.exists()
    save_kept(path, kept.kept)
    other = cp.Network([cp.Dense(5)], loss=cp.SoftmaxCrossEntropy(), input_shape=(3,))
    assert read_kept(path, other) == []
    path.write_bytes(b"no tensors")
    assert read_kept(path, network) == []


def test_what_batch_norm_keeps_is_kept_with_an_epoch(tmp_path: Path) -> None:
    X, epochs = np.random.RandomState(0).randn(20, 3), {}

    class Copying(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            epochs[run.epoch] = run.write_back().copy()

    layers = [cp.Dense(2), cp.BatchNorm(), cp.Dense(2)]
    network = cp.Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(3,))
    kept, path = KeptEpochs(), tmp_path / "epochs.safetensors"
    cp.Trainer(epochs=3).fit(network, X, np.arange(20) % 2, callbacks=[kept, Copying()])
    save_kept(path, kept.kept)
    again = dict(read_kept(path, network))
    assert sorted(again) == [0, 1, 2, 3]
    for epoch, other in epochs.items():
        parts = np.split(again[epoch], [other.parameters.data.size])
        for part, expected in zip(parts, (other.parameters, other.state), strict=True):
            np.testing.assert_array_equal(part, expected.data.astype(np.float32))
    assert not np.array_equal(epochs[1].state.data, epochs[3].state.data)
    parameters = [(epoch, array[:-4]) for epoch, array in kept.kept]  # as files of before had it
    save_kept(path, parameters)
    np.testing.assert_array_equal(dict(read_kept(path, network))[2], dict(parameters)[2])
