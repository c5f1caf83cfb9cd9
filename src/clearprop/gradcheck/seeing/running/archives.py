"""Arrays by name, whatever name is asked for, as files give that hold several."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import watch
from clearprop.gradcheck.seeing.running.columns import LABELS, LEARNED, names_asked

if TYPE_CHECKING:
    from clearprop.gradcheck.seeing.running.stand_ins import Data


class Archive(dict[str, Any]):
    """Arrays by name, whatever name is asked for; what ``.npz`` and HDF5 files give.

    Parameters
    ----------
    data : Data
        What stands in for them.
    is_flat : bool
        Whether all have two axes, as in MATLAB's files.
    """

    files = ("x_train", "y_train", "x_test", "y_test")

    def __init__(self, data: "Data", is_flat: bool = False) -> None:
        super().__init__()
        self.data, self.is_flat = data, is_flat

    def __missing__(self, name: Any) -> Any:
        text = str(name)
        if LEARNED.search(text):  # what a training has left, in shapes that nothing tells
            raise KeyError(name)
        if text == "list_classes":
            self[name] = np.array([b"non-cat", b"cat"])
        elif LABELS.search(text):
            self[name] = watch(self.data.targets())
        elif self.data.picture:
            self[name] = watch(self.data.pictures())
        else:
            self[name] = watch(self.data.inputs())
        if self.is_flat:
            self[name] = self[name].reshape(len(self[name]), -1)
        return self[name]

    def get(self, name: Any, default: Any = None) -> Any:
        """Return an array."""
        return self[name]

    def keys(self) -> Any:
        """Return the names that the program asks for, or such as these files have."""
        return names_asked(self.data.text) or self.files

    def items(self) -> Any:
        """Return these names, each with its array."""
        return [(name, self[name]) for name in self.keys()]

    iteritems = items

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return True

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *error: object) -> None: ...

    def close(self) -> None:
        """Do nothing."""
