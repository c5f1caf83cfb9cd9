"""The experiments of five published articles, run again with their figures beside ours."""

from clearprop.errors import unknown_name
from clearprop.reproduce.cat_four_layers import CAT_FOUR_LAYERS
from clearprop.reproduce.cat_tanh import CAT_TANH
from clearprop.reproduce.cat_two_layers import CAT_TWO_LAYERS
from clearprop.reproduce.cats_1652 import CATS_OF_1652
from clearprop.reproduce.experiment import Experiment, Progress, Report, Result, Row
from clearprop.reproduce.logistic import LOGISTIC
from clearprop.reproduce.mnist_ffn import MNIST_FFN
from clearprop.reproduce.planar import PLANAR
from clearprop.reproduce.sources import Source

__all__ = [
    "EXPERIMENTS",
    "Experiment",
    "Progress",
    "Report",
    "Result",
    "Row",
    "Source",
    "find_experiment",
]

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        LOGISTIC,
        CAT_TWO_LAYERS,
        CAT_FOUR_LAYERS,
        PLANAR,
        MNIST_FFN,
        CATS_OF_1652,
        CAT_TANH,
    )
}


def find_experiment(name: str) -> Experiment:
    """Return the experiment of that name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name not in EXPERIMENTS:
        raise unknown_name("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]
