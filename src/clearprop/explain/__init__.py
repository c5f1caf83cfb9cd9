"""Why this answer: where a network looks in a picture, and what columns of a table add to it.

Every function takes samples and returns arrays; `clearprop.plots` draws them.
"""

from clearprop.explain.asked import Asked
from clearprop.explain.contributions import (
    MOST_PLAYERS,
    Contributions,
    Groups,
    ShapleyValues,
    shapley_values,
)
from clearprop.explain.dependence import Dependence, grid, partial_dependence
from clearprop.explain.embedded import Embedded
from clearprop.explain.gradients import saliency
from clearprop.explain.importance import Importance, permutation_drops
from clearprop.explain.maps import class_activation, feature_maps, has_convolution
from clearprop.explain.paths import IntegratedGradients, integrated_gradients

__all__ = [
    "MOST_PLAYERS",
    "Asked",
    "Contributions",
    "Dependence",
    "Embedded",
    "Groups",
    "Importance",
    "IntegratedGradients",
    "ShapleyValues",
    "class_activation",
    "feature_maps",
    "grid",
    "has_convolution",
    "integrated_gradients",
    "partial_dependence",
    "permutation_drops",
    "saliency",
    "shapley_values",
]
