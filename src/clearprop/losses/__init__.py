"""Losses on logits: the last sigmoid or softmax belongs to the loss.

A loss gives its value together with its gradient with respect to the logits, so that the pair is
always right and never overflows, and it turns logits into what a person asks for: probabilities and
predictions.

A line here makes a loss one of clearprop's own: model files may contain it, the estimators know it
by its name, and it has its code in compiled steps.
"""

from clearprop.configuration import classes_in
from clearprop.losses.base import Loss as Loss
from clearprop.losses.basic import BinaryCrossEntropy as BinaryCrossEntropy
from clearprop.losses.basic import MeanSquaredError as MeanSquaredError
from clearprop.losses.basic import SoftmaxCrossEntropy as SoftmaxCrossEntropy
from clearprop.losses.classes import BinaryFocal as BinaryFocal
from clearprop.losses.classes import Hinge as Hinge
from clearprop.losses.classes import MulticlassHinge as MulticlassHinge
from clearprop.losses.classes import SmoothedCrossEntropy as SmoothedCrossEntropy
from clearprop.losses.classes import SoftmaxFocal as SoftmaxFocal
from clearprop.losses.values import AbsoluteError as AbsoluteError
from clearprop.losses.values import Huber as Huber
from clearprop.losses.values import PoissonDeviance as PoissonDeviance
from clearprop.losses.values import Quantile as Quantile
from clearprop.losses.values import Quantiles as Quantiles

LOSSES: tuple[type[Loss], ...] = tuple(classes_in(vars(), Loss))
"""Every loss."""
