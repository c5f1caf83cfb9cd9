"""Where the network of a run looks: what is drawn of its first layer, and of some pictures."""

from typing import TYPE_CHECKING

import numpy as np

from clearprop.core.parameters import Array
from clearprop.data import Dataset
from clearprop.experiment.answers import Answers
from clearprop.explain import class_activation, feature_maps, has_convolution, saliency
from clearprop.files.models import Model
from clearprop.layers import Conv2D, Dense
from clearprop.layers.base import every_layer
from clearprop.network import Network
from clearprop.preprocessing import prepare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN, _WRONG = 8, 4  # pictures; of them, those answered wrongly at most


def takes_pictures(network: Network) -> bool:
    """Whether a sample can be drawn as one picture, grey or of three colours."""
    shape = network.input_shape
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))


def first_weights(network: Network) -> tuple[Array, tuple[int, ...], Array, str] | None:
    """Give the weights of the first layer as (D, M), and the shape of what each unit looks at.

    Returns
    -------
    W : ndarray, shape (D, M)
        Of M units, or M filters.
    shape : tuple of int
        That of the picture, or of the windows that filters look at.
    first : ndarray, shape (D, M)
        The same before training.
    called : {"unit", "filter"}
        What each of the M is called.
    """
    every = every_layer(network.body.inner())
    named = next(((name, one) for name, one in every if isinstance(one, Dense | Conv2D)), None)
    if named is None or not takes_pictures(network):
        return None
    name, layer = f"{named[0]}.W", named[1]
    W, shape = network.parameters[name], network.input_shape
    if isinstance(layer, Conv2D):
        shape = W.shape[:3]
    elif name != "1.W":  # behind the Flatten that pictures begin with, units see their pixels
        return None
    start = network.copy()
    start.initialize(start.seed)
    units = W.shape[-1]
    flat = [one.reshape(-1, units) for one in (W, start.parameters[name])]
    called = "filter" if isinstance(layer, Conv2D) else "unit"
    return flat[0], shape[:2] if shape[2:] == (1,) else shape, flat[1], called


def look_at(model: Model, seen: Array, said: str) -> dict[str, Array]:
    """Return where a model looks in one prepared sample, shape (H, W), by the kind of the map.

    Parameters
    ----------
    model : Model
        Of classes.
    seen : ndarray, shape input_shape
    said : str
        The class that it was taken for.

    Returns
    -------
    dict of str to ndarray
        ``saliency``, and where there are convolutions ``activation``; nothing where the sample is
        no picture.
    """
    if model.class_names is None or not takes_pictures(model.network):
        return {}
    answers = np.array([model.class_names.index(said)])
    return {name: one[0] for name, one in _looks(model.network, seen[np.newaxis], answers).items()}


def draw_attention(model: Model, answers: Answers, dataset: Dataset) -> "Figure":
    """Draw where a model looks in some pictures: right answers of each class, and mistakes.

    Parameters
    ----------
    model : Model
        Of classes, with a recipe.
    answers : Answers
        Its answers.
    dataset : Dataset
        The samples that they are for.
    """
    from clearprop import plots

    rows = _some_of_each(answers)
    X = _prepared(model, dataset, rows)
    truth, predicted = answers.truth[rows], answers.predicted[rows]
    shares = None
    if answers.probabilities is not None:
        shares = answers.probabilities[rows, predicted]
    looks = _looks(model.network, X, predicted)
    return plots.attention(X, truth, predicted, shares, model.class_names or (), **looks)


def draw_features(model: Model, answers: Answers, dataset: Dataset) -> "Figure":
    """Draw what the filters of the first convolution find in a picture that is answered rightly."""
    from clearprop import plots

    right = np.flatnonzero(answers.truth == answers.predicted)
    X = _prepared(model, dataset, right[:1] if right.size else np.arange(1))
    return plots.feature_maps(X[0], feature_maps(model.network, X)[0])


def _looks(network: Network, X: Array, answers: Array) -> dict[str, Array]:
    """Return the maps of prepared pictures, shape (N, H, W), by their kind."""
    looks = {"saliency": saliency(network, X, answers)}
    if has_convolution(network):
        looks["activation"] = class_activation(network, X, answers)
    return looks


def _some_of_each(answers: Answers) -> Array:
    """Return the places of right answers, of every class in turn, and of the surest mistakes."""
    wrong = np.flatnonzero(answers.truth != answers.predicted)
    if answers.probabilities is not None:
        sure = answers.probabilities[wrong, answers.predicted[wrong]]
        wrong = wrong[np.argsort(-sure, kind="stable")]
    wrong = wrong[:_WRONG]
    right = np.flatnonzero(answers.truth == answers.predicted)
    classes = answers.truth[right]
    turn = np.zeros(len(right), np.int64)
    for k in np.unique(classes):
        turn[classes == k] = np.arange(np.count_nonzero(classes == k))
    right = right[np.lexsort((classes, turn))][: _DRAWN - len(wrong)]
    return np.concatenate([right, wrong])


def _prepared(model: Model, dataset: Dataset, rows: Array) -> Array:
    assert model.preprocessing is not None  # noqa: S101 - who measured a model had its recipe
    some = dataset.take(rows)
    return prepare(some.X, model.preprocessing.inputs, model.network.dtype)[:]
