"""Recipes of targets: learned from training data, and applied to data of the same kind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.data.dataset import Dataset
from clearprop.data.target import index_labels
from clearprop.errors import DataError, ShapeError, UsageError, listed
from clearprop.preprocessing.coverage import Coverage
from clearprop.preprocessing.fields import moments, require_names, require_numbers
from clearprop.preprocessing.target_scales import PowerScale

_LARGEST = 1e150
_FURTHEST = 1e15  # standard deviations, whose squares float32 can still add up

_YES = ("yes", "y", "true", "t", "1", "+1", "1.0", "+", "positive", "pos")
_NO = ("no", "n", "false", "f", "0", "-1", "0.0", "-1.0", "-", "negative", "neg")


@dataclass(frozen=True)
class ClassTarget:
    """A target of classes.

    Parameters
    ----------
    class_names : tuple of str
        The classes by index.
    name : str or None
        The target's name; for a table, its column. None where nobody has named it.
    threshold : float, optional
        The probability of the positive of two classes from which on it is the answer. None: the
        likelier class is.
    positive : int, default 1
        The index of that class, which F1 is of, too: the one that is looked for.
    temperature : float, default 1.0
        The number that logits are divided by before probabilities are made of them.
    coverage : Coverage, optional
        What makes sets of classes. None: there are none.
    """

    class_names: tuple[str, ...]
    name: str | None
    threshold: float | None = None
    positive: int = 1
    temperature: float = 1.0
    coverage: Coverage | None = None

    def __post_init__(self) -> None:
        require_names(self.class_names, "The class names")
        _require_name(self.name)
        if len(self.class_names) < 2:
            raise UsageError(f"Found the classes {self.class_names}, expected at least two.")
        if self.positive not in (0, 1):
            raise UsageError(f"Found the positive class {self.positive!r}, expected 0 or 1.")
        require_numbers((self.temperature,), "The temperature", positive=True)
        _require_coverage(self.coverage)
        if self.threshold is not None:
            require_numbers((self.threshold,), "The threshold", positive=True)
            if len(self.class_names) > 2 or self.threshold >= 1:
                raise UsageError(
                    f"Found a threshold of {self.threshold:g} for {len(self.class_names)} classes; "
                    "expected one between 0 and 1, for two classes."
                )

    @classmethod
    def fit(cls, dataset: Dataset) -> "ClassTarget":
        """Take the classes of the training data.

        Raises
        ------
        DataError
            If there is only one, or a class has no sample.
        """
        counts = dataset.counts()
        if len(counts) < 2:
            raise DataError(
                f"{dataset.name} has a single class, {next(iter(counts))!r}, so there is nothing "
                "to tell apart. Add samples of another class."
            )
        if empty := [name for name, count in counts.items() if count == 0]:
            raise DataError(f"{dataset.name} has no sample of the class {empty[0]!r}. Add some.")
        return cls(tuple(counts), dataset.target_name, positive=_positive(counts))

    @property
    def positive_name(self) -> str | None:
        """The name of the positive of two classes; None for more."""
        return self.class_names[self.positive] if len(self.class_names) == 2 else None

    def encode(self, dataset: Dataset) -> NDArray[np.int64]:
        """Return the class index of every sample, shape (N,), by the names of its classes.

        Raises
        ------
        DataError
            If a sample's class is none of these.
        """
        if dataset.class_names == self.class_names:
            return dataset.y
        if dataset.class_names is None:
            return index_labels(dataset.y, self.class_names, dataset.target_name)
        return index_labels(
            np.array(dataset.class_names)[dataset.y], self.class_names, dataset.target_name
        )


@dataclass(frozen=True)
class ValueTarget:
    """A target of values, standardised by the training data: (t - mean) / std.

    Parameters
    ----------
    mean, std : tuple of float
        A number for each output. A constant output has std 1.
    name : str or None
        The target's name; for a table, its column. None where nobody has named it.
    scale : PowerScale, optional
        The scale on which the values of a single output are standardised: t is their power or
        logarithm. None for their own, t = y.
    coverage : Coverage, optional
        What makes intervals of values. None: there are none.
    low, high : tuple of float, optional
        The least and the largest standardised value of each output in the training data, which no
        answer goes beyond. None: answers may lie anywhere.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    name: str | None
    scale: PowerScale | None = None
    coverage: Coverage | None = None
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        _require_coverage(self.coverage)
        require_numbers(self.mean, "The target's mean")
        require_numbers(self.std, "The target's standard deviation", positive=True)
        _require_name(self.name)
        if not 0 < len(self.mean) == len(self.std):
            raise UsageError(
                f"Found {len(self.mean)} means and {len(self.std)} standard deviations of the "
                "target; expected one of each for every output."
            )
        self._require_range()
        if self.scale is not None and not (
            isinstance(self.scale, PowerScale) and self.outputs == 1
        ):
            raise UsageError(
                f"Found a scale for {self.outputs} outputs of the target, of the type "
                f"{type(self.scale).__name__}; expected a PowerScale for a single one."
            )

    @classmethod
    def fit(
        cls, dataset: Dataset, scale: PowerScale | None = None, *, within: bool = False
    ) -> "ValueTarget":
        """Learn mean and standard deviation of the training data's values, on a scale.

        Parameters
        ----------
        dataset : Dataset
        scale : PowerScale, optional
        within : bool, default False
            Whether answers are kept within the range of these values.

        Raises
        ------
        DataError
            If squares of the values can't be computed.
        """
        values = values_of(dataset)
        ends = np.stack([values.min(axis=0), values.max(axis=0)])
        if dataset.whole is not None and dataset.whole.files.kinds[dataset.target_name] == "number":
            whole = dataset.whole.survey.columns[dataset.target_name]
            ends = np.array([[whole.low], [whole.high]])
        values, ends = (values, ends) if scale is None else map(scale.transform, (values, ends))
        mean, std = moments(values)
        low = high = None
        if within:
            low, high = (tuple(((bound - mean) / std).tolist()) for bound in ends)
        found = (tuple(mean.tolist()), tuple(std.tolist()), dataset.target_name, scale)
        return cls(*found, low=low, high=high)

    @property
    def outputs(self) -> int:
        """The number of values that are predicted for each sample."""
        return len(self.mean)

    def truth(self, dataset: Dataset) -> NDArray[np.float64]:
        """Return the values as they are, shape (N,) for one output, else (N, outputs).

        Raises
        ------
        ShapeError
            If the data set has another number of values a sample.
        DataError
            If it has classes whose names are no numbers, or squares of values can't be computed.
        """
        values = values_of(dataset)
        if values.shape[1] != self.outputs:
            raise ShapeError(
                f"{dataset.name} has {values.shape[1]} values a sample, expected {self.outputs}."
            )
        return values[:, 0] if self.outputs == 1 else values

    def encode(self, dataset: Dataset) -> NDArray[np.float64]:
        """Return the standardised values on their scale, shape (N, outputs).

        Raises
        ------
        ShapeError, DataError
            For the reasons of `truth`, or if a value has no place on the scale or lies too far
            from those of the training data.
        """
        values = self.truth(dataset).reshape(len(dataset), -1)
        if self.scale is not None:
            outside = values[:, 0] <= self.scale.least
            if outside.any():
                row = int(np.argmax(outside))
                raise DataError(
                    f"The target of {dataset.source(row)} is {values[row, 0]:g}, but only values "
                    f"above 0 have the {self.scale.in_words} that was learned. Leave the sample "
                    "out, or train with --target-scale none."
                )
        standardised = self.standardise(values)
        far = ~(np.abs(standardised) <= _FURTHEST).all(axis=1)
        if far.any():
            row = int(np.argmax(far))
            raise DataError(
                f"The target of {dataset.source(row)} is {_told(values[row])}, more than "
                f"{_FURTHEST:g} standard deviations from those that were learned. Correct it, or "
                "leave the sample out."
            )
        return standardised

    def standardise(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values that have a place on the scale as `restore` takes them.

        Parameters
        ----------
        values : ndarray of float64, shape (N, outputs)
        """
        with np.errstate(over="ignore"):  # infinite is far from those that were learned
            scaled = values if self.scale is None else self.scale.transform(values)
            return (scaled - self.mean) / self.std

    def within(self, standardised: NDArray[Any]) -> NDArray[np.float64]:
        """Return answers, shape (N, outputs), kept within `low` and `high`, if there are any."""
        values = np.asarray(standardised, dtype=np.float64).reshape(-1, self.outputs)
        return values if self.low is None else np.clip(values, self.low, self.high)

    def restore(self, standardised: NDArray[Any]) -> NDArray[np.float64]:
        """Return answers on the values' own scale, kept within `low` and `high`.

        Parameters
        ----------
        standardised : ndarray, shape (N, outputs)

        Returns
        -------
        ndarray of float64, shape (N,) for one output, else (N, outputs)
        """
        return self.unbounded(self.within(standardised))

    def unbounded(self, standardised: NDArray[Any]) -> NDArray[np.float64]:
        """Return what `restore` does of numbers that may lie beyond `low` and `high`."""
        values = np.asarray(standardised, dtype=np.float64).reshape(-1, self.outputs)
        largest = np.finfo(np.float64).max
        with np.errstate(over="ignore"):  # of targets near the largest number, some lie beyond
            restored: NDArray[np.float64] = np.clip(
                values * self.std + self.mean, -largest, largest
            )
        if self.scale is not None:
            restored = self.scale.inverse(restored)
        return restored[:, 0] if self.outputs == 1 else restored

    def slope(self, standardised: NDArray[Any]) -> NDArray[np.float64]:
        """Return the derivative of `restore`, shape (N, outputs), by each answer of that shape."""
        values = np.asarray(standardised, dtype=np.float64).reshape(-1, self.outputs)
        is_inside = self.within(values) == values
        if self.scale is None:
            return is_inside * np.array(self.std)
        return is_inside * self.scale.slope(values * self.std + self.mean) * self.std

    def _require_range(self) -> None:
        if self.low is None and self.high is None:
            return
        require_numbers((*(self.low or ()), *(self.high or ())), "The target's range")
        if not len(self.low or ()) == len(self.high or ()) == self.outputs:
            raise UsageError(
                f"Found a range from {self.low} to {self.high} of {self.outputs} outputs; expected "
                "two numbers for each."
            )


def values_of(dataset: Dataset) -> NDArray[np.float64]:
    """Return the target's values, shape (N, outputs), float64.

    Raises
    ------
    DataError
        If the data set has classes whose names are no numbers, or squares of values can't be
        computed.
    """
    values = _values(dataset).reshape(len(dataset), -1)
    large = ~(np.abs(values) <= _LARGEST).all(axis=1)
    if large.any():
        row = int(np.argmax(large))
        raise DataError(
            f"The target of {dataset.source(row)} in {dataset.name} is {_told(values[row])}; "
            f"errors of values beyond {_LARGEST:g} can't be squared. Correct it, or divide all by "
            "a power of ten."
        )
    return values


def without_certainty(target: "ClassTarget | ValueTarget") -> "ClassTarget | ValueTarget":
    """Return a target without the temperature and the coverage that suit one network alone."""
    if isinstance(target, ClassTarget):
        return replace(target, temperature=1.0, coverage=None)
    return replace(target, coverage=None)


def _positive(counts: Mapping[str, int]) -> int:
    """Return which of two classes is looked for: the one that says yes, else the rarer."""
    names = [name.casefold() for name in counts]
    if len(names) != 2:
        return 1
    for place in (0, 1):
        if names[place] in _YES and names[1 - place] in _NO:
            return place
    first, second = counts.values()
    return 0 if first < second else 1


def _told(values: NDArray[np.float64]) -> str:
    return f"{values[np.argmax(np.abs(values))]:g}"


def _require_name(name: str | None) -> None:
    if name is not None:
        require_names((name,), "The target's name")


def _require_coverage(coverage: Any) -> None:
    if coverage is not None and not isinstance(coverage, Coverage):
        found = type(coverage).__name__
        raise UsageError(f"Found a coverage of the type {found}, expected a Coverage.")


def _values(dataset: Dataset) -> NDArray[np.float64]:
    if dataset.class_names is None:
        return dataset.y
    # A few whole numbers read as classes, though the training data, with more, read as values.
    try:
        return np.array([float(name) for name in dataset.class_names])[dataset.y]
    except ValueError as error:
        raise DataError(
            f"{dataset.name} has the classes {listed(dataset.class_names)}, expected values."
        ) from error
