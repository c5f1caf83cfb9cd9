"""Ten networks as learners write them, with random data and parameters in their own layout.

Each is a file in `networks` with a function ``cost(X, Y, parameters)`` and one ``gradients(X, Y,
parameters)``. A mistake is planted by another text for one of its lines.
"""

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np


@dataclass(frozen=True)
class Learner:
    """A network and the layout of its arrays."""

    name: str
    widths: tuple[int, ...]
    rows: bool = False
    flat_bias: bool = False  # b is (units,)
    numbered: bool = False  # Y holds class numbers
    samples: int = 7

    def __str__(self) -> str:
        return self.name

    @property
    def source(self) -> str:
        return (Path(__file__).parent / "networks" / f"{self.name}.py").read_text(encoding="utf-8")

    def changed(self, *changes: tuple[str, str]) -> str:
        """Return the source with new texts for old ones, each of which must stand there once."""
        source = self.source
        for old, new in changes:
            assert source.count(old) == 1, f"{old!r} does not stand there once"
            source = source.replace(old, new)
        return source

    @property
    def layers(self) -> int:
        return len(self.widths) - 1

    def parameters(self) -> dict[str, np.ndarray]:
        random_state = np.random.RandomState(len(self.name))
        found = {}
        for layer in range(1, len(self.widths)):
            inputs, units = self.widths[layer - 1 : layer + 1]
            W = random_state.standard_normal((units, inputs))
            b = 0.3 * random_state.standard_normal((units, 1))
            found[f"W{layer}"] = W.T.copy() if self.rows else W
            found[f"b{layer}"] = b.ravel() if self.flat_bias else b.T.copy() if self.rows else b
        return found

    def data(self, samples: int) -> tuple[np.ndarray, np.ndarray]:
        random_state = np.random.RandomState(samples)
        X = random_state.standard_normal((samples, self.widths[0]))
        outputs = self.widths[-1]
        if outputs == 1:
            Y = random_state.randint(0, 2, (samples, 1))
        else:
            classes = random_state.randint(0, outputs, samples)
            if self.numbered:
                return X, classes
            Y = np.eye(outputs)[classes]
        return (X, Y) if self.rows else (X.T.copy(), Y.T.copy())


LEARNERS = {
    learner.name: learner
    for learner in (
        Learner("two_layers_tanh", (3, 4, 1)),
        Learner("two_layers_softmax", (6, 5, 3), rows=True, flat_bias=True, numbered=True),
        Learner("course_relu", (6, 5, 4, 3, 1), samples=8),
        Learner("three_layers_sigmoid", (5, 4, 6, 3)),
        Learner("layer_objects", (5, 6, 4, 3), rows=True, flat_bias=True),
        Learner("five_layers_tanh", (4, 5, 3, 6, 5, 3), rows=True, flat_bias=True, samples=8),
        Learner("three_layers_l2", (4, 6, 5, 1)),
        Learner("three_layers_dropout", (4, 6, 5, 1), samples=11),
        Learner("four_square_layers", (5, 4, 4, 4, 1), rows=True),
        Learner("five_square_layers", (4, 4, 4, 4, 4, 4)),
    )
}


def load(source: str, name: str = "learner") -> ModuleType:
    """Run a learner's file."""
    module = ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102 - our own files
    return module
