"""The planar flower: hidden layers of one to fifty units, and what they can bound."""

from pathlib import Path

import numpy as np

from clearprop.data.named import planar
from clearprop.reproduce.experiment import Experiment, Progress, Result, Row
from clearprop.reproduce.published import Parts, accuracy, by_descent
from clearprop.reproduce.sources import Part


def _flower(_data: Path | None) -> tuple[Part, Part]:
    flower = planar()
    part = Part(np.asarray(flower.X), flower.y)
    return part, part


class Planar(Experiment):
    """The accuracy by the width of the hidden layer."""

    name = "planar"
    title = "The planar flower, by one hidden layer of 1 to 50 units"
    articles = (3,)
    lesson = (
        "One or two units only cut the plane into bands; three already give a boundary that "
        "follows the petals, and twenty or fifty gain nothing but wiggles around single points. "
        "Those two come within one point of what was published, to the digit only by chance: 5000 "
        "iterations at so high a learning rate magnify rounding, and with twenty units a change of "
        "the first weights in their twelfth digit moves the accuracy by half a point."
    )
    training = by_descent(_flower, (1,), "tanh", "normal", 1.2, 5000, seed=2)
    accuracies = (
        (1, "67.5"),
        (2, "67.25"),
        (3, "90.75"),
        (4, "90.5"),
        (5, "91.25"),
        (20, "90.0"),
        (50, "90.25"),
    )

    def recipe(self, data: Path | None, progress: Progress) -> Result:
        """Train every width, and draw what it bounds."""
        from clearprop.plots import comparison, decision_boundary

        parts = Parts(*_flower(data))
        flower = parts.train
        rows, scores, pictures = [], [], {}
        for units, published in self.accuracies:
            title = f"{units} hidden unit{'s' if units > 1 else ''}"
            settings = self.training.settings.changed({"layers": (units,)})
            network, _ = self.training.train(parts, settings, progress(title))
            score = accuracy(network, flower)
            rows.append(Row(f"accuracy with {title}", published, score, "%"))
            scores.append((title, network.parameters.data.size, [score / 100]))
            pictures[f"boundary-{units:02}"] = decision_boundary(
                network.predict_proba, flower.X, flower.y, ("class 0", "class 1")
            )
        pictures["widths"] = comparison(scores, "training accuracy")
        return Result(tuple(rows), pictures)
