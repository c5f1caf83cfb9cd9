"""The matrices of one layer, or of the loss, in a notation; formulas are written with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from clearprop.core.expressions import Expression, Index, MatrixProduct, Number, Place, Style
from clearprop.core.formulas import remarks
from clearprop.core.parameters import Array
from clearprop.core.symbols import Count, Setting, Symbol
from clearprop.errors import UsageError
from clearprop.walkthrough.notation import Names, Notation
from clearprop.walkthrough.quantities import Layout, Matrix, Quantity


@dataclass(frozen=True, eq=False)
class Sheet:
    """The numbers that the symbols of formulas stand for: `clearprop.core.expressions.Operands`.

    Parameters
    ----------
    notation : Notation
    names : Names
        The names of the layer's matrices.
    arrays : mapping of str to ndarray
        The engine's arrays, by its names.
    samples : float
        The number of samples, or the sum of their weights.
    settings : mapping of str to Any
        Hyper-parameters by name.
    """

    notation: Notation
    names: Names
    arrays: Mapping[str, Array]
    samples: float
    settings: Mapping[str, Any]
    _matrices: dict[str, Matrix] = field(default_factory=dict, init=False)

    def __contains__(self, name: str) -> bool:
        return name in self.arrays or name in self.settings

    def number(self, symbol: Symbol, index: Index) -> Number:
        """Return an entry of a matrix, or a whole row or column of it."""
        return self.matrix(symbol).at(*index)

    def shape(self, symbol: Symbol) -> tuple[int, ...]:
        """Return the shape of a matrix, as it is shown."""
        return self.matrix(symbol).shape

    def is_vector(self, symbol: Symbol) -> bool:
        """Say whether a matrix has only one number for each sample."""
        return self.arrays[symbol.name].ndim == 1

    def setting(self, name: str) -> Number:
        """Return a hyper-parameter."""
        return Number(float(self.settings[name]), name)

    def count(self, letter: str) -> Number:
        """Return the number N of samples, D of features or K of outputs."""
        if letter == "N":
            return Number(self.samples, self.notation.letters.get("N", "N"))
        return Number(self.arrays["x" if letter == "D" else "logits"].shape[-1], letter)

    def matrix(self, symbol: Symbol) -> Matrix:
        """Return a matrix under its symbol, in the notation's layout."""
        if symbol.name not in self._matrices:
            array = self.arrays[symbol.name]
            self._matrices[symbol.name] = Matrix(
                self.names.symbol(symbol),
                array,
                self._layout(symbol, array),
                self.notation.factor(symbol),
                symbol.per_sample,
            )
        return self._matrices[symbol.name]

    def given(self, symbol: Symbol) -> Quantity:
        """Show a matrix that is not computed here."""
        return self._quantity(symbol, computed=False)

    def result(self, symbol: Symbol, formula: Expression | None = None) -> Quantity:
        """Show a matrix that is computed, of which the formula may be unknown.

        A `UsageError` says if it takes a matrix or a hyper-parameter that there is not.
        """
        if formula is None:
            return self._quantity(symbol, computed=True)
        form = self.notation.form(symbol, formula.resolved(self))
        for node in form.nodes():
            if isinstance(node, Symbol) and not isinstance(node, Count) and node.name not in self:
                raise UsageError(
                    f"The formula of {symbol.name} takes {node.name}, which is no parameter, no "
                    "hyper-parameter, and not what forward leaves in the trace."
                )
        style = Style(self._leaf, self._of_sample, " * ", self.notation.letters.get("n", "n"))
        at = next(filter(None, (node.subscript for node in form.nodes())), "")
        text = ", ".join([f"{self._leaf(symbol)}{at} = {form.write(style)}", *remarks(form, style)])
        shapes = ""
        if any(isinstance(node, MatrixProduct) for node in form.nodes()):
            shapes = f"{self._shape(symbol)} = {form.write(Style(self._shape))}"
        # A number for each sample comes from a matrix with a row for each.
        in_row = (
            symbol.per_sample and self.matrix(symbol).shape == self.arrays[symbol.name].shape[:1]
        )

        def explain(index: Index) -> Expression:
            return form.at(Place(self, (*index, 0) if in_row else index))

        return self._quantity(symbol, text, shapes, explain, computed=True)

    def _quantity(self, symbol: Symbol, *written: Any, computed: bool) -> Quantity:
        meaning = symbol.meaning or symbol.name
        key = self.names.key(symbol)
        formula, shapes, explain = written or ("", "", None)
        return Quantity(key, meaning, formula, shapes, self.matrix(symbol), explain, computed)

    def _layout(self, symbol: Symbol, array: Array) -> Layout:
        if not self.notation.has_columns or array.ndim == 0:
            return Layout.AS_IS
        if array.ndim > 1:
            return Layout.TRANSPOSED
        return Layout.ROW if symbol.per_sample else Layout.COLUMN

    def _leaf(self, leaf: Any) -> str:
        if isinstance(leaf, Setting):
            return self.notation.letters.get(leaf.name, leaf.name)
        return self.names.symbol(leaf) if isinstance(leaf, Symbol) else leaf.symbol

    def _of_sample(self, leaf: Any) -> str:
        """Write a leaf with the place of one sample: ``dy[n]``, ``dZ1[:,i]``, ``L[i]``."""
        text = self._leaf(leaf)
        if not (isinstance(leaf, Symbol) and leaf.per_sample):
            return text
        letter = self.notation.letters.get("n", "n")
        is_matrix = self._layout(leaf, self.arrays[leaf.name]) is Layout.TRANSPOSED
        return f"{text}[:,{letter}]" if is_matrix else f"{text}[{letter}]"

    def _shape(self, leaf: Any) -> str:
        is_matrix = isinstance(leaf, Symbol) and not isinstance(leaf, Setting)
        return str(self.matrix(leaf).shape) if is_matrix else self._leaf(leaf)


def settings_of(part: object) -> dict[str, Any]:
    """Return the hyper-parameters of a layer, loss or optimizer."""
    if not is_dataclass(part):
        return {}
    return {setting.name: getattr(part, setting.name) for setting in fields(part)}
