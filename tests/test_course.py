"""The course's notation against the engine, the published costs, and the mistakes people make."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearprop as cp
from clearprop import course
from clearprop.errors import ShapeError, UnknownNameError, UsageError

LAYERS = {
    "relu": cp.ReLU(),
    "sigmoid": cp.Sigmoid(),
    "tanh": cp.Tanh(),
    "leaky_relu": cp.LeakyReLU(0.01),
}


@st.composite
def problems(draw):
    """Draw a network of the course, samples and labels."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=6))
    random = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    hidden = draw(st.sampled_from(sorted(LAYERS)))
    m = draw(st.integers(1, 7))
    parameters = course.initialize_parameters_deep(sizes, seed=random.randint(1000))
    for name in parameters:  # biases that are not zero, and hardly ever a Z at a kink
        parameters[name] = parameters[name] + 0.3 * random.randn(*parameters[name].shape)
    X = draw(st.sampled_from([np.ascontiguousarray, np.asfortranarray]))(random.randn(sizes[0], m))
    return X, random.randint(0, 2, (sizes[-1], m)), parameters, hidden


def engine_of(parameters, hidden):
    """Build the same network by hand, without the bridge under test."""
    L = len(parameters) // 2
    layers = []
    for layer in range(1, L + 1):
        layers += [cp.Dense(len(parameters[f"W{layer}"])), LAYERS[hidden]]
    net = cp.Network(
        layers[:-1],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(parameters["W1"].shape[1],),
    )
    for layer in range(1, L + 1):
        net.parameters[f"{2 * layer - 2}.W"][...] = parameters[f"W{layer}"].T
        net.parameters[f"{2 * layer - 2}.b"][...] = parameters[f"b{layer}"][:, 0]
    return net


def forward(X, Y, parameters, hidden="relu"):
    AL, caches = course.L_model_forward(X, parameters, hidden)
    return AL, Y, caches


def engine_dx(net, X, Y, place):
    """Return the engine's gradient of the input of one layer."""
    trace, gradient = cp.Trace(), net.parameters.like()
    _, dx = net.loss(net.forward(X, trace), net.targets(Y))
    for above in reversed(range(place, len(net.layers))):
        dx = net.layers[above].backward(
            net.parameters.tree.get(str(above), {}),
            dx,
            trace.child(str(above)),
            gradient.tree.get(str(above), {}),
        )
    return dx


def assert_equal(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-14)


@given(problems())
def test_forward_and_cost_equal_the_engine(problem):
    X, Y, parameters, hidden = problem
    net = engine_of(parameters, hidden)
    AL, caches = course.L_model_forward(X, parameters, hidden)
    assert_equal(AL, 1 / (1 + np.exp(-net.logits(X.T).T)))
    assert_equal(course.compute_cost(AL, Y), net.loss_and_gradient(X.T, Y.T)[0])
    assert len(caches) == len(parameters) // 2
    for layer, ((A_prev, W, b), Z) in enumerate(caches, start=1):
        assert W is parameters[f"W{layer}"]
        assert b is parameters[f"b{layer}"]
        assert_equal(Z, W @ A_prev + b)


@given(problems())
def test_every_gradient_equals_the_engine(problem):
    X, Y, parameters, hidden = problem
    L = len(parameters) // 2
    net = engine_of(parameters, hidden)
    grads = course.L_model_backward(*forward(X, Y, parameters, hidden), hidden)
    _, gradient = net.loss_and_gradient(X.T, Y.T)
    expected = {}
    for layer in range(1, L + 1):
        expected[f"dW{layer}"] = gradient[f"{2 * layer - 2}.W"].T
        expected[f"db{layer}"] = gradient[f"{2 * layer - 2}.b"][:, np.newaxis]
        # dA belongs to each sample's own loss in the course, to their mean in the engine.
        expected[f"dA{layer - 1}"] = X.shape[1] * engine_dx(net, X.T, Y.T, 2 * layer - 2).T
    assert grads.keys() == expected.keys()
    for name, array in expected.items():
        assert grads[name].shape == array.shape
        assert_equal(grads[name], array)


@given(problems(), st.integers(1, 5), st.floats(0.001, 0.5))
def test_training_walks_the_path_of_gradient_descent_in_the_engine(problem, steps, rate):
    X, Y, parameters, hidden = problem
    sizes = [len(X), *(len(b) for name, b in parameters.items() if name[0] == "b")]
    trained, costs = course.L_layer_model(X, Y, sizes, rate, steps, hidden=hidden, seed=3)
    net = engine_of(course.initialize_parameters_deep(sizes, seed=3), hidden)
    assert_equal(costs, [net.loss_and_gradient(X.T, Y.T)[0]])
    optimizer = cp.SGD(rate)
    for step in range(steps):
        _, gradient = net.loss_and_gradient(X.T, Y.T)
        optimizer.step(net.parameters, gradient, {}, step)
    back = course.to_course(net)
    assert trained.keys() == back.keys()
    for name in trained:
        np.testing.assert_allclose(trained[name], back[name], rtol=1e-11, atol=1e-13)


