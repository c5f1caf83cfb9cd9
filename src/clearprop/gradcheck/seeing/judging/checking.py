"""A watched run judged: which gradients are right, and the line that makes one wrong."""

import ast
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.arrays import Watched
from clearprop.gradcheck.seeing.judging.blame import Blame, Trail, find_blame
from clearprop.gradcheck.seeing.judging.episodes import episodes
from clearprop.gradcheck.seeing.judging.forgotten import beginnings
from clearprop.gradcheck.seeing.judging.judge import judge, with_verdict
from clearprop.gradcheck.seeing.judging.judgement import Gradient, Judgement
from clearprop.gradcheck.seeing.judging.repairs import Repair, find_repairs
from clearprop.gradcheck.seeing.judging.several import (
    Kinds,
    believed,
    is_within,
    of_one_cost,
    settled,
    tells_more,
)
from clearprop.gradcheck.seeing.judging.source import Source
from clearprop.gradcheck.seeing.judging.throughout import find_throughout
from clearprop.gradcheck.seeing.judging.updates import Update, find_updates
from clearprop.gradcheck.seeing.running.notes import Failure
from clearprop.gradcheck.seeing.tape import Node, Replay, Tape

_SECONDS = 12.0  # for all episodes of a file
_EXPLAINING = 5.0  # seconds after which no further cost is tried
_MOST_EPISODES = 12  # of each number of updates
_MOST_LATER = 3  # judgements that may take the place of one near a kink
_STEPS = 1e-5, 1e-3, 1e-7  # of differences: where float32 rounds the first away, or kinks lie near
_TOLERANCE = 1e-4  # between derivatives and central differences


@dataclass(frozen=True)
class Training:
    """The verdict on one training that was seen.

    Parameters
    ----------
    judgement : Judgement
    names : mapping of Node to str
        What the code calls its parameters.
    blames : tuple of Blame
        The places where gradients become wrong, the first on the way back first.
    repairs : tuple of Repair
        Changes of a line that make gradients right, the likeliest first.
    how : str
        What was called, and with what data, where the file itself showed no training.
    span : tuple of int
        The part of the tape that shows it: from which node to which.
    is_part : bool
        Whether a layer or a loss was called alone, and no network as a whole.
    failed : Failure or None
        A line that failed for its shapes in such a call.
    unwatched : tuple of str
        The functions that went back with numbers that are not watched.
    """

    judgement: Judgement
    names: Mapping[Node, str]
    blames: tuple[Blame, ...] = ()
    repairs: tuple[Repair, ...] = ()
    how: str = ""
    span: tuple[int, int] = (0, 0)
    is_part: bool = False
    failed: Failure | None = None
    unwatched: tuple[str, ...] = ()


def trainings(
    tape: Tape,
    source: Source,
    namespace: Mapping[str, Any],
    since: int = 0,
    cost: Node | None = None,
) -> list[Training]:
    """Find every training on a tape, after a place on it, and judge it.

    A training is judged by several of its first updates: zeros, targets of zero and small weights
    hide mistakes in one of them that another one shows. It is right where none is wrong.
    """
    updates = find_updates(tape, since)
    best: dict[object, Judgement] = {}
    passed: dict[object, list[Judgement]] = {}
    singles: dict[object, dict[str, list[Judgement]]] = {}
    kinds, counts, missed = Kinds(), Counter[int](), Counter[object]()
    start = time.monotonic()
    for episode in episodes(tape, updates):
        counts[episode.number] += 1
        late = time.monotonic() - start > _SECONDS
        if late or counts[episode.number] > _MOST_EPISODES:
            continue
        key = kinds.of(episode)
        found = judge(tape, episode, updates, source.text, cost)
        if found is None:
            missed[key] += 1
            continue
        if found.passed and found.is_single:
            for one in (found, *found.rivals):
                singles.setdefault(key, {}).setdefault(one.cost.words, []).append(one)
        if found.passed:
            passed.setdefault(key, []).append(found)
        if key not in best or tells_more(found, best[key]):
            best[key] = found
    for lines, one in best.items():
        best[lines] = believed(settled(one), passed.get(lines, ()), missed[lines])
    for site, costs in singles.items():
        if best[site].passed and best[site].is_single:
            best[site] = of_one_cost(costs)
    for lines, known in best.items():
        late = time.monotonic() - start > _SECONDS
        if known.passed and not late and not _is_measured(tape, known):
            later = [one for one in passed.get(lines, ()) if _as_much(one, known)][:_MOST_LATER]
            best[lines] = next((one for one in later if _is_measured(tape, one)), known)
    for lines, known in best.items():
        same = [one for one in passed.get(lines, ()) if one.cost.words == known.cost.words]
        if same and known.leads_up:  # not the gradient's sign, which was right before
            best[lines] = replace(known, turns=True)
    most = max((len(one.gradients) for one in best.values()), default=0)
    big = [one for one in best.values() if 2 * len(one.gradients) >= most]
    # What is a part of a larger training was cut off from it by a first or a last update.
    big = [one for one in big if not any(is_within(one.episode, other.episode) for other in big)]
    # What does not learn from one cost may learn from another: a generator, say.
    learnt = beginnings({root for one in big for root in one.episode.roots})
    big = [
        replace(one, forgotten=tuple(node for node in one.forgotten if node not in learnt))
        for one in big
    ]
    lying = _lying(namespace, updates)
    span = since, len(tape)
    return [replace(named(tape, one, source, lying), span=span) for one in big]


