"""Weights and biases by the names that they have in the code under check."""

import re
from collections.abc import Sequence
from dataclasses import replace

from clearprop.gradcheck.diagnosis.diagnosis import Diagnosis, Mistake
from clearprop.gradcheck.diagnosis.network.form import Dense


def in_names_of(diagnosis: Diagnosis, layers: Sequence[Dense]) -> Diagnosis:
    """Write every formula of a diagnosis in the names of the code under check.

    Parameters
    ----------
    diagnosis : Diagnosis
        It speaks of W1, b1, W2, ...
    layers : sequence of Dense
        The names to put in their place, where they are names that can stand in a formula.

    Returns
    -------
    Diagnosis
    """
    names = {
        symbol + layer.number: name
        for layer in layers
        for symbol, name in (("W", layer.W), ("b", layer.b))
        if name.isidentifier() and name != symbol + layer.number
    }
    if not names:
        return diagnosis
    pattern = re.compile(rf"\b(d?)({'|'.join(map(re.escape, names))})\b")

    def renamed(text: str) -> str:
        return pattern.sub(lambda found: found[1] + names[found[2]], text)

    def rewritten(mistake: Mistake) -> Mistake:
        return replace(
            mistake,
            places=tuple(map(renamed, mistake.places)),
            theirs=renamed(mistake.theirs),
            correction=renamed(mistake.correction),
            evidence=renamed(mistake.evidence),
            others=tuple(map(renamed, mistake.others)),
        )

    mistakes = tuple(map(rewritten, diagnosis.mistakes))
    return replace(diagnosis, mistakes=mistakes, known=tuple(map(renamed, diagnosis.known)))
