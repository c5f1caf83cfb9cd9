"""The line at fault: the one whose change of one token makes wrong gradients right."""

import ast
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import chain
from types import CodeType

import numpy as np

from clearprop.gradcheck.seeing.judging import omissions, slips
from clearprop.gradcheck.seeing.judging.blame import Trail, same_line
from clearprop.gradcheck.seeing.judging.changes import Change, Expression, tokens_of
from clearprop.gradcheck.seeing.judging.functions import functions
from clearprop.gradcheck.seeing.judging.handing import dropped, handed_on, passed_through, renamed
from clearprop.gradcheck.seeing.judging.judgement import CLOSE, Gradient, fitted
from clearprop.gradcheck.seeing.judging.rewriting import Bench, Site, Standing, Trial
from clearprop.gradcheck.seeing.judging.scope import Scope
from clearprop.gradcheck.seeing.judging.source import Source, over
from clearprop.gradcheck.seeing.judging.stale import updated
from clearprop.gradcheck.seeing.tape import Line, Node, Tape, computed, within

_SECONDS = 6.0  # for the search
_MOST_NUMBERS = 8  # of the file, that are tried in the place of another
_UNTOLD = 6.0  # tokens that a change counts as whose text can't be told
_UPDATED = 0.5  # the same for a parameter as it was: nothing else gives the very same by chance
_FACTOR, _EXACT = 2.0, 1e-3  # tokens more where a factor of all gradients is left
_RETURNED = 2.0  # tokens that a derivative that a function returns, or should, counts as at most
_UNUSUAL = {"slope_incomplete": 0.3, "wrong_pair": 0.1}  # tokens more that they count as
_NEAR = 2.0  # tokens: a change by fewer ends the search
_MOST_TOLD = 30  # changes that are written out to see whether one is near
_DEPTH = 3  # of functions within each other whose arguments are exchanged
_CLEAR = 4.0  # tokens: changes by fewer are two mistakes, if together they mend all
_MOST_FURTHER = 2  # mistakes that are told beside the first
_RATE = 0.9  # tokens that a rate counts as which all other steps have
_DISTURBED = 0.05  # tokens more where a right gradient changes, too
_SIMPLE = 5  # stages of changes that are all tried before one of them is chosen
_DESCENT = 2.0  # the same where a step that goes down would go up
_UPDATE = 1.0  # tokens more that a change of an update counts as, which all gradients share
_SETTLED = 2.0  # the same for a factor of what is a derivative already, as a whole
_FACTORS = ("bias_averaged", "factor", "factor_two", "mean_missing", "mean_twice")


@dataclass(frozen=True)
class Repair:
    """A change of one line by which gradients become right.

    Parameters
    ----------
    cause : str
        A key of `CAUSES`.
    node : Node
        What the expression that changes computed.
    file : str
    number : int
        The number of the line.
    line : str or None
        The line as it should be; None where its text can't be told.
    why : str
        A sentence.
    mended : int
        The number of gradients that become right.
    is_whole : bool
        Whether all are right then, with the changes of other lines.
    distance : float
        How much of the text changes: the number of tokens, and a little for what is unusual.
    parameters, touched : tuple of Node
        Those whose gradients become right, and all whose gradients change.
    further : tuple of Repair
        Changes of other lines, for the gradients that stay wrong: other mistakes.
    """

    cause: str
    node: Node
    file: str
    number: int
    line: str | None
    why: str
    mended: int
    is_whole: bool
    distance: float
    parameters: tuple[Node, ...] = ()
    further: "tuple[Repair, ...]" = ()
    touched: tuple[Node, ...] = ()


@dataclass(frozen=True)
class _Found:
    standing: Standing
    change: Change
    site: Site
    stage: int
    calls: int
    """The number of places from which the function of the expression was called."""
    is_shared: bool
    """Whether all gradients change with it."""
    touched: frozenset[int]

    @property
    def node(self) -> Node:
        """What the expression computed the first time."""
        return self.site.first


