"""Networks in C: every layer, drawn networks, and their memory, against the Python model."""

import numpy as np
import pytest
from answers_compared import exportable_networks
from c_programs import TOLERANCE, assert_near, model_of, needs_compiler, ran
from hypothesis import given, settings
from random_networks import (
    CODE_CASES,
    LAYER_CASES,
    PICTURE,
    PICTURE_CASES,
    codes_and_numbers,
)

import clearprop as cp
from clearprop.core.program import Affine, Operation, Part, Reshaped
from clearprop.exports.c.memory import Memory
from clearprop.exports.description import Description, describe
from clearprop.files.models import Model
from clearprop.network import Network

CONVOLUTIONS = [
    *(cp.Conv2D(6), cp.BatchNorm(), cp.ReLU(), cp.MaxPool2D()),
    cp.Residual((cp.Conv2D(6), cp.BatchNorm(), cp.SELU(), cp.Conv2D(6))),
    *(cp.Conv2D(8, kernel=5, stride=2, padding="valid"), cp.Mish(), cp.AveragePool2D()),
    *(cp.Flatten(), cp.Dropout(0.3), cp.Dense(40), cp.LayerNorm(), cp.GELU(), cp.Dense(10)),
]


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_of_flat_samples(dtype):
    # All of them side by side on the same numbers; what each gives is held to its own largest.
    ranges = ((0, 5),) * len(LAYER_CASES)
    model = model_of([cp.Columns(ranges, tuple(LAYER_CASES))], (5,), dtype=dtype)
    x = 2 * np.random.RandomState(0).standard_normal((60, 5)).astype(dtype)
    found, expected = ran(model, x)["logits"], model.network.logits(x)
    first = 0
    for layer in LAYER_CASES:
        stop = first + layer.build((5,)).out_shape[0]
        assert_near(found[:, first:stop], expected[:, first:stop])
        first = stop
    assert first == expected.shape[1]


@needs_compiler
@pytest.mark.parametrize("layer", PICTURE_CASES, ids=repr)
def test_layers_of_pictures(layer):
    model = model_of([layer, cp.Flatten(), cp.Dense(4)], PICTURE)
    x = np.random.RandomState(0).standard_normal((10, *PICTURE)).astype(np.float32)
    assert_near(ran(model, x, watches=False)["logits"], model.network.logits(x))


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("int8", [False, True])
def test_a_network_of_convolutions(dtype, int8):
    model = model_of(CONVOLUTIONS, (21, 18, 3), dtype=dtype)
    if int8:
        round_weights(model.network)
    x = np.random.RandomState(0).standard_normal((20, 21, 18, 3)).astype(dtype)
    assert_near(ran(model, x, int8=int8)["logits"], model.network.logits(x))


@needs_compiler
@pytest.mark.parametrize("layer", CODE_CASES, ids=repr)
def test_layers_of_codes(layer):
    model = model_of([layer, cp.Dense(4)], (5,))
    x = codes_and_numbers(layer, samples=40).astype(np.float32)
    assert_near(ran(model, x, watches=False)["logits"], model.network.logits(x))


@needs_compiler
def test_a_code_without_a_row_counts_as_unknown():
    model = model_of([cp.Embedding((3, 4), width=2), cp.Dense(4)], (2,))
    x = np.array([[3, 0], [-1, 4], [1e30, -1e30], [0.5, 3.99]], np.float32)
    meant = np.array([[0, 0], [0, 0], [0, 0], [0, 3]], np.float32)
    assert_near(ran(model, x)["logits"], model.network.logits(meant))


@needs_compiler
@given(exportable_networks())
@settings(max_examples=20)
def test_drawn_networks(drawn):
    net, x, _, _ = drawn
    expected = net.logits(x)
    # Some are so drawn that float32 errs by more, whoever computes: by as much as NumPy does.
    single = Network(net.layers, loss=net.loss, input_shape=net.input_shape, dtype=np.float32)
    for name, values in (*net.parameters.items(), *net.state.items()):
        (single.parameters if name in net.parameters else single.state)[name][...] = values
    rounding = np.abs(single.logits(x.astype(np.float32)) - expected).max()
    largest = np.abs(expected).max()
    error = np.abs(ran(Model(net), x, watches=False)["logits"] - expected).max()
    assert error <= max(TOLERANCE * largest, 20 * rounding)


@needs_compiler
def test_sums_of_many_numbers_err_little():
    # Of 40,000 numbers far from zero: one float32 after the other would be off by 4.7e-6.
    model = model_of([cp.Dense(3)], (40_000,), dtype="float64")
    model.network.parameters["0.W"][...] = np.random.RandomState(0).uniform(0.5, 1, (40_000, 3))
    x = np.random.RandomState(1).uniform(0.5, 1, (2, 40_000))
    assert_near(ran(model, x, watches=False)["logits"], model.network.logits(x), 1e-6)


@needs_compiler
def test_int8_of_digits_loses_no_half_point():
    digits = cp.load_data("digits")
    x, y = (digits.X / 255.0).astype(np.float32), digits.y
    layers = [cp.Flatten(), cp.Dense(32), cp.ReLU(), cp.Dense(10)]
    net = Network(layers, loss=cp.SoftmaxCrossEntropy(), input_shape=(8, 8), dtype=np.float32)
    cp.Trainer(optimizer=cp.Adam(0.01), epochs=10).fit(net, x[:1200], y[:1200])
    found = ran(Model(net), x, int8=True)["class"][:, 0]
    correct, rounded = net.predict(x) == y, found == y
    assert correct[1200:].mean() > 0.9
    assert abs(correct.mean() - rounded.mean()) <= 0.005


@given(exportable_networks())
def test_no_value_is_written_over_while_it_is_needed(drawn):
    description = describe(Model(drawn[0]))
    memory, held = Memory(description), {}
    put(memory, description.input, held)
    for operation in description.operations:
        for value in operation.inputs:
            place = memory.of(value)
            cells = [held[place.array, place.first + at] for at in range(value.size)]
            assert cells == [source_of(description, value, at) for at in range(value.size)]
        if isinstance(operation, Affine):  # whose every output needs every input
            assert memory.of(operation.out).array != memory.of(operation.inputs[0]).array
        if not isinstance(operation, Part | Reshaped):
            put(memory, operation.out, held)
    place = memory.of(description.output)
    assert (place.array, place.first) in held


def put(memory, value, held):
    """Note whose numbers lie in an array from now on."""
    place = memory.of(value)
    assert place.array == "logits" or place.first + value.size <= memory.sizes[place.array]
    held.update({(place.array, place.first + at): (value.place, at) for at in range(value.size)})


def source_of(description: Description, value, at):
    """Return the value, and its number, that a number of a view is."""
    made: dict[int, Operation] = {one.out.place: one for one in description.operations}
    while isinstance(operation := made.get(value.place), Part | Reshaped):
        at += operation.start if isinstance(operation, Part) else 0
        value = operation.inputs[0]
    return value.place, at


def test_a_chain_takes_two_arrays():
    layers = [cp.Dense(32), cp.ReLU(), cp.Dense(16), cp.Tanh(), cp.Dense(8), cp.SELU()]
    description = describe(model_of([*layers, cp.Dense(3)], (64,)))
    assert Memory(description).sizes == {"x0": 64, "x1": 32}


def round_weights(net):
    """Bring the weights of each unit to multiples of a 127th of the largest one."""
    for name, values in net.parameters.items():
        if name.endswith("W"):
            largest = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            values[...] = np.round(values / largest * 127) * (largest / 127)
