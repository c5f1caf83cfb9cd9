"""Arrays that a program logs by hand: NumPy's, and whatever can be detached as PyTorch's can."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.errors import UsageError, shortened
from clearprop.studio.program_looking import INTERVAL
from clearprop.studio.program_places import MOST_ARRAYS, Copied, Picture, copied

_REST = 9.0  # times as long as copying has taken, the program goes on without it
_NUMBERS = "fiub"  # kinds of dtype
_OF = re.compile(r"^(?:gradient_|grad_|d)|[._](?:gradient|grad)$")


class HandLog:
    """What is logged by hand, most of which costs nothing: pictures are made ten times a second.

    Parameters
    ----------
    show : callable
        Takes each `Picture`.

    Attributes
    ----------
    count : int
        The number of steps that were logged.
    """

    def __init__(self, show: Callable[[Picture], None]) -> None:
        self._show = show
        self.count = 0
        self._began = time.perf_counter()
        self._due = 0.0
        self._costs: list[Any] = []
        self._sent = 0
        self._before: tuple[int, dict[str, Array]] = (-1, {})
        self._ratios: dict[str, float] = {}
        self._latest: tuple[Mapping[str, Any], ...] = {}, {}, {}

    def log(
        self,
        cost: Any,
        parameters: Mapping[str, Any] | None,
        gradients: Mapping[str, Any] | None,
        activations: Mapping[str, Any] | None,
    ) -> None:
        """Take one step.

        Raises
        ------
        UsageError
            If something is no mapping, or holds what is no array.
        """
        given = {"parameters": parameters, "gradients": gradients, "activations": activations}
        for name, one in given.items():
            if one is not None:
                _require_names(name, one)
        if cost is not None:
            self._costs.append(cost.detach() if _is_tensor(cost) else _number(cost))
        began = time.perf_counter()
        is_due, follows = began >= self._due, self._before[0] == self.count - 1 >= 0
        if is_due or (follows and not self._ratios):
            taken = self._measure(parameters or {}, follows=follows)
            self._before = self.count if is_due else -1, self._before[1]  # of two steps, no more
            if is_due:
                self._picture(taken, parameters or {}, gradients or {}, activations or {})
            now = time.perf_counter()
            self._due = max(self._due, began + INTERVAL * is_due, now + _REST * (now - began))
        self._latest = parameters or {}, gradients or {}, activations or {}
        self.count += 1

    def finish(self) -> None:
        """Show what was logged last."""
        if self.count:
            self.count -= 1
            taken = self._measure(self._latest[0], follows=self._before[0] == self.count - 1)
            self._picture(taken, *self._latest)
            self._latest = {}, {}, {}

    def _measure(self, parameters: Mapping[str, Any], *, follows: bool) -> dict[str, Copied]:
        """Copy the parameters, and compare them with what they were a step before."""
        taken = {
            name: _copied(name, "parameter", None, value)
            for name, value in list(parameters.items())[:MOST_ARRAYS]
        }
        for name, old in self._before[1].items() if follows else ():
            if name in taken and taken[name].values.shape == old.shape:
                with np.errstate(all="ignore"):
                    size = float(np.linalg.norm(old))
                    change = float(np.linalg.norm(taken[name].values - old))
                if change and size:
                    self._ratios[name] = change / size
        self._before = self.count, {name: one.values for name, one in taken.items()}
        return taken

    def _picture(
        self,
        taken: Mapping[str, Copied],
        parameters: Mapping[str, Any],
        gradients: Mapping[str, Any],
        activations: Mapping[str, Any],
    ) -> None:
        costs = [_number(one) for one in self._costs]
        self._costs.clear()
        arrays = islice(_arrays(taken, parameters, gradients, activations), MOST_ARRAYS)
        picture = Picture(
            time.perf_counter() - self._began,
            cost=costs[-1] if costs else None,
            arrays=list(arrays),
            counters={"step": self.count + 1},
            ratios=self._ratios,
            lists=[("cost", self._sent, costs)] if costs else [],
        )
        self._sent += len(costs)
        self._ratios = {}
        self._show(picture)


def _arrays(
    taken: Mapping[str, Copied],
    parameters: Mapping[str, Any],
    gradients: Mapping[str, Any],
    activations: Mapping[str, Any],
) -> Iterator[Copied]:
    """Give all that was logged, each parameter before its gradient."""
    of = {name: _parameter_of(name, parameters) for name in gradients}
    for name, one in taken.items():
        yield one
        value = parameters[name]
        own = [gradient for gradient, parameter in of.items() if parameter == name]
        if not own and _is_tensor(value) and getattr(value, "grad", None) is not None:
            yield _copied(f"{name}.grad", "gradient", name, value.grad)
        for gradient in own:
            called = f"gradient of {name}" if gradient in parameters else gradient
            yield _copied(called, "gradient", name, gradients[gradient])
    for name, value in gradients.items():
        if of[name] is None:
            yield _copied(name, "gradient", None, value)
    for name, value in activations.items():
        yield _copied(name, "activation", None, value)


def _copied(name: str, role: str, of: str | None, value: Any) -> Copied:
    return copied(name, role, of, as_array(name, value))


def _parameter_of(gradient: str, parameters: Mapping[str, Any]) -> str | None:
    """Return the parameter that a gradient goes by: "W1" of "W1", "dW1", "grad_W1", "W1.grad"."""
    if gradient in parameters:
        return gradient
    bare = _OF.sub("", gradient, count=1)
    return bare if bare in parameters else None


def as_array(name: str, value: Any) -> Array:
    """Return the numbers of an array of NumPy, a number, or a tensor of PyTorch, as they lie there.

    Raises
    ------
    UsageError
        If it is none of these.
    """
    if _is_tensor(value):
        tensor = value.detach().cpu()
        try:
            array = np.asarray(tensor)
        except TypeError:  # bfloat16, which NumPy has not
            array = np.asarray(tensor.float())
    elif isinstance(value, np.ndarray | np.number | np.bool_ | float | int):
        array = np.asarray(value)
    else:
        raise UsageError(
            f"{name} can't be logged: found {type(value).__name__}, expected an array of NumPy, a "
            "tensor of PyTorch or a number."
        )
    if array.dtype.kind not in _NUMBERS:
        raise UsageError(
            f"{name} can't be logged: its entries are of {array.dtype}, expected real numbers."
        )
    return array


def _is_tensor(value: Any) -> bool:
    """Whether something is what PyTorch calls a tensor, without asking PyTorch."""
    return all(callable(getattr(value, name, None)) for name in ("detach", "cpu", "float"))


def _number(cost: Any) -> float:
    array = as_array("cost", cost)
    if array.size != 1:
        raise UsageError(f"cost can't be logged: found shape {array.shape}, expected one number.")
    return float(array.reshape(-1)[0])


def _require_names(called: str, given: Any) -> None:
    if not isinstance(given, Mapping):
        raise UsageError(
            f"{called} can't be logged: found {type(given).__name__}, expected names and arrays, "
            f'such as {called}={{"W1": W1}} or, of PyTorch, dict(net.named_parameters()).'
        )
    odd = next((name for name in given if not isinstance(name, str)), None)
    if odd is not None:
        raise UsageError(f"{called} go by names, found {shortened(odd)}.")