@given(problems())
def test_a_network_comes_back_from_the_engine_unchanged(problem):
    X, _, parameters, hidden = problem
    net = course.from_course(parameters, hidden=hidden)
    assert [layer for layer in net.layers if not isinstance(layer, cp.Dense)] == [
        LAYERS[hidden]
    ] * (len(parameters) // 2 - 1)
    assert_equal(net.logits(X.T), engine_of(parameters, hidden).logits(X.T))
    back = course.to_course(net)
    assert list(back) == list(parameters)
    for name, array in parameters.items():
        np.testing.assert_array_equal(back[name], array)
        assert not np.shares_memory(back[name], net.parameters.data)


@given(problems())
def test_predictions_are_the_engines(problem):
    X, _, parameters, hidden = problem
    expected = engine_of(parameters, hidden).predict(X.T)
    actual = course.predict(X, parameters, hidden=hidden)
    np.testing.assert_array_equal(actual, expected.reshape(X.shape[1], -1).T)


def test_the_published_costs_come_back(shared_data):
    h5py = pytest.importorskip("h5py")
    with h5py.File(shared_data / "catvnoncat/h5/train_catvnoncat.h5") as file:
        X = file["train_set_x"][...].reshape(209, -1).T / 255
        Y = file["train_set_y"][...].reshape(1, -1)
    _, costs = course.L_layer_model(X, Y, [12288, 20, 7, 5, 1], num_iterations=201)
    assert [f"{cost:.6f}" for cost in costs] == ["0.771749", "0.672053", "0.648263"]


def test_first_weights_are_those_of_the_course():
    random = np.random.RandomState(1)
    W1, W2 = random.randn(4, 3) / np.sqrt(3), random.randn(2, 4) / np.sqrt(4)
    parameters = course.initialize_parameters_deep([3, 4, 2])
    np.testing.assert_array_equal(parameters["W1"], W1)
    np.testing.assert_array_equal(parameters["W2"], W2)
    np.testing.assert_array_equal(parameters["b1"], np.zeros((4, 1)))
    np.testing.assert_array_equal(parameters["b2"], np.zeros((2, 1)))
    small = course.initialize_parameters_deep([3, 4, 2], initialization=cp.Normal(0.01))
    np.testing.assert_allclose(small["W1"], 0.01 * np.sqrt(3) * W1, rtol=1e-15)


def test_whole_numbers_are_computed_as_real_ones():
    one = np.array([[1]])
    A, (_, Z) = course.linear_activation_forward(one, one, one, "sigmoid")
    assert Z.dtype == np.float64
    np.testing.assert_allclose(A, 1 / (1 + np.exp(-2)), rtol=1e-15)


def test_certain_and_wrong_probabilities_have_a_finite_cost_and_the_right_gradient():
    parameters = {"W1": np.array([[1e4]]), "b1": np.zeros((1, 1))}
    X, Y = np.array([[1.0, -1.0, 1.0, -1.0]]), np.array([[1, 0, 0, 1]])
    AL, _, caches = forward(X, Y, parameters)
    assert np.isfinite(course.compute_cost(AL, Y))
    assert course.compute_cost(AL[:, :2], Y[:, :2]) == pytest.approx(0, abs=1e-15)
    assert course.L_model_backward(AL, Y, caches)["dW1"] == pytest.approx(0.5)


def test_nothing_that_is_passed_in_changes():
    X, Y = np.random.RandomState(0).randn(3, 5), np.array([[0, 1, 1, 0, 1]])
    parameters = course.initialize_parameters_deep([3, 4, 1])
    before = {name: array.copy() for name, array in parameters.items()}
    X_before = X.copy()
    grads = course.L_model_backward(*forward(X, Y, parameters))
    updated = course.update_parameters(parameters, grads, 0.1)
    np.testing.assert_array_equal(X, X_before)
    for name, array in before.items():
        np.testing.assert_array_equal(parameters[name], array)
        np.testing.assert_array_equal(updated[name], array - 0.1 * grads[f"d{name}"])


def test_costs_are_kept_and_printed_every_hundred_iterations(capsys):
    X, Y = np.array([[0.0, 1.0]]), np.array([[0, 1]])
    _, costs = course.L_layer_model(X, Y, [1, 1], 0.1, 201, print_cost=True)
    assert len(costs) == 3
    assert capsys.readouterr().out.splitlines() == [
        f"Cost after iteration {100 * place}: {cost:.6f}" for place, cost in enumerate(costs)
    ]


def test_predict_prints_the_accuracy_where_the_truth_is_given(capsys):
    parameters = {"W1": np.array([[1.0]]), "b1": np.zeros((1, 1))}
    X = np.array([[-1.0, 2.0, 3.0, 0.0]])
    np.testing.assert_array_equal(course.predict(X, parameters), [[0, 1, 1, 0]])
    assert capsys.readouterr().out == ""
    course.predict(X, parameters, np.array([[0, 1, 1, 1]]))
    assert capsys.readouterr().out == "Accuracy: 0.7500\n"


def changed(**arrays):
    return course.initialize_parameters_deep([3, 4, 1]) | arrays


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (changed(W2=np.ones((4, 1))), r"W2 has shape \(4, 1\), expected \(4, 4\)"),
        (changed(W1=np.ones((4, 2))), r"W1 has shape \(4, 2\), expected \(4, 3\).*row of X"),
        (changed(b1=np.ones(4)), r"b1 has shape \(4,\), expected \(4, 1\)"),
        (changed(b2=np.ones((4, 1))), r"b2 has shape \(4, 1\), expected \(1, 1\)"),
        (changed(W2=np.float64(1)), r"W2 has shape \(\), expected \(1, 4\)"),
        (changed(W3=np.ones((1, 1))), "parameters has W1, b1, W2, b2, W3; .* W1, b1, W2, b2, W3"),
        ({"W1": np.ones((1, 3)), "b2": np.ones((1, 1))}, "has W1, b2; .* has W1, b1"),
        ({}, "has nothing; .* has W1, b1"),
    ],
)
def test_parameters_that_do_not_fit_are_named(parameters, message):
    with pytest.raises(ShapeError, match=message):
        course.L_model_forward(np.ones((3, 5)), parameters)


