"""Layers of tables: PyTorch's values, columns and codes, factors of the learning rate, files."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from golden_values import below, golden
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import CODE_CASES, codes_and_numbers

import clearprop as cp
from clearprop.compiled import is_chain
from clearprop.core.trace import Trace
from clearprop.errors import ClearpropError, DataError, ShapeError, UsageError
from clearprop.network import Network
from clearprop.optimizers import SGD

TABLES = golden("tables")
LAYERS: dict[str, cp.Layer] = {
    "SELU": cp.SELU(),
    "Mish": cp.Mish(),
    "NTKDense": cp.NTKDense(3),
    "Scale": cp.Scale(),
    "Blend": cp.Blend(cp.SELU()),
    "PeriodicEmbedding": cp.PeriodicEmbedding(frequencies=4, width=2),
    "Embedding": cp.Embedding((3, 4), width=3),
}
PLAIN = (
    cp.Columns(
        ((0, 2), (0, 4), (4, 6)),
        (cp.PeriodicEmbedding(frequencies=6), cp.Sequential(()), cp.Embedding((3, 4), width=2)),
    ),
    cp.Scale(),
    *(cp.NTKDense(5), cp.Blend(cp.SELU())),
    *(cp.NTKDense(5), cp.Blend(cp.Mish())),
    cp.NTKDense(3),
)
PBLD = ("w1", "b1", "W2", "b2")
RECIPE = (
    cp.Columns.of_table(numbers=2, plain=2, sizes=(3, 4), rate=0.1),
    cp.Scale(rate=6),
    cp.NTKDense(5, bias_rate=0.1),
    cp.Blend(cp.SELU(), rate=0.1),
    cp.NTKDense(5, bias_rate=0.1),
    cp.Blend(cp.Mish(), rate=0.1),
    cp.NTKDense(3, bias_rate=0.1),
)


def network(*layers: cp.Layer, inputs: int) -> Network:
    return Network(layers, loss=cp.MeanSquaredError(), input_shape=(inputs,))


def assert_equal(found: np.ndarray | None, expected: np.ndarray) -> None:
    assert found is not None
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_go_forward_and_backward_as_in_pytorch(name: str) -> None:
    layer, expected, trace = LAYERS[name], below(TABLES, name), Trace()
    built = layer.build(expected["x"].shape[1:])
    params = {key: expected[key] for key in built.parameters}
    assert {key: one.shape for key, one in built.parameters.items()} == {
        key: values.shape for key, values in params.items()
    }
    grads = {key: np.full_like(values, np.nan) for key, values in params.items()}
    assert_equal(layer.forward(params, expected["x"], trace), expected["y"])
    assert_equal(layer.backward(params, expected["dy"], trace, grads), expected["dx"])
    for key, values in grads.items():
        assert_equal(values, expected[f"d{key}"])


def test_a_network_of_them_trains_as_in_pytorch() -> None:
    net = Network(PLAIN, loss=cp.SoftmaxCrossEntropy(), input_shape=(6,))
    expected = below(TABLES, "network")
    net.parameters.assign(below(expected, "start"))
    sgd, losses = SGD(0.2), []
    state = sgd.start(net.parameters)
    for step in range(len(expected["losses"])):
        value, gradient = net.loss_and_gradient(expected["X"], expected["y"])
        sgd.step(net.parameters, gradient, state, step)
        losses.append(value)
    np.testing.assert_allclose(losses, expected["losses"], rtol=1e-10)
    for key, values in below(expected, "end").items():
        assert_equal(net.parameters[key], values)
    assert_equal(net.logits(expected["X"]), expected["logits"])


class TestFirstValuesAndFactors:
    def test_are_those_of_the_recipe(self) -> None:
        net = network(*RECIPE, inputs=6)
        factors = {name: one.rate for name, one in net.parameters.specs.items()}
        slow = {
            *(f"0.0.{name}" for name in PBLD),
            *("2.b", "3.alpha", "4.b", "5.alpha", "6.b"),
        }
        assert {name for name, factor in factors.items() if factor == 0.1} == slow
        assert factors["1.s"] == 6
        plain = ("0.2.E", "2.W", "4.W", "6.W")
        assert {name for name, factor in factors.items() if factor == 1} == set(plain)
        assert set(net.parameters) - set(net.parameters.decayed) == {"2.b", "4.b", "6.b"}

    def test_are_one_unless_asked_for(self) -> None:
        alone = (cp.Columns.of_table(numbers=3), cp.Scale(), cp.Blend(cp.SELU()), cp.NTKDense(2))
        net = network(*alone, inputs=3)
        assert {one.rate for one in net.parameters.specs.values()} == {1.0}

    def test_are_drawn_by_the_recipe(self) -> None:
        drawn = network(cp.Columns.of_table(numbers=500, sizes=(4000,)), inputs=501).parameters
        w1, b1, W2, b2 = (drawn[f"0.0.{name}"] for name in PBLD)
        E = drawn["0.2.E"]
        for array, std in ((w1, 0.1), (b1, np.pi / 3**0.5), (W2, 0.25 / 3**0.5), (E, 1.0)):
            # Six standard errors of the standard deviation of as many normal numbers, or fewer.
            assert array.std() == pytest.approx(std, rel=6 / (2 * array.size) ** 0.5)
            assert abs(array.mean()) < 6 * std / array.size**0.5
        assert 0.95 * np.pi < np.abs(b1).max() <= np.pi
        for array in (W2, b2):
            assert 0.95 / 4 < np.abs(array).max() <= 1 / 4

    @pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
    def test_that_are_no_factors_are_refused(self, rate: float) -> None:
        with pytest.raises(UsageError, match=r"rate of a parameter.*positive number; found"):
            network(cp.Scale(rate=rate), inputs=2)


def test_the_row_of_a_table_goes_in_and_comes_out_in_its_order() -> None:
    net = network(cp.Columns.of_table(numbers=2, plain=1, sizes=(3, 4)), inputs=5)
    assert net.output_shape == (2 * 3 + 2 + 1 + 2 * 8,)
    x = np.array([[0.5, -1.0, 7.0, 2.0, 3.0], [1.5, 0.0, -7.0, 0.0, 1.0]])
    y = net.forward(x)
    E = net.parameters["0.2.E"]
    np.testing.assert_array_equal(y[:, 6:9], x[:, :3])
    np.testing.assert_array_equal(y[:, 9:17], E[[2, 0]])
    np.testing.assert_array_equal(y[:, 17:], E[[3 + 3, 3 + 1]])
    w1, b1, W2, b2 = (net.parameters[f"0.0.{name}"] for name in PBLD)
    second = np.cos(2 * np.pi * w1[1] * x[0, 1] + b1[1]) @ W2[1] + b2[1]
    np.testing.assert_allclose(y[0, 3:6], second, rtol=1e-13)


@pytest.mark.parametrize(
    ("parts", "inner"),
    [
        ({"numbers": 3}, [cp.PeriodicEmbedding(), cp.Sequential(())]),
        ({"plain": 3}, [cp.Sequential(())]),
        ({"sizes": [2, 3, 4]}, [cp.Embedding((2, 3, 4))]),
        ({"plain": 1, "sizes": (2, 3)}, [cp.Sequential(()), cp.Embedding((2, 3))]),
    ],
    ids=str,
)
def test_what_a_table_lacks_is_left_out(parts: dict[str, object], inner: list[cp.Layer]) -> None:
    columns = cp.Columns.of_table(**parts)  # type: ignore[arg-type]
    assert list(columns.inner().values()) == inner
    assert len(network(columns, inputs=3).layers) == 1


@given(st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=4), min_size=1, max_size=3))
@settings(max_examples=30)
def test_layers_side_by_side_are_those_layers(sizes: list[list[int]]) -> None:
    """Embeddings of some columns each are one embedding of all, and so are their gradients."""
    ends = np.cumsum([0, *map(len, sizes)])
    ranges = tuple(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))
    apart = network(
        cp.Columns(ranges, tuple(cp.Embedding(tuple(one), 2) for one in sizes)), inputs=ends[-1]
    )
    every = tuple(chain.from_iterable(sizes))
    whole = network(cp.Embedding(every, 2), inputs=ends[-1])
    whole.parameters.data[...] = apart.parameters.data
    random_state = np.random.RandomState(0)
    codes = np.stack([random_state.randint(0, one, 5) for one in every], axis=1)
    found = []
    for net in (apart, whole):
        trace, gradient = Trace(), net.parameters.like()
        y = net.forward(codes.astype(float), trace).copy()
        net.backward(np.cos(y), trace, gradient)
        found.append((y, gradient.data))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_several_layers_see_gets_the_sum_of_what_they_give_back() -> None:
    both = network(cp.Columns(((0, 2), (1, 3)), (cp.Sequential(()), cp.Sequential(()))), inputs=3)
    trace = Trace()
    x = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(both.forward(x, trace), [[1, 2, 2, 3]])
    dx = both.backward(np.array([[1.0, 10.0, 100.0, 1000.0]]), trace, both.parameters.like())
    assert dx is not None
    np.testing.assert_array_equal(dx, [[1, 110, 1000]])


def test_a_category_that_comes_twice_gets_the_sum_of_both_gradients() -> None:
    net = network(cp.Embedding((3,), width=2), inputs=1)
    trace, gradient = Trace(), net.parameters.like()
    net.forward(np.array([[2.0], [0.0], [2.0]]), trace)
    gradient.data[...] = np.nan
    dx = net.backward(np.array([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]]), trace, gradient)
    np.testing.assert_array_equal(gradient["0.E"], [[3, 4], [0, 0], [11, 22]])
    assert dx is not None
    np.testing.assert_array_equal(dx, np.zeros((3, 1)))


@pytest.mark.parametrize("layer", CODE_CASES, ids=repr)
def test_layers_of_codes_are_right_in_every_pass(layer: cp.Layer) -> None:
    """They change nothing that they are given, keep to its dtype, and repeat their bits."""
    for dtype in (np.float32, np.float64):
        net = Network([layer], loss=cp.MeanSquaredError(), input_shape=(5,), dtype=dtype)
        x = codes_and_numbers(layer, 6).astype(dtype)
        x.setflags(write=False)
        used, found = Trace(training=True), []
        for trace, rows in ((used, slice(0, 6)), (used, slice(1, 4)), (Trace(), slice(1, 4))):
            gradient = net.parameters.like()
            gradient.data[...] = np.nan
            y = net.forward(x[rows], trace).copy()
            dx = net.backward(np.sin(y), trace, gradient)
            assert dx is not None
            found.append((y, dx.copy(), gradient.data))
            assert {array.dtype for array in found[-1]} == {np.dtype(dtype)}
            assert np.isfinite(gradient.data).all()
            np.testing.assert_array_equal(dx[:, list(layer.codes((5,)))], 0)
        for one, other in zip(*found[1:], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("code", [-1, 3, 0.5, np.nan, np.inf, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_codes_that_are_none_are_refused(code: float, dtype: type[np.floating]) -> None:
    layers = [cp.Columns.of_table(plain=1, sizes=(9, 3))]
    net = Network(layers, loss=cp.MeanSquaredError(), input_shape=(3,), dtype=dtype)
    with pytest.raises(
        DataError,
        match=r"whole codes: column 1 those from 0 to 2; found .* in sample 2.*unknown is 0",
    ):
        net.forward(np.array([[0.5, 8, 2], [0.5, 0, 0], [0.5, 1, code]], dtype))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: cp.Embedding(()), UsageError, "size of a table for each column; found none"),
        (lambda: cp.Embedding((2, 0)), UsageError, "whole number of rows in each table.*found 0"),
        (lambda: cp.Embedding((2,), width=1.5), UsageError, "whole number of width.*found 1.5"),
        (lambda: cp.PeriodicEmbedding(0), UsageError, "number of frequencies from 1, found 0"),
        (lambda: cp.PeriodicEmbedding(std=0), UsageError, "positive std.*found 0"),
        (lambda: cp.NTKDense(0), UsageError, "NTKDense needs a whole number of units from 1"),
        (lambda: cp.NTKDense(2, "he"), UsageError, "NTKDense needs an initializer.*found 'he'"),
        (lambda: cp.Blend(cp.SELU), UsageError, r"Blend takes an activation.*Is a \(\) missing"),
        (lambda: cp.Uniform(0), UsageError, "Uniform needs a positive bound, found 0"),
        (lambda: cp.Columns((), ()), UsageError, "found 0 ranges and 0 layers"),
        (lambda: cp.Columns.of_table(), UsageError, "found 0 ranges and 0 layers"),
        (lambda: cp.Columns(((0, 1),), (cp.Tanh,)), UsageError, r"Layer 0 is no layer.*a \(\)"),
        (lambda: cp.Columns(((0, 1),), ()), UsageError, "found 1 ranges and 0 layers"),
        (lambda: cp.Columns(((1, 1),), (cp.Tanh(),)), UsageError, r"found \(1, 1\)"),
        (lambda: cp.Columns((3,), (cp.Tanh(),)), UsageError, r"a pair \(start, stop\), found 3"),
        (lambda: on(cp.Columns.of_table(plain=3)), ShapeError, "of 3 columns, found.* of 2"),
        (lambda: on(cp.Columns.of_table(plain=1)), ShapeError, "columns of 2 to no layer: 1"),
        (lambda: on(cp.Embedding((3,))), ShapeError, "1 tables, one a column; found samples of 2"),
        (lambda: on(cp.Blend(cp.Dense(3))), ShapeError, r"keeps the shape.*makes \(3,\) of \(2,\)"),
        (
            lambda: on(cp.Columns(((0, 2),), (cp.Embedding((1,)),))),
            ShapeError,
            "Layer 0: Layer 0 of Columns: Embedding has 1 tables",
        ),
        *(
            (lambda layer=layer: on(layer, (2, 2)), ShapeError, r"takes flat samples \(D,\)")
            for layer in (cp.Scale(), cp.NTKDense(1), cp.PeriodicEmbedding(), cp.Blend(cp.SELU()))
        ),
    ],
)
def test_layers_that_cannot_be_are_refused(
    make: Callable[[], object], error: type[ClearpropError], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


def on(layer: cp.Layer, shape: tuple[int, ...] = (2,)) -> Network:
    return Network([layer], loss=cp.MeanSquaredError(), input_shape=shape)


def test_a_dense_layer_of_the_other_parametrisation_is_the_same_map() -> None:
    plain, other = (network(kind(4), inputs=9) for kind in (cp.Dense, cp.NTKDense))
    plain.parameters["0.W"][...] = other.parameters["0.W"] / 3
    x = np.random.RandomState(0).standard_normal((5, 9))
    np.testing.assert_allclose(plain.forward(x), other.forward(x), rtol=1e-13)


def test_compiled_steps_do_not_take_it_for_the_usual_one() -> None:
    loss = cp.MeanSquaredError()
    for layer, known in ((cp.Dense(2), True), (cp.NTKDense(2), False)):
        net = Network([layer, cp.SELU(), cp.Dense(1)], loss=loss, input_shape=(3,))
        assert is_chain(net, loss, SGD(0.1)) == known


def test_selu_keeps_mean_and_variance() -> None:
    """Its fixed point: outputs of inputs that are N(0, 1) have mean 0 and variance 1."""
    points, weights = np.polynomial.hermite_e.hermegauss(200)
    y = cp.SELU().forward({}, points, Trace())
    weights /= weights.sum()
    assert weights @ y == pytest.approx(0, abs=1e-3)
    assert weights @ y**2 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_blend_is_the_identity_at_0_and_the_activation_at_1(alpha: float) -> None:
    x = np.linspace(-3, 3, 8).reshape(2, 4)
    y = cp.Blend(cp.Mish()).forward({"alpha": np.full(4, alpha)}, x, Trace())
    expected = cp.Mish().forward({}, x, Trace()) if alpha else x
    np.testing.assert_allclose(y, expected, rtol=1e-14)


def test_what_an_activation_inside_a_blend_keeps_is_updated() -> None:
    net = network(cp.Blend(cp.BatchNorm(momentum=1)), inputs=2)
    trace = Trace(training=True)
    net.forward(np.array([[1.0, 2.0], [3.0, 6.0]]), trace)
    net.update_state(trace)
    np.testing.assert_allclose(net.state["0.activation.running_mean"], [2, 4])


def test_what_a_layer_beside_others_keeps_is_updated() -> None:
    net = network(cp.Columns(((1, 2), (0, 2)), (cp.BatchNorm(1), cp.Tanh())), inputs=2)
    trace = Trace(training=True)
    net.forward(np.array([[1.0, 2.0], [3.0, 6.0]]), trace)
    net.update_state(trace)
    np.testing.assert_allclose(net.state["0.0.running_mean"], [4])


def test_a_network_of_them_is_saved_and_loaded(tmp_path: Path) -> None:
    net = Network(RECIPE, loss=cp.SoftmaxCrossEntropy(), input_shape=(6,), seed=3)
    x = codes_and_numbers(RECIPE[0], 8, columns=6)
    cp.save(tmp_path / "table.safetensors", net)
    same = cp.load(tmp_path / "table.safetensors").network
    assert same.layers == net.layers
    np.testing.assert_array_equal(same.logits(x), net.logits(x))
    assert same.parameters.specs == net.parameters.specs


def test_a_network_of_them_is_summarised_and_drawn() -> None:
    net = Network(RECIPE, loss=cp.SoftmaxCrossEntropy(), input_shape=(6,))
    rows = {row.name: row for row in net.summary().rows}
    assert rows["0.0"].shapes == {"w1": (2, 16), "b1": (2, 16), "W2": (2, 16, 3), "b2": (2, 3)}
    assert rows["0.2"].shapes == {"E": (7, 8)}
    assert rows["0"].output_shape == (6 + 4 + 16,)
    assert rows["3"].shapes == {"alpha": (5,)}
    assert net.summary().parameters == net.parameters.data.size
    drawing = net._repr_html_()
    assert 'aria-label="Network 6 → 5 → 5 → 3"' in drawing
    assert "Columns" in drawing
