"""Values that tests/golden/make_golden.py had PyTorch compute."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

_FOLDER = Path(__file__).parents[1] / "golden"


def golden(name: str) -> dict[str, NDArray[np.float64]]:
    """Return every array of one golden file."""
    return load_file(_FOLDER / f"{name}.safetensors")


def below(arrays: dict[str, NDArray[np.float64]], folder: str) -> dict[str, NDArray[np.float64]]:
    """Return the arrays whose names begin with `folder` and a slash, by the rest of their names."""
    return {
        name.removeprefix(f"{folder}/"): array
        for name, array in arrays.items()
        if name.startswith(f"{folder}/")
    }
