"""Pools of processes and threads whose tasks are done one after the other, where they are seen."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import nullcontext
from typing import Any


class _Pool(nullcontext[Any]):
    """A pool of multiprocessing or concurrent.futures, with the methods of either."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__(self)

    def map(self, function: Callable[..., Any], *items: Any, **_: Any) -> list[Any]:
        # What is no list of items is a size of chunks.
        return list(map(function, *(one for one in items if isinstance(one, Iterable))))

    def starmap(self, function: Callable[..., Any], items: Iterable[Any], *_: Any) -> list[Any]:
        return [function(*one) for one in items]

    def apply(self, function: Callable[..., Any], args: Any = (), named: Any = None) -> Any:
        return function(*args, **(named or {}))

    def submit(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return _done(function(*args, **named))

    def shutdown(self, *_: Any, **__: Any) -> None: ...

    imap = imap_unordered = map  # noqa: A003 - the names of the libraries
    close = join = terminate = shutdown
    map_async = lambda self, *args, **_: _done(self.map(*args))  # noqa: E731
    apply_async = lambda self, *args, **_: _done(self.apply(*args))  # noqa: E731
    starmap_async = lambda self, *args, **_: _done(self.starmap(*args))  # noqa: E731


def _done(result: Any) -> Any:
    """Return what holds a result, as either library has it."""
    made: Any = Future()
    made.set_result(result)
    made.get, made.wait, made.ready = made.result, lambda *_: None, made.done
    return made


class _Process:
    """A process that does all when it is started."""

    def __init__(self, *_: Any, target: Any = None, args: Any = (), **options: Any) -> None:
        self._task = target, args, options.get("kwargs") or {}

    def start(self) -> None:
        target, args, named = self._task
        target(*args, **named)

    def join(self, *_: Any) -> None: ...

    terminate = kill = close = join


POOLS: dict[str, Any] = {
    **dict.fromkeys(("Pool", "ThreadPool", "ProcessPoolExecutor", "ThreadPoolExecutor"), _Pool),
    "Process": _Process,
    "as_completed": list,
    "Parallel": lambda *_, **__: lambda tasks: [does(*args, **kw) for does, args, kw in tasks],
    "delayed": lambda function, *_: lambda *args, **named: (function, args, named),
    "cpu_count": lambda *_: 1,
}
"""What multiprocessing, concurrent.futures and joblib have, by its name."""
