"""The two notations: the symbol of every matrix, and the layout of matrices and formulas."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from clearprop.core.expressions import Expression, Quotient
from clearprop.core.formulas import ACTIVATION, COURSE, DROPOUT, FLAT, LINEAR, formulas_of
from clearprop.core.symbols import Count, N, Symbol
from clearprop.errors import UsageError, unknown_name
from clearprop.network import Network

INPUT, LOSS = "input", "loss"


@dataclass(frozen=True)
class Names:
    """The names of one layer's matrices.

    Parameters
    ----------
    label : str
        The name of the layer itself.
    prefix : str
        The text before a symbol that makes it unique: ``"0."``, or nothing where it is by itself.
    symbols : mapping of str to str
        The symbols, by the engine's names.
    suffix : str
        The text behind every name that `symbols` does not know: the course's number of the layer.
    """

    label: str
    prefix: str = ""
    symbols: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""

    def symbol(self, matrix: Symbol) -> str:
        """Return the symbol that stands for a matrix: ``"dW"`` for dW, or ``"dW1"``."""
        if matrix.name in self.symbols:
            return self.symbols[matrix.name]
        if matrix.is_gradient and matrix.name[1:] in self.symbols:
            return "d" + self.symbols[matrix.name[1:]]
        return (matrix.course or matrix.name) + self.suffix if self.suffix else matrix.name

    def key(self, matrix: Symbol) -> str:
        """Return the name by which a matrix is asked for: ``"0.dW"``, or ``"dW1"``."""
        return self.prefix + self.symbol(matrix)


class Notation(ABC):
    """Base of both.

    Parameters
    ----------
    layers : mapping of str to Names
        The names by the layer's dotted one, and those of the input and of the loss. Layers that
        the notation has no step for are missing.
    """

    name: str
    has_columns: bool
    letters: Mapping[str, str]
    """Its letters for the samples' index n and number N."""

    def __init__(self, layers: Mapping[str, Names]) -> None:
        self.layers = layers

    @abstractmethod
    def factor(self, matrix: Symbol) -> int:
        """Return the number that the engine's numbers are shown multiplied with."""

    @abstractmethod
    def form(self, result: Symbol, formula: Expression) -> Expression:
        """Return this notation's form of a formula for `result`."""


class Engine(Notation):
    """Samples are rows, and every gradient is one of the mean loss."""

    name = "engine"
    has_columns = False
    letters: Mapping[str, str] = {}

    def factor(self, matrix: Symbol) -> int:
        """Return 1."""
        return 1

    def form(self, result: Symbol, formula: Expression) -> Expression:
        """Return the formula itself."""
        return formula


class Course(Notation):
    """Samples are columns, and gradients of the m samples belong to each one's own loss."""

    name = "course"
    has_columns = True
    letters: Mapping[str, str] = {"n": "i", "N": "m"}

    def __init__(self, layers: Mapping[str, Names], m: int) -> None:
        super().__init__(layers)
        self.m = m

    def factor(self, matrix: Symbol) -> int:
        """Return m for gradients of samples, else 1."""
        return self.m if _is_of_samples(matrix) else 1

    def form(self, result: Symbol, formula: Expression) -> Expression:
        """Return the transposed formula, by m where gradients of samples make one of the mean."""
        transposed = formula.transposed()
        match transposed.degree(_is_of_samples) - _is_of_samples(result), transposed:
            case 1, _:
                return transposed / N
            case -1, Quotient(dividend=own, divisor=Count(name="N")):
                return own
        return transposed


def notation_of(name: str, network: Network, samples: int, *, weighted: bool) -> Notation:
    """Find the symbols of the engine's or the course's notation for every layer of a network.

    An `UnknownNameError` says that there is no such notation, a `UsageError` that the course has no
    symbols for this network, or for weighted samples.
    """
    if name == Engine.name:
        return Engine(_engine_names(network))
    if name != Course.name:
        raise unknown_name("notation", name, (Engine.name, Course.name))
    if weighted:
        raise UsageError("The course's notation knows no sample weights; use notation='engine'.")
    return Course(_course_names(network), samples)


def _is_of_samples(matrix: Expression) -> int:
    """Return 1 for a gradient of samples, which the course takes m times, else 0."""
    return int(isinstance(matrix, Symbol) and matrix.is_gradient and matrix.per_sample)


def _engine_names(network: Network) -> dict[str, Names]:
    rows = [row.name for row in network.summary().rows]
    target = {"target": "y"}
    return {
        **{name: Names(name, f"{name}.") for name in rows},
        INPUT: Names(INPUT, f"{INPUT}.", target),
        LOSS: Names(LOSS, f"{LOSS}.", target),
    }


def _course_names(network: Network) -> dict[str, Names]:
    """Count the linear layers; the activation and the dropout behind one belong to it."""
    names = {INPUT: Names(INPUT, symbols={"X": "X", "target": "Y"})}
    below, number, last = "X", 0, ""
    for place, layer in enumerate(network.layers):
        formulas = formulas_of(layer)
        kind = formulas.course if formulas else ""
        if last not in _BEFORE.get(kind, ()):
            raise _no_symbols(f"layer {place} is {layer}")
        number += kind == LINEAR
        above = kind.format(x=below, layer=number)
        if kind != FLAT:
            symbols = {"x": below, "y": above}
            names[str(place)] = Names(str(number), symbols=symbols, suffix=str(number))
        below, last = above, kind
    if last != LINEAR:
        raise _no_symbols(f"the last layer is {network.layers[-1]}")
    symbols = {"logits": below, "target": "Y", "p": f"A{number}", "losses": "L", "loss": "J"}
    names[LOSS] = Names(LOSS, symbols=symbols)
    return names


_BEFORE = {
    FLAT: ("",),
    LINEAR: ("", *COURSE),
    ACTIVATION: (LINEAR,),
    DROPOUT: (LINEAR, ACTIVATION),
}
"""The kinds of layers that one of each kind may follow; none before the first."""


def _no_symbols(found: str) -> UsageError:
    return UsageError(
        "The course's notation has symbols for Dense layers, each with an activation and a "
        f"Dropout behind it or without, and for one Flatten() before them; {found}. Use the "
        "engine's notation."
    )
