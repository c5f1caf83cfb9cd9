"""Augmentation: changes of pictures that leave their classes what they are.

A line here makes an augmentation one of clearprop's own, which settings know by its name. They are
in the order in which they are done: those that move pictures next to each other, as one movement.
"""

from clearprop.training.augmentation.appearance import Mixup as Mixup
from clearprop.training.augmentation.appearance import RandomColour as RandomColour
from clearprop.training.augmentation.appearance import RandomErasing as RandomErasing
from clearprop.training.augmentation.augmenter import Augmenter as Augmenter
from clearprop.training.augmentation.base import Augmentation as Augmentation
from clearprop.training.augmentation.base import Pictures as Pictures
from clearprop.training.augmentation.base import Share as Share
from clearprop.training.augmentation.base import all_at_once as all_at_once
from clearprop.training.augmentation.geometry import RandomCrop as RandomCrop
from clearprop.training.augmentation.geometry import RandomFlip as RandomFlip
from clearprop.training.augmentation.geometry import RandomRotation as RandomRotation
from clearprop.training.augmentation.geometry import RandomScale as RandomScale
from clearprop.training.augmentation.geometry import RandomShift as RandomShift

_KINDS = (
    *(RandomFlip, RandomShift, RandomRotation, RandomScale, RandomCrop),
    *(RandomColour, RandomErasing, Mixup),
)

AUGMENTATIONS: dict[str, type[Augmentation]] = {str(kind.name): kind for kind in _KINDS}
"""Every augmentation by its name, in the order in which they are done."""