def find_repairs(tape: Tape, trail: Trail, source: Source) -> list[Repair]:
    """Try small changes of every expression on the way back, and return those that mend.

    Parameters
    ----------
    tape : Tape
    trail : Trail
    source : Source

    Returns
    -------
    list of Repair
        The likeliest first: those that make most gradients right and change least of the text.
    """
    bench = Bench(trail)
    if not bench.claims:
        return []
    search = _Search(bench, source, tape)
    found = search.run()
    if not found:
        return []
    most = max(len(one.standing.right) for one in found)
    best = [one for one in found if len(one.standing.right) == most]
    first, *others = _ranked(search, best)
    first = search.where_it_is_called(first[1]) or first
    further, mended = list[Repair](), set(first[1].standing.right)
    chosen = [first[1]]
    while len(further) < _MOST_FURTHER:
        more = max((len(one.standing.right - mended) for one in found), default=0)
        left = [one for one in found if len(one.standing.right - mended) == more > 0]
        if not left:
            break
        told, one = _ranked(search, left)[0]
        near = max(told.distance, first[0].distance) < _CLEAR
        same = one.change.cause == first[1].change.cause and told.distance == first[0].distance
        if not (near or same):  # or else the same mistake in two lines
            break
        chosen.append(one)
        after = mended | one.standing.right | search.together(chosen)
        further.append(search.repair(told, one, frozenset(mended), frozenset(after)))
        mended = after
    whole = search.repair(*first)
    if len(mended) == len(bench.claims):  # else what is left may be the same mistake
        whole = replace(whole, further=tuple(further), is_whole=True)
    elif all(bench.claims[k].gradient.truth.size == 1 for k in mended - bench.now.right):
        return []  # a single number is mended by chance
    return [whole, *(search.repair(*one) for one in others)]


def _ranked(search: "_Search", found: Sequence[_Found]) -> "list[tuple[_Told, _Found]]":
    return sorted(
        ((search.told(one), one) for one in found),
        key=lambda pair: (
            pair[0].distance
            + _DISTURBED * (not search.bench.now.right.isdisjoint(pair[1].touched)),
            pair[1].calls,
            # Of several that are right but for a factor, it is missing after the last.
            pair[1].node.place * (-1 if search.is_settled(pair[1]) else 1),
            pair[0].letters,
        ),
    )


@dataclass(frozen=True)
class _Told:
    """A change in words."""

    file: str
    number: int
    line: str | None
    distance: float
    letters: float = 0.0


