"""The two notations: which symbol stands for what, and how it is laid out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from clearprop.errors import UsageError, unknown_name
from clearprop.layers import (
    ELU,
    GELU,
    Dense,
    Dropout,
    Flatten,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
)
from clearprop.network import Network
from clearprop.parameters import Array
from clearprop.walkthrough.expressions import Expression, Number
from clearprop.walkthrough.matrices import Layout

INPUT, LOSS = "input", "loss"
ACTIVATIONS = (ELU, GELU, LeakyReLU, ReLU, Sigmoid, Softplus, Tanh)

_OF_SAMPLES = ("dx", "dy", "dlogits")  # gradients, which the course takes m times
_COURSE_FORMULAS = {  # the engine writes about rows, the course about columns
    "{y} = {x} {W} + {b}": "{y} = {W} {x} + {b}",
    "{y} = {x} {W}": "{y} = {W} {x}",
    "{dW} = {x}.T {dy}": "{dW} = {dy} {x}.T / m",
    "{db} = sum_n {dy}[n]": "{db} = sum_i {dy}[:,i] / m",
    "{dx} = {dy} {W}.T": "{dx} = {W}.T {dy}",
    "{loss} = sum_n {losses}[n] / N": "{loss} = sum_i {losses}[i] / m",
}


@dataclass(frozen=True)
class Names:
    """What the quantities of one layer are called.

    Parameters
    ----------
    label : str
        What the layer is asked for by.
    prefix : str
        What makes a symbol unique: ``"0."``, or nothing where it is by itself.
    symbols : mapping of str to str
        By role, which is the engine's own name for a quantity.
    suffix : str
        Behind every role that `symbols` does not know.
    """

    label: str
    prefix: str = ""
    symbols: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""

    def symbol(self, role: str) -> str:
        """Return what stands for a role: ``"dW"`` for dW, or ``"dW1"``."""
        if role in self.symbols:
            return self.symbols[role]
        if role.startswith("d") and role[1:] in self.symbols:
            return "d" + self.symbols[role[1:]]
        return role + self.suffix

    def key(self, role: str) -> str:
        """Return what the quantity of a role is asked for by: ``"0.dW"``, or ``"dW1"``."""
        return self.prefix + self.symbol(role)


class Notation(ABC):
    """Base of both.

    Parameters
    ----------
    layers : mapping of str to Names
        By the engine's dotted name; also of the input and of the loss. What the notation has no
        step for is missing.
    """

    def __init__(self, layers: Mapping[str, Names]) -> None:
        self.layers = layers

    @abstractmethod
    def layout(self, array: Array, *, per_sample: bool) -> Layout:
        """Return how an array of the engine is shown."""

    @abstractmethod
    def factor(self, role: str) -> int:
        """Return what the engine's numbers are shown multiplied with."""

    @abstractmethod
    def formula(self, template: str) -> str:
        """Return this notation's form of a formula that is written in the engine's."""

    @abstractmethod
    def times(self, left: Expression, right: Expression) -> Expression:
        """Multiply an entry of a left matrix by one of a right, as this notation orders them."""

    @abstractmethod
    def mean(self, total: Expression) -> Expression:
        """Turn the sum of what samples add to a parameter's gradient into that gradient."""


class Engine(Notation):
    """Samples are rows, and every gradient is one of the mean loss."""

    name = "engine"

    def layout(self, array: Array, *, per_sample: bool) -> Layout:
        """Return that it is shown as it is."""
        return Layout.AS_IS

    def factor(self, role: str) -> int:
        """Return 1."""
        return 1

    def formula(self, template: str) -> str:
        """Return the formula itself."""
        return template

    def times(self, left: Expression, right: Expression) -> Expression:
        """Multiply left by right."""
        return left * right

    def mean(self, total: Expression) -> Expression:
        """Return the sum itself: the mean went into dlogits."""
        return total


