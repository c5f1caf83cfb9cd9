"""The parts of a data set: to learn from, to choose with, and to score with.

What chose anything, such as the epoch that is kept, or the strength of L2, flatters: it never gives
the score.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from clearprop.core.parameters import Array
from clearprop.data import Dataset, Table, hold_out, load
from clearprop.data.folds import folds, folds_in_time, folds_of_groups
from clearprop.data.pictures.folders import as_deep
from clearprop.data.reading import MEMORY
from clearprop.data.splitting import hold_out_groups, hold_out_latest, without_column
from clearprop.data.tables.table import role_of
from clearprop.data.whole.whole import Memory
from clearprop.errors import DataError, UsageError
from clearprop.experiment.calibration_part import hold_out_to_calibrate
from clearprop.experiment.settings import Settings, reading_of
from clearprop.preprocessing.array_blocks import stays_on_disk


@dataclass(frozen=True)
class Parts:
    """The parts of a data set.

    Parameters
    ----------
    train : Dataset
        The samples to learn from. Where there are folds, each is held out once to choose with.
    validation : Dataset or None
        The samples that choose the epoch and, for a table, L2 and hidden layers.
    test : Dataset or None
        The samples that give the score, and choose nothing.
    notes : tuple of str
        Sentences on what was held out, where that is not the usual.
    calibration : Dataset or None
        The samples that a coverage is fitted to, and nothing else.
    """

    train: Dataset
    validation: Dataset | None = None
    test: Dataset | None = None
    notes: tuple[str, ...] = ()
    calibration: Dataset | None = None


@dataclass(frozen=True)
class Folds:
    """Samples that are dealt out to folds, each to be held out once.

    Parameters
    ----------
    dataset : Dataset
        The N samples.
    rows : tuple of (ndarray of bool, ndarray of bool), each of shape (N,)
        For each fold the samples to learn from, and those of the fold.
    notes : tuple of str
        Sentences on how they were dealt out, where that is not at random.
    """

    dataset: Dataset
    rows: tuple[tuple[Array, Array], ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: int) -> tuple[Dataset, Dataset]:
        """Return the samples to learn from, and those of a fold, counted from 0."""
        learned, held = self.rows[place]
        return self.dataset.take(learned), self.dataset.take(held)

    def __iter__(self) -> Iterator[tuple[Dataset, Dataset]]:
        return (self[place] for place in range(len(self)))


def deal(settings: Settings, dataset: Dataset, count: int) -> Folds:
    """Deal samples out to folds: at random, or as ``group`` or ``time`` say.

    Raises
    ------
    UsageError, DataError
        See `clearprop.data.folds`.
    """
    if column_to_follow(settings) == "time":
        rows, note = folds_in_time(dataset, settings.time or "", count)
        return Folds(dataset, tuple(rows), (note,))
    notes: tuple[str, ...] = ()
    if settings.group is not None:
        held, note = folds_of_groups(dataset, settings.group, count, settings.seed)
        notes = (note,)
    else:
        held = folds(dataset, count, settings.seed)
    return Folds(dataset, tuple((~rows, rows) for rows in held), notes)


def split(settings: Settings, dataset: Dataset) -> Parts:
    """Take apart what resolved settings hold out of a data set.

    A test set that came with the data gives the score, or, where none came, samples that came to
    validate with: then samples of the training data choose, unless a share is held out to test.

    Raises
    ------
    UsageError
        If a setting names no share and no data, or contradicts another one.
    DataError
        If there is not enough to hold some out, or data for validation or testing are of another
        kind.
    """
    came, test_came = dataset.validation, dataset.test
    notes: tuple[str, ...] = ()
    if test_came is None and came is not None and settings.test is None:
        came, test_came = None, came
        notes = ("The samples that came to validate with give the score, and choose nothing.",)
    if dataset.whole is not None or stays_on_disk(dataset):
        _require_sample_tells(settings)
    if (option := column_to_follow(settings)) and not any(
        asked is not None and share_of(asked) for asked in (settings.test, settings.validation)
    ):
        raise UsageError(
            f"--{option} says which part of the data is held out, and --test {settings.test} with "
            f"--validation {settings.validation} holds none of them out. Give a share such as 0.2, "
            f"or leave --{option} out."
        )
    train, test, said = _hold_out(settings, dataset, "test", test_came)
    train, calibration, fitted = hold_out_to_calibrate(settings, train)
    validation: Dataset | None = None
    more: tuple[str, ...] = ()
    if not settings.folds:
        train, validation, more = _hold_out(settings, train, "validation", came)
    notes = (*notes, *said, *fitted, *more)
    if (name := column_not_learned(settings)) is not None:
        train = without_column(train, name)
        validation = None if validation is None else without_column(validation, name)
        test = None if test is None else without_column(test, name)
        calibration = None if calibration is None else without_column(calibration, name)
        notes = (*notes, f"{name!r} is left out of the inputs, as rows are held out by it.")
    return _of_whole(Parts(train, validation, test, notes, calibration))


def _of_whole(parts: Parts) -> Parts:
    """Keep what is held out of a sample out of all that is on disk, too."""
    whole = parts.train.whole
    if whole is None:
        return parts
    others = {
        name: part
        for name in ("validation", "test", "calibration")
        if (part := getattr(parts, name)) is not None
    }
    held = [
        part.whole.places
        for part in others.values()
        if part.whole is not None and part.whole.files is whole.files  # data of their own may be
    ]
    whole = replace(whole, held_out=np.sort(np.concatenate([whole.held_out, *held])))
    known = {name: replace(part, whole=None) for name, part in others.items()}
    return replace(parts, train=replace(parts.train, whole=whole), **known)


def column_to_follow(settings: Settings) -> str | None:
    """Return the option, "group" or "time", by whose column parts are held out."""
    if settings.group is not None and settings.time is not None:
        raise UsageError(
            "Rows are held out by --group or by --time, and not by both: leave one out."
        )
    return "group" if settings.group is not None else "time" if settings.time is not None else None


def _require_sample_tells(settings: Settings) -> None:
    """Refuse what all rows would have to be looked at for.

    Raises
    ------
    UsageError
    """
    option = column_to_follow(settings)
    if option is not None:
        raise UsageError(
            f"--{option} can't be followed in data that stay on disk: keep rows apart by files, "
            "and give those to score with: --test 'later/*.parquet'; or give more --memory."
        )
    if not settings.batch_size:
        raise UsageError(
            "Data that stay on disk are learned from in batches: leave --batch-size full, or the "
            "optimizer lbfgs, out, or give more --memory."
        )
    if settings.folds:
        raise UsageError(
            "Data that stay on disk are not dealt out to folds: leave --folds out, or give more "
            "--memory."
        )


def column_not_learned(settings: Settings) -> str | None:
    """Return the column that rows are held out by, and that is not learned from."""
    if settings.group is not None:
        return settings.group
    return settings.time if settings.time in (settings.drop or ()) else None


def _hold_out(
    settings: Settings, dataset: Dataset, which: str, came: Dataset | None
) -> tuple[Dataset, Dataset | None, tuple[str, ...]]:
    """Return the rest, the part for "validation" or "test", and what is to be said of it."""
    asked: str | None = getattr(settings, which)
    if asked is None:
        return dataset, came, ()
    share = share_of(asked)
    if share is None:
        alike = _load_alike(settings, dataset, asked)
        if alike.whole is None:
            return dataset, alike, ()
        drawn = f"{len(alike):,} of {len(alike.whole):,} rows of {asked}, drawn evenly"
        return dataset, alike, (f"The {which} samples are {drawn}.",)
    if share == 0:
        return dataset, came if which == "test" else None, ()
    if not 0 < share < 1:
        raise UsageError(
            f"A {which} share lies between 0 and 1, found {asked}; 0 holds nothing out, "
            "and a path or name gives data of their own."
        )
    if settings.group is not None or settings.time is not None:
        return _hold_out_by_column(settings, dataset, which, share)
    # The only sample of a class can't be learned from and scored; to choose, it is not needed.
    return *hold_out(dataset, share, settings.seed, keep_single=which == "validation"), ()


def share_of(asked: str) -> float | None:
    """Return the share that is asked for; None where data are."""
    try:
        return float(asked)
    except ValueError:
        return None


def _hold_out_by_column(
    settings: Settings, dataset: Dataset, which: str, share: float
) -> tuple[Dataset, Dataset, tuple[str, ...]]:
    """Hold whole groups out, or the latest rows; to choose, rows at random if that can't be."""
    try:
        if settings.group is not None:
            rest, held, note = hold_out_groups(dataset, settings.group, share, settings.seed)
        else:
            rest, held, note = hold_out_latest(dataset, settings.time or "", share)
    except DataError:
        if which == "test":
            raise
        rest, held = hold_out(dataset, share, settings.seed, keep_single=True)
        return rest, held, ("The epoch is chosen by rows at random: there are too few to divide.",)
    purpose = "To score with" if which == "test" else "To choose the epoch with"
    return rest, held, (f"{purpose}: {note}",)


def _load_alike(settings: Settings, dataset: Dataset, path: str) -> Dataset:
    """Load samples for validation, the columns of a table as those that are trained on."""
    reading = reading_of(settings)
    if isinstance(dataset.X, Table):
        roles = {name: role_of(column) for name, column in dataset.X.columns.items()}
        task = "regress" if dataset.class_names is None else "classify"
        reading = replace(reading, target=dataset.target_name, task=task, roles=roles)
    memory = Memory(settings.memory or MEMORY)
    loaded = load(path, reading=reading, size=settings.size, memory=memory)
    return as_deep(loaded, dataset.depth)
