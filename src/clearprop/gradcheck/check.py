"""The gradient check itself, of anything that can be brought into the form of a `Subject`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import DataError, UsageError
from clearprop.gradcheck.differences import DOUBLE, SINGLE, computes_in_single
from clearprop.gradcheck.measuring import Spot
from clearprop.gradcheck.report import Report, first_not_finite, make_notes, make_row
from clearprop.gradcheck.subject import (
    Arrays,
    Noticed,
    Subject,
    as_cost,
    as_parameters,
    backward_order,
    carefully,
    layers_of,
    named_gradients,
    own_random_numbers,
    same,
)

_STILL = (
    "the cost does not change with any parameter: it must compute with those that it is given, "
    "not with variables from outside, and not where all of it is flat."
)


def check_backward(
    cost: Callable[[dict[str, Array]], Any],
    gradients: Mapping[str, Any] | Callable[[dict[str, Array]], Any],
    parameters: Mapping[str, Any],
    *,
    X: Any = None,
    Y: Any = None,
) -> Report:
    """Check a backward pass of one's own against numerical gradients.

    Parameters
    ----------
    cost : callable
        A function of parameters like `parameters` that returns the cost as one number.
    gradients : mapping of str to array, or callable
        The gradient of each parameter under its name, ``"W1"``, or ``"dW1"``; other entries are
        left out. Or a function of the parameters that returns them, by name or as a sequence.
    parameters : mapping of str to array
        The point where the gradients are checked. Random numbers, for biases too, show more than
        zeros.
    X, Y : array, optional
        The samples and targets that the cost was computed from, in one's own layout: with them, a
        wrong gradient is explained more closely.

    Returns
    -------
    Report
        The report, true where the gradients are right; ``print`` shows the table.

    Raises
    ------
    UsageError
        If the functions don't give numbers, or not the same ones twice.
    ShapeError
        If the cost is not one number.
    DataError
        If the cost or a parameter is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import clearprop as cp
    >>> X, Y = np.array([[1.0, 2.0, 4.0]]), np.array([[0.5, 1.5, 1.0]])
    >>> def cost(p):
    ...     return np.mean((p["W1"] @ X + p["b1"] - Y) ** 2)
    >>> def gradients(p):
    ...     dZ = 2 * (p["W1"] @ X + p["b1"] - Y) / 3
    ...     return {"dW1": dZ @ X.T, "db1": dZ.sum(axis=1, keepdims=True)}
    >>> bool(cp.check_backward(cost, gradients, {"W1": np.ones((1, 1)), "b1": np.ones((1, 1))}))
    True
    """
    arrays = as_parameters(parameters)
    noticed = Noticed()
    give = gradients if callable(gradients) else lambda _: gradients
    subject = Subject(
        cost=carefully(lambda given: as_cost(cost(given)), arrays, noticed),
        gradients=carefully(lambda given: named_gradients(give(given), arrays), arrays, noticed),
        parameters={name: arrays[name] for layer in layers_of(arrays) for name in layer},
        X=None if X is None else np.asarray(X),
        Y=None if Y is None else np.asarray(Y),
    )
    report = check_subject(subject, noticed)
    if noticed.draws and not callable(gradients):
        raise UsageError(
            "The cost draws random numbers (dropout?), and the gradients are those of an earlier "
            "run, which drew others. Give a function of the parameters that returns the "
            "gradients."
        )
    return report


@own_random_numbers()
def check_subject(
    subject: Subject,
    noticed: Noticed,
    *,
    notes: Sequence[str] = (),
    origin: Callable[[], str | None] = lambda: None,
) -> Report:
    """Check the gradients of a subject, whose calls `noticed` records; raises as `check_backward`.

    Other `notes` are printed first; `origin` says where a cost that is not finite comes from.
    """
    data = {name: array for name in "XY" if (array := getattr(subject, name)) is not None}
    before = {name: array.copy() for name, array in data.items()}
    parameters = subject.parameters
    costs = [subject.cost(parameters) for _ in range(2)]
    first, claims = (dict(subject.gradients(parameters)) for _ in range(2))
    noticed.changes.update(name for name in data if not same(before[name], data[name]))
    _require_steady_cost(costs, noticed)
    require_finite({**parameters, **data})
    if not np.isfinite(costs[0]):
        raise cost_not_finite(costs[0], origin())
    step = SINGLE if computes_in_single(subject, costs[0]) else DOUBLE
    measured = Spot(subject, parameters, costs[0], claims, step).measure()
    rows = tuple(
        make_row(name, parameters[name].shape, claims, measured[name])
        for name in backward_order(parameters)
    )
    if not any(np.nan_to_num(found.numerical).any() for found in measured.values()):
        # The cost does not move: nothing is right of gradients that are zero.
        rows = tuple(
            replace(row, verdict="unclear") if row.verdict == "right" else row for row in rows
        )
        notes = (*notes, _STILL)
    report = Report(rows, (*notes, *make_notes(rows, noticed, first, claims, step)))
    wrong = tuple(row.parameter for row in report.wrong)
    if not wrong:
        return report
    from clearprop.gradcheck.diagnosis.diagnose import diagnose  # here, because few checks need it

    numerical = {name: found.numerical for name, found in measured.items()}
    return replace(report, diagnosis=diagnose(subject, numerical, claims, wrong))


def _require_steady_cost(costs: Sequence[float], noticed: Noticed) -> None:
    if same(*costs):
        return
    twice = f"Two calls of the cost with the same parameters give {costs[0]} and {costs[1]}"
    if noticed.changes:
        raise UsageError(
            f"{twice}, because the code writes into {', '.join(sorted(noticed.changes))}. Let it "
            "make new arrays: X = X / 255, not X /= 255."
        )
    raise UsageError(
        f"{twice}: it draws random numbers that numpy.random.seed does not hold, or keeps "
        "something from call to call. Make it give the same number twice."
    )


def require_finite(arrays: Arrays) -> None:
    """Raise a `DataError` that names the first array that holds NaN or infinity, and where."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise DataError(f"{name} is {first_not_finite(array)}: start from finite numbers.")


def cost_not_finite(cost: float, origin: str | None) -> DataError:
    """Make the error for a cost that is not finite though all that goes into it is."""
    unknown = (
        "The parameters are finite, so it starts in the forward pass or in the cost: a logarithm "
        "of 0, a division by 0, an exp of a large number."
    )
    return DataError(f"The cost is {cost}. {origin or unknown}")
