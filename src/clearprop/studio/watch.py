"""A block of a user's own program that is watched: for a verdict on its gradients, or live."""

import sys
from typing import TYPE_CHECKING, Any, Literal, overload

from clearprop.errors import UsageError
from clearprop.gradcheck.seeing.live import Watch

if TYPE_CHECKING:
    from clearprop.studio.block import LiveWatch


@overload
def watch(*objects: Any, live: Literal[False] = False) -> Watch: ...
@overload
def watch(*objects: Any, live: Literal[True], port: int | None = None) -> "LiveWatch": ...
def watch(*objects: Any, live: bool = False, port: int | None = None) -> "Watch | LiveWatch":
    """Watch what a block of code computes with NumPy, and check the gradients in it.

    Within the block, the arrays in the variables of the caller, in its module, and in objects,
    lists and dictionaries that can be reached from there are watched. They hold the same numbers to
    the last bit, and afterwards all of them are plain arrays again, where they lay before.

    With ``live=True`` a page in the browser shows the parameters, gradients, activations and the
    cost while the block runs; its address is printed. Then the first updates alone are watched in
    this way, for the check.

    Parameters
    ----------
    *objects : object
        Objects whose arrays are watched, too, where no variable leads to them.
    live : bool, default False
        Whether the block is shown while it runs; needs the extra ``live``.
    port : int, optional
        The port of the page; a free one unless given.

    Returns
    -------
    Watch or LiveWatch
        What the block's ``as`` names. `Watch.report` says what was seen; `LiveWatch.log` shows
        arrays that are given to it, PyTorch's, too.

    Raises
    ------
    MissingExtraError
        If what the page needs is not installed.
    UsageError
        If the port can't be had.

    Examples
    --------
    >>> import numpy as np
    >>> import clearprop as cp
    >>> X, Y = np.random.RandomState(0).randn(2, 20, 3)
    >>> W = 0.1 * np.ones((3, 3))
    >>> with cp.watch() as seen:
    ...     error = X @ W - Y
    ...     cost = np.sum(error**2) / 2
    ...     W -= 0.01 * X.T @ error
    >>> bool(seen.report())
    True
    """
    frame = sys._getframe(1)
    if not live:
        if port is not None:
            raise UsageError("port is that of the live page: cp.watch(live=True, port=...).")
        return Watch(frame, objects)
    from clearprop.studio.block import LiveWatch

    return LiveWatch(frame, objects, port)
