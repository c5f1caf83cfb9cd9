"""A small network of convolutions goes wherever networks go."""

import copy
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import clearprop as cp

X = np.random.RandomState(0).standard_normal((24, 10, 9, 2))
Y = np.arange(24) % 3


def network(**how: object) -> cp.Network:
    return cp.Network(
        [
            *(cp.Conv2D(4), cp.BatchNorm(), cp.ReLU(), cp.MaxPool2D(), cp.SpatialDropout2D(0.2)),
            *(cp.Residual((cp.Conv2D(4), cp.ReLU())), cp.Residual((cp.Conv2D(5, 1),))),
            *(cp.AveragePool2D(2, 1), cp.GlobalAveragePool2D(), cp.Dense(3)),
        ],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(10, 9, 2),
        **how,
    )


def test_its_summary_has_every_shape() -> None:
    rows = {row.name: row for row in network().summary().rows}
    assert rows["0"].shapes == {"W": (3, 3, 2, 4), "b": (4,)}
    assert rows["0"].output_shape == (10, 9, 4)
    assert rows["3"].output_shape == (5, 4, 4)
    assert rows["6"].shapes == {"P": (4, 5)}
    assert (rows["6.0"].output_shape, rows["8"].output_shape) == ((5, 4, 5), (5,))
    text = str(network().summary())
    assert "W 3×3×2×4, b 4" in text
    assert "10×9×4" in text


def test_its_drawing_has_a_column_for_each_convolution() -> None:
    shown = network()._repr_html_()
    drawing = ET.fromstring(shown[shown.index("<svg xmlns") : shown.index("</svg>") + 6])  # noqa: S314 - our own
    words = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"180", "10×9×2", "4", "filters 3×3", "batch norm"} <= set(words)
    assert drawing.attrib["aria-label"] == "Network 180 → 4 → 3"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_its_gradients_are_checked(dtype: str) -> None:
    report = cp.check_gradients(network(dtype=dtype), X[:4], Y[:4])
    assert report, str(report)
    assert {row.parameter for row in report.rows} == set(network().parameters)


class Crooked(cp.Conv2D):
    """A convolution whose dx is that of the kernel the other way round."""

    def backward(self, params, dy, trace, grads):
        super().backward(params, dy, trace, grads)
        turned = {**params, "W": params["W"][::-1, ::-1]}
        return super().backward(
            turned, dy, trace, {name: one.copy() for name, one in grads.items()}
        )


def test_a_convolution_of_one_s_own_whose_dx_is_wrong_is_named() -> None:
    net = cp.Network(
        [cp.Conv2D(3), cp.Tanh(), Crooked(3), cp.GlobalAveragePool2D(), cp.Dense(3)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(10, 9, 2),
    )
    report = cp.check_gradients(net, X[:4], Y[:4])
    assert not report
    assert "The error begins in backward of layer 2, Crooked(" in report.origin


def test_it_is_saved_and_loaded_with_its_state(tmp_path: Path) -> None:
    net = network()
    cp.Trainer(epochs=2).fit(net, X, Y)
    cp.save(tmp_path / "net.safetensors", net)
    same = cp.load(tmp_path / "net.safetensors").network
    assert same.layers == net.layers
    np.testing.assert_array_equal(same.state.data, net.state.data)
    np.testing.assert_array_equal(same.logits(X), net.logits(X))
    np.testing.assert_array_equal(copy.deepcopy(net).logits(X), net.logits(X))


def test_it_learns_where_a_spot_is() -> None:
    random_state = np.random.RandomState(0)
    y = random_state.randint(0, 2, 120)
    pictures = 0.1 * random_state.standard_normal((120, 8, 8, 1))
    places = random_state.randint(0, 5, (120, 2))
    for picture, kind, (h, w) in zip(pictures, y, places, strict=True):
        picture[h : h + (1 if kind else 3), w : w + (3 if kind else 1)] += 1  # down, or across
    net = cp.Network(
        [
            *(cp.Conv2D(6), cp.ReLU(), cp.MaxPool2D()),
            *(cp.Conv2D(6), cp.ReLU(), cp.GlobalAveragePool2D(), cp.Dense(2)),
        ],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(8, 8, 1),
    )
    cp.Trainer(optimizer=cp.Adam(0.02), epochs=60, batch_size=20).fit(net, pictures[:80], y[:80])
    assert (net.predict(pictures[80:]) == y[80:]).mean() > 0.95


def test_a_training_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    def fit(epochs: int, *, resume: bool) -> np.ndarray:
        net = network()
        trainer = cp.Trainer(optimizer=cp.Adam(0.01), epochs=epochs, batch_size=10)
        at = cp.Checkpoint(tmp_path / f"{resume}.safetensors")
        trainer.fit(net, X, Y, checkpoint=at, resume=resume)
        return np.concatenate([net.parameters.data, net.state.data])

    whole = fit(4, resume=False)
    (tmp_path / "False.safetensors").unlink()
    fit(2, resume=False)
    (tmp_path / "False.safetensors").rename(tmp_path / "True.safetensors")
    np.testing.assert_array_equal(fit(4, resume=True), whole)
