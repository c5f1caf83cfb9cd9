"""The roles of a learner's arrays: which are parameters, gradients, activations, and the cost.

The recorder of `check` sees them in a short run of the file. In a real run they are found by the
names that they have there.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.arrays import recording
from clearprop.gradcheck.seeing.judging.blame import Trail
from clearprop.gradcheck.seeing.judging.called import driven
from clearprop.gradcheck.seeing.judging.checking import Training, trainings
from clearprop.gradcheck.seeing.judging.judgement import Gradient
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.running.loops import OutOfTime
from clearprop.gradcheck.seeing.running.run import Ran, run
from clearprop.gradcheck.seeing.tape import Node, Tape, TapeFull, ancestors

_MOST = 48  # arrays of what was called that are shown
_STEPS_BACK = 6  # from a step to the gradient that it is a multiple of
_COUNTED = re.compile(r" \(\d+\)$")
_PLACE = re.compile(r"\[[^\]]*\]$")

Shown = tuple[str, str, str | None, Array]
"""An array that was seen: its name, its role, the parameter that it is the gradient of, itself."""


@dataclass(frozen=True)
class Roles:
    """The names of arrays by their roles; each without what stands before its last dot.

    Parameters
    ----------
    parameters : frozenset of str
    gradients : mapping of str to frozenset of str
        The whole names of the parameters that each is the gradient of.
    activations : frozenset of str
    costs : frozenset of str
    updates : mapping of (str, int) to int
        The files and lines in which parameters change, and how many of them do there.
    """

    parameters: frozenset[str] = frozenset()
    gradients: Mapping[str, frozenset[str]] = field(default_factory=dict)
    activations: frozenset[str] = frozenset()
    costs: frozenset[str] = frozenset()
    updates: Mapping[tuple[str, int], int] = field(default_factory=dict)

    @property
    def are_known(self) -> bool:
        """Whether a training was seen."""
        return bool(self.parameters)

    @property
    def names(self) -> set[str]:
        """All names that have a role."""
        return {*self.parameters, *self.gradients, *self.activations, *self.costs}


def end_of(path: str) -> str:
    """Return the last name of a path: ``W1`` of ``net.W1``, ``params`` of ``params[2]``."""
    end = path.rsplit(".", 1)[-1]
    while (shorter := _PLACE.sub("", end)) != end:
        end = shorter
    return end


def roles_in(file: Path, seconds: float) -> tuple[Roles, str, list[Shown]]:
    """Run a file under the recorder, for some seconds, and return the roles that it shows.

    Where it trains nothing, its functions and classes are called, as the check does.

    Parameters
    ----------
    file : pathlib.Path
    seconds : float

    Returns
    -------
    roles : Roles
        Empty ones where no training was seen.
    said : str
        What was called; empty where nothing was, or nothing showed a network.
    shown : list of Shown
        The arrays of what was called.
    """
    tape = Tape()
    ran = run(file, tape, seconds)
    source = Source(ran.sources, ran.trees)
    with recording(tape):
        found = trainings(tape, source, ran.namespace)
    roles = roles_of(found, tape, source, ran.trees)
    return (roles, "", []) if roles.are_known else (roles, *_called(tape, ran, seconds))


def roles_of(
    found: Sequence[Training], tape: Tape, source: Source, trees: Mapping[str, ast.AST]
) -> Roles:
    """Return the roles that trainings show which were seen.

    Parameters
    ----------
    found : sequence of Training
    tape : Tape
    source : Source
    trees : mapping of str to ast.AST
        The files that were watched, parsed.
    """
    stored = _stored(trees)
    parameters = frozenset(
        end_of(_COUNTED.sub("", name)) for one in found for name in one.names.values()
    )
    gradients: dict[str, set[str]] = {}
    activations, costs = set[str](), set[str]()
    updates = Counter[tuple[str, int]]()
    for training in found:
        trail = Trail(tape, training.judgement)
        for gradient in training.judgement.gradients:
            name = _named_gradient(trail, gradient, source, stored - parameters)
            if name is not None and name not in parameters:
                of = _COUNTED.sub("", training.names[gradient.parameter])
                gradients.setdefault(name, set()).add(of)
        activations |= {name for name, _ in _activations(training, source, stored)}
        costs |= set(_costs(training, source, stored))
        updates.update(
            (one.result.line.file, one.result.line.number)
            for one in training.judgement.gradients
            if one.result is not None and one.result.line is not None
        )
    return Roles(
        parameters,
        {name: frozenset(of) for name, of in gradients.items()},
        frozenset(activations - parameters - gradients.keys() - costs),
        frozenset(costs - parameters),
        dict(updates),
    )


def counters_in(trees: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names that the loops of parsed files count with."""
    return frozenset(
        node.target.id
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
    )