class _Search:
    def __init__(self, bench: Bench, source: Source, tape: Tape) -> None:
        self.bench, self.source = bench, source
        judgement = bench.trail.judgement
        first = min(root.place for root in judgement.episode.roots)
        last = max(node.place for claim in bench.claims for node in claim.nodes)
        self.scope = Scope(tape.nodes[first : last + 1], source, judgement)
        self.results = {one.result for claim in bench.claims for one in claim.updates}
        self.steps = [one.step for one in judgement.episode.updates]
        self.updating = self.results | {
            one for result in self.results for one in result.parents if same_line(one, result)
        }
        self.roots = [claim.gradient.parameter for claim in self.bench.claims]
        # Gradients that are returned, of a cost that is computed, rarely have a factor.
        is_exact = judgement.cost.is_computed and not self.results
        self.factor = 1.0 if is_exact else abs(judgement.factor or 0.0)
        self.scales = omissions.scales(bench.trail, source)
        named = {float(one.value) for one in self.scales if np.size(one.value) == 1}
        numbers = (one for one in source.numbers() if one not in named)
        self.numbers = list(dict.fromkeys(numbers))[:_MOST_NUMBERS]
        self.takers = {of: one for one in bench.needed for of in one.parents if same_line(one, of)}
        self.known = set(bench.needed) | set(tape.nodes[:first])
        self.end = time.monotonic() + _SECONDS

    def run(self) -> list[_Found]:
        """Return the changes that mend most, of the simplest kind that mends all."""
        sites = self.bench.sites()
        trials = [(site, self.bench.trial(site)) for site in sites]
        known = len(self.bench.claims)
        found: list[_Found] = []
        stages: list[Callable[[Site], Iterator[Change]]] = [
            lambda site: updated(self.bench, site),
            lambda site: slips.signs(self._expression(site)),
            lambda site: slips.sums(self._expression(site)),
            lambda site: slips.parts(self._expression(site)),
            lambda site: omissions.rates(self._expression(site), self.steps),
            lambda site: slips.others(self._expression(site)),
            lambda site: omissions.factors(self._expression(site)),
            lambda site: omissions.scaled(self._expression(site), self.scales),
            lambda site: omissions.slopes(self._expression(site)),
            lambda site: omissions.whole(self._expression(site), self._back(site)),
            lambda site: omissions.penalties(self._expression(site), self._of(site)),
            lambda site: omissions.shares(self._expression(site), self.roots),
            lambda site: omissions.summands(self._expression(site)),
        ]
        for number, stage in enumerate(stages):
            for site, trial in trials:
                found += self._tried(site, trial, stage(site), number)
            if number < _SIMPLE:
                continue
            if number == _SIMPLE:
                bench, source, scope = self.bench, self.source, self.scope
                for site, change in chain(
                    self._arguments(),
                    functions(bench, source, self.numbers),
                    handed_on(bench, source, scope),
                    dropped(bench, source, scope),
                    renamed(bench, source, scope, self.numbers),
                    passed_through(bench, source, scope, self.numbers),
                ):
                    found += self._tried(site, self.bench.trial(site), iter((change,)), number)
            whole = [one for one in found if len(one.standing.right) == known]
            near = any(self.told(one).distance < _NEAR for one in whole[:_MOST_TOLD])
            if near or time.monotonic() > self.end:
                return whole or found
        return found

    def _tried(
        self, site: Site, trial: Trial, changes: Iterator[Change], stage: int
    ) -> Iterator[_Found]:
        now = self.bench.now
        callers = [line for node in site.nodes for line in node.lines[1:2]]
        for change in changes:
            if time.monotonic() > self.end:
                return
            if not set(change.reads).issubset(self.known):
                after = self.bench.trial(site, change.reads)(change.make)
            else:
                after = trial(change.make)
            if after is not None and len(after.right) > len(now.right):
                calls = {(line.code, line.instruction) for line in callers}
                shared = 1 < len(self.bench.claims) == len(trial.touched)
                yield _Found(after, change, site, stage, len(calls), shared, trial.touched)

    def together(self, some: Sequence[_Found]) -> frozenset[int]:
        """Return the gradients that are right with several changes: some need more than one."""
        makes = {node: one.change.make for one in some for node in one.site.nodes}
        nodes = tuple(sorted(makes, key=lambda node: node.place))
        reads = [node for one in some for node in one.change.reads]
        if len(nodes) < sum(len(one.site.nodes) for one in some):
            return frozenset()
        trial = self.bench.trial(Site(nodes), reads)
        after = trial(lambda node, value_of: makes[node](node, value_of))
        return frozenset() if after is None else after.right

    def _expression(self, site: Site) -> Expression:
        return Expression(site, self.source, self.scope, self.numbers, self._sizes(site))

    def _of(self, site: Site) -> list[Gradient]:
        """Return the gradients that an expression is, as a whole or as a part of the step."""
        return [one.gradient for one in self.bench.claims if site.first in one.within]

    def _sizes(self, site: Site) -> dict[int, str]:
        """Return the sizes of axes that an expression may be divided by, each with a text."""
        line = site.first.line
        if line is None:
            return {}
        sizes = {
            f"{self.scope.text(node, line)}.shape[{axis}]": size
            for node in self.scope.known(line)
            for axis, size in enumerate(node.value.shape)
            if size > 2
        }
        found: dict[int, str] = {}
        for said, size in sizes.items():
            found.setdefault(size, said)
        named = {sizes[said]: name for name, said in self.source.sizes(line) if said in sizes}
        return found | named

    def _back(self, site: Site) -> list[Node]:
        """Return what has come back to an expression, of its shape; of a part of a line none."""
        trail, whole = self.bench.trail, site.first
        if any(same_line(one, whole) and whole in one.parents for one in self.bench.needed):
            return []
        found, stack, seen = list[Node](), list(whole.parents), set[Node]()
        while stack:
            one = stack.pop(0)
            if one in seen or one not in trail.backward:
                continue
            seen.add(one)
            if one.value.shape == whole.value.shape:
                found.append(one)
            if same_line(one, whole):
                stack.extend(one.parents)
        return found

    def _arguments(self) -> Iterator[tuple[Site, Change]]:
        """Yield other arrays as the arguments of functions that the way back calls."""
        calls: dict[tuple[CodeType, int, int], list[Node]] = {}
        for node in self.bench.needed:
            for depth, line in enumerate(node.lines[1:_DEPTH], 1):
                if node.compute is not None:
                    calls.setdefault((line.code, line.instruction, depth), []).append(node)
        forward = self.bench.trail.forward
        for (*_, depth), inner in calls.items():
            caller = inner[0].lines[depth]
            call = self.source.expression(caller)
            if isinstance(call, ast.Call) and not any(node in forward for node in inner):
                for argument in call.args:
                    yield from self._exchanged(inner, caller, argument, len(call.args) == 1)

    def _exchanged(
        self, inner: Sequence[Node], caller: Line, argument: ast.expr, alone: bool
    ) -> Iterator[tuple[Site, Change]]:
        own = ast.unparse(argument)
        given: dict[Node, Node] = {}
        for node in inner:
            for one in node.parents:
                comes_in = one.is_float and not within(one, caller) and one.value.ndim
                if comes_in and (alone or self.scope.text(one, caller) == own):
                    given[node] = one
        if not given:
            return
        nodes = tuple(given)
        shape = given[nodes[0]].value.shape
        for text, meant in self.scope.alike(nodes, shape, own, caller):

            def make(
                node: Node,
                value_of: Callable[[Node], object],
                meant: Mapping[Node, Node] = meant,
            ) -> object:
                return computed(
                    node, lambda one: value_of(meant[node] if one is given[node] else one)
                )

            edit = over(argument, text)
            edits = () if edit is None else (edit,)
            at = caller.file, caller.number
            yield Site(nodes), Change("wrong_pair", make, edits, f"Needed is {text}.", at)

    def where_it_is_called(self, found: _Found) -> "tuple[_Told, _Found] | None":
        """Return the same change of a call that gives a right function what it does not expect.

        One that takes the derivative of ``tanh`` at ``z``, and is given ``tanh(z)``.
        """
        ways = list[tuple[_Told, _Found]]()
        if len(found.node.lines) < 2 or found.calls > 1:
            return None
        caller = found.node.lines[1]
        for site in self.bench.sites():
            line = site.first.line
            if line is None or (line.file, line.number) != (caller.file, caller.number):
                continue
            made = [one for one in site.first.parents if within(one, caller)]
            for change in omissions.slopes(self._expression(site)):
                given = [(one.value, of.value) for one in made for of in change.reads]
                if not any(omissions.is_slope_at(value, of) for value, of in given):
                    continue
                tried = self._tried(site, self.bench.trial(site), iter((change,)), found.stage)
                same = (one for one in tried if one.standing.right >= found.standing.right)
                ways += ((self.told(one), one) for one in same)
        return min(ways, key=lambda way: way[0].distance, default=None)

    def repair(
        self,
        told: _Told,
        found: _Found,
        known: frozenset[int] = frozenset(),
        after: frozenset[int] = frozenset(),
    ) -> Repair:
        """Return a change, with the gradients that it mends beside those that are known."""
        right, claims = found.standing.right, self.bench.claims
        mended = sorted((after or right) - self.bench.now.right - known)
        return Repair(
            found.change.cause,
            found.node,
            told.file,
            told.number,
            told.line,
            found.change.why,
            len(mended),
            len(right) == len(claims),
            told.distance,
            tuple(dict.fromkeys(claims[number].gradient.parameter for number in mended)),
            touched=tuple({claims[number].gradient.parameter for number in found.touched}),
        )

    def told(self, found: _Found) -> _Told:
        """Write a change as a line, and say how far it is from what stands there."""
        line = found.node.line
        assert line is not None  # noqa: S101 - every site has one
        file, number = found.change.at or (line.file, line.number)
        edited = self.source.edited(file, found.change.edits)
        if found.change.cause == "W_updated":
            return _Told(file, number, None, _UPDATED)
        if edited is None:
            return _Told(file, number, None, _UNTOLD + found.stage)
        number, before, after = edited
        tokens = tokens_of(before, after)
        if found.change.cause in ("swapped", "transposed"):
            tokens = 1.0
        elif found.change.cause in ("other_activation", "slope_missing") and found.change.at:
            tokens = min(tokens, _RETURNED)
        elif found.change.cause == "factor" and found.change.at:
            tokens = _RATE
        letters = 1 - SequenceMatcher(None, before, after).ratio()
        tokens += _UNUSUAL.get(found.change.cause, 0.0)
        late = _UPDATE if found.node in self.updating and found.is_shared else 0.0
        minus = found.change.cause == "sign" and found.node.name == "subtract"
        late += _DESCENT if minus and found.node in self.results else 0.0
        late += _SETTLED if self.is_settled(found) else 0.0
        late += _FACTOR if abs(found.standing.factor - self.factor) > _EXACT * self.factor else 0.0
        return _Told(file, number, after, tokens + late, letters)

    def is_settled(self, found: _Found) -> bool:
        """Whether a factor or a sign changes of a statement that gives a derivative as it is."""
        whole = found.node
        while (taker := self.takers.get(whole)) is not None:
            whole = taker
        cause, cost = found.change.cause, self.bench.trail.judgement.cost
        is_factor = cause in _FACTORS and cost.is_computed
        is_sign = cause in ("sign", "swapped") and whole.name != "add"  # as of momentum
        if found.node in self.updating or not (is_factor or is_sign):
            return False
        fits = (fitted(whole.value, one) for _, one in self.bench.trail.of_size(whole.value.size))
        factors = [factor for factor, error in fits if factor and error < CLOSE]
        if is_sign:  # within an activation, a derivative may have the other one
            return min(factors, default=-1.0) > 0
        return any(abs(one - 1) < _EXACT for one in factors)
