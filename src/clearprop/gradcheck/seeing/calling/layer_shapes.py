"""Layers made for inputs of a shape: rows, columns, pictures with their channels first or last."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import watch
from clearprop.gradcheck.seeing.calling.choices import chosen
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.roles import TRAINING, Role, roles_of, snake
from clearprop.gradcheck.seeing.calling.usage import used
from clearprop.gradcheck.seeing.calling.workplace import Workplace

SHAPES: tuple[tuple[tuple[int, ...], int], ...] = (
    ((6, 4), 4), ((4, 6), 4),
    ((2, 4, 4, 4), 4), ((2, 6, 6, 6), 6), ((4, 4, 4), 4), ((4, 4), 4), ((6, 6, 6), 6), ((6, 6), 6),
    ((2, 1, 6, 6), 1), ((2, 6, 6, 1), 1), ((1, 6, 6), 1), ((6, 6, 1), 1),
    ((2, 3, 6, 6), 3), ((2, 6, 6, 3), 3), ((2, 3, 4), 4), ((1, 4), 4), ((4, 1), 4), ((4,), 4),
)  # fmt: skip
"""What a layer may want, and the features or channels of it.

Pictures have as many channels as rows and columns, so that it does not matter which axis is taken
for which; one sample comes last, as it hides mistakes.
"""

LEARNING = SHAPES[0], SHAPES[2]
"""Those of which others are made by what fails."""

SEQUENCES = ((2, 3, 4), 4), *SHAPES
"""The same for what is recurrent, which may compute something of two axes, too."""

RECURRENT = re.compile(r"rnn|lstm|gru|recurr|elman|seq(?!uential)", re.I)
"""Names of such classes."""

_OF_INPUT = re.compile(
    r"(^|_)(in(put)?s?|x|data|ima?ge?|prev\w*|a_prev)_?(shape|dims?|dimensions?|size)$"
    r"|^(d|dims?|size)_?(of_)?(x|input)$|^shape(_in)?$|^size_in$"
)
_BOTH_SIZES = re.compile(r"^(shape|dims|sizes)$|^(?!in|out).*_shape$")
"""Inputs and units of a layer, in one argument."""
_WINDOW = r"(filter|kernel|pool(ing)?|window|field|mask)s?"
_ONE_SIDE = re.compile(
    rf"^(h|w|height|width|rows?|cols?)_?{_WINDOW}$|{_WINDOW}_?(h|w|height|width|rows?|cols?)$"
    rf"|^({_WINDOW}_?)?(kh|kw|hh|ww|fh|fw|ph|pw|r)$"
)
_BOTH_SIDES = re.compile(
    rf"{_WINDOW}_?(shape|size|dims?|len\w*)$|^(k|f|fs|ks|k_?size|f_?size|size|kernel|window|pool|d)$"
)
_SIDE = re.compile(r"^(in\w*_|image_|img_|x_)?(h|w|height|width|rows|cols|size|side|dim)(_in)?$")
_SETTING_UP = re.compile(
    r"^_*(init(?!__)\w*|prepare\w*|set_?(up|in|prev|shape|size|dim|optim|param|weight)\w*|build\w*|compile\w*"
    r"|create\w*|(out(put)?|compute|infer)_?shape|connect\w*|alloc\w*|inicial\w*|link)$",
    re.I,
)
_WATCHES = re.compile(r"track|histor|record|monitor|verb|plot", re.I)
_TELLS_SHAPE = re.compile(r"shape|size|units|dim|neurons|nodes", re.I)
_CHANNELS = re.compile(r"^(n_?c_?prev|channels?|ch)$|(^|_)in\w*_?(ch\w*|maps|depth)$")
_AXIS = re.compile(r"^(rows?|col(umn)?s?)$", re.I)
_OF_SIZE = ("sizes", "hidden", "features", "classes")
_FILTERS = 3


class Descent:
    """An optimizer for layers that want one, where the file has none."""

    def update(self, parameter: Any, gradient: Any) -> Any:
        """Return the parameter after a step."""
        return parameter - 0.1 * gradient

    __call__ = update


class _Before:
    """A layer before another one, which tells the shape of its output by any name."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("get", "compute", "calc")):
            return lambda *_: self._shape
        return self._shape if "shape" in name else self._shape[0]


def makers(place: Workplace, kind: type, inputs: Any, channels: int) -> Iterator[Callable[[], Any]]:
    """Yield ways of making a layer for some inputs: each kernel that it may mean.

    Parameters
    ----------
    place : Workplace
    kind : type
        The class of the layer.
    inputs : Watched
    channels : int
        The features or channels that the inputs have.
    """
    small = replace(place.data.kind, features=channels, classes=_FILTERS, hidden=_FILTERS)
    inner = Workplace(place.defined, small)
    if _goes_over(kind) and not _is_square(inputs.shape):
        return
    met: list[Mapping[str, Any]] = []
    for fixed in _choices(inner, kind, inputs, channels):
        plain = {name: one for name, one in fixed.items() if not hasattr(one, "shape")}
        if plain in met:
            continue
        met.append(plain)
        yield partial(_made, inner, kind, fixed)


