"""Objects that stand in for libraries that are not there, or that would draw, ask or download."""

import dis
import sys
from collections.abc import Callable, Iterator
from types import FrameType, FunctionType, ModuleType
from typing import Any

_UNPACKING = dis.opmap["UNPACK_SEQUENCE"]
_DIFFERENTIATES = ("backward", "GradientTape", "value_and_grad", "elementwise_grad", "jacrev")

Say = Callable[[str], None]
"""A function that is told when a library is asked to differentiate."""


class _Quiet:
    """What all stand-ins do: nothing, whatever they are asked."""

    __array_ufunc__ = None  # NumPy leaves operators to it
    _name: str
    _differentiates: Say
    _known: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        if name in self._known:
            return self._known[name]
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if name in _DIFFERENTIATES:
            self._differentiates(self._name)
        return Silent(f"{self._name}.{name}", self._differentiates, self._known)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], FunctionType) and not kwargs:
            if self._name.endswith((".grad", ".jacobian", ".hessian")):
                self._differentiates(self._name)
            return args[0]  # a decorator
        if self._name.endswith((".tqdm", ".tqdm_notebook", ".track")):
            return Progress(args[0] if args else (), self._differentiates)
        return Silent(self._name, self._differentiates)

    def __iter__(self) -> Iterator[Any]:
        return iter([Silent(self._name, self._differentiates)] * _unpacked(sys._getframe(1)))

    def __getitem__(self, index: Any) -> Any:
        return Silent(self._name, self._differentiates)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(f"{self._name} is not there, and a stand-in is no array")

    def __setitem__(self, index: Any, value: Any) -> None: ...

    def __delitem__(self, index: Any) -> None: ...

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None: ...

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __contains__(self, item: Any) -> bool:
        return False

    def __int__(self) -> int:
        return 1

    def __index__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return ""

    def __format__(self, form: str) -> str:
        return ""

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        """Be a class to derive from."""
        first = next(one for one in bases if isinstance(one, _Quiet)) is self
        if not first:
            return ()
        return (type("StandIn", (_Base,), {"_at": (self._name, self._differentiates)}),)


def _operator(self: Any, *_: Any) -> Any:
    return Silent(self._name, self._differentiates)


def _false(_: Any, __: Any) -> bool:
    return False


for _name in (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"),
    *("lshift", "rshift"),
):
    for _kind in ("", "r", "i"):
        setattr(_Quiet, f"__{_kind}{_name}__", _operator)
for _name in ("neg", "pos", "abs", "invert"):
    setattr(_Quiet, f"__{_name}__", _operator)
for _name in ("lt", "le", "gt", "ge"):
    setattr(_Quiet, f"__{_name}__", _false)


class Silent(_Quiet):
    """A stand-in that takes every call, and gives stand-ins.

    Parameters
    ----------
    name : str
        What it stands in for: ``torch.nn``.
    differentiates : callable
        A function that is called with the name when it is asked for derivatives.
    known : dict, optional
        What its parts are that do something, by their names.
    """

    def __init__(self, name: str, differentiates: Say, known: dict[str, Any] | None = None) -> None:
        self._name, self._differentiates, self._known = name, differentiates, known or {}


class Progress:
    """A bar that shows the progress of a loop, silent.

    Parameters
    ----------
    items : iterable
        What the loop goes through.
    differentiates : callable
    """

    def __init__(self, items: Any, differentiates: Say) -> None:
        self._items, self._differentiates, self.n = items, differentiates, 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None: ...

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Silent(f"tqdm.{name}", self._differentiates)


class _Base:
    """The class that a learner's own class derives from, where the true one is not there."""

    _at: tuple[str, Say]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        vars(self).update(kwargs)  # as models of pydantic hold them

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Silent(*self._at)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        forward = getattr(self, "forward", None) or getattr(self, "call", None)
        return forward(*args, **kwargs) if callable(forward) else Silent(*self._at)


class SilentModule(_Quiet, ModuleType):
    """A module that is not there.

    Parameters
    ----------
    name : str
    differentiates : callable
    known : dict
        What it has that does something, by name, at any depth.
    """

    def __init__(self, name: str, differentiates: Say, known: dict[str, Any]) -> None:
        ModuleType.__init__(self, name)
        self.__dict__.update(_name=name, _differentiates=differentiates, _known=known)
        self.__dict__["__path__"] = []
        self.__dict__["__all__"] = []
        self.__dict__["__version__"] = "2.0.0"

    def __getattr__(self, name: str) -> Any:
        return super().__getattr__(name)

    __setitem__ = _Quiet.__setitem__


def _unpacked(frame: FrameType | None) -> int:
    """Return how many items the code in a frame is about to unpack; 0 where it goes through all."""
    if frame is None:
        return 0
    code, place = frame.f_code.co_code, frame.f_lasti
    return code[place + 1] if code[place] == _UNPACKING else 0