def _called(tape: Tape, ran: Ran, seconds: float) -> tuple[str, list[Shown]]:
    """Call the functions and classes of a file that was run, as the check does.

    Parameters
    ----------
    tape : Tape
    ran : Ran
    seconds : float
        The time that all calls may take.

    Returns
    -------
    said : str
        What was called; empty where nothing showed a network.
    shown : list of Shown
        The arrays of that call.
    """
    source = Source(ran.sources, ran.trees)
    found = []
    with suppress(TapeFull, OutOfTime), ran.calling(tape, seconds):
        found = driven(tape, source, ran.namespace, seconds)
    if not found:
        return "", []
    stored, shown = _stored(ran.trees), dict[str, Shown]()
    for training in found:
        trail = Trail(tape, training.judgement)
        for gradient in training.judgement.gradients:
            of = training.names[gradient.parameter]
            name = _named_gradient(trail, gradient, source, stored) or f"gradient of {of}"
            shown[of] = (of, "parameter", None, gradient.parameter.value)
            shown.setdefault(name, (name, "gradient", of, trail.innermost(gradient).value))
        nodes = _activations(training, source, stored)
        for name, node in sorted(nodes, key=lambda both: both[1].place):
            if shown.get(name) is None or shown[name][1] == "activation":
                shown[name] = (name, "activation", None, node.value)
    said = next((one.how for one in found if one.how), "its functions")
    return said, list(shown.values())[:_MOST]


def _stored(trees: Mapping[str, ast.AST]) -> frozenset[str]:
    """Return everything that the code assigns to, as it is written."""
    return frozenset(
        ast.unparse(node)
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
        and isinstance(node.ctx, ast.Store)
    )


def _variable(node: Node, source: Source, stored: frozenset[str]) -> str | None:
    """Return the last name of the variable that a value is assigned to; None where it is not."""
    name = source.name(node)
    if name not in stored:
        return None
    target = ast.parse(name, mode="eval").body
    while isinstance(target, ast.Subscript):
        if isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str):
            return target.slice.value
        target = target.value
    return end_of(ast.unparse(target))


def _named_gradient(
    trail: Trail, gradient: Gradient, source: Source, stored: frozenset[str]
) -> str | None:
    """Return the variable that holds a gradient, or the step that was made of it."""
    shape = gradient.parameter.value.shape
    for start in (trail.innermost(gradient), gradient.claim):
        node: Node | None = start
        for _ in range(_STEPS_BACK):
            if node is None or node is gradient.result:
                break
            if node.value.shape == shape and (name := _variable(node, source, stored)) is not None:
                return name
            alike = [one for one in node.parents if one.value.shape == shape]
            node = alike[0] if len(alike) == 1 else None
    return None


def _activations(
    training: Training, source: Source, stored: frozenset[str]
) -> Iterator[tuple[str, Node]]:
    """Give what lies in variables between the parameters and the cost, with its name."""
    judgement = training.judgement
    forward = ancestors(judgement.cost.seeds, judgement.reached) & judgement.reached
    parameters = {one.parameter for one in judgement.gradients}
    for node in forward - parameters - set(judgement.cost.seeds):
        if node.is_float and node.value.size > 1 and node.lines:
            name = _variable(node, source, stored)
            if name is not None:
                yield name, node
    if not judgement.cost.is_computed:  # then its seeds are the outputs
        for node in judgement.cost.seeds:
            name = _variable(node, source, stored)
            if name is not None:
                yield name, node


def _costs(training: Training, source: Source, stored: frozenset[str]) -> Iterator[str]:
    cost = training.judgement.cost
    for node in cost.seeds if cost.is_computed else ():
        name = _variable(node, source, stored) if node.value.size == 1 and node.lines else None
        if name is not None:
            yield name
