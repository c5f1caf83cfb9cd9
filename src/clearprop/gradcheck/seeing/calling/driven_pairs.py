"""Functions of one layer called: its forward pass, and its backward pass with a random gradient."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, node_of, plain, watch
from clearprop.gradcheck.seeing.calling.arguments import NoSuchWayError
from clearprop.gradcheck.seeing.calling.choices import settings
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.roles import Role, role_of, roles_of
from clearprop.gradcheck.seeing.calling.samples import ids_for
from clearprop.gradcheck.seeing.calling.strided import (
    STRIDED,
    larger,
    require_stride,
    stride_in,
    told_with_stride,
)
from clearprop.gradcheck.seeing.calling.usage import used
from clearprop.gradcheck.seeing.calling.workplace import Workplace
from clearprop.gradcheck.seeing.tape import ancestors

_BUNDLES: tuple[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]], ...] = (
    ((6, 4), (4, 3), (3,)), ((6, 4), (4, 3), (1, 3)), ((4, 6), (3, 4), (3, 1)),
    ((2, 2, 5, 5), (3, 2, 3, 3), (3,)), ((2, 5, 5, 2), (3, 3, 2, 3), (1, 1, 1, 3)),
    ((5, 5), (3, 3), (1,)), ((6, 4), (4,), (4,)), ((4, 6), (4, 1), (4, 1)),
    ((2, 4, 3, 3), (4,), (4,)), ((2, 4, 4, 4), (1, 4, 1, 1), (1, 4, 1, 1)),
)  # fmt: skip
"""Shapes of inputs, weights and biases that go together."""

_THERE_AND_BACK = (
    ("forward", "backward"), ("forword", "backword"), ("forward", "backprop"), ("forward", "back"),
    ("fprop", "bprop"), ("fwd", "bwd"), ("fw", "bw"),
)  # fmt: skip
_ROWS = 2  # axes of inputs that are samples of features
_KEPT = 0.5  # of the units that dropout sees
_FEATURES, _STATES, _OUTPUTS, _SAMPLES, _STEPS = 3, 5, 2, 4, 3  # of a recurrent cell


def function_pairs(defined: Defined) -> Iterator[tuple[str, Callable[[Workplace], None]]]:
    """Yield ways of calling functions of one layer: its forward and its backward pass."""
    functions = defined.functions
    for name, forward in functions.items():
        if re.search("model|propagation|test_case", name):
            continue
        for other in _ways_back(functions, name):
            went: list[_Went] = []
            way = partial(_paired, forward=forward, backward=functions[other], went=went)
            yield f"{name} and {other}", way
            if went and went[-1].strides() is not None:
                strided = partial(way, went=[], like=went[-1])
                yield f"{name} and {other}{STRIDED}", partial(told_with_stride, call=strided)


def _ways_back(functions: Mapping[str, Any], forward: str) -> list[str]:
    """Return the functions that go back where another goes forward.

    One with an ending that no forward pass has, as in ``batchnorm_backward_alt``, is another way.
    """
    for there, back in _THERE_AND_BACK:
        stem, found, ending = forward.partition(there)
        others = [one for one in functions if one.startswith(f"{stem}{back}")] if found else []
        exact = f"{stem}{back}{ending}"
        ways = [
            one
            for one in others
            if one == exact
            or (
                one.startswith(exact)
                and f"{stem}{there}{one.removeprefix(stem + back)}" not in functions
            )
        ]
        if ways:
            return ways
    names = (f"{forward}_backward", f"{forward}_back", f"d_{forward}_backward")
    return [next(one for one in names if one in functions)] if set(names) & set(functions) else []


@dataclass(frozen=True)
class _Went:
    """What a layer went forward with.

    Parameters
    ----------
    settings, bundle : dict of str to object
        Its settings, and the arrays that go together.
    output : tuple of int
        The shape of what came of them.
    """

    settings: dict[str, Any]
    bundle: dict[str, Any]
    output: tuple[int, ...]

    def strides(self) -> dict[str, Any] | None:
        """Return the same settings with a stride of 2; None where there is none of 1."""
        for name, one in self.settings.items():
            inner = one if isinstance(one, dict) else self.settings
            key = stride_in(inner if inner is one else [name])
            if key is not None and inner[key] == 1 and len(self.output) > 1:
                return {**self.settings, name: {**one, key: 2} if inner is one else 2}
        return None

    def larger(self) -> dict[str, Any]:
        """Return arrays for steps of 2: the first are pictures, and may need another row."""
        random, first = np.random.RandomState(8), next(iter(self.bundle.values()))
        shapes = {name: np.shape(one) for name, one in self.bundle.items()}
        shapes |= {n: larger(s, self.output) for n, s in shapes.items() if s == first.shape}
        return {name: watch(random.uniform(-1, 1, s), "data") for name, s in shapes.items()}


def _paired(
    place: Workplace,
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    went: list[_Went],
    like: _Went | None = None,
) -> None:
    """Call both; with steps of 2 where it went with steps of 1, which is kept in `went`."""
    first: Exception | None = None
    known = like.strides() if like is not None else None
    known = known or _settings(place.defined, forward)
    asked = inspect.signature(forward).parameters
    every = bundles(place.defined, forward) if like is None else iter([like.larger()])
    for bundle in islice(every, 1) if place.kind.learns else every:
        fixed = {**known, **bundle}
        place.pool.values.clear()
        value, error = attempted(
            lambda fixed=fixed: place.call(forward, fixed=fixed, changing="all")
        )
        if error is None:
            fixed |= {name: one for name, one in place.pool.values.items() if name in asked}
            break
        first = first or error
    else:
        raise first or NoSuchWayError("that goes forward")
    output = value[0] if isinstance(value, tuple) and value else value
    if like is not None:
        require_stride(like.output, output)
    elif type(output) is Watched and output.ndim > 1:
        went.append(_Went(known, bundle, output.shape))
    place.pool.put(place.defined.returned(forward), value)
    place.pool.forwarded, place.pool.output = value, output
    asked = inspect.signature(backward).parameters
    given = {name: one for name, one in fixed.items() if name in asked}
    upstream = {} if len(given) == len(asked) else _upstreams(place, backward, given)
    whole = output.sum() if type(output) is Watched else None
    weighed = _weighed(output) if type(output) is Watched else None
    place.end_forward()
    value = place.call(backward, fixed={**given, **upstream})
    double = {name: 2 * one for name, one in upstream.items()}
    if not upstream or _is_same(value, place.call(backward, fixed={**given, **double})):
        # It is the derivative itself, which whoever calls it multiplies.
        if set(upstream) <= set(given):  # what seemed to be a gradient is what goes in
            value = place.call(backward, fixed=given)
        if weighed is not None and _is_jacobian(value, output):
            place.found.cost = node_of(weighed[1])
            place.returned |= _through(value, weighed[0], next(iter(fixed)))
        elif whole is not None and output.size == 1 and not upstream:
            place.found.cost = node_of(output)
        elif whole is None or not _is_by_entry(place, forward, fixed, output):
            raise NoSuchWayError("whose derivative is an array")
        else:
            place.found.cost = node_of(whole)
    place.put_back(backward, value)
    arrays = {name: one for name, one in fixed.items() if type(one) is Watched}
    for one in fixed.values():
        inner = one if isinstance(one, dict) else {}
        arrays |= {name: each for name, each in inner.items() if type(each) is Watched}
    nodes = {name: node_of(one) for name, one in arrays.items()}
    behind = ancestors([place.found.cost] if place.found.cost is not None else [])
    roles = roles_of(list(inspect.signature(forward).parameters))
    if any(roles.get(name) == "inputs" and node not in behind for name, node in nodes.items()):
        raise NoSuchWayError("whose output is seen to come of its input")
    place.found.parameters |= {name: node for name, node in nodes.items() if node in behind}
    place.found.claims |= place.returned
    place.found.alone = backward.__name__
    place.found.words = f"{forward.__name__}, then {backward.__name__}"
    shapes = [f"{name} of shape {one.shape}" for name, one in arrays.items()]
    place.found.data = ", ".join(shapes[:3])


def _is_same(one: Any, other: Any) -> bool:
    both = type(one) is Watched is type(other)
    return both and one.shape == other.shape and bool(np.all(plain(one) == plain(other)))


def _weighed(output: Watched) -> tuple[Any, Any]:
    """Return random factors of outputs, and the sum of these times their factors."""
    drawn = watch(np.random.RandomState(9).uniform(0.1, 1, output.shape), "upstream")
    factors = drawn + 0 * output  # so that what comes of them is seen
    return factors, (output * factors).sum()


def _is_jacobian(value: Any, output: Watched) -> bool:
    """Whether there is a matrix of derivatives for each sample."""
    shape = (*output.shape, output.shape[-1]) if output.ndim == _ROWS else None
    return type(value) is Watched and value.shape == shape


def _through(jacobian: Watched, factors: Any, name: str) -> dict[str, Any]:
    """Return what a matrix of derivatives makes of factors of outputs, for an input of a name.

    Of one that is not symmetric it is not known which of its axes is that of outputs.
    """
    ways = {f"d{name}": jacobian, "by rows": jacobian.swapaxes(1, 2)}
    if _is_same(*ways.values()):
        del ways["by rows"]
    return {way: node_of((factors[:, :, None] * one).sum(axis=1)) for way, one in ways.items()}


def _is_by_entry(
    place: Workplace, forward: Callable[..., Any], fixed: Mapping[str, Any], output: Watched
) -> bool:
    """Whether a function computes every entry of its output from one entry of its input."""
    (name, inputs), *others = fixed.items()
    if others or type(inputs) is not Watched or inputs.shape != output.shape:
        return False
    for part in (np.s_[:1], np.s_[:, :1]):
        value, error = attempted(lambda part=part: place.call(forward, fixed={name: inputs[part]}))
        if error is not None or not _is_same(value, output[part]):
            return False
    return True


def _settings(defined: Defined, forward: Callable[..., Any]) -> dict[str, Any]:
    """Return the settings of a layer, where some units are dropped: without, nothing is seen."""
    asked = inspect.signature(forward).parameters
    found: dict[str, Any] = {}
    for name, role in roles_of(list(asked)).items():
        if role == "settings":
            found[name] = settings(defined, forward, name)
            found[name] |= {key: _KEPT for key in ("p", "dropout") if key in found[name]}
        elif role in ("keep", "drop") and asked[name].default is inspect.Parameter.empty:
            found[name] = _KEPT
        elif re.match(r"^(g|groups|n_?groups|num_?groups)$", name, re.I):
            found[name] = 2
        elif stride_in([name]) and asked[name].default in (1, inspect.Parameter.empty):
            found[name] = 1
    return found


def bundles(defined: Defined, forward: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """Yield arguments of a function of one layer that go together."""
    roles = roles_of(list(inspect.signature(forward).parameters))
    ids = [name for name in roles if used(defined, forward, name).is_index]
    if "parameters" in roles.values():
        yield _of_cell(defined, forward, roles)
    for shapes in _BUNDLES:
        if shapes[2] == (1,) and "weight" not in roles.values():
            continue  # one number for all is a bias of a kernel
        random = np.random.RandomState(8)
        drawn = [partial(random.uniform, -1, 1, shape) for shape in shapes]
        fixed: dict[str, Any] = {}
        has_inputs = bool(ids)
        for name, role in roles.items():
            if name in ids:
                fixed[name] = ids_for(shapes[0][0], shapes[1][0], name)
                continue
            place = {"inputs": 0, "outputs": 0, "weight": 1, "bias": 2}.get(role or "")
            place = 0 if re.match(r"^z$|^a(_?prev)?$", name, re.I) else place
            if place is not None:  # each its own, so that they are told apart
                fixed[name] = watch(drawn[place](), "data")
                has_inputs |= place == 0
        if not has_inputs:
            free = [name for name in roles if name not in fixed and roles[name] != "settings"]
            fixed |= {name: watch(drawn[0](), "data") for name in free[:1]}
        yield fixed


def _of_cell(
    defined: Defined, forward: Callable[..., Any], roles: Mapping[str, Role | None]
) -> dict[str, Any]:
    """Return arguments of a recurrent cell, or of a sequence of them, as a course has them."""
    random = np.random.RandomState(8)

    def drawn(*shape: int) -> Any:
        return watch(random.uniform(-1, 1, shape), "data")

    family = forward.__name__.split("_")[0]
    keys: dict[str, None] = {}
    for name, function in defined.functions.items():
        for argument in inspect.signature(function).parameters if family in name else ():
            keys |= dict.fromkeys(defined.keys(function, argument))
    both = _STATES + _FEATURES
    shapes: dict[str, tuple[int, int]] = {
        "Wax": (_STATES, _FEATURES),
        "Waa": (_STATES, _STATES),
        "ba": (_STATES, 1),
        **dict.fromkeys(("Wya", "Wy"), (_OUTPUTS, _STATES)),
        **{f"W{gate}": (_STATES, both) for gate in "fiuco"},
        **{f"b{gate}": (_STATES, 1) for gate in "fiuco"},
        "by": (_OUTPUTS, 1),
    }
    fixed: dict[str, Any] = {}
    for name, role in roles.items():
        if role == "parameters":
            fixed[name] = {key: drawn(*shapes[key]) for key in keys if key in shapes}
        elif re.match(r"^x_?t$", name, re.I):
            fixed[name] = drawn(_FEATURES, _SAMPLES)
        elif re.match(r"^x$", name, re.I):
            fixed[name] = drawn(_FEATURES, _SAMPLES, _STEPS)
        elif re.match(r"^[ach]_?(0|prev)$", name, re.I):
            fixed[name] = drawn(_STATES, _SAMPLES)
    return fixed


def _upstreams(
    place: Workplace, backward: Callable[..., Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Draw a gradient for each output that the backward pass wants one of.

    The cost is the sum of all outputs times their gradients.
    """
    asked = list(inspect.signature(backward).parameters)
    wanted = [name for name in asked if re.match(r"^_?d_?[a-z]", name, re.I)]
    if not wanted and (free := [name for name in asked if name not in given]) != asked:
        wanted = [name for name in free if role_of(name) != "cache"]
        if not wanted:
            return {}  # a cost, of which nothing comes from outside
    wanted = wanted or asked[:1]
    random, cost = np.random.RandomState(9), None
    found: dict[str, Any] = {}
    for name in wanted:
        output = place.pool.find(re.sub(r"^_?d_?", "", name))
        if type(output) is not Watched:
            output = place.pool.output if not found else None
        if type(output) is not Watched:
            continue
        drawn = watch(0.1 * random.randn(*output.shape), "upstream")
        found[name] = drawn + 0 * output  # so that a step that comes of it is seen
        part = (output * found[name]).sum()
        cost = part if cost is None else cost + part
    if cost is None:
        raise NoSuchWayError("that returns an array")
    place.found.cost = node_of(cost)
    return found
