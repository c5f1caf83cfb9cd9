"""``python -m bench.exported_c``: how quickly exported C answers, what it takes, what int8 costs.

Each network is exported, compiled by the C compiler that is there with ``-O2``, and asked about one
row again and again; the largest difference of logits is over 1,000 random rows. Weights are random:
neither time nor sizes depend on them.
"""

import tempfile
from pathlib import Path

import numpy as np

import clearprop as cp
from clearprop.exports.c.target import CTarget
from clearprop.exports.description import describe
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun
from clearprop.files.models import Model
from clearprop.network import Network

ROWS = 1000

NETWORKS: dict[str, tuple[tuple[int, ...], list[cp.Layer]]] = {
    "[64, 32, 10]": ((64,), [cp.Dense(32), cp.ReLU(), cp.Dense(10)]),
    "[784, 64, 32, 10]": (
        (784,),
        [cp.Dense(64), cp.ReLU(), cp.Dense(32), cp.ReLU(), cp.Dense(10)],
    ),
    "28 x 28, conv 8, pool, conv 16, pool, 10": (
        (28, 28, 1),
        [
            *(cp.Conv2D(8), cp.BatchNorm(), cp.ReLU(), cp.MaxPool2D()),
            *(cp.Conv2D(16), cp.BatchNorm(), cp.ReLU(), cp.MaxPool2D()),
            *(cp.Flatten(), cp.Dense(10)),
        ],
    ),
    "a table's 256, 256, 256 of RealMLP": (
        (8,),
        [
            *(cp.Columns.of_table(numbers=8, plain=0), cp.Scale()),
            *(cp.NTKDense(256), cp.Blend(cp.SELU()), cp.NTKDense(256), cp.Blend(cp.SELU())),
            *(cp.NTKDense(256), cp.Blend(cp.SELU()), cp.NTKDense(1)),
        ],
    ),
}


def main() -> None:
    """Measure every network, and print a table of Markdown."""
    print("| network | weights | µs a row | difference | flash | memory |")
    print("| --- | --- | --: | --: | --- | --: |")
    for name, (shape, layers) in NETWORKS.items():
        net = Network(layers, loss=cp.MeanSquaredError(), input_shape=shape, dtype=np.float32)
        for int8 in (False, True):
            print(f"| {name} | {'int8' if int8 else 'float32'} | {' | '.join(_told(net, int8))} |")


def _told(net: Network, int8: bool) -> list[str]:
    target, model = CTarget(int8=int8), Model(net)
    description = describe(model)
    numbers = np.random.RandomState(0).standard_normal((ROWS, *net.input_shape))
    written = target.write(model, description)
    with tempfile.TemporaryDirectory() as folder:
        for ending, content in written.files.items():
            Path(folder, f"model{ending}").write_bytes(content)
        ran = target.run(Path(folder, "model.c"), description, Rows(ROWS, {}, numbers))
    if isinstance(ran, NotRun):
        raise SystemExit(ran.reason)
    expected = net.logits(numbers.astype(np.float32))
    apart = np.abs(ran.logits - expected).max() / np.abs(expected).max()
    facts = written.facts
    return [f"{ran.seconds * 1e6:.1f}", f"{apart:.1e}", facts["flash"], facts["memory"]]


if __name__ == "__main__":
    main()
