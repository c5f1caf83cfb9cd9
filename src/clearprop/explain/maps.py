"""What convolutions see: their feature maps, and where these speak for an answer."""

from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.core.trace import Trace
from clearprop.errors import UsageError, unknown_name
from clearprop.explain.question import Question
from clearprop.files.models import Model
from clearprop.layers import Conv2D
from clearprop.layers.base import every_layer
from clearprop.network import Network
from clearprop.network.probe import Backward, Forward, Record, Watcher, watched


def has_convolution(network: Network) -> bool:
    """Whether a layer of a network, or one inside another, is a convolution."""
    return any(isinstance(one, Conv2D) for _, one in every_layer(network.body.inner()))


def class_activation(
    model: Model | Network, X: Any, answers: Any = None, *, layer: str | None = None
) -> Array:
    """Compute where in a picture the feature maps of a convolution speak for an answer.

    Parameters
    ----------
    model : Model or Network
    X : array-like, shape (N, *input_shape), or whatever `Model.predict` takes
        Prepared samples for a network; samples as they are for a model.
    answers : int or array-like of int, shape (N,), optional
        The class number that each picture is asked about; unless given, the one that is answered.
    layer : str, optional
        The layer whose output is looked at, ``"3"`` or ``"3.0"``. Unless given, the last
        convolution, together with what follows without a change of shape: batch norm, activation,
        the link around a block.

    Returns
    -------
    ndarray, shape (N, H, W)
        From 0 on, in the size of the pictures: the map is drawn out between the middles of its
        places. All is 0 where nothing speaks for the answer.

    Raises
    ------
    UsageError
        If the network has no convolution, there is no such layer, or its output has no places.
    ShapeError, DataError
        If the samples or the answers don't fit the model.

    Notes
    -----
    With A_k the map of filter k and S the logit of the answer::

        activation_ij = max(0, sum_k dS/dA_ijk A_ijk)

    Source: Draelos, Carin, "Use HiResCAM instead of Grad-CAM" (2020), equation 5. Where a global
    average and one Dense layer follow, dS/dA_ijk is that layer's weight, divided by the number of
    places: then it is the class activation of Zhou et al., "Learning Deep Features for
    Discriminative Localization" (2016), equation 2, and Grad-CAM, too (Selvaraju et al., 2017).
    That takes the mean of dS/dA_ijk over the places, which says little where a Dense layer weighs
    each place by itself: it then marks places where nothing is.
    """
    question = Question.of(model, X, answers)
    network = question.network
    name, _ = _place(network, layer, -1)
    watcher = _At(name)
    twin = watched(network, watcher)
    size = network.input_shape[:2]
    found = np.empty((len(question), *size), network.dtype)
    for rows, block in question.blocks():
        trace = Trace()
        logits = twin.forward(block, trace)
        twin.backward(question.seeds(rows, logits), trace, twin.parameters.like())
        speaks = np.maximum((watcher.dy * watcher.y).sum(axis=-1), 0)
        found[rows] = _enlarged(speaks, size)
    return found


def feature_maps(model: Model | Network, X: Any, *, layer: str | None = None) -> Array:
    """Return what the filters of a convolution make of pictures.

    Parameters
    ----------
    model : Model or Network
    X : array-like, shape (N, *input_shape), or whatever `Model.predict` takes
        Prepared samples for a network; samples as they are for a model.
    layer : str, optional
        The layer whose output it is, ``"3"`` or ``"3.0"``. Unless given, the first convolution,
        together with what follows without a change of shape, such as its activation.

    Returns
    -------
    ndarray, shape (N, h, w, F)
        A map of h x w places for each of F filters.

    Raises
    ------
    UsageError
        If the network has no convolution, there is no such layer, or its output has no places.
    ShapeError, DataError
        If the samples don't fit the model.
    """
    question = Question.of(model, X, 0)  # maps are the same, whatever the answer
    network = question.network
    name, shape = _place(network, layer, 0)
    watcher = _At(name)
    twin = watched(network, watcher)
    found = np.empty((len(question), *shape), network.dtype)
    for rows, block in question.blocks():
        twin.forward(block)
        found[rows] = watcher.y
    return found


class _At(Watcher):
    """The output of one layer, and the gradient of that."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.y = self.dy = np.empty(0)

    def forward(self, done: Forward) -> None:
        """Keep the layer's own."""
        if done.name == self.name:
            self.y = done.y

    def backward(self, done: Backward) -> None:
        """Keep the layer's own."""
        if done.name == self.name:
            self.dy = done.dy


def _place(network: Network, layer: str | None, which: int) -> tuple[str, tuple[int, ...]]:
    """Find the layer whose output is looked at: its name, and the shape (h, w, F) of its maps.

    Parameters
    ----------
    network : Network
    layer : str or None
        Its name, where it was said.
    which : {0, -1}
        The first convolution, or the last.
    """
    record = Record()
    watched(network, record).forward(np.zeros((1, *network.input_shape), network.dtype))
    passes = record.forwards
    if layer is not None:
        named = {done.name: done for done in passes}
        if layer not in named:
            raise unknown_name("layer", layer, named)
        found = named[layer]
    else:
        places = [i for i, done in enumerate(passes) if isinstance(done.layer, Conv2D)]
        if not places:
            raise UsageError(
                "The network has no convolution, so it has no feature maps. clearprop.saliency "
                "tells for any network which pixels its answer hangs on."
            )
        found = passes[places[which]]
        for done in passes[places[which] + 1 :]:
            if done.y.shape != found.y.shape or isinstance(done.layer, Conv2D):
                break
            found = done
    if found.y.ndim != 4:
        raise UsageError(
            f"Layer {found.name} gives {found.y.shape[1:]} for a sample, expected maps (h, w, F). "
            "Name a convolution, or a layer between that and the one that makes samples flat."
        )
    return found.name, found.y.shape[1:]


def _enlarged(maps: Array, size: tuple[int, ...]) -> Array:
    """Draw maps (N, h, w) out to pictures (N, H, W), linearly between the middles of places."""
    down, across = (_between(n, m) for n, m in zip(maps.shape[1:], size, strict=True))
    return down @ maps @ across.T


def _between(places: int, pixels: int) -> Array:
    """Return the weight of each of n places in each of m pixels, shape (m, n)."""
    middles = (np.arange(pixels) + 0.5) * places / pixels - 0.5
    return np.stack([np.interp(middles, range(places), row) for row in np.eye(places)], axis=1)
