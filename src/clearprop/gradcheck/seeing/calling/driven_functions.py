"""Functions called one after the other: weights, forward, cost, backward; or a whole training."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import takewhile
from types import FunctionType
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, watch
from clearprop.gradcheck.seeing.calling import roles
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.choices import object_for
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.driven_classes import methods_forward
from clearprop.gradcheck.seeing.calling.driven_pairs import function_pairs
from clearprop.gradcheck.seeing.calling.holding import held
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.materials import Data
from clearprop.gradcheck.seeing.calling.pool import is_output
from clearprop.gradcheck.seeing.calling.usage import used
from clearprop.gradcheck.seeing.calling.weights import drawn_flat, is_bias
from clearprop.gradcheck.seeing.calling.workplace import Workplace
from clearprop.gradcheck.seeing.judging.gradient_names import GRADIENT

_COST_NAME = re.compile(
    r"^(j|cost\w*|loss\w*|err\w*|e|l|j_\w+|total_?(cost|loss)|n?ll|\w*likelihood)$", re.I
)
_PENALTY = re.compile(r"\[:, *1:\] *(\+=|= *\w+\[:, *1:\] *\+)")
_COMPUTES = 20  # nodes that a training has at the least


def _roles(function: Callable[..., object]) -> list[str | None]:
    return list(roles.roles_of(list(inspect.signature(function).parameters)).values())


def _named(place: Workplace, keep: Callable[[str], bool]) -> Iterator[tuple[str, FunctionType]]:
    for name, function in place.defined.functions.items():
        if not roles.CHECKING.search(name) and keep(name):
            yield name, function


def _start(place: Workplace) -> None:
    """Draw weights by the functions that do."""
    place.found.held = place.pool.values
    for _, function in _named(
        place,
        lambda name: bool(roles.STARTING.search(name)) and not re.search("grad|adam|veloc", name),
    ):
        value, error = attempted(lambda function=function: place.call(function, making=True))
        if error is not None:
            continue
        place.pool.put(place.defined.returned(function), value)
        if isinstance(value, dict) and value:
            place.pool.values.setdefault("parameters", value)
    if place.data.kind.layout != "letters":
        place.refit(place.pool.values)
        if not held(place.pool.values):
            place.refit(_globals(place))
    place.before_forward(place.pool.values)
    place.before_forward(_globals(place))


def _globals(place: Workplace) -> dict[str, object]:
    """Return the arrays that functions may take without being given them."""
    return {
        name: one
        for name, one in place.defined.namespace.items()
        if type(one) is Watched or (isinstance(one, dict | list) and not name.startswith("_"))
    }


def _takes_ids(place: Workplace, function: Callable[..., object]) -> bool:
    """Whether rows of a table are chosen by an argument."""
    names = inspect.signature(function).parameters
    return any(used(place.defined, function, name).is_index for name in names)


def trained_by_functions(place: Workplace) -> None:
    """Call a function that trains."""
    _start(place)
    found = [
        (name, function)
        for name, function in _named(place, lambda _: True)
        if roles.trains(name, function)
        and ({"inputs", "pairs", "loader"} & set(_roles(function)) or _takes_ids(place, function))
    ]
    if not found:
        raise NoSuchWayError("that trains")
    # What is written last calls what was written before.
    found.sort(key=lambda item: roles.UPDATING.search(item[0]) is not None)
    first: Exception | None = None
    for name, function in [*found[::-1]]:
        before = len(place.defined.tape)
        value, error = attempted(lambda function=function: place.call(function))
        place.found.words = f"{name}({', '.join(inspect.signature(function).parameters)})"
        if len(place.defined.tape) - before > _COMPUTES:
            place.pool.put(place.defined.returned(function), value)
            if error is not None:
                raise error
            return
        first = first or error
    if first is not None:
        raise first


def _is_single(name: str, function: FunctionType) -> bool:
    """Whether a function is of one layer, and a model has several."""
    names = list(inspect.signature(function).parameters)
    single = re.search(
        r"layer(?!s)|linear_|single|cell|conv|pool|activation_|affine|batch_?norm|drop", name, re.I
    )
    # A state before the first step is one of a whole recurrent network.
    previous = any(re.search(r"^(?!h|s|c_).*prev", one, re.I) for one in names)
    return previous or (single is not None and "model" not in name)


def _forward(place: Workplace) -> str:
    found = list(
        _named(
            place,
            lambda name: (
                roles.goes_forward(name)
                and not roles.COST.search(name)
                and not roles.TRAINING.match(name)
            ),
        )
    )
    found.sort(
        key=lambda item: (
            _is_single(*item),
            re.search("forw|feed|propag|avan", item[0], re.I) is None,
        )
    )
    done, first = "", None
    for name, function in found:
        value, error = attempted(lambda function=function: place.call(function))
        if error is not None:
            first = first or error
            continue
        if not done:
            place.pool.put_forward(place.defined.returned(function), value, place.data)
            done = name
        if is_output(place.pool.output, place.data):
            break
    if not done and first is not None:
        raise first
    return done


def _objects_forward(place: Workplace, back: list[tuple[str, FunctionType]]) -> str:
    """Call the forward pass of the object that functions go back through."""
    for _, function in back:
        for name in inspect.signature(function).parameters:
            owner, _ = attempted(
                lambda function=function, name=name: object_for(
                    place.defined, place.make, place.pool, used(place.defined, function, name)
                )
            )
            if owner is None:
                continue
            place.pool.values[name] = owner
            place.before_forward(place.pool.values)
            went = methods_forward(place, place.defined.methods(owner))
            if went:
                return f"{type(owner).__name__}(...).{went}"
    return ""


def _move_biases(parameters: dict[str, Any]) -> None:
    """Draw biases that are zero: of a sample that reaches no unit, the next ones lie at a kink."""
    for name, one in parameters.items():
        is_zero = type(one) is Watched and one.dtype.kind == "f" and not np.any(np.asarray(one))
        if is_bias(str(name)) and is_zero:
            drawn = np.random.RandomState(len(parameters)).uniform(-0.3, 0.3, one.shape)
            parameters[name] = watch(drawn, "bias")


def backward_by_functions(place: Workplace) -> None:
    """Call the functions of a forward and a backward pass."""
    _start(place)
    for one in place.pool.values.values():
        _move_biases(one if isinstance(one, dict) else {})
    place.before_forward(place.pool.values)
    back = list(
        _named(
            place,
            lambda name: (
                bool(roles.BACKWARD.search(name))
                and not roles.ELEMENTWISE.search(name)
                and not re.match(r"^(model|train|fit|gradient_?descent)", name, re.I)
            ),
        )
    )
    back = [(name, function) for name, function in back if not roles.trains(name, function)]
    if not back:
        raise NoSuchWayError("that goes backward")
    back.sort(
        key=lambda item: (_is_single(*item), re.search("back|retro|grad", item[0], re.I) is None)
    )
    went = _objects_forward(place, back) or _forward(place)
    single = went in place.defined.functions and _is_single(went, place.defined.functions[went])
    if single and any(name.startswith(f"{went} and ") for name, _ in function_pairs(place.defined)):
        raise NoSuchWayError("of a whole network")
    place.before_forward(place.pool.values)
    # Of several, the one that is called like the forward pass goes back through it.
    back.sort(key=lambda item: (_is_single(*item), -_alike(went, item[0])))
    penalised = "decay" in _roles(back[0][1])
    for _, function in _named(place, roles.is_cost):
        if "decay" in _roles(function) and not penalised:
            continue  # the cost of another backward pass
        value, error = attempted(lambda function=function: place.call(function))
        if error is None:
            place.pool.put(place.defined.returned(function), value)
    place.end_forward()
    done, first = "", None
    for name, function in back:
        if done and _is_single(name, function):
            break
        value, error = attempted(lambda function=function: place.call(function))
        if error is not None:
            first = first or error
            continue
        place.put_back(function, value)
        done = done or name
        place.before_forward({n: v for n, v in place.pool.values.items() if _is_leaf(v)})
        if len(_suiting(place)) >= len(_forward_sizes(place)) > 0:
            break
    if not done:
        raise first or NoSuchWayError("that goes backward")
    place.found.words = f"{went or 'nothing forward'}, then {done}"
    if single:
        place.found.alone = went
    if not _suiting(place):
        for _, function in _named(place, lambda name: bool(roles.UPDATING.search(name))):
            attempted(lambda function=function: place.call(function))


def _alike(one: str, other: str) -> int:
    """Return in how many letters two names end alike."""
    pairs = zip(one[::-1], other[::-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _is_leaf(value: object) -> bool:
    return type(value) is Watched and not node_of(value).parents


def _forward_sizes(place: Workplace) -> list[int]:
    return [node.value.size for node in place.candidates.values() if not node.parents]


def _suiting(place: Workplace) -> list[str]:
    """Return the claims so far that have the size of a parameter."""
    sizes = {node.value.size for node in place.candidates.values()}
    both = {**place.left(), **place.returned}
    return [name for name, node in both.items() if node.value.size in sizes]


def with_gradients(defined: Defined) -> Iterator[tuple[str, Callable[[Workplace], None]]]:
    """Yield ways of calling each function that returns a cost and gradients of it together."""
    for name, function in defined.functions.items():
        softmax_alone = roles.ELEMENTWISE.match(name) and not roles.COST.search(name)
        if (
            re.search("check|numer|plot", name, re.I)
            or softmax_alone
            or roles.trains(name, function)
        ):
            continue
        if _returns_both(defined, function) and "vector" not in _roles(function):
            yield f"{name} with gradient", partial(_with_gradient, name=name, function=function)


def _with_gradient(place: Workplace, name: str, function: FunctionType) -> None:
    _start(place)
    own = set(_roles(function)) & {"weight", "parameters", "bias"}
    if not own and not place.candidates:
        if place.data.kind.layout == "sequences":
            raise NoSuchWayError("that takes sequences")
        # A loss, of which the derivative with respect to its input is wanted.
        place.kind = replace(place.data.kind, features=place.data.kind.outputs)
        place.data = Data(place.kind)
        place.pool.output = place.data.inputs
        place.found.alone = name
    elif not {"inputs", "targets", "pairs"} & set(_roles(function)):
        place.found.alone = name  # of weights alone, such as a penalty: a part of a network
    place.claims_from = len(place.defined.tape)
    value = place.call(function)
    place.put_back(function, value)
    place.before_forward({n: v for n, v in place.pool.values.items() if not GRADIENT.match(n)})
    if place.found.alone and not own:
        place.found.parameters["X"] = node_of(place.data.inputs)
    place.found.words = f"{name}({', '.join(inspect.signature(function).parameters)})"


def _returns_both(defined: Defined, function: FunctionType) -> bool:
    told = [name or "" for name in defined.returned(function) or ()]
    if len(told) < 2 or not any(map(GRADIENT.match, told)):
        return False
    costs = any(map(_COST_NAME.match, told)) or roles.COST.search(function.__name__)
    return bool(costs) or function.__name__ == "propagate"


def unrolled(place: Workplace) -> None:
    """Call functions of a flat vector of weights: the cost, and its gradient."""
    found = [
        (name, function)
        for name, function in _named(place, lambda _: True)
        if "vector" in _roles(function) and not roles.TRAINING.search(name)
    ]
    if not found:
        raise NoSuchWayError("that takes a vector of weights")
    theta = drawn_flat(place.data.kind, place.defined.text)
    place.pool.values |= {
        name: theta
        for _, function in found
        for name, role in zip(inspect.signature(function).parameters, _roles(function), strict=True)
        if role == "vector"
    }
    place.found.parameters["theta"] = node_of(theta)
    found.sort(key=lambda item: roles.BACKWARD.search(item[0]) is not None)
    place.claims_from = len(place.defined.tape)
    first, done = None, []
    for name, function in found:
        if not (
            roles.COST.search(name) or roles.BACKWARD.search(name) or roles.FORWARD.search(name)
        ):
            continue
        value, error = attempted(lambda function=function: place.call(function))
        if error is not None:
            first = first or error
            continue
        done.append(name)
        found_here = held(value, "gradient")
        place.returned |= {
            f"{key} of {name}": node
            for key, node in found_here.items()
            if node.value.size == theta.size > 1
        }
    place.found.words = " and ".join(done)
    place.found.adds_penalty = _PENALTY.search(place.defined.text) is not None
    if not place.returned and first is not None:
        raise first
