"""Places that only hand an array on: what is returned, kept or named there is another one."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from types import CodeType

from clearprop.gradcheck.seeing.judging.changes import Change, meaning, several, times
from clearprop.gradcheck.seeing.judging.omissions import LEFT_OUT, factor, forms, of_form
from clearprop.gradcheck.seeing.judging.rewriting import Bench, Make, Site, ValueOf
from clearprop.gradcheck.seeing.judging.scope import Scope, is_name
from clearprop.gradcheck.seeing.judging.source import Source, operands, over
from clearprop.gradcheck.seeing.tape import Line, Node, computed

_CALLERS = 3  # functions, from the inside out, that may have a name for what is computed
_MOST = 25  # names that are tried in the place of another one


@dataclass
class _Handed:
    """An array that goes from one name to another by way of some places in the text."""

    line: Line
    """A line of the function that hands it on."""
    name: str
    spots: list[tuple[str, ast.expr]]
    """The places, of those of a dictionary with their key."""
    taken: dict[Node, Node] = field(default_factory=dict)
    """Of what is computed of it: the array."""
    places: dict[Node, int] = field(default_factory=dict)
    """The same: where on the tape the function has used it last."""

    @property
    def parts(self) -> list[dict[Node, Node]]:
        """What is computed of it by way of all places, or of one of several."""
        if len(self.spots) == 1:
            return [self.taken]
        ranks: list[dict[Node, Node]] = []
        for taker, array in self.taken.items():
            rank = sum(one is array for part in ranks for one in part.values())
            if rank == len(ranks):
                ranks.append({})
            ranks[rank][taker] = array
        return [self.taken, *(ranks if len(ranks) > 1 else ())]


def handed_on(bench: Bench, source: Source, scope: Scope) -> Iterator[tuple[Site, Change]]:
    """Yield other arrays of a function in the place of what it hands on.

    Such as ``return dW, db, dW`` or ``grads["db2"] = dZ1``, wherever the other end takes it.
    """
    for one in _handed(bench, source, scope):
        for part in one.parts:
            for text, meant in _others(one, part, scope):
                spot = max(one.spots, key=lambda spot: _likeness(spot[0], text))[1]
                make, reads = _exchanged(part, meant), tuple(meant.values())
                at, why = (one.line.file, spot.lineno), f"Needed is {text}."
                edits = several(over(spot, text))
                yield Site(tuple(part)), Change("wrong_pair", make, edits, why, at, reads)


def _handed(bench: Bench, source: Source, scope: Scope) -> Iterable[_Handed]:
    """Return what goes from one name to another on the way back, by its names."""
    found: dict[object, _Handed | None] = {}
    users: dict[Node, dict[CodeType, tuple[Line, int]]] = {}
    for node in bench.needed:
        for line in node.lines[:1]:
            for operand in node.parents:
                users.setdefault(operand, {})[line.code] = line, node.place
    for node in bench.needed:
        own = node.line
        if own is None or node.compute is None or node in bench.trail.forward:
            continue
        for text, operand in zip(operands(source.evaluated(node)), node.args, strict=False):
            if not (isinstance(operand, Node) and operand.is_float and is_name(text)):
                continue
            taken = ast.unparse(text)
            for maker, place in () if operand in bench.trail.forward else _users(operand, users):
                name = scope.text(operand, maker)
                if name is None:
                    continue
                key = maker.code, name, own.code, taken
                if key not in found:
                    spots = _spots(maker, name, own, taken, source)
                    found[key] = _Handed(maker, name, spots) if spots else None
                one = found[key]
                if one is not None:
                    one.taken.setdefault(node, operand)
                    one.places[node] = place
    return [one for one in found.values() if one is not None]


def _users(
    node: Node, users: Mapping[Node, Mapping[CodeType, tuple[Line, int]]]
) -> Iterable[tuple[Line, int]]:
    """Return a line of every function that makes or takes an array, and the place where it did."""
    found = {line.code: (line, node.place) for line in node.lines[:_CALLERS]}
    found.update(users.get(node, {}))
    return found.values()


def _others(
    one: _Handed, taken: Mapping[Node, Node], scope: Scope
) -> Iterator[tuple[str, dict[Node, Node]]]:
    """Yield the other names of a function, and what each means beside the array it hands on."""
    named: dict[str, list[Node]] = {}
    for node in scope.known(one.line):
        text = scope.text(node, one.line)
        if text is not None and text != one.name and node.is_float:
            named.setdefault(text, []).append(node)
    near = sorted(named, key=lambda text: -_likeness(text, one.name))[:_MOST]
    for text in near:
        nodes, meant = named[text], dict[Node, Node]()
        for taker in taken:
            before = [node for node in nodes if node.place < taker.place]
            if not before:
                break
            meant[taker] = min(before, key=lambda node: abs(node.place - one.places[taker]))
        else:
            yield text, meant


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def _exchanged(old: Mapping[Node, Node], new: Mapping[Node, Node]) -> Make:
    def make(node: Node, value_of: ValueOf) -> object:
        return computed(node, lambda one: value_of(new[node] if one is old[node] else one))

    return make


def _spots(
    maker: Line, name: str, line: Line, taken: str, source: Source
) -> list[tuple[str, ast.expr]]:
    """Return where a function hands on what it has a name for, to a line with another one."""
    return [
        (key, value)
        for one in source.within(maker)
        if isinstance(one, ast.Return | ast.Assign)
        for key, value in _values(one)
        if is_name(value)
        and ast.unparse(value) == name
        and (maker.code is not line.code or _is_to(one, taken))
    ]


def _values(statement: ast.Return | ast.Assign) -> list[tuple[str, ast.expr]]:
    value = statement.value
    if isinstance(value, ast.Tuple | ast.List):
        return [("", one) for one in value.elts]
    if isinstance(value, ast.Dict):
        keys = ("" if key is None else ast.unparse(key) for key in value.keys)
        return list(zip(keys, value.values, strict=True))
    return [] if value is None else [("", value)]


def _is_to(statement: ast.stmt, name: str) -> bool:
    """Whether a statement returns, or gives what it hands on that name."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return isinstance(statement, ast.Return) or any(ast.unparse(one) == name for one in targets)


