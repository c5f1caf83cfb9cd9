"""Classes of networks called: trained, or their forward and backward passes one after the other."""

import inspect
import re
from collections import ChainMap, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

from clearprop.gradcheck.seeing.calling.arguments import Arguments, NoArgumentError, NoSuchWayError
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.driven_layers import (
    is_layer,
    layers_or_none,
    loss_classes,
    teaches,
)
from clearprop.gradcheck.seeing.calling.holding import held
from clearprop.gradcheck.seeing.calling.layer_passes import loss_slope, random_upstream
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.materials import ONE_BY_ONE, Data
from clearprop.gradcheck.seeing.calling.roles import (
    BACKWARD,
    CHECKING,
    COST,
    ELEMENTWISE,
    FORWARD,
    TRAINING,
    UPDATING,
    goes_forward,
    is_cost,
    roles_of,
    trains,
)
from clearprop.gradcheck.seeing.calling.workplace import Workplace
from clearprop.gradcheck.seeing.tape import Node

_PREPARING = re.compile(
    r"^_*(compile\w*|build|use|add_?layers?|add|assign\w*|set_?(x|y|data|input|target)\w*|init\w*|set_?loss\w*|set|finali[sz]e\w*|inicial\w*|create\w*)$",
    re.I,
)
_WHOLE = re.compile(r"^_*(backward\w*|back_?prop\w*|gradients?|retro\w*)$", re.I)
_PART = re.compile(r"^_|step|layer|deriv|prime|delta", re.I)
_MOST_CLASSES = 12
_MOST_YIELDS = 60  # rounds of a training that goes on when it is asked to


def candidates(defined: Defined) -> Iterator[tuple[str, type]]:
    """Yield the classes that may be networks, the likeliest first."""
    told: list[tuple[int, str, type]] = []
    for name, one in defined.classes.items():
        methods = [key for key in dir(one) if defined.is_own(getattr(one, key, None))]
        trained_here = teaches(defined, one)
        backward = any(BACKWARD.search(key) for key in methods)
        forward = any(FORWARD.search(key) for key in methods)
        both = any(
            COST.search(key) and returns_gradients(defined, getattr(one, key)) for key in methods
        )
        if inspect.isabstract(one) or not (trained_here or backward or both):
            continue
        if not trained_here and is_layer(defined, one) and not _may_hold_layers(one):
            continue
        network = re.search(r"net|model|mlp|nn|percep|regress|rede?|reseau", name, re.I) is not None
        told.append((-(4 * trained_here + 2 * (backward and forward) + network), name, one))
    for _, name, one in sorted(told, key=lambda item: item[0])[:_MOST_CLASSES]:
        yield name, one


def _may_hold_layers(kind: type) -> bool:
    """Whether a class has a name, or arguments, of what layers are put into."""
    names = [kind.__name__, *inspect.signature(kind).parameters]
    return any(
        re.search(r"net|model|mlp|sequential|rnn|lstm|encoder|layers", one, re.I) for one in names
    )


def _prepared(place: Workplace, kind: type) -> dict[str, Callable[..., Any]]:
    """Make an object, fit the data to its weights, and return its methods."""
    owner = place.make(kind)
    place.owner = owner
    # Some keep their weights in the class.
    place.found.held = ChainMap(getattr(owner, "__dict__", {}), dict(vars(kind)))
    methods = place.defined.methods(owner)
    _add_layers(place, methods)
    for name, method in methods.items():
        if _PREPARING.search(name) and not name.startswith("add"):
            value, error = attempted(lambda method=method: place.call(method))
            if error is None:
                place.pool.put(place.defined.returned(method), value)
    if place.data.kind.layout != "letters":
        place.refit(owner)
    return methods


def _add_layers(place: Workplace, methods: dict[str, Callable[..., Any]]) -> None:
    """Give a container its layers, where it takes them one by one."""
    add = next(
        (methods[name] for name in methods if re.match(r"^(add\w*|append|push)$", name, re.I)), None
    )
    if add is None:
        return
    error: Exception | None = NoSuchWayError()
    for layer in layers_or_none(place):
        _, error = attempted(lambda layer=layer: add(layer))
        if error is not None:
            break
    if error is None:
        return
    for features, units in pairwise(place.data.kind.sizes):
        kind = replace(place.data.kind, features=features, hidden=units, classes=units)
        inner = Arguments(place.defined, Data(kind), place.pool, place.make)
        attempted(lambda inner=inner: inner.call(add, making=True))


