"""What calls have returned, by the names that it has in the code that returns it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clearprop.gradcheck.seeing.arrays import Watched
from clearprop.gradcheck.seeing.calling.materials import Data
from clearprop.gradcheck.seeing.calling.roles import Role, role_of


@dataclass(eq=False)
class Pool:
    """What functions have returned, by the names that their return statements have.

    Parameters
    ----------
    values : dict of str to object
    made : dict of type to object
        The objects that were made for arguments, one of each class.
    parts : dict of str to list of str
        The names of what some values are lists of.
    states : dict of str to object
        What a recurrent cell was given beside its input.
    names, returned_names : list of str or None
        Those of what the forward and the backward pass returned.
    forwarded, output, returned : object
        What the forward pass returned, the output in it, and what the backward pass returned.
    cost : object
        The output times its gradient, where that is random.
    """

    values: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, list[str]] = field(default_factory=dict)
    made: dict[type, Any] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)
    names: list[str | None] = field(default_factory=list)
    returned_names: list[str | None] = field(default_factory=list)
    forwarded: Any = None
    output: Any = None
    returned: Any = None
    cost: Any = None

    def put(self, names: Sequence[str | None] | None, value: Any) -> None:
        """Take in what a function returned."""
        several = isinstance(value, tuple) and names is not None and len(names) == len(value)
        for name, one in zip(names or (), value if several else (value,), strict=False):
            # One of each step of a recurrent network is no data, whatever it is called.
            own = isinstance(one, list) or role_of(name or "") not in ("inputs", "targets")
            if name is not None and name != "self" and own:
                self.values[name] = one

    def put_forward(self, names: Sequence[str | None] | None, value: Any, data: Data) -> None:
        """Take in what a forward pass returned; the output in it is known by its shape."""
        self.put(names, value)
        several = isinstance(value, tuple) and names is not None and len(names) == len(value)
        self.forwarded, self.names = value, list(names or ()) if several else []
        arrays = arrays_in(value)
        # What is returned itself counts before what lies in a cache beside it.
        own = [one for one in value if type(one) is Watched] if isinstance(value, tuple) else []
        suiting = [one for some in (arrays, own) for one in some if is_output(one, data)]
        if suiting or arrays:
            self.output = suiting[-1] if suiting else arrays[-1]

    def keep(self, name: str, value: Any) -> None:
        """Take in a value, and what lies in it where that has names."""
        inner = list(value.values()) if isinstance(value, dict) else value
        parts = self.parts.get(name, [])
        self.values |= dict(zip(parts, inner, strict=True)) if parts else {}
        self.values[name] = value

    def find(self, name: str) -> Any:
        """Return a value by its name, upper and lower case alike; None where there is none."""
        if name in self.values:
            return self.values[name]
        wanted = name.lower().replace("_", "")
        for known, value in self.values.items():
            if known.lower().replace("_", "") == wanted:
                return value
        return None

    def by_role(self, role: Role, kind: type | tuple[type, ...] = object) -> Any:
        """Return the latest value whose name has a role."""
        for name, value in reversed(self.values.items()):
            if role_of(name) == role and isinstance(value, kind):
                return value
        return None


def is_output(array: Any, data: Data) -> bool:
    """Whether an array has the shape of a network's outputs."""
    kind = data.kind
    if type(array) is not Watched:
        return False
    if (
        type(data.targets) is Watched
        and data.targets.ndim > 1
        and array.shape == data.targets.shape
    ):
        return True
    count = len(data.pairs)
    shapes = [(count, kind.outputs), (kind.outputs, count), (kind.outputs, 1), (kind.outputs,)]
    return array.shape in shapes or (kind.outputs == 1 and array.shape == (count,))


def arrays_in(value: Any, depth: int = 0) -> list[Any]:
    """Return the watched arrays in something, in lists and dicts within it, too."""
    if type(value) is Watched:
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple) and depth < 3:
        return [one for each in value for one in arrays_in(each, depth + 1)]
    return []
