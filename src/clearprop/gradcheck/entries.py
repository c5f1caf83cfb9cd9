"""Which entries of an array are checked one by one."""

import numpy as np

EACH = 128
"""Arrays of up to so many entries are checked entry by entry."""

_SAMPLE = 30


def choose_entries(size: int, random_state: np.random.RandomState) -> list[int]:
    """Choose the entries of an array to be checked one by one.

    Parameters
    ----------
    size : int
        Of the array.
    random_state : numpy.random.RandomState

    Returns
    -------
    list of int
        Places in C order, ascending: all of them in a small array; in a large one the first, the
        last, where indices that are off by one show, and a random sample.
    """
    if size <= EACH:
        return list(range(size))
    drawn = random_state.randint(size, size=_SAMPLE - 2)
    return sorted({0, size - 1, *drawn.tolist()})
