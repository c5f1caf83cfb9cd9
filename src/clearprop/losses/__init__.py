"""Losses on logits: the last sigmoid or softmax belongs to the loss.

A loss gives its value together with its gradient with respect to the logits, so that the pair is
always right and never overflows, and it turns logits into what a person asks for: probabilities and
predictions.
"""

from clearprop.losses.base import Loss
from clearprop.losses.basic import BinaryCrossEntropy, MeanSquaredError, SoftmaxCrossEntropy
from clearprop.losses.counts import PoissonDeviance
from clearprop.losses.focal import BinaryFocal, SoftmaxFocal
from clearprop.losses.margins import Hinge, MulticlassHinge
from clearprop.losses.robust import AbsoluteError, Huber, Quantile

__all__ = [
    "AbsoluteError",
    "BinaryCrossEntropy",
    "BinaryFocal",
    "Hinge",
    "Huber",
    "Loss",
    "MeanSquaredError",
    "MulticlassHinge",
    "PoissonDeviance",
    "Quantile",
    "SoftmaxCrossEntropy",
    "SoftmaxFocal",
]