def _trainers(methods: dict[str, Callable[..., Any]]) -> list[str]:
    found = [name for name in methods if trains(name, methods[name])]

    def worth(name: str) -> tuple[bool, bool]:
        roles = set(roles_of(list(inspect.signature(methods[name]).parameters)).values())
        takes = bool(roles & {"inputs", "pairs"})
        return not takes, re.match(
            r"^(fit|train|sgd|entren\w*|trein\w*|learn)$", name, re.I
        ) is None

    return sorted(found, key=worth)


def trained(place: Workplace, kind: type) -> None:
    """Make a network and train it."""
    methods = _prepared(place, kind)
    names = _trainers(methods)
    if not names:
        raise NoSuchWayError("that trains")
    names.sort(key=lambda name: methods[name].__qualname__ not in place.defined.wanted)
    place.before_forward(place.found.held)
    first: Exception | None = None
    beginning = held(place.found.held)
    for name in names:
        if re.match("_*update", name, re.I) and len(names) > 1:
            continue
        before = len(place.defined.tape)
        roles = set(roles_of(list(inspect.signature(methods[name]).parameters)).values())
        if not roles & {"inputs", "targets", "pairs", "loader", "epochs"}:
            # It goes back from what was computed before.
            methods_forward(place, methods)
            _cost(place, methods)
        _, error = attempted(lambda name=name: _exhausted(place.call(methods[name])))
        if isinstance(error, NoArgumentError) and place.pool.output is None:
            methods_forward(place, methods)
            _, error = attempted(lambda name=name: _exhausted(place.call(methods[name])))
        takes = ", ".join(inspect.signature(methods[name]).parameters)
        place.found.words = f"{kind.__name__}(...).{name}({takes})"
        moved = name == names[-1] or not beginning.items() <= held(place.found.held).items()
        if len(place.defined.tape) - before > 20 and moved:
            if error is not None:
                raise error
            return
        first = first or error
    if first is not None:
        raise first


def _exhausted(result: Any) -> Any:
    """Let what tells of each epoch, and goes on when asked, train as long as it would."""
    if isinstance(result, Generator):
        deque(islice(result, _MOST_YIELDS), maxlen=0)
    return result


def backward_by_methods(place: Workplace, kind: type) -> None:
    """Make a network, and call its forward pass, its cost and its backward pass."""
    methods = _prepared(place, kind)
    back = [
        name
        for name in methods
        if BACKWARD.search(name)
        and not trains(name, methods[name])
        and not CHECKING.search(name)
        and not ELEMENTWISE.search(name)
    ]
    if not back:
        back = [
            name
            for name in methods
            if COST.search(name) and returns_gradients(place.defined, methods[name])
        ]
    if not back:
        raise NoSuchWayError("that goes backward")
    place.before_forward(place.found.held)
    went = methods_forward(place, methods)
    place.before_forward(place.found.held)
    place.before_forward({kind.__name__: one for kind, one in place.pool.made.items()})
    if not COST.search(back[0]):  # else it comes with the gradients, and would count twice
        _cost(place, methods)
    fixed = _upstream(place, kind)
    if place.claims_from is None:
        place.end_forward()
    first: Exception | None = None
    done = ""
    wanted = [name for name in back if methods[name].__qualname__ in place.defined.wanted]
    for name in sorted(
        wanted or back, key=lambda name: (not _WHOLE.match(name), _PART.search(name) is not None)
    ):
        value, error = attempted(lambda name=name: place.call(methods[name], fixed=fixed))
        if error is not None:
            first = first or error
            continue
        place.put_back(methods[name], value)
        done = done or name
        if place.returned or re.search(r"back|retro|grad", name, re.I):
            break
    if not done:
        raise first or NoSuchWayError("that goes backward")
    place.found.words = f"{kind.__name__}(...).{went or '...'}, then {done}"
    _go_on(place, methods, back[back.index(done) + 1 :])


