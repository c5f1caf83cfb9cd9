"""Where the numbers of a sample lie while its logits are computed: a few arrays, used over again.

A value's array is free again behind the last operation that needs it; an operation that takes each
number for itself writes over what it reads; and parts and other shapes are no copies.
"""

from dataclasses import dataclass
from itertools import count

from clearprop.core.program import (
    Added,
    Elementwise,
    Normalisation,
    Operation,
    Part,
    Reshaped,
    Scaling,
    Value,
)
from clearprop.exports.description import Description

LOGITS = "logits"
"""The array that the caller gives for what comes out."""

_OVER_ITSELF = (Added, Elementwise, Normalisation, Scaling)
_NEVER = 2**62  # the place of an operation that no program reaches


@dataclass(frozen=True)
class Place:
    """Where a value lies.

    Parameters
    ----------
    array : str
    first : int
        The place of its first number there.
    """

    array: str
    first: int = 0

    def __str__(self) -> str:
        return f"{self.array} + {self.first}" if self.first else self.array

    def at(self, index: str) -> str:
        """Return one of its numbers."""
        return f"{self.array}[{self.first} + {index}]" if self.first else f"{self.array}[{index}]"


class Memory:
    """The arrays of a program, and where its values lie in them.

    Parameters
    ----------
    description : Description

    Attributes
    ----------
    sizes : dict of str to int
        The numbers that each array has room for.
    """

    def __init__(self, description: Description) -> None:
        self.sizes: dict[str, int] = {}
        self._names = (f"x{number}" for number in count())
        self._owners: dict[
            int, tuple[Value, int]
        ] = {}  # by place: whose numbers they are, and from
        self._arrays: dict[int, str] = {}  # by the owner's place
        self._last = _last_uses(description)
        self._held: dict[str, Value] = {}
        self._output = description.output
        self._own(description.input, self._free(description.input, 0))
        for operation in description.operations:
            self._put(operation)

    def of(self, value: Value) -> Place:
        """Return where a value lies."""
        owner, first = self._owners[value.place]
        return Place(self._arrays[owner.place], first)

    def _put(self, operation: Operation) -> None:
        out = operation.out
        if isinstance(operation, Part | Reshaped):
            owner, first = self._owners[operation.inputs[0].place]
            start = operation.start if isinstance(operation, Part) else 0
            self._owners[out.place] = (owner, first + start)
        elif out.place == self._output.place:
            self._own(out, LOGITS)
        else:
            self._own(out, self._over(operation) or self._free(out, out.place))

    def _own(self, value: Value, array: str) -> None:
        self._owners[value.place] = (value, 0)
        self._arrays[value.place] = array
        self._held[array] = value

    def _over(self, operation: Operation) -> str | None:
        """Return the array of an input that nothing needs any more."""
        if isinstance(operation, _OVER_ITSELF):
            for value in operation.inputs:
                owner, first = self._owners[value.place]
                is_whole = first == 0 and owner.size == value.size
                if is_whole and self._last[owner.place] == operation.out.place:
                    return self._arrays[owner.place]
        return None

    def _free(self, value: Value, now: int) -> str:
        """Return the array that suits a value best, of those whose numbers nothing needs now."""
        free = [name for name, held in self._held.items() if self._last[held.place] < now]
        fitting = [name for name in free if self.sizes[name] >= value.size]
        if fitting:
            return min(fitting, key=self.sizes.__getitem__)
        name = max(free, key=self.sizes.__getitem__) if free else next(self._names)
        self.sizes[name] = value.size
        return name


def _last_uses(description: Description) -> dict[int, int]:
    """Return the place of the last operation that needs each value, or views of it."""
    last = {op.out.place: op.out.place for op in description.operations}
    last[description.input.place] = 0
    last[description.output.place] = _NEVER
    for operation in reversed(description.operations):
        is_view = isinstance(operation, Part | Reshaped)
        for value in operation.inputs:
            needed = last[operation.out.place] if is_view else operation.out.place
            last[value.place] = max(last[value.place], needed)
    return last
