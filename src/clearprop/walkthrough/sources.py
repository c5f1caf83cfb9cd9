"""Where a layer's x and dy come from, in words."""

from collections.abc import Mapping

from clearprop.layers import Layer, Residual, Sequential
from clearprop.walkthrough.words import WORDS


class Sources:
    """What goes into every layer of a network, from below and from above.

    Parameters
    ----------
    body : Sequential
        The network's layers.
    """

    def __init__(self, body: Sequential) -> None:
        self._x: dict[str, str] = {}
        self._dy: dict[str, str] = {}
        self._follow(body.inner(), "", WORDS["the input"], WORDS["dlogits"])

    def forward(self, name: str, layer: Layer) -> str:
        """Say what x is in a layer, and what the block of a `Residual` gives."""
        said = WORDS["x is"].format(x=self._x[name])
        if type(layer) is not Residual or not layer.layers:
            return said
        block = _top(f"{name}.{layer.block.names[-1]}", layer.layers[-1])
        return f"{said} {WORDS['block is'].format(block=block)}"

    def backward(self, name: str, layer: Layer) -> str:
        """Say what dy is in a layer, and what the block of a `Residual` gives back."""
        said = WORDS["dy is"].format(dy=self._dy[name])
        if type(layer) is not Residual or not layer.layers:
            return said
        dblock = _bottom(f"{name}.{layer.block.names[0]}", layer.layers[0])
        return f"{said} {WORDS['dblock is'].format(dblock=dblock)}"

    def _follow(self, inner: Mapping[str, Layer], prefix: str, x: str, dy: str) -> None:
        """Say it of layers that pass their output on to each other."""
        layers = {f"{prefix}{key}": layer for key, layer in inner.items()}
        below = [x, *(_top(name, layer) for name, layer in layers.items())]
        above = [*(_bottom(name, layer) for name, layer in layers.items()), dy]
        for place, (name, layer) in enumerate(layers.items()):
            self._set(name, layer, below[place], above[place + 1])

    def _set(self, name: str, layer: Layer, x: str, dy: str) -> None:
        self._x[name], self._dy[name] = x, dy
        if layer.chains:
            self._follow(layer.inner(), f"{name}.", x, dy)
            return
        inside = WORDS["from container"].format(name=name)
        for key, one in layer.inner().items():
            self._set(f"{name}.{key}", one, inside, inside)


def _top(name: str, layer: Layer) -> str:
    """Say whose y leaves a layer: of a `Sequential`, that of its last one."""
    while type(layer) is Sequential and layer.layers:
        name, layer = f"{name}.{layer.names[-1]}", layer.layers[-1]
    return WORDS["y of layer"].format(name=name)


def _bottom(name: str, layer: Layer) -> str:
    """Say whose dx leaves a layer: of a `Sequential`, that of its first one."""
    while type(layer) is Sequential and layer.layers:
        name, layer = f"{name}.{layer.names[0]}", layer.layers[0]
    return WORDS["dx of layer"].format(name=name)
