"""First weights that are fitted to samples: variances of 1, and bends among the samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop.errors import DataError
from clearprop.network import first_values

INIT = cp.FromData()
BODIES: dict[str, list[cp.Layer]] = {
    "dense": [cp.Dense(5, INIT), cp.Tanh(), cp.Dense(4, INIT), cp.ReLU()],
    "tangent": [cp.NTKDense(5, INIT), cp.Blend(cp.SELU()), cp.NTKDense(4, INIT, bias_rate=0.1)],
    "inside": [
        cp.Sequential((cp.Dense(4, INIT), cp.Tanh())),
        cp.Residual((cp.NTKDense(4, INIT), cp.Sequential((cp.Tanh(), cp.Dense(4, INIT))))),
    ],
    "without biases": [cp.Dense(5, INIT, bias=False), cp.Tanh()],
    "dropout": [cp.NTKDense(5, INIT), cp.ReLU(), cp.Dropout(0.4), cp.NTKDense(4, INIT)],
}


def network(body: list[cp.Layer], inputs: int = 3, dtype: str = "float64") -> cp.Network:
    return cp.Network(
        [*body, cp.NTKDense(2, INIT)],
        loss=cp.MeanSquaredError(),
        input_shape=(inputs,),
        dtype=dtype,
        seed=3,
    )


def samples(count: int = 300, inputs: int = 3) -> np.ndarray:
    X = np.random.RandomState(1).standard_normal((count, inputs))
    return X * [1.0, 200.0, 0.01][:inputs] + [0.0, 9.0, 5.0][:inputs]


def outputs(net: cp.Network, X: np.ndarray, seed: int) -> dict[str, tuple[np.ndarray, bool]]:
    """Return the outputs of all affine layers, in the pass that they were fitted in."""
    random_state = np.random.RandomState(seed)
    trace = cp.Trace(training=True, random_state=random_state)
    if any(isinstance(layer, cp.Dropout) for layer in net.layers):
        random_state.randint(0, len(X), (5, 5))  # as the biases below it drew
        random_state.standard_exponential((5, 5))
    net.forward(net.inputs(X), trace)
    found = {}
    for name in net.parameters:
        if name.endswith("W"):
            inner = trace
            for part in name.split(".")[:-1]:
                inner = inner.child(part)
            found[name] = inner["x"], name.removesuffix("W") + "b"
    return {
        name: (_affine(net, name, x), bias in net.parameters) for name, (x, bias) in found.items()
    }


def _affine(net: cp.Network, name: str, x: np.ndarray) -> np.ndarray:
    layer: cp.Layer = net.body
    for part in name.split(".")[:-1]:
        layer = layer.inner()[part]
    scale = np.sqrt(x.shape[1]) if isinstance(layer, cp.NTKDense) else 1
    bias = net.parameters.get(name.removesuffix("W") + "b", 0.0)
    return x @ net.parameters[name] / scale + bias


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("body", BODIES)
def test_each_unit_has_variance_one_and_bends_among_the_samples(body: str, dtype: str) -> None:
    net, X = network(BODIES[body], dtype=dtype), samples()
    drawn = net.parameters.copy()
    net.initialize_from(X, np.random.RandomState(8))
    found = outputs(net, X, 8)
    assert len(found) >= 2
    for name, (z, has_bias) in found.items():
        np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-4 if dtype == "float32" else 1e-9)
        if has_bias:
            assert (z.min(axis=0) < 0).all()
            assert (z.max(axis=0) > 0).all()
        factors = net.parameters[name] / drawn[name]
        assert (factors > 0).all()
        np.testing.assert_allclose(factors, np.broadcast_to(factors[0], factors.shape), rtol=1e-5)


def test_biases_are_means_of_five_products_with_exponential_shares() -> None:
    products = np.random.RandomState(0).standard_normal((40, 3)) * [1, 5, 0.1] + 2
    factors, biases = cp.FromData().fit(np.random.RandomState(6), products)
    twin = np.random.RandomState(6)
    rows, shares = twin.randint(0, 40, (3, 5)), twin.standard_exponential((3, 5))
    for unit in range(3):
        share = shares[unit] / shares[unit].sum()
        assert factors[unit] == pytest.approx(1 / products[:, unit].std())
        expected = -share @ (products[rows[unit], unit] * factors[unit])
        assert biases[unit] == pytest.approx(expected)


@given(
    value=st.floats(-1e6, 1e6, allow_subnormal=False),
    count=st.integers(1, 30),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_a_unit_that_is_the_same_for_all_samples_keeps_its_weights(
    value: float, count: int, dtype: str
) -> None:
    products = np.full((count, 2), value, dtype)
    products[:, 1] += np.finfo(dtype).eps * abs(value) * (np.arange(count) % 3)
    factors, biases = cp.FromData().fit(np.random.RandomState(0), products)
    np.testing.assert_array_equal(factors, 1)
    np.testing.assert_allclose(biases, -products[0], rtol=1e-5, atol=1e-30)


def test_columns_without_a_spread_leave_everything_finite() -> None:
    net = network(BODIES["tangent"])
    net.initialize_from(np.zeros((7, 3)), np.random.RandomState(0))
    assert np.isfinite(net.parameters.data).all()
    net.initialize_from(samples(1), np.random.RandomState(0))
    assert np.isfinite(net.parameters.data).all()


def test_it_draws_from_the_state_it_is_given_and_changes_nothing_else() -> None:
    X = samples()
    first, again, other = (network(BODIES["dropout"]) for _ in range(3))
    first.initialize_from(X, np.random.RandomState(2))
    again.initialize_from(X.tolist(), np.random.RandomState(2))
    other.initialize_from(X, np.random.RandomState(4))
    np.testing.assert_array_equal(first.parameters.data, again.parameters.data)
    assert not np.array_equal(first.parameters.data, other.parameters.data)
    plain = cp.Network(
        [cp.Dense(4), cp.BatchNorm(), cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(3,)
    )
    before = plain.parameters.data.copy(), plain.state.data.copy()
    plain.initialize_from(X, np.random.RandomState(2))
    np.testing.assert_array_equal(plain.parameters.data, before[0])
    np.testing.assert_array_equal(plain.state.data, before[1])


def test_of_very_many_samples_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_values, "_MOST", 100)
    seen: list[int] = []

    class Rows:
        shape, dtype = (1000, 3), np.dtype(float)

        def __len__(self) -> int:
            return 1000

        def __getitem__(self, rows: np.ndarray) -> np.ndarray:
            seen.extend(rows)
            return samples(1000)[rows]

    net = network(BODIES["dense"])  # whose widest layer has 5 units
    rows = Rows()
    net.initialize_from(rows, np.random.RandomState(0))
    assert len(seen) == len(set(seen)) == 20
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.empty((0, 3)), "no samples"),
        (np.array([[1.0, np.nan, 2.0]]), "must be finite"),
    ],
)
def test_samples_that_can_not_be_fitted_to_are_refused(X: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        network(BODIES["dense"]).initialize_from(X, np.random.RandomState(0))
