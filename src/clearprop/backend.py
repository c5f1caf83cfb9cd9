"""The threads of the linear algebra library beneath NumPy."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Let matrix products use at most `count` threads, and restore what was before.

    Parameters
    ----------
    count : int
        At least 1.
    """
    from threadpoolctl import threadpool_limits  # here, so that importing clearprop stays quick

    with threadpool_limits(limits=count, user_api="blas"):
        yield
