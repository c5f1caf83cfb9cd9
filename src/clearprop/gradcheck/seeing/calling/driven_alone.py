"""Layers and losses called each on its own, with inputs of the first shape that they take."""

import inspect
import re
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, watch
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.cells import claimed_of_states
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.driven_layers import (
    chains,
    has_both,
    is_activation,
    is_loss,
    loss_classes,
    teaches,
)
from clearprop.gradcheck.seeing.calling.driven_losses import loss_alone, of_cross_entropy
from clearprop.gradcheck.seeing.calling.holding import held
from clearprop.gradcheck.seeing.calling.layer_passes import (
    asked_roles,
    method_of,
    only_steps,
    random_upstream,
    set_training,
    went_back,
    went_forward,
)
from clearprop.gradcheck.seeing.calling.layer_shapes import (
    LEARNING,
    RECURRENT,
    SEQUENCES,
    SHAPES,
    makers,
    set_up,
)
from clearprop.gradcheck.seeing.calling.lessons import arrays_failing
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.roles import (
    BACKWARD,
    FORWARD,
    TRAINING,
    UPDATING,
    role_of,
    roles_of,
)
from clearprop.gradcheck.seeing.calling.slopes import by_slope, first_given, value_and_slope
from clearprop.gradcheck.seeing.calling.strided import (
    STRIDED,
    larger,
    remade,
    require_stride,
    stride_in,
    told_with_stride,
)
from clearprop.gradcheck.seeing.calling.usage import used
from clearprop.gradcheck.seeing.calling.workplace import Found, Workplace
from clearprop.gradcheck.seeing.tape import Node, ancestors

_MOST = 12  # layers
_NODES = 12_000  # of one try
_ENOUGH = 4  # shapes with which a layer fails alike, rows, columns and pictures
_NO_SHAPE = AttributeError, NotImplementedError
"""Errors that don't tell of another shape, where they are the same with each."""

_RATE = 0.1
_MISFIT = re.compile(r"not aligned|core dimension")
_ROWS = 2  # axes of inputs that are no pictures, whose shapes leave little to be misunderstood
_TINY = 0.05  # weights
_GIVEN = "anything", "outputs less targets", "targets", "its output"


def single_layers(defined: Defined) -> Iterator[tuple[str, Callable[[Workplace], None]]]:
    """Yield ways of calling each layer and each loss on its own, and chains of others."""
    found = [
        (name, kind)
        for name, kind in defined.classes.items()
        if has_both(defined, kind)
        and not (is_loss(kind) or teaches(defined, kind) or inspect.isabstract(kind))
        and not _holds_pairs(kind)
    ]
    for name, kind in found[:_MOST]:
        layer = _Layer(kind, name)
        yield from layer.ways()
        if layer.fitted is None and is_activation(kind):
            yield f"{name} by its slope", partial(_by_its_slope, kind=kind)
    for kind in loss_classes(defined)[:_MOST]:
        if has_both(defined, kind) or hasattr(kind, "backward"):
            for after in ("", "softmax", "sigmoid"):
                told = f"{kind.__name__} alone{f', after a {after}' if after else ''}"
                yield told, partial(loss_alone, kind=kind, after=after)
    yield from chains(defined)


def _holds_pairs(kind: type) -> bool:
    """Whether a class is no layer, but a place for functions, each beside its derivative."""
    static = [name for name, one in vars(kind).items() if isinstance(one, staticmethod)]
    back = [name for name in static if BACKWARD.search(name)]
    return sum(any(one != name and one in name for one in static) for name in back) > 1


def _by_its_slope(place: Workplace, kind: type) -> None:
    """Call the two methods of an activation that give its value and its derivative."""
    owner = place.make(kind)
    value, slope = value_and_slope(place, owner)
    x = watch(np.random.RandomState(7).uniform(-1, 1, SHAPES[0][0]), "input")
    output = place.pool.output = place.call(value, fixed=first_given(value, x))
    upstream = random_upstream(place, output)
    part = place.call(value, fixed=first_given(value, x[:1, :1]))
    if not np.array_equal(np.asarray(part), np.asarray(output)[:1, :1]):
        raise NoSuchWayError("that computes every entry alone")
    place.end_forward()
    by_slope(place, slope, upstream, x)
    place.found.parameters["X"] = node_of(x)
    place.found.claims |= {**place.returned, "dX": place.returned["slope 0"]}
    place.found.alone = kind.__name__
    place.found.words = f"{kind.__name__}(...).{value.__name__}, then {slope.__name__}"
    place.found.data = f"inputs of shape {x.shape}"


