"""Pictures of data, training and predictions, each a matplotlib ``Figure`` that nobody else holds.

Every function takes plain arrays and returns a figure; `save` writes it. ``pyplot`` is never
touched: there is no current figure, nothing to close, and no display is needed.
"""

from clearprop.plots.columns import Panel, dependence, importance
from clearprop.plots.curves import comparison, cost_curve, curves
from clearprop.plots.figures import save
from clearprop.plots.galleries import augmented, first_layer_weights, mistakes
from clearprop.plots.looking import attention, feature_maps, what_it_sees
from clearprop.plots.predictions import confusion, decision_boundary, residuals
from clearprop.plots.reliability import reliability

__all__ = [
    "Panel",
    "attention",
    "augmented",
    "comparison",
    "confusion",
    "cost_curve",
    "curves",
    "decision_boundary",
    "dependence",
    "feature_maps",
    "first_layer_weights",
    "importance",
    "mistakes",
    "reliability",
    "residuals",
    "save",
    "what_it_sees",
]
