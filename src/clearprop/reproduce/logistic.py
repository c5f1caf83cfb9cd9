"""Logistic regression: a network of one neuron, from zero weights."""

from pathlib import Path

from clearprop.initializers import Zeros
from clearprop.layers import Dense
from clearprop.losses import BinaryCrossEntropy
from clearprop.network import Network
from clearprop.reproduce.comparing import accuracy_rows, cost_picture, cost_rows, size_rows
from clearprop.reproduce.descent import descend
from clearprop.reproduce.experiment import Experiment, Progress, Result, Row
from clearprop.reproduce.pictures import COURSE_SIZES, course_cats
from clearprop.reproduce.published import by_descent
from clearprop.reproduce.sources import CATVNONCAT
from clearprop.reproduce.vectorisation import speed_up

COSTS = {
    0: "0.693147",
    100: "0.584508",
    200: "0.466949",
    300: "0.376007",
    1000: "0.214820",
    1900: "0.140872",
}
LEARNING_RATE = 0.005
ITERATIONS = 2000

_LESSON = (
    "From zero weights every probability is one half, so the first cost is log 2. One neuron "
    "learns nearly all of the training pictures, and little that holds for others: it has 12288 "
    "weights for 209 pictures. A loop in Python takes a few hundred times as long as one call on "
    "whole arrays, how many depends on the machine, so nothing here loops over samples."
)


def _recipe(data: Path | None, progress: Progress) -> Result:
    train, test = course_cats(data)
    inputs = (train.X.shape[1],)
    network = Network([Dense(1, Zeros())], loss=BinaryCrossEntropy(), input_shape=inputs)
    watch = progress("logistic regression")
    costs = descend(network, train.X, train.y, LEARNING_RATE, ITERATIONS, watch)
    rows = (
        *size_rows(train, test, COURSE_SIZES),
        *cost_rows(costs, COSTS),
        *accuracy_rows(network, train, test, ("99.043", "70.0")),
        Row("a loop over a million products, against one call", "about 300", speed_up(), " times"),
    )
    return Result(rows, _LESSON, {"cost": cost_picture(costs, COSTS)})


LOGISTIC = Experiment(
    "logistic",
    "Cat or not, by one neuron from zero weights",
    (3,),
    CATVNONCAT,
    _recipe,
    by_descent(course_cats, (), "relu", "zeros", LEARNING_RATE, ITERATIONS),
)
