"""Losses on logits: the last sigmoid or softmax belongs to the loss.

A loss gives its value together with its gradient with respect to the logits, so that the pair is
always right and never overflows, and it turns logits into what a person asks for: probabilities and
predictions.
"""

from clearprop.losses.basic import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from clearprop.losses.counts import PoissonDeviance

__all__ = [
    "BinaryCrossEntropy",
    "Loss",
    "MeanSquaredError",
    "PoissonDeviance",
    "SoftmaxCrossEntropy",
]