def passed_through(
    bench: Bench, source: Source, scope: Scope, numbers: Sequence[float]
) -> Iterator[tuple[Site, Change]]:
    """Yield the slope that a layer's way back leaves out, which gives back what it was given."""
    sites = [site for site in bench.sites() if site.first.is_float and site.first.value.size > 1]
    for file, owner, value in _unchanged(source):
        for text, kept in _kept(bench, source, scope, file, owner).items():
            for site in sites:
                meant = _beside(site, kept)
                for form, words in forms(text, numbers) if meant else ():
                    edits = several(over(value, f"{value.id} * {factor(words)}"))
                    make = times(of_form(form, meaning(meant)))
                    at = file, value.lineno
                    yield Site(tuple(meant)), Change("slope_missing", make, edits, LEFT_OUT, at)


def renamed(
    bench: Bench, source: Source, scope: Scope, numbers: Sequence[float]
) -> Iterator[tuple[Site, Change]]:
    """Yield the slope that is left out where an array gets another name and nothing else.

    ``dZ = dA`` says that something was to be done to it there.
    """
    for line, alias, nodes in _renamed(bench, source):
        name = ast.unparse(alias)
        for text, meant in scope.alike(nodes, nodes[0].value.shape, "", line):
            for form, words in forms(text, numbers):
                edits = several(over(alias, f"{name} * {factor(words)}"))
                make, at = times(of_form(form, meaning(meant))), (line.file, alias.lineno)
                yield Site(nodes), Change("slope_missing", make, edits, LEFT_OUT, at)


def dropped(bench: Bench, source: Source, scope: Scope) -> Iterator[tuple[Site, Change]]:
    """Yield what has come back times what a function of the file gives, where only that stands.

    ``dZ = relu_slope(Z)`` for ``dZ = dA * relu_slope(Z)``.
    """
    for line, statement, nodes in _given(bench, source):
        value = statement.value
        if not isinstance(value, ast.Call) or nodes[0].line == line:
            continue
        target = ast.unparse(statement.targets[0])
        for text, meant in scope.alike(nodes, nodes[0].value.shape, target, line):
            if bench.trail.forward.isdisjoint(meant.values()):
                edits = several(over(value, f"{text} * {source.raw(line.file, value)}"))
                at, why = (line.file, value.lineno), f"The factor {text} is left out."
                make, reads = times(meaning(meant)), tuple(meant.values())
                yield Site(nodes), Change("slope_missing", make, edits, why, at, reads)


