"""``python -m bench.pictures``: a folder of pictures, against Pillow's own decoding by threads.

20,000 pictures of 200 x 200 are made in a temporary folder. Both sides end with one array of
64 x 64 pixels; only clearprop's also looks for the files, checks each, and notes what is odd. They
take turns, each the first in every other one, and the median of the ratios is what counts.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from bench.task import Array
from clearprop.core.blas import available_cores
from clearprop.data import load
from clearprop.preprocessing import fit_recipe

_SIZE = (64, 64)
_SIDE = 200  # pixels
_CLASSES = 10

Way = Callable[[Path], Array]


def make_pictures(root: Path, count: int) -> None:
    """Write JPEGs that decode as photographs do: smooth, with some noise."""
    random_state = np.random.RandomState(0)

    def write(number: int, pixels: Array) -> None:
        folder = root / f"class{number % _CLASSES}"
        folder.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{number:05}.jpg", quality=85)

    with ThreadPoolExecutor(available_cores()) as pool:
        for number in range(count):
            coarse = random_state.randint(0, 256, (8, 8, 3)).astype(np.uint8)
            smooth = Image.fromarray(coarse).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
            noise = random_state.randint(0, 16, (_SIDE, _SIDE, 1))
            pixels = (np.asarray(smooth) // 16 * 15 + noise).astype(np.uint8)
            pool.submit(write, number, pixels)


def plain(root: Path) -> Array:
    """Decode every picture as a short loop over Pillow does, by as many threads as cores."""
    paths = sorted(root.glob("*/*.jpg"))
    pixels = np.empty((len(paths), *_SIZE, 3), np.uint8)

    def decode(row: int) -> None:
        with Image.open(paths[row]) as image:
            small = image.convert("RGB").resize(_SIZE, Image.Resampling.LANCZOS)
            pixels[row] = np.asarray(small)

    with ThreadPoolExecutor(available_cores()) as pool:
        list(pool.map(decode, range(len(paths))))
    return pixels


def ours(root: Path) -> Array:
    """Find, check and decode them, and learn the recipe."""
    dataset = load(root, size=_SIZE)
    fit_recipe(dataset)
    return np.asarray(dataset.X)


def main() -> None:
    """Measure, and print seconds and ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="pictures")
    parser.add_argument("--turns", type=int, default=4, help="turns of each side")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_pictures(root, arguments.count)
        seconds: dict[Way, list[float]] = {plain: [], ours: []}
        found: dict[Way, Array] = {}
        for turn in range(arguments.turns):
            for way in (plain, ours) if turn % 2 == 0 else (ours, plain):
                began = time.perf_counter()
                found[way] = way(root)
                seconds[way].append(time.perf_counter() - began)
            if not np.array_equal(found[plain], found[ours]):
                raise SystemExit("The two sides don't agree on the pixels.")
            print(f"clearprop {seconds[ours][-1]:.2f} s, Pillow {seconds[plain][-1]:.2f} s")
    ratios = [mine / theirs for mine, theirs in zip(seconds[ours], seconds[plain], strict=True)]
    quickest = min(seconds[ours]) / min(seconds[plain])
    print(
        f"{arguments.count} pictures, {available_cores()} threads, clearprop / Pillow: "
        f"median {median(ratios):.3f}, of the quickest turns {quickest:.3f}"
    )


if __name__ == "__main__":
    main()
