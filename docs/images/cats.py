"""Make the pictures of cats in docs/pictures.md of those of a run: ``python cats.py runs/cats``."""

import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent

for name in ("curves", "mistakes"):
    with Image.open(Path(sys.argv[1], f"{name}.png")) as drawn:
        # A page needs no more than so many pixels and colours.
        smaller = drawn.convert("RGB").resize((1000, 1000 * drawn.height // drawn.width))
        smaller.quantize(128).save(HERE / f"cats-{name}.png", optimize=True)
