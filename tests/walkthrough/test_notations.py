"""The course's notation: its symbols, its columns, and its gradients of each sample's own loss."""

import numpy as np
import pytest

import clearprop as cp
from clearprop import course
from clearprop.errors import UnknownNameError, UsageError

M = 7


@pytest.fixture
def parameters() -> dict[str, np.ndarray]:
    return course.initialize_parameters_deep([5, 4, 3, 1], seed=3)


X = np.random.RandomState(0).randn(5, M)
Y = np.array([[0, 1, 1, 0, 1, 0, 0]])


@pytest.mark.parametrize("hidden", ["relu", "tanh", "sigmoid", "leaky_relu"])
def test_its_numbers_are_those_of_the_course_s_own_functions(parameters, hidden):
    net = course.from_course(parameters, hidden=hidden)
    walked = cp.walk(net, X.T, Y.T, notation="course", optimizer=cp.SGD(0.0075))
    AL, caches = course.L_model_forward(X, parameters, hidden)
    grads = course.L_model_backward(AL, Y, caches, hidden)
    new = course.update_parameters(parameters, grads, 0.0075)

    expected = {"X": X, "Y": Y, "A3": AL, "J": course.compute_cost(AL, Y), "dZ3": AL - Y}
    expected |= {f"Z{layer}": Z for layer, (_, Z) in enumerate(caches, start=1)}
    expected |= {f"A{layer}": A for layer, ((A, _, _), _) in enumerate(caches) if layer}
    expected |= {name: grads[name] for name in grads if name != "dA0"}
    expected |= parameters | {f"{name}_new": array for name, array in new.items()}
    for name, array in expected.items():
        assert walked[name].shape == np.shape(array), name
        assert np.allclose(walked[name].array, array, rtol=1e-12, atol=1e-14), name
    assert {quantity.key for quantity in walked.quantities} - expected.keys() == {
        "L",
        "dZ1",
        "dZ2",
    }


def test_its_numbers_are_the_engine_s_transposed_and_gradients_of_samples_m_times(parameters):
    net = course.from_course(parameters)
    engine, columns = (
        cp.walk(net, X.T, Y.T, notation=notation) for notation in ("engine", "course")
    )
    pairs = {"Z2": "2.y", "A2": "3.y", "W2": "2.W", "dW2": "2.dW", "W2_new": "2.W_new"}
    for name, key in pairs.items():
        assert np.array_equal(columns[name].array, engine[key].array.T)
    assert np.array_equal(columns["b2"].array[:, 0], engine["2.b"].array)
    assert np.array_equal(columns["L"].array[0], engine["loss.losses"].array)
    for name, key in {"dA1": "2.dx", "dZ1": "1.dx", "dZ3": "loss.dlogits"}.items():
        assert np.array_equal(columns[name].array, M * engine[key].array.T)


@pytest.mark.parametrize(
    ("loss", "outputs"),
    [(cp.BinaryCrossEntropy(), 2), (cp.SoftmaxCrossEntropy(), 3), (cp.MeanSquaredError(), 2)],
)
def test_operands_add_up_in_it_with_any_loss_and_with_dropout(loss, outputs):
    net = cp.Network(
        [
            *(cp.Flatten(), cp.Dense(4), cp.GELU(), cp.Dropout(0.4)),
            *(cp.Dense(3, bias=False), cp.ELU(), cp.Dense(outputs)),
        ],
        loss=loss,
        input_shape=(3, 4),
    )
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((M, 3, 4))
    y = np.arange(M) % outputs if isinstance(loss, cp.SoftmaxCrossEntropy) else None
    y = random_state.randint(0, 2, (M, outputs)) if y is None else y
    walked = cp.walk(net, X, y, notation="course", optimizer=cp.Adam(alpha=0.1))
    for quantity in walked.quantities:
        for index in np.ndindex(quantity.shape):
            entry = quantity.entry(*index)
            if entry.total is not None:
                assert np.isclose(entry.total, entry.value, rtol=1e-12, atol=1e-12), str(entry)
    assert walked["X"].shape == (12, M)
    assert walked["A1_drop"].formula == "A1_drop = D1 * A1"
    assert walked["Z2"].formula == "Z2 = W2 A1_drop"
    assert walked["dA1_drop"].formula == "dA1_drop = W2.T dZ2"
    assert [step.name for step in walked.of("1").steps] == ["1"] * 7


def test_products_are_written_in_the_order_of_each_notation(parameters):
    net = course.from_course(parameters)
    engine, columns = (
        cp.walk(net, X.T, Y.T, notation=notation) for notation in ("engine", "course")
    )
    assert engine["2.y"].shapes == "(7, 3) = (7, 4) (4, 3) + (3,)"
    assert columns["Z2"].shapes == "(3, 7) = (3, 4) (4, 7) + (3, 1)"
    found = engine.entry("2.y[5,1]").arithmetic.symbols()
    assert found.startswith("x[5,0]*W[0,1] + ")
    assert found.endswith(" + b[1]")
    found = columns.entry("Z2[1,5]").arithmetic.symbols()
    assert found.startswith("W2[1,0]*A1[0,5] + ")
    assert found.endswith(" + b2[1,0]")
    found = columns.entry("dW2[1,3]").arithmetic.symbols()
    assert found.startswith("(dZ2[1,0]*A1[3,0] + ")
    assert found.endswith(") / m")


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ([cp.BatchNorm(), cp.Dense(1)], "layer 0 is BatchNorm"),
        ([cp.Dense(3), cp.Residual((cp.Tanh(),)), cp.Dense(1)], "layer 1 is Residual"),
        ([cp.Dense(3), cp.Tanh(), cp.ReLU(), cp.Dense(1)], "layer 2 is ReLU"),
        ([cp.Dense(1), cp.Tanh()], "the last layer is Tanh"),
    ],
)
def test_networks_that_it_has_no_symbols_for_are_refused(layers, found):
    net = cp.Network(layers, loss=cp.MeanSquaredError(), input_shape=(2,))
    with pytest.raises(UsageError, match=found):
        cp.walk(net, np.ones((3, 2)), np.ones(3), notation="course")


def test_sample_weights_are_refused_in_it(parameters):
    net = course.from_course(parameters)
    with pytest.raises(UsageError, match="no sample weights"):
        cp.walk(net, X.T, Y.T, notation="course", sample_weight=np.ones(M))


def test_another_notation_is_unknown(parameters):
    net = course.from_course(parameters)
    with pytest.raises(UnknownNameError, match="Did you mean 'course'"):
        cp.walk(net, X.T, Y.T, notation="curse")
