"""The cost whose derivatives gradients should be: computed by the code, or usual at its outputs."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.judging.episodes import Episode
from clearprop.gradcheck.seeing.judging.meetings import Meeting, added, meetings
from clearprop.gradcheck.seeing.judging.weighted import weights_of
from clearprop.gradcheck.seeing.tape import Line, Node, ancestors

_NAMED = re.compile(
    r"cost|loss|(?-i:\bJ\b|\bE\b)|error|\bmse\b|entropy|objective|likelihood|\berr\b|nll|\bsse\b"
    r"|co[uû]t|perte|erreur|costo|p[eé]rdida|custo|perda|kosten|fehler|verlust|costo|errore"
    r"|损失|損失|代价|代價|误差|誤差|コスト|손실|비용|오차|потер|ошибк|стоимост|штраф",
    re.IGNORECASE,
)
"""Words that costs go by, in the languages that learners write."""

_COSTS = re.compile(
    r"cost|loss|(?-i:\bJ\b|\bE\b)|\bmse\b|entropy|objective|likelihood|nll|\bsse\b"
    r"|co[uû]t|perte|costo|p[eé]rdida|custo|perda|kosten|verlust"
    r"|损失|損失|代价|代價|コスト|손실|비용|потер|стоимост",
    re.IGNORECASE,
)
"""Those of them that name nothing else, as an error may be the difference to a target."""

_DERIVATIVE = re.compile(
    r"\bd_?(cost|loss|err|j\b|e\b)|_d\b|deriv|prime|grad|delta|back|导数|梯度|производн|градиент",
    re.IGNORECASE,
)
"""Words that derivatives of costs go by."""

_MAXIMISED = re.compile(r"likelihood|\bll\b|reward|score|fitness|vraisemblance", re.IGNORECASE)

_ABSOLUTE = frozenset(("absolute", "fabs"))
_BENT = frozenset(("minimum", "power", "square", "where"))
_EVEN = frozenset(
    (
        *("add", "add.reduce", "array", "divide", "getitem", "mean", "multiply", "negative"),
        *("ravel", "reshape", "sqrt", "squeeze", "subtract", "sum"),
    )
)
"""Operations by which a number is made of absolute values, and still watches alone."""

_MOST_SITES = 30
_SATURATED = 1e-10  # a * (1 - a) of an output a of which too few digits are left
_EPSILON = 1e-4  # what is added to the argument of a logarithm is less
_BLURRED = 500  # times an epsilon, of which it is a share that can be told from none
_UNNAMED = 6  # numbers that go by no such word, and may be the cost all the same


@dataclass(frozen=True)
class Cost:
    """A cost that gradients may be of.

    Parameters
    ----------
    words : str
        What it is called: ``the cost in line 12``, ``cross-entropy``.
    seeds : mapping of Node to ndarray
        The derivative of the cost with respect to each of these.
    is_named : bool
        Whether the code calls it a cost.
    is_computed : bool
        Whether the code computes it.
    is_maximised : bool
        Whether its name says that more of it is better.
    is_watched : bool
        Whether it may be there to be looked at alone: it is called an error, or takes absolute
        values.
    is_summed : bool
        Whether outputs and targets are added, where their difference is meant.
    """

    words: str
    seeds: Mapping[Node, Array]
    is_named: bool
    is_computed: bool
    is_maximised: bool = False
    is_watched: bool = False
    is_summed: bool = False

    @property
    def line(self) -> Line | None:
        """The line that computes it."""
        return list(self.seeds)[-1].line


def costs(
    episode: Episode, reached: set[Node], text: Callable[[Line], str], until: int
) -> Iterator[Cost]:
    """Find what may be the cost of an episode, the likeliest first.

    Parameters
    ----------
    episode : Episode
    reached : set of Node
        All that was computed from the parameters before their update.
    text : callable
        A function that gives the text of a line.
    until : int
        The place on the tape where the next forward pass begins.
    """
    last = max(update.result.place for update in episode.updates)
    in_order = sorted((one for one in reached if one.place < until), key=lambda node: node.place)
    # A number that gradients are made of, such as the error of one output, is no cost.
    made_of = ancestors((update.step for update in episode.updates), reached)
    computed = list(_computed(episode, [one for one in in_order if one not in made_of], text))
    blurred = [one for one in computed if _is_blurred(one, reached)]
    yield from (one for one in computed if one not in blurred)
    yield from _with_penalties([one for one in computed if one.is_named], set(episode.roots))
    backwards = [node for node in in_order if node.place <= last]
    met = meetings(backwards, reached)
    weights = weights_of(met, [node for node in backwards if node in made_of], reached)
    if weights:
        for times in (weights, {at: -one for at, one in weights.items()}):
            yield from usual(met, weights=times)
    elif met:
        yield from usual(met)
        shape = met[-1].output.value.shape
        if any(node.name in _BOUNDS and node.value.shape == shape for node in made_of):
            yield from usual(met, _BOUNDED)
    else:
        sums = added([node for node in backwards if node in made_of], reached)
        yield from (replace(one, is_summed=True) for one in usual(sums))
    yield from blurred


def _is_blurred(cost: Cost, reached: set[Node]) -> bool:
    """Whether an epsilon in a logarithm counts as much as what it is added to, or bounds it."""
    for node in ancestors(cost.seeds, reached):
        inner = node.parents[0] if node.name == "log" and node.parents else None
        if inner is None or inner.name not in ("add", "clip", "maximum"):
            continue
        numbers = [float(one) for one in inner.args if isinstance(one, int | float)]
        tiny = [one for one in numbers if 0 < one < _EPSILON]
        if tiny and np.any(inner.value < _BLURRED * max(tiny)):
            return True
    return False


def _with_penalties(named: Sequence[Cost], roots: set[Node]) -> Iterator[Cost]:
    """Yield costs and what the code computes beside them of the parameters alone: L2, L1."""
    penalties = [one for one in named if _is_penalty(one, roots)]
    used = {parent for one in named for seed in one.seeds for parent in seed.parents}
    below = ancestors(used)
    # Computed for several data of the same parameters, each has one value, and counts once.
    single = sorted({seed for one in penalties for seed in one.seeds}, key=lambda one: one.place)
    last = {seed.value.tobytes(): seed for seed in single}
    terms = [seed for seed in last.values() if seed not in below]
    if not terms:
        return
    lines = dict.fromkeys(seed.line.number for seed in terms if seed.line is not None)
    words = f" with the penalty in line {', '.join(map(str, lines))}"
    for cost in named:
        if cost not in penalties and ancestors(cost.seeds).isdisjoint(terms):
            ones = {seed: np.ones(seed.value.shape) for seed in terms}
            yield replace(cost, words=cost.words + words, seeds=ones | dict(cost.seeds))


def _is_penalty(cost: Cost, roots: set[Node]) -> bool:
    """Whether a cost is made of parameters and numbers, and no data."""
    stack, seen = list(cost.seeds), set[Node]()
    while stack:
        node = stack.pop()
        if node in seen or node in roots:
            continue
        seen.add(node)
        if node.value.size > 1 and not node.parents:
            return False
        stack.extend(node.parents)
    return True


def _computed(
    episode: Episode, in_order: Sequence[Node], text: Callable[[Line], str]
) -> Iterator[Cost]:
    """Yield the single numbers that the code computes, of which each line is one cost."""
    roots = set(episode.roots)
    sites: dict[object, list[Node]] = {}
    for node in in_order:
        if (
            node.value.size != 1
            or not node.is_float
            or node in roots
            or node.name in ("getitem", "reshape")
        ):
            continue
        sites.setdefault((node.line and (node.line.file, node.line.number), node.name), []).append(
            node
        )
    single = {node for nodes in sites.values() for node in nodes}
    inner = {
        parent
        for node in single
        for parent in node.parents
        if parent in single
        and parent.line is not None
        and node.line is not None
        and (parent.line.file, parent.line.number) == (node.line.file, node.line.number)
    }
    whole = [[node for node in nodes if node not in inner] for nodes in sites.values()]
    # In a function that is called a cost, only what goes by no better name is one.
    direct = {_function(nodes[-1]) for nodes in whole if nodes and _is_named(nodes[-1], text, 0)}
    told = [
        (
            _is_named(nodes[-1], text, 0 if _function(nodes[-1]) in direct else 2),
            nodes[-1].place,
            nodes,
        )
        for nodes in whole
        if nodes
    ]
    told.sort(key=lambda one: (not one[0], -one[1]))
    unnamed = [one for one in told if not one[0]]
    for is_named, _, nodes in (
        *told[: len(told) - len(unnamed)][:_MOST_SITES],
        *unnamed[:_UNNAMED],
    ):
        line = nodes[-1].line
        words = "the cost" if line is None else f"the cost in line {line.number}"
        more = bool(_MAXIMISED.search(text(line))) if line is not None else False
        watched = not _is_named(nodes[-1], text, 2, _COSTS) or _takes_absolute(nodes[-1])
        ones = {node: np.ones(node.value.shape) for node in nodes}
        if len(nodes) > 1 and _adds_up(nodes):
            yield Cost(words, {nodes[-1]: ones[nodes[-1]]}, is_named, True, more, watched)
            continue
        yield Cost(words, ones, is_named, True, more, watched)
        if len(nodes) > 1:
            yield Cost(words, {nodes[-1]: ones[nodes[-1]]}, is_named, True, more, watched)
            yield Cost(words, {nodes[0]: ones[nodes[0]]}, is_named, True, more, watched)


def _adds_up(nodes: Sequence[Node]) -> bool:
    """Whether each of several numbers is made of the one before: a sum in a loop."""
    stack, first = [nodes[-1]], nodes[-2].place
    seen: set[Node] = set()
    while stack:
        node = stack.pop()
        if node is nodes[-2]:
            return True
        if node not in seen and node.place > first:
            seen.add(node)
            stack.extend(node.parents)
    return False


def _takes_absolute(node: Node) -> bool:
    """Whether a number is a mean or a sum of absolute values, and of no squares beside them."""
    stack, seen, found = [node], set[Node](), False
    while stack:
        one = stack.pop()
        if one in seen:
            continue
        seen.add(one)
        found = found or one.name in _ABSOLUTE
        if one.name in _BENT or one.args[:1] == one.args[1:2]:
            return False
        if one.name in _EVEN:
            stack.extend(one.parents)
    return found


def _is_named(
    node: Node, text: Callable[[Line], str], callers: int, words: re.Pattern[str] = _NAMED
) -> bool:
    """Whether what a number is assigned to, or a function that it stands in, is called a cost.

    `callers` is the number of functions, from the inside out, whose names count.
    """
    whole = text(node.lines[0]) if node.lines else ""
    assigned = re.match(r"[^=(]*(?=[-+*/]?=(?!=))", whole)
    told = [whole if assigned is None else assigned[0]]
    told += [one.function for one in node.lines[:callers]]
    return any(words.search(one) and not _DERIVATIVE.search(one) for one in told)


def _function(node: Node) -> object:
    return node.line and (node.line.file, node.line.code.co_qualname)


def _is_probability(array: Array) -> bool:
    return bool(np.all((array >= 0) & (array <= 1)))


def _squared(output: Array, target: Array) -> Array | None:
    return output - target


def _binary(output: Array, target: Array) -> Array | None:
    slope = output * (1 - output)
    if not _is_probability(output) or slope.min(initial=1.0) < _SATURATED:
        return None
    return (output - target) / slope


def _categorical(output: Array, target: Array) -> Array | None:
    if not _is_probability(output) or np.any(output[target != 0] == 0):
        return None
    return -target / np.where(output == 0, 1, output)


def _absolute(output: Array, target: Array) -> Array | None:
    return np.sign(output - target)


def _huber(output: Array, target: Array) -> Array | None:
    return np.clip(output - target, -1.0, 1.0)


Derivative: TypeAlias = Callable[[Array, Array], Array | None]

_USUAL: dict[str, Derivative] = {
    "squared error": _squared,
    "binary cross-entropy": _binary,
    "cross-entropy": _categorical,
}
"""The derivatives of the usual costs with respect to the output, but for a common factor."""

_BOUNDED: dict[str, Derivative] = {"absolute error": _absolute, "Huber loss": _huber}
"""Those of the costs whose derivatives are bounded by signs, comparisons or clipping."""

_BOUNDS = frozenset(("absolute", "clip", "greater", "less", "less_equal", "maximum", "sign"))


def usual(
    met: Sequence[Meeting],
    kinds: Mapping[str, Derivative] = MappingProxyType(_USUAL),
    weights: Mapping[Node, Array] = MappingProxyType({}),
) -> Iterator[Cost]:
    """Make the usual costs of outputs and their targets, those of a line together.

    `weights` are those of the samples, by the node where output and target meet.
    """
    sites: dict[object, dict[Node, Meeting]] = {}
    for meeting in met:
        line = meeting.at.line
        key = (line and (line.file, line.number), meeting.at.name, meeting.output.value.shape)
        sites.setdefault(key, {}).setdefault(meeting.output, meeting)
    for together in sites.values():
        if weights and any(one.at not in weights for one in together.values()):
            continue
        for words, derivative in kinds.items():
            with np.errstate(all="ignore"):
                seeds = {
                    node: derivative(node.value.astype(np.float64), one.target)
                    for node, one in together.items()
                }
            known = {
                node: seed * weights.get(together[node].at, 1.0)
                for node, seed in seeds.items()
                if seed is not None
            }
            if len(known) < len(seeds):
                continue
            if weights:
                # Their signs are the code's own: they may well lead up.
                yield Cost(f"{words}, each sample times its weight", known, False, False, True)
                continue
            yield Cost(words, known, False, False)
            if len(known) > 1:
                last = max(known, key=lambda node: node.place)
                first = min(known, key=lambda node: node.place)
                yield Cost(words, {last: known[last]}, False, False)
                yield Cost(words, {first: known[first]}, False, False)
