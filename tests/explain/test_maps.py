"""Class activation lies where a convolution found what speaks for the answer."""

import numpy as np
import pytest
from own_container import Branches
from picture_networks import SHAPE, averaging_network, flat_network, pictures

import clearprop as cp
from clearprop.errors import UnknownNameError, UsageError

BLOCK = (cp.Conv2D(4), cp.BatchNorm(), cp.ReLU())


def by_hand(network, X, weights):
    """Return the class activation of Zhou et al. by its definition, as large as the maps."""
    twin = cp.Network(
        [*network.layers[:-2], cp.Flatten()],
        loss=cp.MeanSquaredError(),
        input_shape=network.input_shape,
        dtype=network.dtype,
    )
    twin.parameters.data[...] = network.parameters.data[: twin.parameters.data.size]
    maps = twin.logits(X).reshape(len(X), *SHAPE[:2], -1)
    return np.maximum(np.einsum("nijk,nk->nij", maps, weights), 0) / (SHAPE[0] * SHAPE[1])


@pytest.mark.parametrize(
    "convolutions",
    [
        [cp.Conv2D(5), cp.ReLU()],
        [cp.Conv2D(5)],
        [cp.Sequential((cp.Conv2D(4), cp.Tanh()))],
        [cp.Conv2D(4), cp.Residual((cp.Conv2D(4), cp.ReLU(), cp.Conv2D(4))), cp.ReLU()],
        [Branches(cp.Conv2D(4), cp.Sequential((cp.Conv2D(4), cp.Tanh())))],
    ],
)
def test_where_an_average_follows_it_is_that_of_zhou(convolutions):
    network, X = averaging_network(convolutions), pictures()
    W = network.parameters[f"{len(network.layers) - 1}.W"]
    for answers in (0, 2, [2, 0, 1]):
        found = cp.class_activation(network, X, answers)
        expected = by_hand(network, X, W.T[np.broadcast_to(answers, 3)])
        assert expected.any()
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_it_adds_up_to_the_logit_where_all_above_is_linear():
    network = cp.Network(
        [cp.Conv2D(4), cp.ReLU(), cp.Flatten(), cp.Dense(2, bias=False)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=SHAPE,
    )
    network.parameters["3.W"][...] = np.abs(network.parameters["3.W"])  # so that nothing is cut off
    X = pictures()
    for k in (0, 1):
        found = cp.class_activation(network, X, k)
        np.testing.assert_allclose(found.sum(axis=(1, 2)), network.logits(X)[:, k])


def finder(square):
    """A network made by hand: one filter that sees a bright square, two classes by it."""
    network = cp.Network(
        [cp.Conv2D(1, kernel=square), cp.ReLU(), cp.MaxPool2D(), cp.Flatten(), cp.Dense(2)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(24, 24),
    )
    W = network.parameters
    W["0.W"][...], W["0.b"][...] = 1.0, -0.9 * square**2
    W["4.W"][...] = [-1, 1]
    W["4.b"][...] = 0.1, 0
    return network


@pytest.mark.parametrize(("row", "column"), [(3, 4), (15, 2), (10, 17)])
def test_it_peaks_where_the_only_filter_sees_its_square(row, column):
    X = np.random.RandomState(0).rand(1, 24, 24) * 0.1
    X[0, row : row + 5, column : column + 5] = 1
    found = cp.class_activation(finder(5), X)[0]
    assert cp.saliency(finder(5), X, noise=0)[0, row : row + 5, column : column + 5].min() > 0
    peak = np.unravel_index(found.argmax(), found.shape)
    assert np.abs(np.subtract(peak, (row + 2, column + 2))).max() <= 1
    far = np.ones((24, 24), bool)
    far[row : row + 5, column : column + 5] = False
    assert not found[far].any()


def test_nothing_speaks_for_a_class_that_has_no_filter():
    X = np.zeros((1, 24, 24))
    assert not cp.class_activation(finder(5), X).any()
    X[0, 3:8, 3:8] = 1
    assert not cp.class_activation(finder(5), X, 0).any()


def test_small_maps_are_drawn_out_between_the_middles_of_their_places():
    network = cp.Network(
        [cp.AveragePool2D(4), cp.Conv2D(1, kernel=1), cp.Flatten(), cp.Dense(1, bias=False)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(8, 12),
    )
    network.parameters["1.W"][...] = network.parameters["3.W"][...] = 1
    X = np.kron([[4.0, 0, 0], [0, 8, 0]], np.ones((4, 4)))[np.newaxis]
    found = cp.class_activation(network, X, 1)[0]
    rows = np.interp(np.arange(8), [1.5, 5.5], [4, 0])
    np.testing.assert_allclose(found[:, 0], rows)
    np.testing.assert_allclose(found[7], np.interp(np.arange(12), [1.5, 5.5, 9.5], [0, 8, 0]))


def test_pictures_whose_sides_are_no_multiple_of_the_pools_have_maps_of_their_size():
    network = flat_network(shape=(11, 7, 3))
    assert cp.class_activation(network, pictures(2, (11, 7, 3))).shape == (2, 11, 7)


def test_feature_maps_are_those_of_the_first_convolution_behind_its_activation():
    network = cp.Network(
        [*BLOCK, cp.Conv2D(4), cp.Flatten(), cp.Dense(2)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=SHAPE,
    )
    X, trace = pictures(), cp.Trace()
    network.forward(X, trace)
    behind = trace.child("3")["x"]  # what the next convolution takes
    np.testing.assert_array_equal(cp.feature_maps(network, X), behind)
    assert (cp.feature_maps(network, X, layer="0") < 0).any()
    assert cp.feature_maps(network, X, layer="3").shape == (3, 8, 8, 4)


def test_a_layer_can_be_named_inside_a_container():
    network, X = flat_network(), pictures()
    inside = cp.feature_maps(network, X, layer="4.0")
    assert inside.shape == (3, 4, 4, 4)
    np.testing.assert_allclose(np.tanh(inside), cp.feature_maps(network, X, layer="4.1"))
    whole = cp.class_activation(network, X)
    np.testing.assert_array_equal(cp.class_activation(network, X, layer="5"), whole)
    assert not np.allclose(cp.class_activation(network, X, layer="4.1"), whole)


def test_a_network_without_convolutions_has_no_maps():
    dense = cp.Network(
        [cp.Flatten(), cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=SHAPE
    )
    for ask in (cp.class_activation, cp.feature_maps):
        with pytest.raises(UsageError, match=r"no convolution.*clearprop\.saliency"):
            ask(dense, pictures())


def test_layers_that_are_not_there_or_have_no_places_are_refused():
    with pytest.raises(UnknownNameError, match=r"no layer '9'.*Known: 0, 1, 2"):
        cp.class_activation(flat_network(), pictures(), layer="9")
    with pytest.raises(UsageError, match=r"Layer 7 gives \(3,\).*expected maps"):
        cp.feature_maps(flat_network(), pictures(), layer="7")


def test_many_samples_are_done_in_blocks(monkeypatch):
    network, X = flat_network(), pictures(7)
    whole = cp.class_activation(network, X), cp.feature_maps(network, X)
    monkeypatch.setattr("clearprop.explain.question._AT_ONCE", 5_000)
    for one, other in zip(
        whole, (cp.class_activation(network, X), cp.feature_maps(network, X)), strict=True
    ):
        np.testing.assert_allclose(one, other)
