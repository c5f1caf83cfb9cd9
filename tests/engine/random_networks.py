"""Networks that Hypothesis draws, and one of each layer."""

import numpy as np
from hypothesis import strategies as st

import clearprop as cp
from clearprop.network import Network

Drawn = tuple[Network, np.ndarray, np.ndarray, np.ndarray | None]
"""A network, samples, targets, and perhaps weights."""

ACTIVATIONS: list[cp.Layer] = [
    cp.Sigmoid(),
    cp.Tanh(),
    cp.ReLU(),
    cp.LeakyReLU(),
    cp.LeakyReLU(slope=0.3),
    cp.ELU(),
    cp.ELU(alpha=0.4),
    cp.SELU(),
    cp.GELU(),
    cp.Mish(),
    cp.Softplus(),
]

LAYER_CASES: list[cp.Layer] = [
    *ACTIVATIONS,
    cp.Dense(3),
    cp.Dense(1, bias=False),
    cp.Dropout(0.4),
    cp.Dropout(0),
    cp.BatchNorm(),
    cp.BatchNorm(momentum=1, epsilon=0.1),
    cp.LayerNorm(),
    cp.LayerNorm(epsilon=0.1),
    cp.Flatten(),
    cp.Sequential((cp.Dense(3), cp.Tanh())),
    cp.Residual((cp.Tanh(),)),
    cp.Residual((cp.Dense(5), cp.Tanh())),
    cp.Residual((cp.Dense(3), cp.BatchNorm(), cp.Sigmoid())),
    cp.Residual((cp.Residual((cp.Dense(4), cp.Tanh())), cp.Dropout(0.2), cp.Dense(5))),
    cp.Residual((cp.Residual((cp.LayerNorm(),)), cp.Dense(2))),
    cp.NTKDense(3),
    cp.NTKDense(1, bias=False),
    cp.Scale(),
    cp.Blend(cp.Mish()),
    cp.Blend(cp.Sequential((cp.LayerNorm(), cp.Tanh()))),
    cp.PeriodicEmbedding(),
    cp.PeriodicEmbedding(frequencies=3, width=1, std=0.5),
    cp.Columns.of_table(numbers=3, plain=2),
    cp.Columns(((0, 2), (1, 5), (4, 5)), (cp.BatchNorm(), cp.Dense(2), cp.Sequential(()))),
]

CODE_CASES: list[cp.Layer] = [
    cp.Embedding((3, 4, 2, 1, 5)),
    cp.Embedding((3, 4, 2, 1, 5), width=1),
    cp.Columns.of_table(numbers=2, plain=1, sizes=(3, 4)),
    cp.Columns(((0, 3), (3, 5)), (cp.Tanh(), cp.Embedding((3, 4), width=2))),
    cp.Sequential((cp.Columns.of_table(numbers=2, sizes=(2, 3, 4)), cp.Scale(), cp.NTKDense(2))),
]
"""Layers for samples of five columns, some of them codes; `codes_and_numbers` draws such."""

PICTURE = (5, 4, 2)
PICTURE_CASES: list[cp.Layer] = [
    cp.Conv2D(3),
    cp.Conv2D(2, kernel=1, stride=2, bias=False),
    cp.Conv2D(3, kernel=(2, 4), stride=(1, 3)),
    cp.Conv2D(3, kernel=(3, 2), stride=(2, 1), padding="valid"),
    cp.Conv2D(2, kernel=4, padding="valid"),
    cp.Conv2D(2, kernel=7, stride=3),
    cp.MaxPool2D(),
    cp.MaxPool2D(3, stride=1),
    cp.MaxPool2D((2, 1), stride=(3, 2)),
    cp.AveragePool2D(),
    cp.AveragePool2D((3, 2), stride=(1, 2)),
    cp.GlobalAveragePool2D(),
    cp.BatchNorm(),
    cp.BatchNorm(momentum=1, epsilon=0.1),
    cp.SpatialDropout2D(0.4),
    cp.Dropout(0.4),
    cp.Tanh(),
    cp.Flatten(),
    cp.Residual((cp.Conv2D(2), cp.BatchNorm(), cp.Tanh(), cp.Conv2D(2, kernel=(1, 3)))),
    cp.Residual((cp.Conv2D(3), cp.Tanh())),
]
"""Layers for pictures of the shape `PICTURE`."""

_widths = st.integers(1, 5)
_simple = st.one_of(
    st.sampled_from([*ACTIVATIONS, cp.BatchNorm(epsilon=0.1), cp.LayerNorm(epsilon=0.1)]),
    st.sampled_from([cp.Scale(), cp.Blend(cp.Tanh()), cp.Blend(cp.SELU())]),
    st.builds(cp.Dense, _widths, bias=st.booleans()),
    st.builds(cp.NTKDense, _widths, bias=st.booleans()),
    st.builds(cp.Dropout, st.sampled_from([0, 0.3, 0.6])),
)
_layers = st.recursive(
    _simple,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(tuple).map(cp.Residual),
    max_leaves=4,
)


@st.composite
def networks(draw: st.DrawFn) -> Drawn:
    """Draw a network whose every array is random, with samples, targets and perhaps weights."""
    inputs, samples = draw(_widths), draw(st.integers(2, 5))
    body = draw(st.lists(_layers, max_size=5))
    loss = draw(
        st.sampled_from([cp.BinaryCrossEntropy(), cp.SoftmaxCrossEntropy(), cp.MeanSquaredError()])
    )
    outputs = draw(st.integers(2 if isinstance(loss, cp.SoftmaxCrossEntropy) else 1, 4))
    random_state = np.random.RandomState(draw(st.integers(0, 10_000)))
    net = Network([*body, cp.Dense(outputs)], loss=loss, input_shape=(inputs,))
    randomized(net, random_state)
    x = random_state.standard_normal((samples, inputs))
    y = random_targets(loss, samples, outputs, random_state)
    weight = random_state.uniform(0, 2, samples) if draw(st.booleans()) else None
    return net, x, y, weight


def randomized(net: Network, random_state: np.random.RandomState) -> Network:
    """Give every array random values: with biases at zero, dead units would sit on kinks."""
    for name, values in net.parameters.items():
        values[...] = 0.7 * random_state.standard_normal(values.shape) + name.endswith("gamma")
    for values in net.state.values():
        values[...] = random_state.uniform(0.5, 1.5, values.shape)
    return net


def codes_and_numbers(layer: cp.Layer, samples: int, columns: int = 5) -> np.ndarray:
    """Draw samples for a layer some columns of which hold codes."""
    random_state = np.random.RandomState(0)
    x = random_state.standard_normal((samples, columns))
    for column, size in layer.codes((columns,)).items():
        x[:, column] = random_state.randint(0, size, samples)
    return x


def random_targets(
    loss: cp.Loss, samples: int, outputs: int, random_state: np.random.RandomState
) -> np.ndarray:
    """Draw targets in one of the forms that the loss takes."""
    if isinstance(loss, cp.SoftmaxCrossEntropy):
        classes = random_state.randint(0, outputs, samples)
        soft = random_state.dirichlet(np.ones(outputs), samples)
        forms = [classes, np.eye(outputs)[classes], soft]
        return forms[random_state.randint(3)]
    if isinstance(loss, cp.BinaryCrossEntropy):
        return random_state.randint(0, 2, (samples, outputs))
    return random_state.standard_normal((samples, outputs))
