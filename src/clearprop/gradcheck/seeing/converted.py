"""Arrays as what is no array: as numbers, texts and copies of themselves."""

from typing import Any

import numpy as np


class Converted(np.ndarray):
    """An array of a class of its own, which is shown and converted as arrays of NumPy are.

    One without axes stands for a scalar.
    """

    def __float__(self) -> float:
        return float(
            self.view(np.ndarray).reshape(-1)[0] if self.size == 1 else self.view(np.ndarray)
        )

    def __int__(self) -> int:
        return int(float(self))

    def __round__(self, digits: int | None = None) -> Any:
        return np.round(self, digits or 0) if digits is not None else round(float(self))

    def __hash__(self) -> int:  # type: ignore[override]
        if self.ndim:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(self.view(np.ndarray)[()])

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __reduce__(self) -> Any:
        array = self.view(np.ndarray)
        return (array if array.ndim else array[()]).__reduce__()

    def __contains__(self, item: Any) -> bool:
        sought = item.view(np.ndarray) if isinstance(item, np.ndarray) else item
        return sought in self.view(np.ndarray)

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray) if self.ndim else self.view(np.ndarray)[()])

    def __str__(self) -> str:
        return str(self.view(np.ndarray) if self.ndim else self.view(np.ndarray)[()])

    def __format__(self, form: str) -> str:
        array = self.view(np.ndarray)
        return format(array.reshape(-1)[0] if self.size == 1 else str(array), form)
