"""Rows and pictures that set what was published beside what was measured."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from clearprop.network import Network
from clearprop.reproduce.descent import accuracy
from clearprop.reproduce.experiment import Row
from clearprop.reproduce.pictures import Part

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def size_rows(train: Part, test: Part, published: tuple[str, str, str]) -> list[Row]:
    """Compare the sizes of the data.

    Parameters
    ----------
    train, test : Part
    published : (str, str, str)
        The pictures in the training set, those in the test set, and the features of each.

    Returns
    -------
    list of Row
    """
    measured = (len(train.X), len(test.X), train.X.shape[1])
    names = ("training pictures", "test pictures", "features")
    return [Row(*row) for row in zip(names, published, measured, strict=True)]


def layer_rows(network: Network, published: Sequence[int], prefix: str = "") -> list[Row]:
    """Compare the units of every layer.

    Parameters
    ----------
    network : Network
    published : sequence of int
        Units from the first layer to the last.
    prefix : str, default ""
        In front of every row's name.

    Returns
    -------
    list of Row
    """
    widths = [W.shape[1] for name, W in network.parameters.items() if name.endswith(".W")]
    return [
        Row(f"{prefix}units in layer {place}", str(units), width)
        for place, (units, width) in enumerate(zip(published, widths, strict=True), start=1)
    ]


def cost_rows(costs: Sequence[float], published: Mapping[int, str]) -> list[Row]:
    """Compare costs along a training.

    Parameters
    ----------
    costs : sequence of float
        Entry i is the cost after iteration i.
    published : mapping of int to str
        The cost after some of the iterations, as it was printed.

    Returns
    -------
    list of Row
    """
    return [Row(f"cost after iteration {i}", text, costs[i]) for i, text in published.items()]


def accuracy_rows(
    network: Network,
    train: Part,
    test: Part,
    published: tuple[str | None, str | None],
    of: str = "",
) -> list[Row]:
    """Compare the accuracy on both parts.

    Parameters
    ----------
    network : Network
        Trained.
    train, test : Part
    published : (str or None, str or None)
        In per cent, as they were printed.
    of : str, optional
        What comes before "training accuracy".

    Returns
    -------
    list of Row
    """
    return [
        Row(f"{of}{name} accuracy", text, accuracy(network, part.X, part.y), "%")
        for name, part, text in zip(("training", "test"), (train, test), published, strict=True)
    ]


def cost_picture(costs: Sequence[float], published: Mapping[int, str]) -> "Figure":
    """Draw the cost after every iteration, with the published points over them.

    Parameters
    ----------
    costs : sequence of float
        Entry i is the cost after iteration i.
    published : mapping of int to str
        The cost after some of the iterations, as it was printed.

    Returns
    -------
    Figure
    """
    from clearprop.plots import cost_curve

    points = {iteration: float(text) for iteration, text in published.items()}
    return cost_curve(range(len(costs)), costs, points)
