"""The experiments of five published articles, run again with their figures beside ours."""

from clearprop.errors import unknown_name
from clearprop.reproduce import cats, mnist_ffn, planar
from clearprop.reproduce.experiment import Experiment, Progress, Report, Result, Row
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
        cats.Logistic(),
        cats.TwoLayers(),
        cats.FourLayers(),
        planar.Planar(),
        mnist_ffn.MnistFFN(),
        cats.CatsOf1652(),
        cats.CatTanh(),
    )
}
"""Every experiment by its name. A new one is a class, and a line here that names it."""


def find_experiment(name: str) -> Experiment:
    """Return the experiment of that name, or raise UnknownNameError."""
    if name not in EXPERIMENTS:
        raise unknown_name("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]
