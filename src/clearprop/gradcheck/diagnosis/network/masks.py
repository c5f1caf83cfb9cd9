"""Dropout masks as they are usually drawn: from a fixed seed, one `rand` for each layer."""

from collections.abc import Iterator, Sequence

import numpy as np

from clearprop.gradcheck.diagnosis.network.replay import Dropout

_SEEDS = (1, 0, 2, 3, 42, 123)
_KEEPS = (0.5, 0.8, 0.86, 0.7, 0.9, 0.6, 0.75, 0.95)


def usual_dropouts(widths: Sequence[int], m: int, rows: bool) -> Iterator[Dropout]:
    """Yield what `rand(*A.shape) < keep` leaves, after every hidden layer or after one of them.

    Parameters
    ----------
    widths : sequence of int
        The units of the hidden layers.
    m : int
        The number of samples.
    rows : bool
        Whether the masks are drawn with samples as rows.
    """
    everywhere = range(1, len(widths) + 1)
    choices = [tuple(everywhere), *((layer,) for layer in everywhere if len(widths) > 1)]
    for seed in _SEEDS:
        for layers in choices:
            random_state = np.random.RandomState(seed)
            shapes = {layer: (m, widths[layer - 1]) for layer in layers}
            drawn = {
                layer: random_state.rand(*shape).T if rows else random_state.rand(*shape[::-1])
                for layer, shape in shapes.items()
            }
            for keep in _KEEPS:
                masks = {layer: (numbers < keep) * 1.0 for layer, numbers in drawn.items()}
                yield from (Dropout(masks, keep, scaled) for scaled in (True, False))