def _is_measured(tape: Tape, judgement: Judgement) -> bool:
    """Whether no gradient lies near a kink, such as that of a ReLU of zeros."""
    return all(confirmed(tape, judgement, one) for one in judgement.gradients)


def _as_much(one: Judgement, known: Judgement) -> bool:
    alike = one.cost.is_computed == known.cost.is_computed
    return alike and len(one.gradients) == len(known.gradients)


def named(tape: Tape, judgement: Judgement, source: Source, lying: Mapping[Node, str]) -> Training:
    """Confirm a judgement by differences, and name its parameters.

    Parameters
    ----------
    tape : Tape
    judgement : Judgement
    source : Source
    lying : mapping of Node to str
        The names of what lies in objects and variables in the end, and of what it was before.
    """
    gradients = tuple(
        replace(one, verdict="unreached")  # near a kink, where either side may be right
        if one.verdict in ("wrong", "scaled") and not confirmed(tape, judgement, one)
        else one
        for one in judgement.gradients
    )
    judgement = replace(judgement, gradients=gradients)
    return Training(judgement, names_of(judgement, source, lying))


def explained(tape: Tape, training: Training, source: Source) -> Training:
    """Find the line at fault, where a gradient is wrong.

    Where no change makes all right, other usual costs are tried for which one does.
    """
    judgement = training.judgement
    if not any(one.verdict in ("wrong", "scaled") for one in judgement.gradients):
        return training  # with other costs, what this one has shown to be right could be wrong
    if judgement.turns:
        return training
    end = time.monotonic() + _EXPLAINING
    found = [(judgement, find_repairs(tape, Trail(tape, judgement), source))]
    sure = found[0][1] and found[0][1][0].is_whole and not judgement.cost.is_summed
    found += (
        (one, find_repairs(tape, Trail(tape, one), source))
        for one in (() if sure else judgement.rivals)
        if time.monotonic() < end
    )
    whole = [both for both in found if both[1] and both[1][0].is_whole]
    judgement, repairs = min(whole, key=lambda both: both[1][0].distance, default=found[0])
    if repairs and repairs[0].is_whole:
        judgement = _by_others(judgement, repairs[0])
    trail = Trail(tape, judgement)
    wide = () if repairs else tuple(find_throughout(trail)[:1])
    if wide and len(wide[0].mended) == len(trail.wrong):
        return replace(training, judgement=judgement, blames=wide)
    blames = tuple(find_blame(tape, judgement))
    most = max((len(one.mended) for one in blames), default=0)
    blames = tuple(one for one in wide if len(one.mended) > most) + blames
    return replace(training, judgement=judgement, blames=blames, repairs=tuple(repairs))


def _by_others(judgement: Judgement, repair: Repair) -> Judgement:
    """Hold gradients that differ by a factor against those that a change leaves as they are.

    A change of rates, in the lines of the steps, tells nothing of gradients.
    """
    gradients = judgement.gradients
    lines = (one.result.line for one in gradients if one.result is not None)
    steps = {(line.file, line.number) for line in lines if line is not None}
    left = [one for one in gradients if one.parameter not in repair.touched and one.factor]
    if (
        repair.further
        or not left
        or (repair.file, repair.number) in steps
        or any(one.verdict not in ("right", "scaled") for one in gradients)
    ):
        return judgement
    factor = left[0].factor
    graded = tuple(with_verdict(one, factor) for one in gradients)
    return replace(judgement, factor=factor, gradients=graded)


def names_of(judgement: Judgement, source: Source, lying: Mapping[Node, str]) -> dict[Node, str]:
    """Return a name for each parameter: where it lies in the end, or what its update assigns to."""
    names: dict[Node, str] = {}
    for gradient in judgement.gradients:
        result = gradient.result
        name = None
        for node in (result, gradient.parameter):
            if node is not None and name is None:
                name = lying.get(node)
        if name is None and result is not None:
            name = _assigned(result, source)
        if name is None:
            name = source.name(gradient.parameter)
        names[gradient.parameter] = name
    ends = Counter(name.rsplit(".", 1)[-1] for name in names.values())
    for node, name in names.items():
        end = name.rsplit(".", 1)[-1]
        names[node] = end if ends[end] == 1 else name
    counts: dict[str, int] = {}
    for node, name in names.items():
        counts[name] = counts.get(name, 0) + 1
        if counts[name] > 1:
            names[node] = f"{name} ({counts[name]})"
    return names