def _upstream(place: Workplace, kind: type) -> dict[str, Any]:
    """Return the gradient that a backward pass wants from outside, by the name that it has there.

    It is the derivative of the file's own loss, where it has one, or else random.
    """
    if not is_layer(place.defined, kind) or place.pool.output is None:
        return {}
    names = {
        name
        for one in place.defined.methods(place.owner).values()
        for name, role in roles_of(list(inspect.signature(one).parameters)).items()
        if role == "upstream"
    }
    for loss in loss_classes(place.defined):
        slope, error = attempted(
            lambda loss=loss: loss_slope(place, place.make(loss), place.pool.output)
        )
        if error is None and slope is not None:
            return dict.fromkeys(names, slope)
        place.claims_from = place.forward_end = None
    if place.data.kind.rank == ONE_BY_ONE:  # of one sample at a time, a layer alone shows more
        raise NoSuchWayError("that is a network")
    return dict.fromkeys(names, random_upstream(place, place.pool.output))


def _go_on(place: Workplace, methods: dict[str, Callable[..., Any]], back: Sequence[str]) -> None:
    """Call what computes gradients or updates, where the backward pass has left none to look at.

    Parameters
    ----------
    place : Workplace
    methods : dict of str to callable
    back : sequence of str
        Methods that go backward and have not been called.
    """
    updating = [name for name in methods if UPDATING.search(name) and name not in back]
    plain = [name for name in (*back, *updating) if _takes_settings(methods[name])]
    parameters = place.parameters(place.found.since)
    for name in plain:
        if _has_gradients(place, parameters):
            break
        before = held(place.found.held)
        attempted(lambda name=name: place.call(methods[name]))
        now = held(place.found.held)
        if any(now.get(one) is not before.get(one) for one in parameters):
            break  # a step was taken


def _takes_settings(method: Callable[..., Any]) -> bool:
    """Whether a method takes no data, but settings such as a rate at most."""
    roles = roles_of(list(inspect.signature(method).parameters)).values()
    return not {"inputs", "targets", "pairs", "loader", "epochs"} & set(roles)


def _has_gradients(place: Workplace, parameters: Mapping[str, Node]) -> bool:
    """Whether for most parameters there is an array of their shape."""
    left = [node.value.shape for node in (*place.returned.values(), *place.left().values())]
    found = 0
    for node in parameters.values():
        if node.value.shape in left:
            left.remove(node.value.shape)
            found += 1
    return 0 < len(parameters) <= 2 * found


def methods_forward(place: Workplace, methods: dict[str, Callable[..., Any]]) -> str:
    """Call the forward pass of an object, and return its name; empty where there is none."""
    names = [name for name in methods if goes_forward(name) and not TRAINING.search(name)]
    names.sort(key=lambda name: re.search(r"forw|feed|propag|avan", name, re.I) is None)
    for name in names:
        value, error = attempted(lambda name=name: _gone_forward(place, name, methods[name]))
        if error is None and (
            value is not None or re.search(r"forw|fwd|feed|prop|avan|_add$", name, re.I)
        ):
            place.pool.put_forward(place.defined.returned(methods[name]), value, place.data)
            return name
    return ""


def _gone_forward(place: Workplace, name: str, method: Callable[..., Any]) -> Any:
    """Call a forward pass; one that adds an input to a sequence, with every one of several."""
    if not name.endswith("_add"):
        return place.call(method)
    first = next(iter(inspect.signature(method).parameters))
    return [place.call(method, fixed={first: one}) for one in place.data.inputs]


def _cost(place: Workplace, methods: dict[str, Callable[..., Any]]) -> None:
    for name, method in methods.items():
        if is_cost(name):
            value, error = attempted(lambda method=method: place.call(method))
            if error is None:
                place.pool.put(place.defined.returned(method), value)


def returns_gradients(defined: Defined, method: Any) -> bool:
    """Whether a function that computes a cost returns a gradient beside it."""
    names = defined.returned(method) or []
    return len(names) > 1 and any(
        re.match(r"^_?(d|grad|nabla)", name or "", re.I) for name in names
    )
