"""Helper modules of a well-known course, which its notebooks import and learners rarely keep.

Their names and what they return are the course's ("Neural Networks and Deep Learning",
deeplearning.ai, weeks 3 and 4, and "Improving Deep Neural Networks", week 1); the code is not.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import watch
from clearprop.gradcheck.seeing.running.notes import Notes

_MODULES = re.compile(
    r"^(dnn_(app_)?utils|planar_utils|init_utils|reg_utils|gc_utils|opt_utils|lr_utils|testCases"
    r"|test_?cases|rnn_utils|cnn_utils)\w*$",
    re.I,
)
_SAMPLES = 26


def is_course(module: str) -> bool:
    """Whether a module that is missing is one of the course's."""
    return bool(_MODULES.match(module.split(".")[-1]))


def helpers(module: str, notes: Notes, np: Any) -> dict[str, Any]:
    """Return the functions of a module of the course, by their names.

    Parameters
    ----------
    module : str
        The name of the module; the same names return pairs in some of them.
    notes : Notes
    np : module
        NumPy as watched code sees it.
    """

    def sigmoid(Z: Any) -> Any:
        return 1 / (1 + np.exp(-Z))

    def relu(Z: Any) -> Any:
        return np.maximum(0, Z)

    def softmax(x: Any) -> Any:
        e_x = np.exp(x - np.max(x))
        return e_x / e_x.sum(axis=0)

    def sigmoid_backward(dA: Any, cache: Any) -> Any:
        s = 1 / (1 + np.exp(-cache))
        return dA * s * (1 - s)

    def relu_backward(dA: Any, cache: Any) -> Any:
        return dA * (cache > 0)

    def with_cache(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def cached(Z: Any) -> Any:
            return function(Z), Z

        return cached

    def loads(parts: int, *shape: int) -> Callable[..., Any]:
        def load(*_: Any, **__: Any) -> Any:
            notes.say("small random data stand in for what is loaded here.", once="loaded")
            pairs = [(_normal(*shape, _SAMPLES), _labels()) for _ in range(parts)]
            return tuple(one for pair in pairs for one in pair)

        return load

    shapes: dict[str, tuple[int, ...]] = {}

    def dictionary_to_vector(parameters: Any) -> Any:
        shapes.update({name: array.shape for name, array in parameters.items()})
        return np.concatenate([one.reshape(-1, 1) for one in parameters.values()]), list(shapes)

    def vector_to_dictionary(theta: Any) -> Any:
        found, at = {}, 0
        for name, shape in shapes.items():
            size = math.prod(shape)
            found[name] = theta[at : at + size].reshape(shape)
            at += size
        return found

    def gradients_to_vector(gradients: Any) -> Any:
        return np.concatenate([gradients[f"d{name}"].reshape(-1, 1) for name in shapes])

    if "test" in module.lower():
        return {
            "gradient_check_n_test_case": _deep_case,
            "layer_sizes_test_case": lambda: (_normal(5, 3), _normal(2, 3)),
            "initialize_parameters_test_case": lambda: (2, 4, 1),
        }
    pairs = module.startswith("dnn")
    points = loads(2, 2) if module.startswith(("init", "reg")) else loads(1, 2)
    return {
        "sigmoid": with_cache(sigmoid) if pairs else sigmoid,
        "relu": with_cache(relu) if pairs else relu,
        "softmax": softmax,
        "sigmoid_backward": sigmoid_backward,
        "relu_backward": relu_backward,
        "load_data": _pictures(notes),
        "load_dataset": points if module.startswith(("init", "opt")) else _pictures(notes),
        "load_planar_dataset": points,
        "load_2D_dataset": points,
        "dictionary_to_vector": dictionary_to_vector,
        "vector_to_dictionary": vector_to_dictionary,
        "gradients_to_vector": gradients_to_vector,
    }


def _normal(*shape: int) -> Any:
    return watch(np.random.randn(*shape))


def _labels() -> Any:
    return watch(np.arange(_SAMPLES)[None, :] % 2)


def _pictures(notes: Notes) -> Callable[..., Any]:
    def load(*_: Any, **__: Any) -> Any:
        notes.say("small random data stand in for what is loaded here.", once="loaded")
        parts: list[Any] = []
        for _part in range(2):
            pictures = np.random.randint(0, 256, (_SAMPLES, 64, 64, 3)).astype(np.uint8)
            parts += [watch(pictures), _labels()]
        return (*parts, np.array([b"non-cat", b"cat"]))

    return load


def _deep_case() -> Any:
    sizes = (4, 5, 3, 1)
    parameters = {}
    for layer in range(1, len(sizes)):
        parameters[f"W{layer}"] = _normal(sizes[layer], sizes[layer - 1])
        parameters[f"b{layer}"] = _normal(sizes[layer], 1)
    return _normal(sizes[0], 3), watch(np.array([[1, 1, 0]])), parameters
