"""The table of a network, against counts made by hand."""

import re
from dataclasses import dataclass

import numpy as np
import pytest

import clearprop as cp
from clearprop.core.parameters import Array, Parameter, Params
from clearprop.core.trace import Trace
from clearprop.layers import Built, Layer
from clearprop.network import Network
from clearprop.network.summary import readable_bytes


def test_the_table_shows_every_layer_with_its_arrays() -> None:
    net = Network(
        [
            cp.Flatten(),
            cp.Dense(20, bias=False),
            cp.BatchNorm(),
            cp.ReLU(),
            cp.Residual((cp.Dense(5), cp.Tanh())),
            cp.Dense(1),
        ],
        loss=cp.BinaryCrossEntropy(),
        input_shape=(64, 64, 3),
        dtype=np.float32,
    )
    # 12288 * 20 + (20 + 20) + (20 * 5 + 5 + 20 * 5) + (5 + 1), and 20 + 20 that are only kept
    assert net.summary().parameters == net.parameters.data.size == 246_011
    assert net.summary().bytes == 4 * (246_011 + 40)
    assert [re.split(r"\s{2,}", line.strip()) for line in str(net.summary()).splitlines()] == [
        ["layer", "parameters", "output", "learned", "memory"],
        ["input", "64×64×3"],
        ["0", "Flatten()", "12288"],
        ["1", f"{cp.Dense(20, bias=False)}", "W 12288×20", "20", "245,760", "960.0 KiB"],
        [
            "2",
            "BatchNorm(momentum=0.1, epsilon=1e-05)",
            "gamma 20, beta 20, running_mean 20, running_variance 20",
            "20",
            "40",
            "320 B",
        ],
        ["3", "ReLU()", "20"],
        ["4", "Residual", "P 20×5", "5", "100", "400 B"],
        ["4.0", f"{cp.Dense(5)}", "W 20×5, b 5", "5", "105", "420 B"],
        ["4.1", "Tanh()", "5"],
        ["5", f"{cp.Dense(1)}", "W 5×1, b 1", "1", "6", "24 B"],
        ["total", "246,011", "961.1 KiB"],
    ]


def test_the_columns_are_aligned() -> None:
    net = Network(
        [cp.Dense(100), cp.Tanh(), cp.Dense(3)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(1000,),
    )
    lines = str(net.summary()).splitlines()
    assert {line.index(word) for line, word in zip(lines[3:5], ["Tanh", "Dense"], strict=True)} == {
        lines[1].index("input")
    }
    assert lines[2].index("W ") == lines[4].index("W ") == lines[0].index("parameters")
    assert lines[2].endswith("KiB")
    assert len(lines[2]) == len(lines[-1]) == len(lines[0])


def test_one_row_a_layer_holds_its_own_numbers_only() -> None:
    inner = cp.Residual((cp.Dense(2), cp.BatchNorm()))
    net = Network(
        [cp.Residual((inner, cp.Dense(3))), cp.Sequential((cp.Dense(4), cp.Tanh())), cp.Dense(2)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(5,),
    )
    rows = [(row.name, row.parameters, row.bytes, row.output_shape) for row in net.summary().rows]
    assert rows == [
        ("0", 15, 120, (3,)),  # P 5 × 3
        ("0.0", 10, 80, (2,)),  # P 5 × 2
        ("0.0.0", 12, 96, (2,)),
        ("0.0.1", 4, 64, (2,)),
        ("0.1", 9, 72, (3,)),
        ("1", 0, 0, (4,)),
        ("1.0", 16, 128, (4,)),
        ("1.1", 0, 0, (4,)),
        ("2", 10, 80, (2,)),
    ]
    assert net.summary().parameters == net.parameters.data.size
    assert net.summary().bytes == net.parameters.data.nbytes + net.state.data.nbytes
    assert net.summary().output_shapes == tuple(row[3] for row in rows)


def test_a_layer_of_ones_own_with_dotted_names_is_counted_whole() -> None:
    @dataclass(frozen=True)
    class Gate(Layer):
        def build(self, in_shape: tuple[int, ...]) -> Built:
            return Built(in_shape, {"inner.scale": Parameter(in_shape, cp.Constant(1.0))})

        def forward(self, params: Params, x: Array, trace: Trace) -> Array:
            return x * params["inner"]["scale"]

        def backward(self, params: Params, dy: Array, trace: Trace, grads: Params) -> Array:
            raise NotImplementedError

    net = Network([Gate()], loss=cp.MeanSquaredError(), input_shape=(3,))
    assert net.summary().parameters == 3


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2, "1.0 MiB"),
        (int(2.25 * 1024**3), "2.2 GiB"),
        (1024**4, "1.0 TiB"),
        (5000 * 1024**4, "5000.0 TiB"),
    ],
)
def test_bytes_are_written_as_people_do(count: int, text: str) -> None:
    assert readable_bytes(count) == text