def set_up(
    place: Workplace, make: Callable[[], Any], inputs: Any, channels: int
) -> Iterator[Callable[[], Any]]:
    """Yield ways of setting a layer up before its first forward pass, where it has methods for it.

    Parameters
    ----------
    place : Workplace
    make : callable
        A function that makes the layer.
    inputs : Watched
    channels : int
    """
    small = replace(place.data.kind, features=channels, classes=_FILTERS, hidden=_FILTERS)
    inner = Workplace(place.defined, small)
    made, error = attempted(make)
    if error is not None:
        return
    methods = sorted(
        (
            name
            for name in place.defined.methods(made)
            if (_SETTING_UP.match(name) and not TRAINING.search(name)) or name == "__call__"
        ),
        key=lambda name: re.search("shape|size|dim|in(put)?$", name, re.I) is None,
    )
    asked = [list(_choices(inner, getattr(made, name), inputs, channels)) for name in methods]
    for number in range(max(map(len, asked), default=0)):
        chosen_ones = [each[min(number, len(each) - 1)] for each in asked]
        yield partial(_set_up, inner, make, dict(zip(methods, chosen_ones, strict=True)))


def _set_up(
    place: Workplace, make: Callable[[], Any], calls: Mapping[str, Mapping[str, Any]]
) -> Any:
    layer = make()
    for name, fixed in calls.items():
        attempted(
            lambda name=name, fixed=fixed: place.arguments.call(
                getattr(layer, name), making=True, fixed=fixed
            )
        )
    return layer


def _is_square(shape: tuple[int, ...]) -> bool:
    """Whether inputs are square pictures, with channels before or after, or none."""
    channels_last = shape[-3:-2] == shape[-2:-1] and len(shape) > 2
    return len(shape) > 1 and (shape[-2] == shape[-1] or channels_last)


def _is_picture(function: Any, shape: tuple[int, ...]) -> bool:
    """Whether inputs may be pictures, which those of what is recurrent are not."""
    several = len(shape) > 2 or (len(shape) == 2 and shape[0] == shape[1])
    return several and not RECURRENT.search(getattr(function, "__name__", ""))


def _goes_over(kind: type) -> bool:
    """Whether a layer is made with a window that goes over pictures."""
    words = "filter|kernel|pool|window|strid|pad"
    return any(re.search(words, snake(name)) for name in inspect.signature(kind).parameters)


def _made(place: Workplace, kind: type, fixed: Mapping[str, Any]) -> Any:
    made, error = attempted(
        lambda: place.arguments.call(kind, making=True, fixed=fixed, changing="none")
    )
    if error is not None:  # a number may do, or a name in the place of none
        made, again = attempted(
            lambda: place.arguments.call(kind, making=True, variant=4, fixed=fixed, changing="none")
        )
        error = error if again is not None else None
    if error is not None and place.kind.learns:
        made, error = attempted(
            lambda: place.arguments.call(kind, making=True, fixed=fixed, changing="all")
        )
    if error is not None:
        raise error
    return made


def _choices(
    place: Workplace, function: Any, inputs: Any, channels: int
) -> Iterator[dict[str, Any]]:
    """Yield what may be meant by the arguments of sizes, the likeliest first."""
    asked = inspect.signature(function).parameters
    roles = roles_of(list(asked), making=True)
    of_input = any(
        _OF_INPUT.search(snake(name)) or _is_before(place, function, one)
        for name, one in asked.items()
    )
    wholes = (False, True) if of_input else (False,)
    is_picture = _is_picture(function, inputs.shape)
    kernels = range(5) if is_picture else range(1)
    needed = [
        name
        for name, one in asked.items()
        if one.kind == one.POSITIONAL_OR_KEYWORD
        and one.default is one.empty
        and not place.defined.compared(name)
    ]
    unknown = [
        name
        for name in needed
        if not (roles[name] or _is_no_size(place, function, name)) or _AXIS.match(name)
    ]
    alone = [name for name in needed if roles[name] in _OF_SIZE]
    if not unknown and len(alone) == 1:
        unknown = alone  # of what has one size it may be that of the inputs
    sizes = list(product((_FILTERS, channels), repeat=len(unknown))) if len(unknown) < 3 else [()]
    pads = any(roles[name] == "pad" and one.default is one.empty for name, one in asked.items())
    padding = (1, 0) if pads else (0,)
    sides = (3, 2) if is_picture else (3,)
    told = _told(place, asked)
    for side, kernel, whole, pad, guessed, words in product(
        sides, kernels, wholes, padding, sizes, told
    ):
        fixed: dict[str, Any] = {**dict(zip(unknown, guessed, strict=False)), **words}
        for name, one in asked.items():
            size = _Size(tuple(int(n) for n in inputs.shape), channels, side, kernel, whole, pad)
            found = _value(place, function, one, roles[name], inputs, size)
            if found is not None:
                fixed[name] = found
        yield fixed