def _assigned(node: Node, source: Source) -> str | None:
    statement = None if node.line is None else source.statement(node.line)
    if isinstance(statement, ast.AugAssign):
        return _short(statement.target)
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return None if isinstance(target, ast.Tuple) else _short(target)
    return None


def _short(target: ast.expr) -> str:
    """Write ``W1`` for ``parameters["W1"]`` and ``self.W1``."""
    key = target.slice if isinstance(target, ast.Subscript) else None
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return key.value
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        return target.attr
    return ast.unparse(target)


def _lying(namespace: Mapping[str, Any], updates: Sequence[Update]) -> dict[Node, str]:
    """Name all arrays in objects and variables, and every parameter that one of them was before."""
    earlier = {update.result: update.root for update in updates}
    names: dict[Node, str] = {}
    for last, path in _arrays(namespace):
        node: Node | None = last
        while node is not None and node not in names:
            names[node] = path
            node = earlier.get(node) or node.before or _moved(node)
    return names


def _moved(node: Node) -> Node | None:
    moved = node.name in ("getitem", "reshape", "array", "copy", "asarray", "setitem")
    return node.parents[0] if moved and len(node.parents) == 1 else None


def _arrays(item: Any, path: str = "", depth: int = 0) -> Iterator[tuple[Node, str]]:
    """Yield every watched array within objects, and the way to it."""
    if type(item) is Watched:
        if item._node is not None:
            yield item._node, path
        return
    if depth > 4:
        return
    if isinstance(item, Mapping):
        for key, value in list(item.items()):
            if isinstance(key, str) and key.startswith("__"):
                continue
            inner = str(key) if isinstance(key, str) else f"{path}[{key}]"
            yield from _arrays(value, inner, depth + 1)
    elif isinstance(item, list | tuple) and len(item) < 200:
        for place, value in enumerate(item):
            yield from _arrays(value, f"{path}[{place}]", depth + 1)
    elif isinstance(getattr(item, "__dict__", None), dict) and not (
        isinstance(item, type | ModuleType) or callable(item)
    ):
        for name, value in list(vars(item).items()):
            yield from _arrays(value, f"{path}.{name}" if path else name, depth + 1)


def numerical(tape: Tape, judgement: Judgement, gradient: Gradient, entry: int) -> float:
    """Return the slope of the cost along one entry of a parameter, by central differences.

    Everything from the parameter to the cost is computed anew, by no rule but NumPy's own.
    """
    line = np.zeros(gradient.truth.size)
    line[entry] = 1.0
    return _slope(tape, judgement, gradient, line, _STEPS[0])[0]


def confirmed(tape: Tape, judgement: Judgement, gradient: Gradient) -> bool:
    """Whether the derivative that a gradient is held against has the slope that it should have.

    It is measured along the derivative itself, through all entries at once.
    """
    length = float(np.linalg.norm(gradient.truth))
    if not length:
        return True
    line = gradient.truth / length
    measured = (_slope(tape, judgement, gradient, line, step) for step in _STEPS)
    return any(abs(slope - length) <= _TOLERANCE * length + off for slope, off in measured)


def _slope(
    tape: Tape, judgement: Judgement, gradient: Gradient, line: Array, relative: float
) -> tuple[float, float]:
    """Return the slope along a line, and how much of it may be rounding."""
    seeds = judgement.cost.seeds
    copies = gradient.copies or (gradient.parameter,)
    replay = Replay(tape, copies, seeds, judgement.reached)
    value = gradient.parameter.value.astype(np.float64)
    along = np.zeros(value.size)
    is_part = gradient.places.size == line.size  # or else broadcasting has made another shape of it
    along[gradient.places if is_part else slice(None)] = line
    step = relative * max(1.0, float(np.abs(value).max()))
    largest = 0.0

    def cost(shift: float) -> float:
        nonlocal largest
        found = replay(dict.fromkeys(copies, value + (shift * along).reshape(value.shape)))
        pairs = zip(seeds.values(), found, strict=True)
        terms = [seed * np.asarray(one, np.float64) for seed, one in pairs]
        largest = max(largest, *(float(np.abs(term).sum()) for term in terms))
        return float(sum(term.sum() for term in terms))

    slopes = [(cost(h) - cost(-h)) / (2 * h) for h in (step, 2 * step)]
    single = any(node.value.dtype != np.float64 for node in seeds)
    rounding = 16 * np.finfo(np.float32 if single else np.float64).eps * largest / step
    return slopes[0] + (slopes[0] - slopes[1]) / 3, float(rounding)
