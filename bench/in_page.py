"""``python -m bench.in_page``: how much longer a step takes in a page than in Python.

Both train [784, 64, 32, 10] by batches of 32 with Adam, in float64 and on one thread: clearprop
with NumPy alone, and the page's engine in Node, whose compiler is Chromium's. They take turns, so
that a machine that is busy slows both.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

_WIDTHS = (784, 64, 32, 10)
_SAMPLES, _BATCH, _EPOCHS = 2048, 32, 10
_TURNS = 7
_ALONE = {"CLEARPROP_KERNELS": "numpy", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def main() -> None:
    """Measure by turns, and print the middle of all."""
    task = {"widths": _WIDTHS, "samples": _SAMPLES, "batch": _BATCH, "epochs": _EPOCHS}
    program = str(Path(__file__).with_suffix(".mjs"))
    in_python, in_page = [], []
    for _ in range(_TURNS):
        in_python.append(_seconds([sys.executable, "-m", "bench.in_page", "once"]))
        in_page.append(_seconds(["node", program, json.dumps(task)]))
    one, other = statistics.median(in_python), statistics.median(in_page)
    ratio = statistics.median(a / b for a, b in zip(in_page, in_python, strict=True))
    print(f"a step in Python {one * 1e3:.2f} ms, in a page {other * 1e3:.2f} ms: {ratio:.1f} times")


def _seconds(command: list[str]) -> float:
    told = subprocess.run(  # noqa: S603 - our own code
        command, env={**os.environ, **_ALONE}, stdout=subprocess.PIPE, check=True, text=True
    )
    return float(told.stdout)


def once() -> None:
    """Train in Python; print the seconds a step."""
    import numpy as np

    import clearprop as cp

    inputs, *units = _WIDTHS
    random_state = np.random.RandomState(0)
    X = random_state.standard_normal((_SAMPLES, inputs))
    y = random_state.randint(0, units[-1], _SAMPLES)
    layers = [layer for count in units for layer in (cp.Dense(count), cp.ReLU())]
    net = cp.Network(layers[:-1], loss=cp.SoftmaxCrossEntropy(), input_shape=(inputs,))
    first, rest = (
        cp.Trainer(optimizer=cp.Adam(), epochs=epochs, batch_size=_BATCH) for epochs in (1, _EPOCHS)
    )
    first.fit(net, X, y)
    began = time.perf_counter()
    rest.fit(net, X, y)
    print((time.perf_counter() - began) / (_EPOCHS * _SAMPLES / _BATCH))


if __name__ == "__main__":
    if sys.argv[1:] == ["once"]:
        once()
    else:
        main()
