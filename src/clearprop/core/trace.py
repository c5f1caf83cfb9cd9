"""The trace that one pass through the network leaves behind."""

import math
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]


class Trace(MutableMapping[str, Any]):
    """The cache that backward needs, and the buffers that the next pass fills again.

    A trace belongs to one pass at a time. A fresh one makes a pass independent of every other; one
    that is used again gives the same memory to the same names, so that layers allocate next to
    nothing after the first step, and what an earlier pass returned is overwritten.

    It is a mapping: a layer puts ``trace["x"] = x`` in forward and takes it out in backward. A
    network gives each layer a trace of its own, `child` of the network's, by the layer's name.

    Parameters
    ----------
    training : bool, default False
        Whether dropout drops and batch norm uses the batch's own statistics.
    random_state : numpy.random.RandomState, optional
        The source of the random numbers that layers draw while training.

    Attributes
    ----------
    training : bool
    random_state : numpy.random.RandomState or None
    """

    __slots__ = (
        "_buffers",
        "_children",
        "_clock",
        "_values",
        "_views",
        "random_state",
        "training",
        "wants_dx",
    )

    def __init__(
        self, *, training: bool = False, random_state: np.random.RandomState | None = None
    ) -> None:
        self.training = training
        self.random_state = random_state
        self.wants_dx = True
        self._clock = [0]  # one list for all inner layers' traces
        self._values: dict[str, Any] = {}
        self._buffers: dict[str, Array] = {}
        self._views: dict[str, Array] = {}  # of the buffers, as they were last asked for
        self._children: dict[str, Trace] = {}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def child(self, name: str) -> "Trace":
        """Return the trace of an inner layer, made at the first call."""
        if name not in self._children:
            made = Trace(training=self.training, random_state=self.random_state)
            made._clock = self._clock
            self._children[name] = made
        return self._children[name]

    @property
    def step(self) -> int:
        """The number of updates done before the pass, 0 unless set.

        Inner layers' traces show that of the network's.
        """
        return self._clock[0]

    @step.setter
    def step(self, step: int) -> None:
        self._clock[0] = step

    def buffer(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """Return an array to write to: new at first, the same memory in later passes.

        Parameters
        ----------
        name : str
            The buffer's name, unique within the layer.
        shape : tuple of int
            A smaller last batch takes the beginning of the memory of a full one.
        dtype : dtype-like

        Returns
        -------
        ndarray
            C-contiguous, of that shape and dtype; its contents are whatever was there.
        """
        view = self._views.get(name)
        if view is not None and view.shape == shape and view.dtype == dtype:
            return view
        size = math.prod(shape)
        memory = self._buffers.get(name)
        if memory is None or memory.size < size or memory.dtype != dtype:
            memory = self._buffers[name] = np.empty(size, dtype=dtype)
        view = self._views[name] = memory[:size].reshape(shape)
        return view
