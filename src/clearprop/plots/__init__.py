"""Pictures of data, training and predictions, each a matplotlib ``Figure`` that nobody else holds.

Every function takes plain arrays and returns a figure; `save` writes it. ``pyplot`` is never
touched: there is no current figure, nothing to close, and no display is needed.
"""

from clearprop.plots.curves import comparison, cost_curve, curves
from clearprop.plots.figures import save
from clearprop.plots.galleries import augmented, first_layer_weights, mistakes
from clearprop.plots.looking import attention, feature_maps, what_it_sees
from clearprop.plots.predictions import confusion, decision_boundary, residuals

__all__ = [
    "attention",
    "augmented",
    "comparison",
    "confusion",
    "cost_curve",
    "curves",
    "decision_boundary",
    "feature_maps",
    "first_layer_weights",
    "mistakes",
    "residuals",
    "save",
    "what_it_sees",
]
