"""A walk through convolutions and pools: every number leads back to its operands."""

import numpy as np
import pytest
from random_networks import PICTURE, PICTURE_CASES, randomized
from test_numbers_of_a_walk import assert_sums_lead_to_the_numbers

import clearprop as cp
from clearprop.errors import UsageError


def network(*layers: cp.Layer, shape: tuple[int, ...] = PICTURE) -> cp.Network:
    net = cp.Network([*layers, cp.Dense(3)], loss=cp.SoftmaxCrossEntropy(), input_shape=shape)
    return randomized(net, np.random.RandomState(0))


def walked(net: cp.Network, **how: object) -> cp.Walk:
    X = np.random.RandomState(1).standard_normal((2, *net.input_shape))
    return cp.walk(net, X, np.array([0, 2]), **how)


@pytest.mark.parametrize("layer", PICTURE_CASES, ids=repr)
@pytest.mark.parametrize("training", [True, False])
def test_every_number_of_a_layer_of_pictures_is_explained(layer: cp.Layer, training: bool) -> None:
    trace = cp.Trace(training=training, random_state=np.random.RandomState(0))
    flat = [] if isinstance(layer, (cp.Flatten, cp.GlobalAveragePool2D)) else [cp.Flatten()]
    found = walked(network(cp.Conv2D(2, 1), layer, *flat), trace=trace)
    assert_sums_lead_to_the_numbers(found)
    assert "of your own" not in str(found)


def test_pictures_without_channels_are_explained() -> None:
    net = network(
        *(cp.BatchNorm(), cp.SpatialDropout2D(0.2), cp.MaxPool2D(3, 2), cp.Conv2D(2, 4, 3)),
        *(cp.AveragePool2D(2, 1), cp.GlobalAveragePool2D()),
        shape=(9, 9),
    )
    assert_sums_lead_to_the_numbers(walked(net, trace=None))
    assert_sums_lead_to_the_numbers(walked(network(cp.GlobalAveragePool2D(), shape=(4, 3))))


SMALL = network(
    *(cp.Conv2D(2), cp.ReLU(), cp.MaxPool2D(), cp.Conv2D(2, 2, 2, "valid"), cp.BatchNorm()),
    *(cp.Residual((cp.Conv2D(3, 1),)), cp.AveragePool2D(1), cp.GlobalAveragePool2D()),
    shape=(9, 8, 1),
)
FORMULAS = {
    "0.y": "y[n,i,j] = b + sum_pq x[n,i+p-1,j+q-1] W[p,q]",
    "0.dW": "dW[p,q] = sum_nij x[n,i+p-1,j+q-1].T dy[n,i,j]",
    "0.db": "db = sum_nhw dy[n,h,w]",
    "2.y": "y[n,i,j] = max_pq x[n,2*i+p,2*j+q]",
    "2.won": "won[n,i,j] = argmax_pq x[n,2*i+p,2*j+q]",
    "2.dx": "dx[n,h,w] = sum_pq dy[n,(h-p)/2,(w-q)/2] * [won[n,(h-p)/2,(w-q)/2] = 2*p+q], of those "
    "p, q that give whole numbers",
    "3.dx": "dx[n,h,w] = sum_pq dy[n,(h-p)/2,(w-q)/2] W[p,q].T, of those p, q that give whole "
    "numbers",
    "4.mean": "mean = sum_nhw x[n,h,w] / NHW",
    "4.dgamma": "dgamma = sum_nhw dy[n,h,w] * xhat[n,h,w]",
    "4.dx": "dx = gamma / s * (dy - dbeta / NHW - xhat * dgamma / NHW)",
    "5.dP": "dP = x.reshape(NHW, -1).T dy.reshape(NHW, -1)",
    "6.y": "y[n,i,j] = mean_pq x[n,i,j]",
    "7.y": "y[n] = mean_hw x[n,h,w]",
    "7.dx": "dx[n,h,w] = dy[n] / HW",
}


@pytest.mark.parametrize("key", FORMULAS)
def test_formulas_say_which_place_meets_which(key: str) -> None:
    assert walked(SMALL)[key].formula == FORMULAS[key]


