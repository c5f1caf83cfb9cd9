"""What a function does with an argument: what it must be, whatever it is called."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from clearprop.gradcheck.seeing.calling.defined import Defined

_READS = re.compile(r"^(open|read_\w+|loadtxt|genfromtxt|load|loadmat|imread)$")
_COUNTS = ("range", "int", "float", "round", "randn", "rand", "eye", "arange")
_LISTS = ("len", "zip", "enumerate", "list", "sum", "reversed", "max", "min", "tuple")
_SHAPED = ("rand", "randn", "zeros", "ones", "empty")
_OF_ARRAYS = ("shape", "T", "dot", "reshape", "ndim", "size", "sum", "mean", "transpose", "copy")
_DEEP = 3  # functions that hand an argument on


@dataclass(eq=False)
class Usage:
    """How an argument is used.

    Attributes
    ----------
    attributes : set of str
        The attributes and methods that are asked of it, but for those of arrays.
    of_items : set of str
        Those that are asked of its items.
    is_mentioned, is_number, is_list, is_sliced, is_path, is_called : bool
        Whether it is there at all, is calculated with, gone through, cut as lists of sizes are,
        opened as a file, called.
    has_sizes : bool
        Whether its items are the sizes of arrays that are made.
    calls_items, calls_pair : bool
        Whether its items are called, as in ``functions[i](x)``, or some of them by their place, as
        in ``pair[0](x)``.
    is_pair : bool
        Whether it is taken apart into two.
    parts : list of str
        The names that its items are taken apart into: ``for units, activation in layers``.
    is_flag : bool
        Whether it is asked if it is true, and nothing else.
    is_index : bool
        Whether rows of a table are chosen by it: ``table[ids]``.
    keys : list of str
        The keys that are looked for in it.
    """

    attributes: set[str] = field(default_factory=set)
    of_items: set[str] = field(default_factory=set)
    is_mentioned: bool = False
    is_number: bool = False
    is_list: bool = False
    is_sliced: bool = False
    is_path: bool = False
    is_called: bool = False
    has_sizes: bool = False
    calls_pair: bool = False
    calls_items: bool = False
    is_pair: bool = False
    is_flag: bool = False
    is_index: bool = False
    parts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def used(defined: Defined, function: Any, name: str) -> Usage:
    """Return how an argument is used, by a function or by a class that is made with it.

    What a constructor keeps in ``self`` is followed through all methods, what a function hands on
    through the functions that it calls.

    Parameters
    ----------
    defined : Defined
    function : callable
        A function, a method or a class.
    name : str
        The name of the argument.
    """
    key = getattr(function, "__func__", function), name
    known: dict[Any, Usage] = vars(defined).setdefault("_usages", {})
    if key not in known:
        known[key] = Usage()
        _look(defined, function, name, known[key], 0)
    return known[key]


def _look(defined: Defined, function: Any, name: str, found: Usage, depth: int) -> None:
    if isinstance(function, type):
        bodies = [
            one
            for key in dir(function)
            if (one := defined.definition(inspect.getattr_static(function, key))) is not None
        ]
        first = defined.definition(inspect.getattr_static(function, "__init__"))
    else:
        first = defined.definition(function)
        bodies = [] if first is None else [first]
    if first is None:
        found.is_mentioned = True  # perhaps
        return
    kept = set(_kept(first, name))
    for body in bodies:
        names = {name} if body is first else set()
        for node, above in _with_parents(body):
            if (isinstance(node, ast.Name) and node.id in names) or _of_self(node) in kept:
                _note(defined, node, above, found, depth)


def _kept(body: ast.AST, name: str) -> Iterator[str]:
    """Yield the attributes of ``self`` in which an argument is kept."""
    for node in ast.walk(body):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for left, right in pairs:
                attribute = _of_self(left)
                if isinstance(right, ast.Call) and len(right.args) == 1 and _copies(right.func):
                    right = right.args[0]
                if attribute and isinstance(right, ast.Name) and right.id == name:
                    yield attribute


def _copies(function: ast.expr) -> bool:
    return ast.unparse(function).rpartition(".")[2] in ("list", "tuple", "copy", "deepcopy")


def _of_self(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr if node.value.id == "self" else ""
    return ""


def _with_parents(
    node: ast.AST, above: tuple[ast.AST, ...] = ()
) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    yield node, above
    for child in ast.iter_child_nodes(node):
        yield from _with_parents(child, (node, *above))


def _note(
    defined: Defined,
    node: ast.AST,
    above: tuple[ast.AST, ...],
    found: Usage,
    depth: int,
) -> None:
    """Note what is done with one mention of an argument."""
    found.is_mentioned = True
    parent, over = above[0], above[1] if len(above) > 1 else None
    if isinstance(parent, ast.Attribute):
        key = _first(over) if parent.attr in ("get", "pop", "setdefault") else None
        if isinstance(key, str):
            found.keys.append(key)
        elif parent.attr not in _OF_ARRAYS:
            found.attributes.add(parent.attr)
    elif isinstance(parent, ast.Subscript) and parent.value is node:
        if isinstance(parent.slice, ast.Constant) and isinstance(parent.slice.value, str):
            found.keys.append(parent.slice.value)
        else:
            _item(parent, above[1:], found)
    elif isinstance(parent, ast.Subscript):
        found.is_index = True
    elif isinstance(parent, ast.Call):
        _called(defined, node, above, found, depth)
    elif isinstance(parent, ast.For | ast.comprehension) and parent.iter is node:
        found.is_list = True
        if isinstance(parent.target, ast.Name):
            found.of_items |= _asked_of(above[-1], parent.target.id)
        _take_apart(parent.target, found)
    elif isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Tuple):
        found.is_pair = len(parent.targets[0].elts) == 2
    elif isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add | ast.Sub | ast.Pow):
        found.is_number = True
    elif isinstance(parent, ast.Tuple | ast.List) and isinstance(over, ast.Call | ast.keyword):
        found.is_number = True  # of a shape
    elif isinstance(parent, ast.BoolOp | ast.Not) or getattr(parent, "test", None) is node:
        found.is_flag = True


def _first(call: ast.AST | None) -> Any:
    """Return the first argument of a call, where it is written as a constant."""
    args = call.args if isinstance(call, ast.Call) else []
    return args[0].value if args and isinstance(args[0], ast.Constant) else None


def _item(parent: ast.Subscript, above: tuple[ast.AST, ...], found: Usage) -> None:
    found.is_list = True
    over = above[0] if above else None
    outer = above[1] if isinstance(over, ast.Tuple) else over
    if isinstance(outer, ast.Call):
        found.has_sizes |= ast.unparse(outer.func).rpartition(".")[2] in _SHAPED
    if isinstance(parent.slice, ast.Slice):
        found.is_sliced = True
    if isinstance(over, ast.Call) and over.func is parent:
        found.calls_items = True
        found.calls_pair |= isinstance(parent.slice, ast.Constant)
    elif isinstance(over, ast.Attribute) and over.attr not in _OF_ARRAYS:
        found.of_items.add(over.attr)


def _take_apart(target: ast.AST, found: Usage) -> None:
    """Note the names that an item is taken apart into, of which some may be passed over."""
    if not isinstance(target, ast.Tuple):
        return
    names = [one.id if isinstance(one, ast.Name) else "_" for one in target.elts]
    known = found.parts or ["_"] * len(names)
    if len(known) == len(names):
        found.parts = [a if a != "_" else b for a, b in zip(known, names, strict=True)]


def _called(
    defined: Defined, node: ast.AST, above: tuple[ast.AST, ...], found: Usage, depth: int
) -> None:
    call, over = above[0], above[1] if len(above) > 1 else None
    assert isinstance(call, ast.Call)  # noqa: S101 - of nothing else
    if call.func is node:
        found.is_called = True
        return
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = call.func.id if isinstance(call.func, ast.Name) else name
    if _READS.match(name) and call.args and call.args[0] is node:
        found.is_path = True
    elif name == "at" and node in call.args[1:2]:
        found.is_index = True
    elif name in _COUNTS:
        found.is_number = True
    elif name in _LISTS:
        found.is_list = True
    if name == "enumerate":
        target = getattr(over, "target", None)
        if isinstance(target, ast.Tuple) and len(target.elts) == 2:
            _take_apart(target.elts[1], found)
        return
    handed = defined.functions.get(name) or defined.classes.get(name)
    if handed is None and isinstance(call.func, ast.Attribute):
        handed = next(
            (vars(kind)[name] for kind in defined.classes.values() if name in vars(kind)), None
        )
    if not callable(handed) or depth >= _DEEP:
        return
    asked = [one for one in inspect.signature(handed).parameters if one != "self"]
    inner = next((key.arg for key in call.keywords if key.value is node), None)
    if inner is None and node in call.args and call.args.index(node) < len(asked):
        inner = asked[call.args.index(node)]
    if inner is not None:
        _look(defined, handed, inner, found, depth + 1)


def _asked_of(body: ast.AST, name: str) -> set[str]:
    """Return the attributes that are asked of a variable."""
    return {
        node.attr
        for node in ast.walk(body)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        and node.attr not in _OF_ARRAYS
    }


def suits(defined: Defined, kind: type, attributes: set[str]) -> bool:
    """Whether objects of a class have all attributes and methods of some names."""
    return bool(attributes) and attributes <= {*dir(kind), *_made_with(defined, kind)}


def _made_with(defined: Defined, kind: type) -> set[str]:
    found = set()
    for key in dir(kind):
        body = defined.definition(inspect.getattr_static(kind, key))
        for node in ast.walk(body) if body is not None else ():
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(_of_self(node))
    return found
