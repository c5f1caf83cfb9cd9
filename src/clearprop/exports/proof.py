"""The proof of an export: it is run on rows that matter, and held against the model."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.errors import UsageError
from clearprop.exports.description import ClassAnswer, Description
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun, Target
from clearprop.exports.trial_rows import trial_of
from clearprop.files.models import Model

_OF_VALUES = 1e-6  # of a value, or of the mean one


@dataclass(frozen=True)
class Proof:
    """What came of holding an export against its model.

    Parameters
    ----------
    rows : int
        The number of rows that were tried.
    kinds : mapping of str to int
        How many there are of each kind.
    difference : float
        The largest difference of a logit, as a share of the largest one (of rows far from the data
        of their own largest).
    changed : int
        The rows that are answered otherwise, though the model prefers its answer by more than twice
        that difference; of values those that differ by more than a millionth.
    at_border : int
        The other rows that are answered otherwise.
    seconds : float
        The time of a row.
    runtime : str
    tolerance : float
        The largest difference that counts as equal.
    right : (float, float) or None
        The share of the data that the export names right, and that the model does; None where
        nobody knows what is right.
    """

    rows: int
    kinds: dict[str, int]
    difference: float
    changed: int
    at_border: int
    seconds: float
    runtime: str
    tolerance: float
    right: tuple[float, float] | None = None

    @property
    def holds(self) -> bool:
        """Whether the export may be called equal to the model."""
        return self.difference <= self.tolerance and self.changed == 0

    def in_words(self) -> list[str]:
        """Say what was tried and what came of it, a sentence each."""
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.items())
        said = [
            f"Run by {self.runtime} on {self.rows:,} rows ({kinds}).",
            f"Largest difference of logits {self.difference:.1e} of the largest (allowed "
            f"{self.tolerance:.0e}); answers changed {self.changed:,}, a row "
            f"{self.seconds * 1e6:,.1f} µs.",
        ]
        if self.right is not None:
            own, models = (f"{100 * share:.2f}%" for share in self.right)
            said.append(f"Right on the data {own}, the model {models}.")
        if self.at_border:
            said.append(
                f"{self.at_border:,} more rows lie so near to a class border that rounding decides."
            )
        return said

    def to_json(self) -> dict[str, Json]:
        """Return it in JSON values."""
        return {**asdict(self), "holds": self.holds}


def prove(
    target: Target,
    path: Path,
    model: Model,
    description: Description,
    data: Rows | None,
    truth: NDArray[np.str_] | None = None,
) -> Proof | NotRun:
    """Run an export on rows that matter, and hold it against the model.

    Parameters
    ----------
    target : Target
    path : Path
        The file.
    model : Model
    description : Description
        The model's.
    data : Rows or None
        Rows of data; without any, rows are drawn from what the recipe knows.
    truth : ndarray of str, shape (N,), optional
        The class of each row of data.

    Raises
    ------
    UsageError
        If the file can't be run though its runtime is there, or gives other numbers of logits.
    """

    def labels(rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        return preferred(description, logits_of(model, description, rows))

    trial = trial_of(description, data, labels)
    ran = target.run(path, description, trial.rows)
    if isinstance(ran, NotRun):
        return ran
    expected = logits_of(model, description, trial.rows)
    if ran.logits.shape != expected.shape:
        raise UsageError(
            f"{path} gives logits of shape {ran.logits.shape}, expected {expected.shape}."
        )
    apart = _apart(ran.logits, expected, next(iter(trial.kinds.values())))
    changed = at_border = 0
    right = None
    if isinstance(description.answer, ClassAnswer):
        label, margin = preferred(description, expected)
        names = np.array(description.answer.names)
        said = names[preferred(description, ran.logits)[0]]
        if ran.answers is not None:
            said = np.asarray(ran.answers).astype(str)
        other = said != names[label]
        if truth is not None:
            own, models = (
                float(np.mean(one[: len(truth)] == truth)) for one in (said, names[label])
            )
            right = own, models
        is_near = margin <= 2 * apart
        changed, at_border = int((other & ~is_near).sum()), int((other & is_near).sum())
    elif ran.answers is not None:
        # Of its own logits, as a power of values makes much of little: what is tried here is the
        # way from logits to values.
        values = np.asarray(model.named(ran.logits), np.float64)
        sizes = np.maximum(np.abs(values), np.abs(values).mean())
        changed = int(
            (np.abs(np.asarray(ran.answers, np.float64) - values) > _OF_VALUES * sizes).sum()
        )
    return Proof(
        rows=trial.rows.count,
        kinds=trial.kinds,
        difference=float(apart.max()),
        changed=changed,
        at_border=at_border,
        seconds=ran.seconds,
        runtime=ran.runtime,
        tolerance=target.tolerance,
        right=right,
    )


def logits_of(model: Model, description: Description, rows: Rows) -> NDArray[np.float64]:
    """Return the model's own logits of rows, as float64."""
    raw, network = rows.raw(description.inputs), model.network
    recipe = model.preprocessing
    if recipe is None:
        prepared: Array = np.asarray(rows.array, network.dtype)
    else:
        prepared = recipe.inputs.transform(raw, network.dtype)
    every = [logits for _, logits in model.logits_by_block(prepared)]
    return np.concatenate(every).astype(np.float64)


def preferred(
    description: Description, logits: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the class (N,) that logits say, and by what share of the largest logit they do."""
    answer = description.answer
    if not isinstance(answer, ClassAnswer):
        return np.zeros(len(logits), np.intp), np.ones(len(logits))
    largest = max(float(np.abs(logits).max()), np.finfo(np.float64).tiny)
    border = 0.0
    if answer.threshold is not None:  # of the positive class: its log odds there
        odds = np.log(answer.threshold / (1 - answer.threshold)) * answer.temperature
        border = odds if answer.positive == 1 else -odds
    if logits.shape[1] > 2:
        second, first = np.sort(logits, axis=1)[:, -2:].T
        return logits.argmax(axis=1), (first - second) / largest
    z = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
    over = z >= border if answer.threshold is not None and answer.positive == 1 else z > border
    return over.astype(np.intp), np.abs(z - border) / largest


def _apart(
    found: NDArray[np.float64], expected: NDArray[np.float64], ordinary: int
) -> NDArray[np.float64]:
    """Return the largest difference of each row, as a share of the largest logit there is.

    Of rows beyond the ordinary ones, which may have far larger logits, of the largest of their own,
    so that these don't make the others' differences look small.
    """
    usual = max(float(np.abs(expected[:ordinary]).max()), np.finfo(np.float64).tiny)
    sizes = np.maximum(np.abs(expected).max(axis=1), usual)
    return np.abs(found - expected).max(axis=1) / sizes