class Course(Notation):
    """Samples are columns, and gradients of samples belong to each one's own loss.

    Parameters
    ----------
    layers
        As `Notation` takes them.
    m : int
        How many samples there are.
    """

    name = "course"

    def __init__(self, layers: Mapping[str, Names], m: int) -> None:
        super().__init__(layers)
        self.m = m

    def layout(self, array: Array, *, per_sample: bool) -> Layout:
        """Return that matrices are transposed, and vectors are rows of samples or columns."""
        if array.ndim == 0:
            return Layout.AS_IS
        if array.ndim == 1:
            return Layout.ROW if per_sample else Layout.COLUMN
        return Layout.TRANSPOSED

    def factor(self, role: str) -> int:
        """Return m for gradients of samples, else 1."""
        return self.m if role in _OF_SAMPLES else 1

    def formula(self, template: str) -> str:
        """Return the transposed formula."""
        return _COURSE_FORMULAS.get(template, template)

    def times(self, left: Expression, right: Expression) -> Expression:
        """Multiply right by left: a transposed product has its factors the other way round."""
        return right * left

    def mean(self, total: Expression) -> Expression:
        """Divide by m."""
        return total / Number(self.m, "m")


def notation_of(name: str, network: Network, samples: int, *, weighted: bool) -> Notation:
    """Find the symbols for every layer of a network.

    Parameters
    ----------
    name : {"engine", "course"}
    network : Network
    samples : int
    weighted : bool
        Whether samples have weights.

    Returns
    -------
    Notation

    Raises
    ------
    UnknownNameError
        If there is no such notation.
    UsageError
        If the course has no symbols for this network.
    """
    if name == Engine.name:
        return Engine(_engine_names(network))
    if name != Course.name:
        raise unknown_name("notation", name, (Engine.name, Course.name))
    if weighted:
        raise UsageError("The course's notation knows no sample weights; use notation='engine'.")
    return Course(_course_names(network), samples)


def _engine_names(network: Network) -> dict[str, Names]:
    rows = [row.name for row in network.summary().rows]
    target = {"target": "y"}
    return {
        **{name: Names(name, f"{name}.") for name in rows},
        INPUT: Names(INPUT, f"{INPUT}.", target),
        LOSS: Names(LOSS, f"{LOSS}.", target),
    }


def _course_names(network: Network) -> dict[str, Names]:
    """Count the Dense layers; the activation and the dropout behind one belong to it."""
    names = {INPUT: Names(INPUT, symbols={"X": "X", "target": "Y"})}
    below, number = "X", 0
    may_follow: tuple[type, ...] = (Dense, Flatten)
    for place, layer in enumerate(network.layers):
        if type(layer) not in may_follow:
            raise _no_symbols(f"layer {place} is {layer}")
        if isinstance(layer, Flatten):
            may_follow = (Dense,)
            continue
        if isinstance(layer, Dense):
            number += 1
            above = f"Z{number}"
            may_follow = (Dense, Dropout, *ACTIVATIONS)
        elif isinstance(layer, Dropout):
            above = f"{below}_drop"
            may_follow = (Dense,)
        else:
            above = f"A{number}"
            may_follow = (Dense, Dropout)
        symbols = {"x": below, "y": above, "m": f"D{number}"}
        names[str(place)] = Names(str(number), symbols=symbols, suffix=str(number))
        below = above
    if not isinstance(network.layers[-1], Dense):
        raise _no_symbols(f"the last layer is {network.layers[-1]}")
    symbols = {"logits": below, "target": "Y", "p": f"A{number}", "losses": "L", "loss": "J"}
    names[LOSS] = Names(LOSS, symbols=symbols)
    return names


def _no_symbols(found: str) -> UsageError:
    return UsageError(
        "The course's notation has symbols for Dense layers, each with an activation and a "
        f"Dropout behind it or without, and for one Flatten() before them; {found}. Use the "
        "engine's notation."
    )
