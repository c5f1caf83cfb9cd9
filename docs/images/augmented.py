"""Draw the picture of docs/augmentation.md: ``python augmented.py``.

Two photographs that scikit-learn carries, and what the presets make of them.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

import clearprop as cp
from clearprop.experiment.augmenting import PRESETS
from clearprop.training.augmentation import Augmenter

SIDE, DRAWS = 96, 6

photos = [Image.fromarray(one).crop((100, 0, 527, 427)) for one in load_sample_images().images]
x = np.stack([np.asarray(one.resize((SIDE, SIDE)), np.float32) / 255 for one in photos])
changed, targets = [], np.arange(len(x))
for augmentations in PRESETS.values():
    change = Augmenter(augmentations, 5, cp.SoftmaxCrossEntropy(), 2, x.dtype)
    changed += [
        change(number, x.copy(), np.empty_like(x), targets, None)[0] for number in range(DRAWS)
    ]
columns = [np.concatenate(changed[number::DRAWS]) for number in range(DRAWS)]
names = [preset for preset in PRESETS for _ in x]
figure = cp.plots.augmented(np.concatenate([x] * len(PRESETS)), columns, names)
place = Path(__file__).with_suffix(".png")
cp.plots.save(figure, place)
with Image.open(place) as drawn:  # a page needs no more than so many pixels and colours
    drawn.convert("RGB").resize((1000, 1000 * drawn.height // drawn.width)).quantize(128).save(
        place, optimize=True
    )