def test_an_output_of_a_convolution_opens_with_the_operands_of_its_window() -> None:
    found = walked(SMALL)
    assert found.entry("0.y[1,3,4,1]").arithmetic.symbols() == (
        "b[1] + x[1,2,3,0]*W[0,0,0,1] + x[1,2,4,0]*W[0,1,0,1] + x[1,2,5,0]*W[0,2,0,1]"
        " + x[1,3,3,0]*W[1,0,0,1] + x[1,3,4,0]*W[1,1,0,1] + x[1,3,5,0]*W[1,2,0,1]"
        " + x[1,4,3,0]*W[2,0,0,1] + x[1,4,4,0]*W[2,1,0,1] + x[1,4,5,0]*W[2,2,0,1]"
    )
    # In a corner four of the nine lie on the picture.
    assert found.entry("0.y[0,0,0,0]").arithmetic.symbols() == (
        "b[0] + x[0,0,0,0]*W[1,1,0,0] + x[0,0,1,0]*W[1,2,0,0]"
        " + x[0,1,0,0]*W[2,1,0,0] + x[0,1,1,0]*W[2,2,0,0]"
    )


def test_a_gradient_of_a_filter_opens_with_the_places_that_it_looked_at() -> None:
    text = walked(SMALL).entry("0.dW[0,1,0,1]").arithmetic.symbols()
    # Above the first line there is none: the sum begins with the second window.
    assert text.startswith("x[0,0,0,0]*dy[0,1,0,1] + x[0,0,1,0]*dy[0,1,1,1] + ")
    assert text.endswith(" + x[1,7,7,0]*dy[1,8,7,1]")


def test_a_number_hears_of_the_windows_that_it_lies_in() -> None:
    found = walked(SMALL)
    assert found.entry("3.dx[1,2,3,0]").arithmetic.symbols() == (
        "dy[1,1,1,0]*W[0,1,0,0] + dy[1,1,1,1]*W[0,1,0,1]"
    )
    # The last line but one of nine has no pool, and its ReLU hears nothing.
    assert found.entry("2.dx[0,8,0,0]").arithmetic.symbols() == "0"


def test_the_largest_of_a_window_is_named_and_gets_the_gradient() -> None:
    found = walked(SMALL)
    won = int(found["2.won"].array[1, 2, 1, 0])
    assert found.entry("2.y[1,2,1,0]").arithmetic.symbols() == (
        "max(x[1,4,2,0], x[1,4,3,0], x[1,5,2,0], x[1,5,3,0])"
    )
    line, column = 4 + won // 2, 2 + won % 2
    entry = found.entry(f"2.dx[1,{line},{column},0]")
    assert entry.arithmetic.symbols() == f"dy[1,2,1,0]*[won[1,2,1,0] = {won}]"
    assert entry.value == entry.arithmetic.value
    assert entry.value != 0


def test_large_windows_are_cut_short() -> None:
    net = network(cp.Conv2D(2, 7), cp.MaxPool2D(6), cp.Flatten(), shape=(12, 12, 2))
    found = walked(net)
    assert "[93\N{NO-BREAK SPACE}more:" in found.entry("0.y[0,6,6,0]").arithmetic.numbers()
    entry = found.entry("1.y[0,1,0,1]").arithmetic
    assert entry.symbols() == "max(x[0,6,0,1], ..., x[0,11,5,1])"


def test_feature_maps_and_filters_are_shown_by_a_slice() -> None:
    text = str(walked(SMALL, sample=1))
    assert "W (3, 3, 1, 2), weights" in text
    assert "y[1,4,4,0] = b[0] + x[1,3,3,0]*W[0,0,0,0]" in text  # a place in the middle
    described = {
        one["name"]: one
        for step in walked(SMALL, sample=1).to_dict()["steps"]
        for one in step["matrices"]
    }
    assert described["0.W"]["place"] == "[:,:,0,0]"
    assert described["0.y"]["place"] == "[1,:,:,0]"
    W = SMALL.parameters["0.W"]
    np.testing.assert_array_equal(described["0.W"]["values"], W[:, :, 0, 0])


def test_the_page_draws_the_pictures_and_leaves_feature_maps_as_tables() -> None:
    page = walked(SMALL).to_html()
    assert page.count("<img") >= 1  # X, of one channel
    assert "[0,:,:,0]" in page
    assert "max(x[0," in page


def test_the_course_has_no_symbols_for_convolutions() -> None:
    with pytest.raises(UsageError, match=r"layer 0 is Conv2D\(filters=2.*engine's notation"):
        walked(SMALL, notation="course")