@dataclass(eq=False)
class _Layer:
    """A class of layers that is called on its own.

    Parameters
    ----------
    kind : type
    name : str
    """

    kind: type
    name: str
    fitted: tuple[tuple[int, ...], Callable[[], Any]] | None = None
    _output: tuple[int, ...] = ()
    _making: tuple[int, int] = 0, 0  # channels, and which of several ways of making it
    _trying: tuple[int, int] = 0, 0
    _apart: bool = False
    _shows_all: bool = False
    _failed: bool = False
    _stop: Exception | None = None

    def ways(self) -> Iterator[tuple[str, Callable[[Workplace], None]]]:
        """Yield the ways of calling it: with any gradient, and with that of a cross-entropy.

        Many a last layer hands on what it is given, which then is the derivative with respect to
        its own input, or computes that from the targets. An activation may give its derivative
        alone, and want its output for that.
        """
        yield f"{self.name} alone", self.alone
        yield f"{self.name} alone, its input", partial(self.again, input_alone=True)
        for given in _GIVEN[1:]:
            told = f"{self.name} alone, given {given}"
            yield told, partial(self.again, given=given)
            yield f"{told}, its input", partial(self.again, given=given, input_alone=True)
        stride = stride_in(inspect.signature(self.kind).parameters)
        if stride is None or not self._shows_all:
            return
        for input_alone in (False, True):
            strided = partial(self._strided, stride=stride, input_alone=input_alone)
            told = f"{self.name} alone{', its input' if input_alone else ''}{STRIDED}"
            yield told, partial(told_with_stride, call=strided)

    def alone(self, place: Workplace) -> None:
        """Give it a random gradient; the first inputs with which it shows all gradients decide."""
        if self._failed:  # another reading of what networks are made with helps no layer
            raise NoSuchWayError("that is a layer")
        first: Exception | None = None
        said: set[str] = set()
        usual = SEQUENCES if RECURRENT.search(self.name) else SHAPES
        for number, (shape, channels) in enumerate(LEARNING if place.kind.learns else usual):
            if number == _ENOUGH and len(said) == 1 and isinstance(first, _NO_SHAPE):
                break  # whatever it is given
            x = self._input(place, shape, channels)
            for place_of, make in enumerate(makers(place, self.kind, x, channels)):
                self._trying = channels, place_of
                error = self._tried(place, x, make)
                if self._stop is not None:
                    self._failed, place.found.is_stopped = True, True
                    raise self._stop
                if error is not None and not isinstance(error, NoSuchWayError):
                    # Something may not be there yet.
                    for ready in set_up(place, make, x, channels):
                        if self._tried(place, x, ready) is None and self._shows_all:
                            return
                if error is None and self._shows_all:
                    return
                first = first or error
                said.add(repr(error))
        if self.fitted is None:
            self._failed = True
            place.found.since = len(place.defined.tape)
            raise first or NoSuchWayError("that is a layer")
        self.again(place)

    def _input(self, place: Workplace, shape: tuple[int, ...], rows: int) -> Any:
        """Return random inputs; where they choose rows of a table, numbers of rows."""
        drawn, takes_ids = np.random.RandomState(7), self._takes_ids(place.defined)
        x = drawn.randint(0, rows, shape[:2]) if takes_ids else drawn.uniform(-1, 1, shape)
        return watch(x, "input")

    def _takes_ids(self, defined: Defined) -> bool:
        """Whether the first argument of its forward pass is an index."""
        for name in ("forward", "__call__"):
            forward = getattr(self.kind, name, None)
            asked = list(inspect.signature(forward).parameters) if callable(forward) else []
            if defined.is_own(forward) and len(asked) > 1:
                return used(defined, forward, asked[1]).is_index
        return False

    def _tried(self, place: Workplace, x: Any, make: Callable[[], Any]) -> Exception | None:
        """Call it; return why that failed, or None."""
        tape = place.defined.tape
        place.found, place.claims_from = Found(), None
        place.returned.clear()
        tape.most_nodes = max(tape.most_nodes, len(tape) + _NODES)
        _, error = attempted(lambda: self._call(place, x, make))
        if error is None and (self.fitted is None or self._shows_all):
            self.fitted, self._making = (place.data.inputs.shape, make), self._trying
            self._output = np.shape(place.pool.output)
            place.defined.called.add(self.kind)
        return error

    def again(self, place: Workplace, given: str = _GIVEN[0], *, input_alone: bool = False) -> None:
        """Call it as before: with another gradient, or to look at that of the input alone.

        Gradients of parameters may have a factor of their own: many are divided by the number of
        samples, which that of the input must not be.
        """
        if self.fitted is None or (input_alone and not self._apart):
            raise NoSuchWayError("that is a layer")
        shape, make = self.fitted
        x = self._input(place, shape, self._making[0])
        self._call(place, x, make, given, input_alone=input_alone)

    def _strided(self, place: Workplace, stride: str, *, input_alone: bool) -> None:
        """Call it with steps of 2, and the kernel with which it went with steps of 1."""
        if self.fitted is None or len(self._output) < _ROWS or (input_alone and not self._apart):
            raise NoSuchWayError("that is a layer")
        shape, (channels, number) = self.fitted[0], self._making
        wider = larger(shape, self._output)
        channels += wider[-2] - shape[-2] if channels == shape[-2] else 0
        x = self._input(place, wider, channels)
        make = next(islice(makers(place, self.kind, x, channels), number, None))
        default = inspect.signature(self.kind).parameters[stride].default
        self._call(place, x, remade(make, stride, default), input_alone=input_alone)
        require_stride(self._output, place.pool.output)

    def _call(
        self,
        place: Workplace,
        x: Any,
        make: Callable[[], Any],
        given: str = _GIVEN[0],
        *,
        input_alone: bool = False,
    ) -> None:
        place.data.inputs, entered = x, node_of(x)  # before a layer writes into it
        layer, output = self._forward(place, x, make)
        if place.data.inputs is not x:  # others were wanted
            x = place.data.inputs
            entered = node_of(x)
        if given == _GIVEN[0]:
            upstream = random_upstream(place, output)
        elif given == _GIVEN[3]:
            upstream = output
            place.found.cost = node_of(output.sum())
        else:
            upstream = of_cross_entropy(place, output, minus=given == _GIVEN[1])
        behind = ancestors([node_of(output)])
        if entered not in behind and x.dtype.kind == "f":
            raise NoSuchWayError("whose output is seen to come of its input")
        behind.discard(entered)  # which is no parameter of the layer that keeps it
        place.candidates = {k: node for k, node in place.candidates.items() if node in behind}
        place.end_forward()
        back, error = attempted(
            lambda: went_back(place, layer, upstream, x, is_random=given == _GIVEN[0])
        )
        if error is not None:
            misfit = x.ndim == _ROWS and _MISFIT.search(str(error))
            if (
                misfit
                and _only_goes_back(place, layer)
                and _meets(place, error, {entered, *behind}, upstream)
            ):
                self._stop = error
            raise error
        back = self._other_gradients(place, layer, upstream, x, back)
        found = place.found
        found.keeps_claims = True
        if type(back) is Watched:
            place.returned = {k: n for k, n in place.returned.items() if n is not node_of(back)}
        self._step(place, layer)
        _require_finite(place, back)
        if given == _GIVEN[0]:
            seen = _has_gradients(place)
            self._apart = type(back) is Watched and seen
            fits = type(back) is not Watched or back.shape == x.shape
            self._shows_all = fits and (seen or not place.candidates)
        if type(back) is Watched and x.dtype.kind == "f" and (input_alone or not self._apart):
            found.claims["dX"] = node_of(back)
            found.parameters["X"] = entered
            claimed_of_states(place)
        if input_alone:
            place.candidates.clear()
            place.claims_from = len(place.defined.tape)
        found.alone = f"{self.name}, its input" if input_alone else self.name
        found.words = f"{self.name}(...) alone{', for its input' if input_alone else ''}"
        found.data = f"inputs of shape {x.shape}"

    def _other_gradients(
        self, place: Workplace, layer: Any, upstream: Any, x: Any, back: Any
    ) -> Any:
        """Call what else goes back, where gradients of parameters and input are computed apart.

        Returns the gradient of the input, if any.
        """
        for name, method in place.defined.methods(layer).items():
            lacks_input = type(back) is not Watched
            if not lacks_input and (not place.candidates or _has_gradients(place)):
                break
            roles = roles_of(list(inspect.signature(method).parameters))
            given = {"inputs": x, "upstream": upstream}
            fixed = {one: given[role] for one, role in roles.items() if role in given}
            if not (BACKWARD.search(name) and "upstream" in roles.values()):
                continue
            value, error = attempted(
                lambda method=method, fixed=fixed: place.call(method, fixed=fixed)
            )
            if error is not None:
                continue
            if lacks_input and type(value) is Watched and value.shape == x.shape:
                back = value
            else:
                place.put_back(method, value)
        return back

    def _forward(self, place: Workplace, x: Any, make: Callable[[], Any]) -> tuple[Any, Any]:
        """Make a layer and go forward."""
        layer = make()
        set_training(layer)
        place.found.held = vars(layer) if hasattr(layer, "__dict__") else {}
        _enlarged(layer)
        known = {node_of(x), *held(place.found.held).values()}
        place.found.since = len(place.defined.tape)
        output = went_forward(place, layer, x)
        now = held(place.found.held)
        if any(node not in known and node_of(x) not in ancestors([node]) for node in now.values()):
            # Weights that were drawn on the way stay when it is gone again, masks don't.
            _enlarged(layer)
            known |= set(held(place.found.held).values())
            place.found.since = len(place.defined.tape)
            output = went_forward(place, layer, x)
            now = held(place.found.held)
        place.candidates.clear()
        place.candidates |= {
            name: node
            for name, node in now.items()
            if node in known or role_of(name.rsplit(".", 1)[-1]) in ("weight", "bias")
        }
        forward = method_of(place, layer, FORWARD, but=BACKWARD)
        for name in inspect.signature(forward).parameters:
            given = place.pool.values.get(name)
            if type(given) is Watched:  # weights that are drawn for each call
                place.candidates[name] = node_of(given)
        return layer, output

    def _step(self, place: Workplace, layer: Any) -> None:
        """Let it take a step, where going back was none: there its gradients get their shapes."""
        now = held(place.found.held)
        if any(now.get(name) is not one for name, one in place.candidates.items()):
            return
        for name, method in place.defined.methods(layer).items():
            steps = UPDATING.search(name) and not TRAINING.search(name)
            if "upstream" in asked_roles(method):
                continue  # of its own gradients, whatever it is called
            if steps or (BACKWARD.search(name) and only_steps(method)):
                roles = roles_of(list(inspect.signature(method).parameters))
                fixed = {one: _RATE for one, role in roles.items() if role in (None, "time")}
                attempted(lambda method=method, fixed=fixed: place.call(method, fixed=fixed))


