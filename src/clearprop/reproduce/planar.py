"""The planar flower: hidden layers of one to fifty units, and what they can bound."""

from pathlib import Path

import numpy as np

from clearprop.data.named import planar
from clearprop.initializers import Normal
from clearprop.layers import Tanh
from clearprop.reproduce.descent import accuracy, descend, yes_or_no
from clearprop.reproduce.experiment import Experiment, Progress, Result, Row

ACCURACIES = {
    1: "67.5",
    2: "67.25",
    3: "90.75",
    4: "90.5",
    5: "91.25",
    20: "90.0",
    50: "90.25",
}
LEARNING_RATE = 1.2
ITERATIONS = 5000

_LESSON = (
    "One or two units only cut the plane into bands; three already give a boundary that follows "
    "the petals, and twenty or fifty gain nothing but wiggles around single points. Those two "
    "come within one point of what was published, to the digit only by chance: 5000 iterations at "
    "so high a learning rate magnify rounding, and with twenty units a change of the first weights "
    "in their twelfth digit moves the accuracy by half a point."
)


def _recipe(_data: Path | None, progress: Progress) -> Result:
    from clearprop.plots import comparison, decision_boundary

    flower = planar()
    X, y = np.asarray(flower.X), flower.y
    rows, scores, pictures = [], [], {}
    for units, published in ACCURACIES.items():
        network = yes_or_no(2, (units,), Tanh(), Normal(0.01), seed=2)
        title = f"{units} hidden unit{'s' if units > 1 else ''}"
        descend(network, X, y, LEARNING_RATE, ITERATIONS, progress(title))
        score = accuracy(network, X, y)
        rows.append(Row(f"accuracy with {title}", published, score, "%"))
        scores.append((title, network.parameters.data.size, [score / 100]))
        pictures[f"boundary-{units:02}"] = decision_boundary(
            network.predict_proba, X, y, ("class 0", "class 1")
        )
    pictures["widths"] = comparison(scores, "training accuracy")
    return Result(tuple(rows), _LESSON, pictures)


PLANAR = Experiment(
    "planar", "The planar flower, by one hidden layer of 1 to 50 units", (3,), None, _recipe
)
