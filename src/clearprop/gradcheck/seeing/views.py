"""Looks into watched arrays, whose memory they share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.tape import Node


@dataclass(eq=False)
class View:
    """A look into another array, whose memory it shares.

    Parameters
    ----------
    parent : Watched
    look : callable
        A function that gives the view of any array of that shape.
    version : Node
        The parent's node when it was looked into.
    """

    parent: Any
    look: Callable[[Array], Array]
    version: Node

    def reshaped(self, shape: tuple[int, ...]) -> "View":
        """Return the same look, in another shape."""
        look = self.look
        return View(self.parent, lambda array: look(array).reshape(shape), self.version)

    def places(self) -> tuple[Array, ...]:
        """Return the indices of its entries in the parent."""
        numbers = np.arange(self.parent.size).reshape(self.parent.shape)
        return np.unravel_index(self.look(numbers), self.parent.shape)
