"""Networks in ONNX files, whose bytes are wrong."""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from mutations import changed_bytes

from clearprop.data.pictures.backbone import open_backbone

sys.path.append(str(Path(__file__).parents[1] / "preprocessing"))
from onnx_networks import save_network


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    while True:
        yield "backbone.onnx", changed_bytes(_network(), random)


def opened(path: Path) -> None:
    """Read a network, and run it on a black picture."""
    open_backbone(path, scale="0-1")


@cache
def _network() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "backbone.onnx"
        save_network(path)
        return path.read_bytes()
