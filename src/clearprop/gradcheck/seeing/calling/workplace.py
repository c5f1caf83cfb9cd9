"""Where a learner's code is called once: with its data, what calls returned, and what is found."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from clearprop.gradcheck.seeing.arrays import Watched, node_of
from clearprop.gradcheck.seeing.calling.arguments import Arguments, NoArgumentError
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.holding import held, parameters_among
from clearprop.gradcheck.seeing.calling.limits import attempted
from clearprop.gradcheck.seeing.calling.materials import Data, Kind
from clearprop.gradcheck.seeing.calling.pool import Pool
from clearprop.gradcheck.seeing.calling.weights import is_bias
from clearprop.gradcheck.seeing.tape import Node

_OF_ONE_LAYER = 2  # parameters: its weights and its bias
_DEEP = 4  # objects whose constructors want objects
_HISTORY = re.compile(r"(^|\.|_)(d_?[wb]|d[A-Z]|grad|delta|nabla|vel|mom|[mvs]_?d?[wb])", re.I)
_VARIANTS = (0, 2, 4, 1, 3)


@dataclass(eq=False)
class Found:
    """What a way of calling has found.

    Attributes
    ----------
    words : str
        What was called.
    data : str
        What the data are, where they are not of the workplace's kind.
    parameters, claims : dict of str to Node
    cost : Node or None
    held : mapping of str to object
    keeps_claims : bool
        Whether claims count although parameters were updated.
    since : int
        The length of the tape before what counts.
    adds_penalty : bool
        Whether a gradient that is returned takes in, in place, a share of the weights, which looks
        as if weights took a step.
    alone : str
        The layer that was called on its own.
    is_spread : bool
        Whether data of several samples were given to code that wants one, or of several outputs to
        code that has one.
    is_stopped : bool
        Whether a layer failed going back that had gone forward, and only needed a gradient.
    unwatched : tuple of str
        The functions that went back with numbers that are not watched.
    """

    words: str = ""
    data: str = ""
    parameters: dict[str, Node] = field(default_factory=dict)
    claims: dict[str, Node] = field(default_factory=dict)
    cost: Node | None = None
    held: Mapping[str, Any] = field(default_factory=dict)
    keeps_claims: bool = False
    since: int = 0
    adds_penalty: bool = False
    alone: str = ""
    is_spread: bool = False
    is_stopped: bool = False
    unwatched: tuple[str, ...] = ()


class Workplace:
    """Where code is called.

    Parameters
    ----------
    defined : Defined
    kind : Kind
    layers : callable, optional
        A function that makes a chain of layers at a workplace.
    """

    def __init__(
        self,
        defined: Defined,
        kind: Kind,
        layers: Callable[["Workplace"], list[Any]] | None = None,
    ) -> None:
        self.defined, self.kind = defined, kind
        self._layers = layers
        self.data, self.pool, self.found = Data(kind), Pool(), Found()
        self.owner: Any = None
        self.candidates: dict[str, Node] = {}
        self.forward_end: int | None = None
        self.claims_from: int | None = None
        self.returned: dict[str, Node] = {}
        self._making: list[type] = []

    @property
    def arguments(self) -> Arguments:
        """What finds arguments."""
        layers = self._layers
        return Arguments(
            self.defined,
            self.data,
            self.pool,
            self.make,
            None if layers is None else lambda: layers(self),
        )

    def call(self, function: Callable[..., Any], **options: Any) -> Any:
        """Call a function, with whatever fits its arguments.

        Going back, arguments are what the forward pass has made of its own.
        """
        options.setdefault("changing", "unsaid" if self.forward_end is None else "targets")
        return self.arguments.call(function, **options)

    def make(self, kind: type) -> Any:
        """Make an object of a learner's class; the first way that works counts.

        Raises
        ------
        Exception
            That of the first way, if none works.
        """
        if kind in self._making or len(self._making) > _DEEP:
            raise NoArgumentError(kind.__name__)
        self._making.append(kind)
        first: Exception | None = None
        try:
            ways = [(variant, "none") for variant in _VARIANTS]
            for variant, changing in [*ways, (0, "all")] if self.kind.learns else ways:
                made, error = attempted(
                    lambda variant=variant, changing=changing: self.call(
                        kind, making=True, variant=variant, changing=changing
                    )
                )
                if error is None:
                    return made
                first = first or error
        finally:
            self._making.pop()
        assert first is not None  # noqa: S101 - there is a variant
        raise first

    def refit(self, item: Any) -> None:
        """Take data of the sizes that the weights of an object or a dict have.

        Code with sizes of its own, such as 784 inputs and 10 classes, ignores those that it is
        offered.
        """
        matrices = [
            node.value.shape
            for name, node in held(item).items()
            if node.value.ndim == 2
            and not _HISTORY.search(name)
            and (min(node.value.shape) > 1 or not is_bias(name))
        ]
        # What no name tells to be a bias may be one: without it the others make a chain.
        asked = sizes_asked(matrices) or sizes_asked([one for one in matrices if min(one) > 1])
        if asked is None:
            return
        features, outputs = asked
        kind = self.kind
        if features in (kind.features, kind.features + 1) and outputs == kind.outputs:
            return
        if (outputs == 1) != (kind.outputs == 1):
            return
        samples = kind.samples if outputs <= kind.samples else outputs + 2
        self.kind = replace(
            kind, features=features, classes=outputs, samples=samples, hidden=kind.hidden
        )
        self.data = Data(self.kind)

    def put_back(self, function: Any, value: Any) -> None:
        """Take in what a backward function returned: claims."""
        self.pool.put(self.defined.returned(function), value)
        self.returned |= named(value, self.defined, function)

    def before_forward(self, item: Any) -> None:
        """Keep what may be parameters."""
        self.candidates |= {
            name: node for name, node in held(item).items() if node.name != "state"
        }  # what a network begins with is not learned

    def end_forward(self) -> None:
        """Say that the forward pass is over; what comes now may be gradients."""
        self.forward_end = self.claims_from = len(self.defined.tape)

    def left(self) -> dict[str, Node]:
        """Return the arrays that were put into objects and dicts since the forward pass."""
        start = len(self.defined.tape) if self.claims_from is None else self.claims_from
        now = held(self.found.held)
        return {name: node for name, node in now.items() if node.parents and node.place >= start}

    def parameters(self, since: int) -> dict[str, Node]:
        """Return what takes part in the forward pass and was not computed from data, by name."""
        tape = self.defined.tape
        until = len(tape) if self.forward_end is None else self.forward_end
        arrays = () if self.data.kind.layout == "letters" else self.data.arrays
        data = [node_of(one) for one in arrays if type(one) is Watched]
        found = parameters_among(tape, self.candidates, data, since, until)
        if not found:  # the backward pass goes forward itself
            found = parameters_among(tape, self.candidates, data, since, len(tape))
        return found

    def settle(self, since: int) -> None:
        """Sort out parameters and claims when all is done."""
        found = self.found
        found.parameters = {**self.parameters(since), **found.parameters}
        if self.claims_from is None:
            return
        now = held(found.held)
        known = set(found.parameters.values())
        sizes = {node.value.size for node in known}
        left = {name: node for name, node in self.left().items() if name not in found.parameters}
        returned = {
            f"gradient of {name}" if name in found.parameters else name: node
            for name, node in self.returned.items()
        }
        claims = {
            name: node
            for name, node in {**left, **returned}.items()
            if node not in known and node.parents and node.place >= since
        }
        numbers = any(node.value.ndim == 0 for node in known)
        fitting = {
            name: node
            for name, node in claims.items()
            if node.value.size in sizes
            # The cost is a number, too.
            and not (numbers and node.value.ndim == 0 and not _HISTORY.search(name))
        }
        samples = len(self.data.pairs)
        spread = {size * samples for size in sizes} - sizes if samples > 1 else set()
        lacking = sizes - {node.value.size for node in fitting.values()}
        # One gradient a sample, of code that wants one sample at a time.
        found.is_spread = bool(lacking) and (
            any(node.value.size in spread for node in self.returned.values())
            or self._sums_bias(lacking)
        )
        claims = fitting
        moved = [name for name, node in found.parameters.items() if now.get(name, node) is not node]
        if moved and 2 * len(moved) >= len(found.parameters) and not found.keeps_claims:
            claims = {}
        found.claims = {**claims, **found.claims}

    def _sums_bias(self, lacking: set[int]) -> bool:
        """Whether a bias that was drawn here for a single layer gets one number as its gradient."""
        known = self.found.parameters
        return len(known) == _OF_ONE_LAYER and any(
            is_bias(name) and node.name in ("weights", "bias") and node.value.size in lacking
            and (claim := self.returned.get(f"d{name}")) is not None and claim.value.size == 1
            for name, node in known.items()
        )  # fmt: skip


def sizes_asked(matrices: list[tuple[int, ...]]) -> tuple[int, int] | None:
    """Return the inputs and outputs of a chain of matrices; None where they make none."""
    if not matrices:
        return None
    pairs = list(pairwise(matrices))
    if all(a[1] == b[0] for a, b in pairs) and (len(matrices) > 1):
        return matrices[0][0], matrices[-1][1]
    if all(a[0] == b[1] for a, b in pairs) and (len(matrices) > 1):
        return matrices[0][1], matrices[-1][0]
    if len(set(matrices)) == 1:
        return max(matrices[0]), min(matrices[0])
    return None


def named(value: Any, defined: Defined, function: Any) -> dict[str, Node]:
    """Return the arrays in what a function returned, by the names that they have in it."""
    names = defined.returned(function) or []
    parts = defined.lists(function)
    several = isinstance(value, tuple) and len(names) == len(value)
    plain = re.sub(r"^_+", "", getattr(function, "__name__", ""))
    alone = names[0] if len(names) == 1 else None
    found: dict[str, Node] = {}
    pairs = zip(names, value, strict=True) if several else [(alone, value)]
    for place, (name, one) in enumerate(pairs):
        inner = parts.get(name or "", [])
        if isinstance(one, list | tuple) and len(inner) == len(one) > 0:
            for each, part in zip(inner, one, strict=True):
                found |= held(part, each)
        else:
            found |= held(one, name or (f"{function.__name__}[{place}]" if several else plain))
    return found
