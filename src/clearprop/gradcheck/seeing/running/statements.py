"""The statements of a learner's file: of a module or of a notebook's cells, in any Python."""

import ast
import json
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from clearprop.core.reading import read_bounded
from clearprop.gradcheck.seeing.running.notes import Notes

_LARGEST = 2**26  # bytes of a file; a notebook holds its pictures
_REPAIRS = 40  # lines that are left out one by one
_JOINED = 60  # pieces that are put together in the search for a statement
_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%notify", "%%snippet")
_LINE_CODE = re.compile(r"^(\s*)%(?:time|timeit|prun)\s+(?!-)(\S.*)$")
_MAGIC = re.compile(r"^\s*[%!?]|^\s*[\w.]+\?{1,2}\s*$")
_ASSIGNED_MAGIC = re.compile(r"^(\s*[\w, ]+=\s*)[%!].*$")
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
_TYPE_PARAMETERS = re.compile(r"^(\s*(?:class|(?:async\s+)?def)\s+\w+)\[[^\]]*\]", re.M)
_FIXERS = (
    *("print", "except", "exec", "ne", "repr", "raise", "has_key", "dict", "raw_input", "input"),
    *("xrange", "unicode", "long", "numliterals", "map", "zip", "filter", "reduce", "basestring"),
    *("tuple_params", "next", "nonzero", "imports", "itertools", "types", "execfile", "urllib"),
)


@dataclass(frozen=True)
class Piece:
    """A module, or a cell of a notebook.

    Parameters
    ----------
    name : str
        The name that its code objects and notes give as the file.
    tree : ast.Module
    lines : list of str
        Its lines, as they are shown.
    """

    name: str
    tree: ast.Module
    lines: list[str]


def pieces_of(file: Path, name: str, notes: Notes) -> Iterator[Piece]:
    """Yield the code of a ``.py`` file, or of each code cell of a notebook.

    Parameters
    ----------
    file : pathlib.Path
    name : str
        The name that is shown for it.
    notes : Notes
        What could not be read is said there.
    """
    data = read_bounded(file, _LARGEST)
    if file.suffix == ".ipynb":
        for number, source in enumerate(_cells(data, name, notes), start=1):
            cell = f"{name}, cell {number}"
            yield Piece(cell, _parsed(_without_magic(source), cell, notes), source.splitlines())
    else:
        source = _decoded(data)
        if "\t" in source and _bad_line([source]) is not None:
            source = source.expandtabs(8)  # Python 2 mixes tabs and blanks
        yield Piece(name, _parsed(source, name, notes), source.splitlines())


def delays_annotations(statement: ast.stmt) -> bool:
    """Whether a statement says that annotations are not evaluated."""
    return (
        isinstance(statement, ast.ImportFrom)
        and statement.module == "__future__"
        and any(one.name == "annotations" for one in statement.names)
    )


