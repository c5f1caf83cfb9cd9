"""A process that ends with the one that has started it, in whatever way that ends.

The parent holds the other end of the child's standard input. That is closed with the parent, even
where it is killed; until then each byte is a word of its own.
"""

import os
import threading
from collections.abc import Callable


def follow(heard: Callable[[], None], gone: Callable[[], None]) -> None:
    """Listen to the parent, in a thread; nothing else finds anything in standard input.

    Parameters
    ----------
    heard : callable
        Called for each byte that the parent sends.
    gone : callable
        Called once the parent has ended, or has closed its end.
    """
    parent = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def listen(read: Callable[[int, int], bytes] = os.read) -> None:
        while read(parent, 1):
            heard()
        gone()

    threading.Thread(target=listen, name="clearprop-parent", daemon=True).start()
