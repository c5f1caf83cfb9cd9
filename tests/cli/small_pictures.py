"""Pictures to read."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_picture(path: Path, bright: bool, seed: int, size: tuple[int, int] = (12, 10)) -> Path:
    """Write a PNG of noise at the upper or the lower end of the range."""
    noise = np.random.RandomState(seed).randint(0, 56, (*size, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((noise + 200 * bright).astype(np.uint8)).save(path)
    return path