def _renamed(bench: Bench, source: Source) -> Iterator[tuple[Line, ast.expr, tuple[Node, ...]]]:
    """Yield what is given another name: where it is made, the old name, and all it has been."""
    for line, statement, nodes in _given(bench, source):
        alias = _alias(source, line, statement)
        if alias is not None:
            yield line, alias, nodes


def _given(bench: Bench, source: Source) -> Iterator[tuple[Line, ast.Assign, tuple[Node, ...]]]:
    """Yield the assignments of the way back: where one runs, itself, and all that it has given.

    That is the last that it computes, each time that it runs; of one that gives several arrays the
    last of each shape.
    """
    found: dict[object, tuple[Line, ast.Assign, dict[int, Node]]] = {}
    ran: dict[ast.stmt, tuple[int, int]] = {}
    for number, node in enumerate(bench.needed):
        for line in () if node in bench.trail.forward else node.lines[:_CALLERS]:
            statement = source.statement(line)
            if not isinstance(statement, ast.Assign):
                continue
            times_run, last = ran.get(statement, (0, -1))
            times_run += last < number - 1
            ran[statement] = times_run, number
            is_one = not any(isinstance(one, ast.Tuple | ast.List) for one in statement.targets)
            key = statement, () if is_one else node.value.shape
            found.setdefault(key, (line, statement, {}))[2][times_run] = node
    for line, statement, nodes in found.values():
        yield line, statement, tuple(nodes.values())


def _alias(source: Source, line: Line, statement: ast.Assign) -> ast.expr | None:
    """Return where what a statement assigns gets another name, alone."""
    function = source.function(line)
    within = source.nodes(line.file) if function is None else ast.walk(function)
    parts = (one for target in statement.targets for one in ast.walk(target))
    names = {ast.unparse(one) for one in parts if isinstance(one, ast.expr) and is_name(one)}
    return next(
        (
            one.value
            for one in within
            if isinstance(one, ast.Assign)
            and is_name(one.value)
            and all(isinstance(target, ast.Name) for target in one.targets)
            and ast.unparse(one.value) in names
        ),
        None,
    )


def _kept(
    bench: Bench, source: Source, scope: Scope, file: str, owner: str
) -> dict[str, list[Node]]:
    """Return what the objects of a class have kept of the way forward, by its names."""
    lines = {
        node.line.code: node.line
        for node in bench.trail.forward
        if node.line is not None
        and node.line.file == file
        and node.line.code.co_qualname.startswith(f"{owner}.")
    }
    found: dict[str, list[Node]] = {}
    for line in lines.values():
        method = source.function(line)
        other = {
            ast.unparse(one.value): ast.unparse(target)
            for one in (() if method is None else ast.walk(method))
            if isinstance(one, ast.Assign)
            for target in one.targets
        }
        for node in scope.known(line):
            text = scope.text(node, line) or ""
            text = text if text.startswith("self.") else other.get(text, "")
            if text.startswith("self.") and node in bench.trail.forward:
                found.setdefault(text, []).append(node)
    return found


def _beside(site: Site, kept: list[Node]) -> dict[Node, Node]:
    """Pair what comes back with the arrays of its shape that went forward, the last first."""
    left, found = list(kept), dict[Node, Node]()
    for node in site.nodes:
        fitting = [
            one for one in left if one.place < node.place and one.value.shape == node.value.shape
        ]
        if fitting:
            found[node] = max(fitting, key=lambda one: one.place)
            left.remove(found[node])
    return found


def _unchanged(source: Source) -> Iterator[tuple[str, str, ast.Name]]:
    """Yield the methods that return an argument as it is: file, class and what they return."""
    for file in source.files:
        for owner in source.nodes(file):
            for method in owner.body if isinstance(owner, ast.ClassDef) else ():
                value = _returned(method) if isinstance(method, ast.FunctionDef) else None
                if value is not None and isinstance(owner, ast.ClassDef):
                    yield file, owner.name, value


def _returned(method: ast.FunctionDef) -> ast.Name | None:
    """Return what a method ends with, if that is an argument as it was given."""
    last = method.body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    names = [one for one in ast.walk(method) if isinstance(one, ast.Name)]
    stored = {one.id for one in names if isinstance(one.ctx, ast.Store)}
    given = {one.arg for one in method.args.args[1:]} - stored
    return value if isinstance(value, ast.Name) and value.id in given else None
