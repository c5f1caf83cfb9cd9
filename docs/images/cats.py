"""Make the curves of cats in docs/pictures.md of those of a run: ``python cats.py runs/cats``."""

import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent

with Image.open(Path(sys.argv[1], "curves.png")) as drawn:
    # A page needs no more than so many pixels and colours.
    smaller = drawn.convert("RGB").resize((1000, 1000 * drawn.height // drawn.width))
    smaller.quantize(128).save(HERE / "cats-curves.png", optimize=True)