@pytest.mark.parametrize("name", ["b1", "W2"])
def test_the_bridge_names_what_does_not_fit(name):
    with pytest.raises(ShapeError, match=f"{name} has shape"):
        course.from_course(changed(**{name: np.ones((2, 2))}))


@pytest.mark.parametrize("X", [np.ones(3), np.ones((3, 0)), np.ones((3, 2, 2))])
def test_samples_that_are_no_columns_are_refused(X):
    with pytest.raises(ShapeError, match=r"X has shape .* a column for each sample"):
        course.L_model_forward(X, changed())


@pytest.mark.parametrize("Y", [np.ones(5), np.ones((5, 1)), np.ones((2, 5))])
def test_labels_of_another_shape_are_refused(Y):
    AL, _, caches = forward(np.ones((3, 5)), Y, changed())
    for call in (
        lambda: course.compute_cost(AL, Y),
        lambda: course.L_model_backward(AL, Y, caches),
        lambda: course.predict(np.ones((3, 5)), changed(), Y),
    ):
        with pytest.raises(ShapeError, match=r"[Yy] has shape .*, expected \(1, 5\)"):
            call()


def test_gradients_of_another_shape_are_refused():
    X, W, b = np.ones((3, 5)), np.ones((2, 3)), np.ones((2, 1))
    _, cache = course.linear_activation_forward(X, W, b, "relu")
    with pytest.raises(ShapeError, match=r"dA has shape \(1, 5\), expected \(2, 5\)"):
        course.linear_activation_backward(np.ones((1, 5)), cache, "relu")
    with pytest.raises(ShapeError, match=r"dZ has shape \(5, 2\), expected \(2, 5\)"):
        course.linear_backward(np.ones((5, 2)), cache[0])


def test_backward_with_another_activation_than_forward_is_refused():
    AL, Y, caches = forward(np.ones((3, 2)), np.ones((1, 2)), changed(), "tanh")
    with pytest.raises(UsageError, match="A1 in the caches is not relu"):
        course.L_model_backward(AL, Y, caches)


def test_an_unknown_activation_is_named():
    with pytest.raises(UnknownNameError, match=r"'relv'\. Did you mean 'relu'"):
        course.L_model_forward(np.ones((3, 2)), changed(), "relv")


@pytest.mark.parametrize("layer_dims", [[], [3], [3, 0, 1]])
def test_impossible_sizes_are_refused(layer_dims):
    with pytest.raises(UsageError, match="layer_dims needs"):
        course.initialize_parameters_deep(layer_dims)


@pytest.mark.parametrize(
    ("layers", "loss"),
    [
        ([cp.Dense(2), cp.ReLU(), cp.Dense(1)], cp.MeanSquaredError()),
        ([cp.Dense(2), cp.ReLU(), cp.Dense(2), cp.Tanh(), cp.Dense(1)], cp.BinaryCrossEntropy()),
        ([cp.Dense(2), cp.GELU(), cp.Dense(1)], cp.BinaryCrossEntropy()),
        ([cp.Dense(2, bias=False)], cp.BinaryCrossEntropy()),
        ([cp.Dense(2), cp.Dense(1)], cp.BinaryCrossEntropy()),
        ([cp.Dense(2), cp.ReLU()], cp.BinaryCrossEntropy()),
    ],
)
def test_a_network_that_the_course_does_not_know_is_refused(layers, loss):
    with pytest.raises(UsageError, match="The course's networks are"):
        course.to_course(cp.Network(layers, loss=loss, input_shape=(3,)))
