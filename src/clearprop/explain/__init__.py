"""Why this answer: where a network looks in a picture, and what its convolutions see there.

Every function takes pictures and returns arrays; `clearprop.plots` draws them.
"""

from clearprop.explain.gradients import saliency
from clearprop.explain.maps import class_activation, feature_maps, has_convolution

__all__ = ["class_activation", "feature_maps", "has_convolution", "saliency"]