def _decoded(data: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
    except SyntaxError:  # a declaration of an encoding that there is not, or bytes that are none
        encoding = "utf-8"
    text = data.decode(encoding, errors="replace")
    return text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _cells(data: bytes, name: str, notes: Notes) -> list[str]:
    """Return the source of each code cell; of a notebook that was cut off, what there is."""
    text = data.decode("utf-8", errors="replace")
    notebook = _parsed_json(text)
    if notebook is None:
        notebook = _longest_json(text)
        notes.add(f"{name} is no whole notebook; what stands before its damage was read.")
    try:
        cells = notebook.get("cells")
        if cells is None:  # before version 4
            cells = [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
        code = [cell for cell in cells if cell.get("cell_type") == "code"]
        return ["".join(cell.get("source", cell.get("input", ""))) for cell in code]
    except (AttributeError, LookupError, TypeError):
        notes.add(f"{name} has no cells.")
        return []


def _parsed_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _longest_json(text: str) -> Any:
    place = len(text)
    for _ in range(200):
        place = text.rfind("}", 0, place)
        if place < 0:
            break
        for end in ("}]}", "}\n]}", "]}]}"):
            found = _parsed_json(text[:place] + end)
            if found is not None:
                return found
    return {}


def _without_magic(source: str) -> str:
    """Return the Python of a cell, line for line, without what only a notebook understands."""
    bare = source.lstrip()
    if bare.startswith("%%"):
        first = bare.split(None, 1)[0]
        if not first.startswith(_PYTHON_CELLS):
            return "\n" * source.count("\n")  # another language
        source = source.replace("%%", "# ", 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except _UNREADABLE:
        return "\n".join(map(_plain_line, source.split("\n")))
    return source  # a line that begins with % goes on from the one before


def _plain_line(line: str) -> str:
    if timed := _LINE_CODE.match(line):
        return f"{timed[1]}{timed[2]}"
    if _MAGIC.match(line):
        return f"{line[: len(line) - len(line.lstrip())]}pass"  # a block may consist of it alone
    return _ASSIGNED_MAGIC.sub(r"\1 []", line)


def _parsed(source: str, name: str, notes: Notes) -> ast.Module:
    """Parse, in Python 2 where it is that, and without the statements that are no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in strings
        try:
            return ast.parse(source, name)
        except _UNREADABLE:
            pass
        spread = source.expandtabs(8)  # Python 2 mixes tabs and blanks
        converted = _from_python_2(spread, name, notes)
        if converted is not None:
            return converted
        return _repaired(spread, name, notes)


def _from_python_2(source: str, name: str, notes: Notes) -> ast.Module | None:
    try:
        from lib2to3.refactor import RefactoringTool
    except ImportError:  # since Python 3.13
        if re.search(r"^\s*print\s+[\"'\w]", source, re.M):
            notes.add(
                f"{name} is written in Python 2, which only Python 3.11 and 3.12 can convert here."
            )
        return None
    try:
        tool = RefactoringTool([f"lib2to3.fixes.fix_{one}" for one in _FIXERS])
        tree = ast.parse(str(tool.refactor_string(source.rstrip("\n") + "\n", name)), name)
    except Exception:  # it is no Python 2 either; the converter raises what it likes
        return None
    notes.add(f"{name} is written in Python 2, and was converted.")
    return _AsItWas(tree).visit(tree)


class _AsItWas(ast.NodeTransformer):
    """Let whole numbers be divided without a rest, and texts, which were bytes, stay such."""

    def __init__(self, tree: ast.Module) -> None:
        names = (
            one for node in tree.body if isinstance(node, ast.ImportFrom) for one in node.names
        )
        self.divides = any(one.name == "division" for one in names)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Change a division."""
        self.generic_visit(node)
        if self.divides or not isinstance(node.op, ast.Div):
            return node
        whole = "(lambda x, y: x // y if isinstance(x, int) and isinstance(y, int) else x / y)"
        return _called(whole, [node.left, node.right], node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Change what is called to decode or encode."""
        self.generic_visit(node)
        method = node.func
        if isinstance(method, ast.Attribute) and method.attr in ("decode", "encode"):
            same = f"(lambda x: (lambda *_, **__: x) if isinstance(x, str) else x.{method.attr})"
            node.func = _called(same, [method.value], method)
        return node


def _called(written: str, given: list[ast.expr], instead: ast.expr) -> ast.Call:
    function = ast.parse(written, mode="eval").body
    for one in ast.walk(function):
        ast.copy_location(one, instead)
    return ast.copy_location(ast.Call(function, given, []), instead)


def _repaired(source: str, name: str, notes: Notes) -> ast.Module:
    """Leave out the lines that are no Python; where that does not help, whole statements."""
    # Of Python 3.12: type parameters, which mean nothing when code runs.
    source = _TYPE_PARAMETERS.sub(r"\1", source)
    lines = source.split("\n")
    tree = _without_bad_lines(lines, name, notes)
    return _in_statements(lines, name, notes) if tree is None else tree


def _without_bad_lines(lines: list[str], name: str, notes: Notes, first: int = 0) -> Any:
    """Return what is left without the lines at which parsing ends; None where that is no help."""
    lines = list(lines)
    left_out: list[int] = []
    while True:
        bad = _bad_line(lines)
        if bad is None:
            for number in left_out:
                notes.add(f"{name}, line {first + number}: this is no Python, and was left out.")
            return ast.parse("\n" * first + "\n".join(lines), name)
        if not 1 <= bad <= len(lines) or len(left_out) == _REPAIRS:
            return None
        line = lines[bad - 1]
        indent = line[: len(line) - len(line.lstrip())]
        for instead in (f"{indent}pass", f'{indent}""', "", f"{indent}if True:"):
            changed = [*lines[: bad - 1], instead, *lines[bad:]]
            after = _bad_line(changed)
            if after is None or after > bad:
                lines = changed
                left_out.append(bad)
                break
        else:
            return None


def _bad_line(lines: list[str]) -> int | None:
    """Return the number of the line at which parsing ends; None where it does not."""
    try:
        ast.parse("\n".join(lines))
    except SyntaxError as error:
        return error.lineno or 0
    except _UNREADABLE:
        return 0
    return None


def _in_statements(lines: list[str], name: str, notes: Notes) -> ast.Module:
    """Parse each statement on its own."""
    starts = [
        number
        for number, line in enumerate(lines)
        if line[:1].strip() and not re.match(r"(else|elif|except|finally)\b|[)\]}#]", line)
    ]
    bounds = [*starts, len(lines)]
    body: list[ast.stmt] = []
    at = 0
    while at < len(bounds) - 1:
        for end in range(at + 1, min(at + _JOINED, len(bounds))):
            part = lines[bounds[at] : bounds[end]]
            if _bad_line(part) is None:
                body += ast.parse("\n" * bounds[at] + "\n".join(part), name).body
                at = end
                break
        else:
            first, last = bounds[at], bounds[at + 1]
            tree = _without_bad_lines(lines[first:last], name, notes, first)
            if tree is None:
                where = f"lines {first + 1} to {last}" if last > first + 1 else f"line {last}"
                notes.add(f"{name}, {where}: this is no Python, and was left out.")
            else:
                body += tree.body
            at += 1
    return ast.Module(body, [])