def _meets(place: Workplace, error: Exception, behind: Set[Node], upstream: Any) -> bool:
    """Whether all arrays in a failing line took part going forward, or come of what goes back."""
    arrays = arrays_failing(place.defined, error)
    given = node_of(upstream)
    return all(node in behind or given in ancestors([node]) for node in map(node_of, arrays))


def _only_goes_back(place: Workplace, layer: Any) -> bool:
    """Whether a layer's backward pass takes nothing but a gradient, and perhaps a rate."""
    backward = method_of(place, layer, BACKWARD, but=None)
    asked = () if backward is None else inspect.signature(backward).parameters.values()
    needed = [one.name for one in asked if one.default is one.empty]
    return len([name for name in needed if role_of(name) != "rate"]) == 1


def _require_finite(place: Workplace, back: Any) -> None:
    """Raise an error where what was computed is no number, or only zeros.

    Something else is to be called first, such as what counts the samples.
    """
    nodes = [*held(place.found.held).values(), *place.returned.values()]
    nodes += [node_of(back)] if type(back) is Watched else []
    is_nothing = type(back) is Watched and back.size > 1 and not np.any(np.asarray(back))
    if is_nothing or not all(np.isfinite(node.value).all() for node in nodes):
        raise NoSuchWayError("that returns numbers")


def _has_gradients(place: Workplace) -> bool:
    """Whether parameters were updated, or arrays are there that may be gradients of theirs."""
    now = held(place.found.held)
    if any(now.get(name) is not one for name, one in place.candidates.items()):
        return True
    sizes = {node.value.size for node in place.candidates.values()}
    both = [*place.left().values(), *place.returned.values()]
    return any(node.value.size in sizes for node in both)


def _enlarged(layer: Any) -> None:
    """Make tiny weights larger, with which every output lies at the kink of a ReLU."""
    for name, one in list(vars(layer).items()) if hasattr(layer, "__dict__") else ():
        most = (
            np.abs(np.asarray(one)).max()
            if type(one) is Watched and one.ndim > 1 and one.size
            else 0
        )
        if 0 < most < _TINY and one.dtype.kind == "f":
            setattr(layer, name, watch(np.asarray(one) / most, "random"))
