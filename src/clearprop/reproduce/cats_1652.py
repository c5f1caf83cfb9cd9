"""1652 photographs at 128x128: the four layers on four times the features."""

from pathlib import Path

from clearprop.initializers import Scaled
from clearprop.layers import ReLU
from clearprop.reproduce.comparing import (
    accuracy_rows,
    cost_picture,
    cost_rows,
    layer_rows,
    size_rows,
)
from clearprop.reproduce.descent import descend, yes_or_no
from clearprop.reproduce.experiment import Experiment, Progress, Result, Row
from clearprop.reproduce.pictures import cats_1652
from clearprop.reproduce.published import by_descent
from clearprop.reproduce.sources import CATS_1652

COSTS = {0: "0.69", 2499: "0.09"}
HIDDEN = (20, 7, 5)
LEARNING_RATE = 0.0075
ITERATIONS = 2500

_LESSON = (
    "What is learned of the training pictures holds for few others: rows of pixels don't hold what "
    "is beside what, and the first layer alone has 983040 weights for 1323 pictures. The article's "
    "own pictures were not published, so its figures can't come back digit by digit. Dogs as the "
    "other pictures are a harder task than random images."
)


def _recipe(data: Path | None, progress: Progress) -> Result:
    train, test = cats_1652(data)
    cats = int(train.y.sum() + test.y.sum())
    network = yes_or_no(train.X.shape[1], HIDDEN, ReLU(), Scaled())
    watch = progress("1323 pictures of 128x128")
    costs = descend(network, train.X, train.y, LEARNING_RATE, ITERATIONS, watch)
    rows = (
        Row("cats", "852", cats),
        Row("other pictures", "800", len(train.y) + len(test.y) - cats),
        *size_rows(train, test, ("1323", "329", "49152")),
        *layer_rows(network, (*HIDDEN, 1)),
        *cost_rows(costs, COSTS),
        *accuracy_rows(network, train, test, (None, "77")),
    )
    return Result(rows, _LESSON, {"cost": cost_picture(costs, COSTS)})


CATS_OF_1652 = Experiment(
    "cats-1652",
    "Cat or not, by four layers on 1652 photographs",
    (4,),
    CATS_1652,
    _recipe,
    by_descent(cats_1652, HIDDEN, "relu", "scaled", LEARNING_RATE, ITERATIONS),
)
