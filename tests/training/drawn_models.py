"""Networks of every kind of layer, and one small model with a recipe."""

import numpy as np
from hypothesis import strategies as st

import clearprop as cp
from clearprop.network import Network
from clearprop.preprocessing import Preprocessing

_sizes = st.integers(1, 5)
_small = st.floats(0, 1, exclude_max=True)
INITIALIZERS: st.SearchStrategy[cp.Initializer] = st.one_of(
    st.sampled_from([cp.HeNormal(), cp.HeUniform(), cp.GlorotNormal(), cp.GlorotUniform()]),
    st.sampled_from([cp.Zeros(), cp.Scaled()]),
    st.builds(cp.Normal, st.floats(0.1, 2)),
    st.builds(cp.Uniform, st.floats(0.1, 2)),
    st.builds(cp.Constant, _small),
)
_leaves = st.one_of(
    st.builds(cp.Dense, _sizes, INITIALIZERS, bias=st.booleans()),
    st.builds(cp.NTKDense, _sizes, INITIALIZERS, st.booleans(), st.floats(0.1, 2)),
    st.builds(cp.Scale, st.floats(0.1, 9)),
    st.builds(cp.Blend, st.sampled_from([cp.SELU(), cp.Mish()]), st.floats(0.1, 2)),
    st.builds(cp.PeriodicEmbedding, st.integers(1, 3), st.integers(1, 2), st.floats(0.1, 2)),
    st.builds(cp.LeakyReLU, _small),
    st.builds(cp.ELU, st.floats(0.1, 2)),
    st.builds(cp.Dropout, _small),
    st.sampled_from([cp.Sigmoid(), cp.Tanh(), cp.ReLU(), cp.GELU(), cp.Softplus(), cp.Flatten()]),
    st.builds(cp.BatchNorm, epsilon=st.just(0.1)),
    st.builds(cp.LayerNorm, epsilon=st.just(0.1)),
)
_layers = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
        lambda layers: st.sampled_from([cp.Residual(tuple(layers)), cp.Sequential(tuple(layers))])
    ),
    max_leaves=5,
)


@st.composite
def drawn_networks(draw: st.DrawFn) -> Network:
    """Draw a network of which every number is random."""
    loss = draw(
        st.sampled_from([cp.BinaryCrossEntropy(), cp.SoftmaxCrossEntropy(), cp.MeanSquaredError()])
    )
    net = Network(
        [cp.Flatten(), *draw(st.lists(_layers, max_size=4)), cp.Dense(draw(st.integers(2, 4)))],
        loss=loss,
        input_shape=draw(st.sampled_from([(3,), (2, 2), (2, 1, 3)])),
        seed=draw(st.integers(0, 2**32 - 1)),
        dtype=draw(st.sampled_from(["float32", "float64"])),
    )
    random_state = np.random.RandomState(draw(st.integers(0, 1000)))
    for vector in (net.parameters, net.state):
        vector.data[...] = random_state.uniform(0.5, 1.5, vector.data.size)
    return net


def small_model() -> cp.Model:
    """Return a model of two classes of three features, with a recipe and a summary."""
    random_state = np.random.RandomState(0)
    dataset = cp.Dataset(
        "two",
        "array",
        random_state.standard_normal((8, 3)),
        np.array([0, 1] * 4),
        ("männlich", "weiblich"),
    )
    recipe: Preprocessing = cp.fit_recipe(dataset)
    net = Network(
        [cp.Dense(2, bias=False), cp.BatchNorm(), cp.ReLU(), cp.Dense(1)],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(3,),
        dtype=np.float32,
    )
    return cp.Model(net, recipe, {"loss": float("nan"), "settings": {"layers": [2], "l2": 0.0}})