def _is_no_size(place: Workplace, function: Any, name: str) -> bool:
    """Whether attributes or keys are looked for in an argument, or it is the slope of a ReLU."""
    usage = used(place.defined, function, name)
    return bool(usage.attributes or usage.keys or "slope" in name.lower())


def _told(place: Workplace, asked: Mapping[str, inspect.Parameter]) -> list[dict[str, str]]:
    """Return the words that the code knows for the first argument that is one: max before mean."""
    for name, one in asked.items():
        known = place.defined.compared(name) if one.default is one.empty else []
        if known:
            return [{name: word} for word in sorted(known, key=lambda word: "max" not in word)[:3]]
    return [{}]


@dataclass(frozen=True)
class _Size:
    """One reading of the sizes that a layer asks for.

    Parameters
    ----------
    shape : tuple of int
        That of the inputs.
    channels : int
    side : int
        Of a kernel.
    kernel : int
        How a kernel is told: by one side, both (as strides are), all axes with the filters last
        or first, or both, with strides by one number.
    whole : bool
        Whether the shape of inputs is told with the number of samples.
    pad : int
    """

    shape: tuple[int, ...]
    channels: int
    side: int
    kernel: int
    whole: bool
    pad: int

    @property
    def told(self) -> tuple[int, ...]:
        """The shape of inputs as the layer wants it."""
        return self.shape if self.whole or len(self.shape) in (1, 3) else self.shape[1:]

    def kernel_of(self, side: int) -> int | tuple[int, ...]:
        """Return the size of a kernel as the layer wants it."""
        options: tuple[int | tuple[int, ...], ...] = (
            side,
            (side, side),
            (side, side, self.channels, _FILTERS),
            (_FILTERS, self.channels, side, side),
            (side, side),
        )
        return options[self.kernel]


def _value(
    place: Workplace,
    function: Any,
    asked: inspect.Parameter,
    role: Role | None,
    inputs: Any,
    size: _Size,
) -> Any:
    """Return one argument; None where nothing is known that others don't know better."""
    text = snake(asked.name)
    missing = asked.default in (asked.empty, None)
    if _is_before(place, function, asked):
        return _Before(size.told if len(size.shape) > 1 else size.shape)
    if role == "inputs" and asked.default is asked.empty:
        return None if _AXIS.match(text) else inputs
    if role is None and missing and re.search(r"(^|_)(name|id)$", text):
        return "layer"
    if asked.default is True and _WATCHES.search(text):
        return False  # what is plotted later wants to know of a whole training
    if asked.default is None and (place.defined.compared(asked.name) or asked.annotation is str):
        return None  # a word, of which none will do
    if role == "optimizer" and missing:
        known = chosen(place.defined, place.make, asked.name, role, 1)
        return Descent() if known is None or isinstance(known, str) else known
    if _CHANNELS.search(text) and missing:
        return size.channels
    if role == "filters" and missing:
        return _FILTERS
    if role == "decay":  # it is a step's, and no part of what is computed here
        return 0.0
    of_both = isinstance(function, type) and _BOTH_SIZES.search(text)
    if of_both and len(size.shape) == 2 and missing:
        return size.channels, _FILTERS
    is_picture = _is_picture(function, size.shape)
    if _OF_INPUT.search(text) and (is_picture or "shape" in text):
        return size.told if missing or isinstance(asked.default, tuple | list) else None
    return _of_window(function, asked, role, size) if is_picture and missing else None


def _is_before(place: Workplace, function: Any, asked: inspect.Parameter) -> bool:
    """Whether an argument is the layer before, which is only asked for its shape."""
    if asked.default not in (asked.empty, None):
        return False
    wanted = used(place.defined, function, asked.name).attributes
    if not wanted:
        return getattr(function, "__name__", "") == "__call__"
    return all(map(_TELLS_SHAPE.search, wanted))


def _of_window(function: Any, asked: inspect.Parameter, role: Role | None, size: _Size) -> Any:
    """Return an argument of what goes over a picture."""
    text, random = snake(asked.name), np.random.RandomState(6)
    pools = re.search("pool", f"{getattr(function, '__qualname__', '')} {text}", re.I) is not None
    side = 2 if pools else size.side
    if _ONE_SIDE.search(text):
        return side
    if _BOTH_SIDES.search(text):
        return size.kernel_of(side)
    if role == "stride" or role == "pad":
        one = (0 if pools else size.pad) if role == "pad" else (2 if pools else 1)
        in_pairs = size.kernel == 1 or (size.kernel > 1 and "shape" in text)
        return (one, one) if in_pairs else one
    if role in ("weight", "bias") and asked.default is asked.empty:
        last = size.kernel == 2
        axes = (
            (side, side, size.channels, _FILTERS) if last else (_FILTERS, size.channels, side, side)
        )
        return watch(random.uniform(-1, 1, axes if role == "weight" else (_FILTERS,)), role)
    return size.shape[-2] if _SIDE.search(text) else None
