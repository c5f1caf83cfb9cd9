"""The rows that a coverage is fitted to: they are held out, and nothing else is done with them."""

from dataclasses import replace

import numpy as np

from clearprop.data import Dataset
from clearprop.data.splitting import hold_out_groups, hold_out_latest
from clearprop.errors import DataError, counted, listed
from clearprop.experiment.settings import Settings
from clearprop.preprocessing.coverage import fewest, percent

_SHARE = 0.2
_MOST = 2000  # rows: with them the coverage of 90% is chance by less than 1.8% in 99 of 100 cases
_LARGEST = 0.5  # the part of the rows that may be held out for a high coverage


def hold_out_to_calibrate(
    settings: Settings, dataset: Dataset
) -> tuple[Dataset, Dataset | None, tuple[str, ...]]:
    """Hold rows out for the coverage that settings ask for, if they ask for one.

    They are a fifth, at most 2,000, but as many as the coverage needs; drawn at random, whatever
    their class, as only then they are like rows to come. With ``group`` or ``time`` they follow
    that column, as the other parts do.

    Parameters
    ----------
    settings : Settings
    dataset : Dataset
        The rows without those that give the score.

    Returns
    -------
    rest : Dataset
    part : Dataset or None
    notes : tuple of str
        What was done, and what that leaves of the promise.

    Raises
    ------
    DataError
        If there are too few rows for the coverage.
    """
    if settings.coverage is None:
        return dataset, None, ()
    needed, n = fewest(settings.coverage), len(dataset)
    count = max(min(round(_SHARE * n), _MOST), needed)
    if count > _LARGEST * n:
        raise _too_few(settings.coverage, n)
    if settings.group is not None:
        rest, part, note = hold_out_groups(dataset, settings.group, count / n, settings.seed)
        doubt = "whole groups are less than as many rows"
    elif settings.time is not None:
        rest, part, note = hold_out_latest(dataset, settings.time, count / n)
        doubt = "what changes with time is not covered"
    else:
        rest, part, note = _at_random(dataset, count, settings.seed)
        doubt = ""
    if len(part) < needed:
        raise _too_few(settings.coverage, n)
    notes = [f"To fit the coverage of {percent(settings.coverage)}, and for nothing else: {note}"]
    if doubt:
        notes.append(f"The coverage is promised for rows drawn alike, and no more: {doubt}.")
    return rest, part, (*notes, *_without(part))


def _at_random(dataset: Dataset, count: int, seed: int) -> tuple[Dataset, Dataset, str]:
    held = np.zeros(len(dataset), dtype=bool)
    order = np.random.RandomState(seed).permutation(len(dataset))
    if dataset.class_names is not None:
        # The last row of each class is passed over, so that there is one to learn it from.
        _, last = np.unique(dataset.y[order][::-1], return_index=True)
        order = np.delete(order, len(order) - 1 - last)
    held[order[:count]] = True
    return dataset.take(~held), dataset.take(held), f"{counted(int(held.sum()), 'row')}."


def _without(part: Dataset) -> tuple[str, ...]:
    """Say which classes are not among the rows."""
    counts = replace(part, whole=None).counts()  # of these rows, and not of all on disk
    names = [name for name, count in counts.items() if not count]
    if part.class_names is None or not names:
        return ()
    return (
        f"Of {listed(map(repr, names), 3)} there is none among them: how often sets hold it is not "
        "known. The coverage is promised for all classes together.",
    )


def _too_few(share: float, samples: int) -> DataError:
    needed = fewest(share)
    return DataError(
        f"A coverage of {percent(share)} is fitted to {counted(needed, 'row')} at least, which "
        f"nothing else is done with, and that may be half of all: {2 * needed:,} are needed "
        f"besides those that give the score, and there are {samples:,}. Ask for less with "
        "--coverage, or add rows."
    )
