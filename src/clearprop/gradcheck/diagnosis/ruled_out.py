"""What was tried on a line, so that a learner need not look there."""

from itertools import chain

from clearprop.gradcheck.diagnosis.branch import Branch
from clearprop.gradcheck.diagnosis.hypotheses.biases import biases
from clearprop.gradcheck.diagnosis.hypotheses.factors import usual_causes
from clearprop.gradcheck.diagnosis.hypotheses.fitting import CLOSE
from clearprop.gradcheck.diagnosis.hypotheses.guess import Guess, Place
from clearprop.gradcheck.diagnosis.hypotheses.outputs import outputs
from clearprop.gradcheck.diagnosis.hypotheses.products import products
from clearprop.gradcheck.diagnosis.hypotheses.slopes import slopes
from clearprop.gradcheck.diagnosis.hypotheses.weights import weights
from clearprop.gradcheck.diagnosis.network.replay import Run


def tried(run: Run, branch: Branch, layer: int, target: str) -> list[str]:
    """Return the causes that were tried on a line.

    Parameters
    ----------
    run : Run
    branch : Branch
        It explains the layers above.
    layer : int
    target : {"dZ", "dW", "db"}
        One line, or all of the layer.

    Returns
    -------
    list of str
    """
    at = Place(run, layer, branch.dZ, branch.dA, {}, CLOSE)
    dZ, dA = branch.dZ[layer], branch.dA[layer]
    guesses: list[Guess] = []
    if target == "dZ" and layer == run.L:
        guesses += [guess for guess, _ in outputs(at)]
    elif target == "dZ":
        guesses += chain(products(at), slopes(at, dA))
    guesses += [] if target == "db" else weights(at, dZ, dA)
    guesses += [] if target == "dW" else biases(at, dZ, dA)
    causes = [step.cause for guess in guesses for step in guess.steps]
    return list(dict.fromkeys([*usual_causes(at, "db" if target == "db" else "dW"), *causes]))
