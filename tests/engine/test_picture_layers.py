"""Layers of pictures against SciPy, what they refuse, and what they leave alone."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate2d

import clearprop as cp
from clearprop.errors import ShapeError, UsageError
from clearprop.layers.windows import Pair, windows_that_fit, windows_with_border

_sides = st.tuples(st.integers(1, 9), st.integers(1, 9))
_sizes = st.tuples(st.integers(1, 5), st.integers(1, 5))
_strides = st.tuples(st.integers(1, 4), st.integers(1, 4))


def correlated(x: np.ndarray, W: np.ndarray, stride: Pair, padding: str) -> np.ndarray:
    """Correlate every channel with every filter, and take what the stride leaves."""
    if padding == "same":
        borders = []
        for size, kernel, step in zip(x.shape[1:3], W.shape[:2], stride, strict=True):
            count = -(-size // step)
            border = max((count - 1) * step + kernel - size, 0)
            borders.append((border // 2, border - border // 2))
        x = np.pad(x, ((0, 0), *borders, (0, 0)))
    found = [
        [
            sum(correlate2d(one[..., c], W[..., c, f], "valid") for c in range(x.shape[-1]))
            for f in range(W.shape[-1])
        ]
        for one in x
    ]
    return np.moveaxis(np.array(found), 1, -1)[:, :: stride[0], :: stride[1]]


@given(
    _sides,
    _sizes,
    _strides,
    st.sampled_from(["same", "valid"]),
    st.integers(1, 10),
    st.integers(1, 3),
    st.integers(0, 1000),
)
def test_a_convolution_is_the_sum_of_scipy_s_correlations(
    sides: Pair, kernel: Pair, stride: Pair, padding: str, channels: int, filters: int, seed: int
) -> None:
    layer = cp.Conv2D(filters, kernel, stride, padding)
    fits = all(k <= side for k, side in zip(kernel, sides, strict=True)) or padding == "same"
    if not fits or any(step > side for step, side in zip(stride, sides, strict=True)):
        with pytest.raises(ShapeError, match=r"Conv2D\(\d\) (looks at|has a stride)"):
            layer.build((*sides, channels))
        return
    random_state = np.random.RandomState(seed)
    x = random_state.standard_normal((3, *sides, channels))
    params = {
        "W": random_state.standard_normal((*kernel, channels, filters)),
        "b": random_state.standard_normal(filters),
    }
    y = layer.forward(params, x, trace := cp.Trace())
    expected = correlated(x, params["W"], stride, padding) + params["b"]
    assert y.shape[1:] == layer.build((*sides, channels)).out_shape
    np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-10)

    # The layer is linear in x and in W: what is handed back is what is handed on.
    dy = random_state.standard_normal(y.shape)
    grads = {name: np.full_like(one, np.nan) for name, one in params.items()}
    dx = layer.backward(params, dy, trace, grads)
    linear = np.vdot(dy, expected - params["b"])
    np.testing.assert_allclose(np.vdot(dx, x), linear, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.vdot(grads["W"], params["W"]), linear, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(grads["b"], dy.sum(axis=(0, 1, 2)), rtol=1e-9, atol=1e-9)


@given(_sides, _sizes, _strides, st.integers(0, 1000))
def test_pools_are_what_numpy_says_of_each_window(
    sides: Pair, size: Pair, stride: Pair, seed: int
) -> None:
    if any(k > side or step > side for k, step, side in zip(size, stride, sides, strict=True)):
        with pytest.raises(ShapeError):
            cp.MaxPool2D(size, stride).build((*sides, 2))
        return
    x = np.random.RandomState(seed).randint(-3, 3, (2, *sides, 2)).astype(float)
    largest, mean = (
        pool(size, stride).forward({}, x, cp.Trace()) for pool in (cp.MaxPool2D, cp.AveragePool2D)
    )
    for i, j in np.ndindex(largest.shape[1:3]):
        down, right = i * stride[0], j * stride[1]
        window = x[:, down : down + size[0], right : right + size[1]]
        np.testing.assert_array_equal(largest[:, i, j], window.max(axis=(1, 2)))
        np.testing.assert_allclose(mean[:, i, j], window.mean(axis=(1, 2)), atol=1e-12)


def test_a_border_has_its_smaller_half_before() -> None:
    windows = windows_with_border("", (6, 7), (4, 3), (1, 2))
    assert (windows.out, windows.before, windows.after) == ((6, 4), (1, 1), (2, 1))
    assert windows_that_fit("", (6, 7), (4, 3), (1, 2)).out == (3, 3)


def test_of_equal_numbers_the_first_gets_the_gradient() -> None:
    x = np.array([[1.0, 2, 2], [2, 0, 5]]).reshape(1, 2, 3, 1)
    pool, trace = cp.MaxPool2D(2, stride=1), cp.Trace()
    y = pool.forward({}, x, trace)
    assert y.ravel().tolist() == [2, 5]
    dx = pool.backward({}, np.array([10.0, 1]).reshape(y.shape), trace, {})
    assert dx.reshape(2, 3).tolist() == [[0, 10, 0], [0, 0, 1]]


@pytest.mark.parametrize("place", range(4))
def test_a_number_that_is_none_stays_one_in_its_window(place: int) -> None:
    x = np.arange(4.0)
    x[place] = np.nan
    assert np.isnan(cp.MaxPool2D().forward({}, x.reshape(1, 2, 2, 1), cp.Trace())).all()


def test_a_channel_is_dropped_whole_and_otherwise_than_in_other_samples() -> None:
    layer = cp.SpatialDropout2D(0.5)
    trace = cp.Trace(training=True, random_state=np.random.RandomState(0))
    y = layer.forward({}, np.ones((40, 5, 4, 30)), trace)
    np.testing.assert_array_equal(y.min(axis=(1, 2)), y.max(axis=(1, 2)))
    assert set(y.ravel()) == {0.0, 2.0}
    assert 0.4 < (y[:, 0, 0] == 0).mean() < 0.6
    x = np.ones((2, 5, 4))
    assert layer.forward({}, x, cp.Trace()) is x


SMALL = [
    *(cp.Conv2D(5), cp.BatchNorm(), cp.ReLU(), cp.MaxPool2D(), cp.SpatialDropout2D(0.3)),
    *(cp.Residual((cp.Conv2D(8, bias=False), cp.ReLU())), cp.AveragePool2D(2, 1)),
    *(cp.Conv2D(4, 3, 2, "valid"), cp.GlobalAveragePool2D(), cp.Dense(3)),
]


def small(**how: object) -> cp.Network:
    return cp.Network(SMALL, loss=cp.SoftmaxCrossEntropy(), input_shape=(16, 14, 3), **how)


def test_the_gradient_of_the_samples_is_computed_only_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = []
    whole = cp.Conv2D.backward

    def noted(self, params, dy, trace, grads):
        dx = whole(self, params, dy, trace, grads)
        wanted.append((self.filters, dx is not None))
        return dx

    monkeypatch.setattr(cp.Conv2D, "backward", noted)
    X = np.zeros((2, 16, 14, 3))
    small().loss_and_gradient(X, np.array([0, 1]))
    assert wanted == [(4, True), (8, True), (5, False)]


def test_l2_pulls_at_filters_and_projections_alone() -> None:
    assert small().parameters.decayed == ("0.W", "5.0.W", "5.P", "7.W", "9.W")


def test_a_step_allocates_next_to_nothing_after_the_first() -> None:
    net = cp.Network(
        [cp.Conv2D(8), cp.ReLU(), cp.MaxPool2D(), cp.Conv2D(8), cp.GlobalAveragePool2D()],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(32, 32, 3),
        dtype=np.float32,
    )
    X, y = np.zeros((32, 32, 32, 3), np.float32), np.zeros(32, int)
    trace, gradient = cp.Trace(training=True), net.parameters.like()
    for _ in range(2):
        net.loss_and_gradient(X, y, trace=trace, gradient=gradient)
    tracemalloc.start()
    net.loss_and_gradient(X, y, trace=trace, gradient=gradient)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**18  # an output of the first layer has four times as many bytes


def test_the_windows_of_a_large_batch_are_not_held_at_once() -> None:
    layer, x = cp.Conv2D(1, 5), np.zeros((200, 32, 32, 3), np.float32)
    params = {"W": np.zeros((5, 5, 3, 1), np.float32), "b": np.zeros(1, np.float32)}
    tracemalloc.start()
    layer.forward(params, x, cp.Trace())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < x.nbytes  # the windows have 25 times as many


def test_samples_are_predicted_alike_alone_and_in_any_batch() -> None:
    net, X = small(), np.random.RandomState(0).standard_normal((150, 16, 14, 3))
    alone = np.concatenate([net.logits(X[i : i + 1]) for i in range(0, 150, 10)])
    np.testing.assert_allclose(net.logits(X)[::10], alone, rtol=1e-10, atol=1e-12)


def test_filters_are_drawn_as_the_matrix_that_they_are() -> None:
    net = small(seed=3)
    W = np.random.RandomState(3).standard_normal((5, 27)) * np.sqrt(2 / 27)
    np.testing.assert_array_equal(net.parameters["0.W"].reshape(27, 5), W.T)
    for init, variance in (
        (cp.HeNormal(), 2 / 450),
        (cp.HeUniform(), 2 / 450),
        (cp.Scaled(), 1 / 450),
        (cp.GlorotNormal(), 2 / (450 + 9 * 80)),
        (cp.GlorotUniform(), 2 / (450 + 9 * 80)),
    ):
        values = init.draw(np.random.RandomState(0), (3, 3, 50, 80))
        assert values.shape == (3, 3, 50, 80)
        assert np.var(values) == pytest.approx(variance, rel=0.03)


REFUSED_SHAPES = {
    "Conv2D(8) takes pictures (H, W, C), found flat samples of 784 numbers. Leave out the "
    "Flatten() before it, or give the pictures' own shape": (cp.Conv2D(8), (784,)),
    "MaxPool2D takes pictures (H, W, C) or (H, W), found samples of shape (2, 3, 4, 5)": (
        cp.MaxPool2D(),
        (2, 3, 4, 5),
    ),
    "Conv2D(8) looks at 5 x 5 places at a time, found pictures of 4 x 9.": (
        cp.Conv2D(8, 5, padding="valid"),
        (4, 9, 1),
    ),
    "AveragePool2D looks at 2 x 2 places at a time, found pictures of 1 x 4. Give it larger "
    "pictures, or fewer layers below it that make them smaller.": (cp.AveragePool2D(), (1, 4, 3)),
    "Conv2D(8) has a stride of 30 x 30, which skips all but the first place of pictures of 28 x "
    "28. Give it a smaller stride or larger pictures.": (cp.Conv2D(8, stride=30), (28, 28, 1)),
    "MaxPool2D has a stride of 9 x 2, which skips all but": (cp.MaxPool2D(2, (9, 2)), (8, 8, 1)),
    "GlobalAveragePool2D takes pictures (H, W, C), found flat samples of 3": (
        cp.GlobalAveragePool2D(),
        (3,),
    ),
    "SpatialDropout2D takes pictures (H, W, C), found flat": (cp.SpatialDropout2D(0.1), (3,)),
    "BatchNorm takes pictures (H, W, C) or (H, W), found samples of": (
        cp.BatchNorm(),
        (1, 2, 3, 4),
    ),
    "its block makes (2, 2, 3) of (4, 4, 3). Put what changes the others": (
        cp.Residual((cp.MaxPool2D(),)),
        (4, 4, 3),
    ),
}


@pytest.mark.parametrize("said", REFUSED_SHAPES)
def test_pictures_that_a_layer_can_t_take_are_refused_with_a_way_out(said: str) -> None:
    layer, shape = REFUSED_SHAPES[said]
    with pytest.raises(ShapeError) as error:
        layer.build(shape)
    assert said in str(error.value)


def test_a_refusal_names_the_layer_of_a_network() -> None:
    with pytest.raises(ShapeError, match=r"^Layer 3: MaxPool2D looks at 2 x 2 places.* 1 x 1\."):
        cp.Network(
            [cp.Conv2D(4), cp.MaxPool2D(), cp.MaxPool2D(), cp.MaxPool2D(), cp.Dense(2)],
            loss=cp.SoftmaxCrossEntropy(),
            input_shape=(5, 6, 1),
        )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: cp.Conv2D(0), "whole number of filters from 1, found 0"),
        (lambda: cp.Conv2D(2.5), "whole number of filters from 1, found 2.5"),
        (lambda: cp.Conv2D(4, 0), "needs a kernel of a whole number from 1, or a pair"),
        (lambda: cp.Conv2D(4, (3, 3, 3)), r"found \(3, 3, 3\)"),
        (lambda: cp.Conv2D(4, 2.5), "found 2.5"),
        (lambda: cp.Conv2D(4, True), "found True"),
        (lambda: cp.Conv2D(4, "3x3"), "found '3x3'"),
        (lambda: cp.Conv2D(4, None), "found None"),
        (lambda: cp.Conv2D(4, stride=(1, -1)), "needs a stride of a whole number from 1"),
        (lambda: cp.Conv2D(4, padding=1), "'same', with a border of zeros, or 'valid'"),
        (lambda: cp.Conv2D(4, init="he"), "needs an initializer, such as HeNormal"),
        (lambda: cp.MaxPool2D(0), "MaxPool2D needs a size of a whole number from 1"),
        (lambda: cp.AveragePool2D(2, stride=0), "AveragePool2D needs a stride of a whole number"),
        (lambda: cp.SpatialDropout2D(1), "SpatialDropout2D's rate is the share"),
    ],
)
def test_odd_arguments_are_refused(make: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make()


def test_numpy_s_whole_numbers_and_lists_are_sizes_too() -> None:
    layer = cp.Conv2D(np.int64(2), kernel=[3, np.int64(2)], stride=np.int32(2))
    assert layer.build((6, 6, 1)).out_shape == (3, 3, 2)
    assert (layer.kernel_size, layer.strides) == ((3, 2), (2, 2))
    assert layer == cp.Conv2D(2, (3, 2), 2)
    assert (cp.MaxPool2D(3).strides, cp.MaxPool2D(3, 1).strides) == ((3, 3), (1, 1))
