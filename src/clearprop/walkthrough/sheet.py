"""What one layer's arithmetic is written with: its matrices by role, and where they go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clearprop.parameters import Array
from clearprop.walkthrough.expressions import Expression
from clearprop.walkthrough.functions import series
from clearprop.walkthrough.matrices import Line, Matrix
from clearprop.walkthrough.notation import Names, Notation
from clearprop.walkthrough.quantities import Quantity
from clearprop.walkthrough.words import MEANINGS

_PER_SAMPLE = frozenset(
    {"X", "target", "x", "y", "dx", "dy", "m", "Phi", "xhat", "block", "dblock"}
    | {"logits", "p", "losses", "weights", "dlogits"}
)


@dataclass(frozen=True, eq=False)
class Sheet:
    """The matrices of one layer, or of the loss, in a notation.

    Parameters
    ----------
    notation : Notation
    names : Names
        Of this layer.
    arrays : mapping of str to ndarray
        The engine's, by role.
    """

    notation: Notation
    names: Names
    arrays: Mapping[str, Array]

    def __contains__(self, role: str) -> bool:
        return role in self.arrays

    def __getitem__(self, role: str) -> Matrix:
        array = self.arrays[role]
        per_sample = role in _PER_SAMPLE
        return Matrix(
            self.names.symbol(role),
            array,
            self.notation.layout(array, per_sample=per_sample),
            self.notation.factor(role),
            per_sample,
        )

    def given(self, role: str) -> Quantity:
        """Show a matrix that is not computed here."""
        return self._quantity(role, "", None, "", computed=False)

    def result(
        self,
        role: str,
        formula: str,
        explain: Callable[..., Expression] | None,
        *,
        is_product: bool = False,
    ) -> Quantity:
        """Show a matrix that is computed.

        Parameters
        ----------
        role : str
        formula : str
            In the engine's notation, with roles in braces: ``"{y} = {x} {W}"``.
        explain : callable or None
            Gives the arithmetic of the entry at an index of the engine's.
        is_product : bool, default False
            Whether it is a product of matrices, of which the shapes tell something.
        """
        template = self.notation.formula(formula)
        shapes = template.format_map(_Shapes(self)) if is_product else ""
        formula = template.format_map(_Symbols(self))
        return self._quantity(role, formula, explain, shapes, computed=True)

    def dot(self, left: Line, right: Line) -> Expression:
        """Multiply a row of a left matrix by a column of a right one."""
        values = left.values * right.values
        return series(lambda i: self.notation.times(left.at(i), right.at(i)), values)

    def mean(self, total: Expression) -> Expression:
        """Turn the sum over the samples into the gradient of a parameter."""
        return self.notation.mean(total)

    def _quantity(
        self,
        role: str,
        formula: str,
        explain: Callable[..., Expression] | None,
        shapes: str,
        *,
        computed: bool,
    ) -> Quantity:
        matrix = self[role]
        return Quantity(
            key=self.names.prefix + matrix.symbol,
            meaning=_meaning(role),
            formula=formula,
            shapes=shapes,
            matrix=matrix,
            explain=explain,
            computed=computed,
        )


def total(line: Line) -> Expression:
    """Add up a row or column."""
    return series(line.at, line.values)


class _Symbols(dict[str, str]):
    """The symbols of a sheet, for `str.format_map`."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet

    def __missing__(self, role: str) -> str:
        return self.sheet.names.symbol(role)


class _Shapes(_Symbols):
    """The shapes of a sheet's matrices, likewise."""

    def __missing__(self, role: str) -> str:
        return str(self.sheet[role].shape)


def _meaning(role: str) -> str:
    if role in MEANINGS:
        return MEANINGS[role]
    if role.startswith("d"):
        of = MEANINGS.get(role[1:], role[1:])
        return MEANINGS["gradient"].format(of=of)
    return role
