"""What watched code imports and finds without importing: modules of its own, and built-in names."""

import builtins
import functools
import importlib.util
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import islice, takewhile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from clearprop.core.reading import read_bounded
from clearprop.gradcheck.seeing.arrays import plain
from clearprop.gradcheck.seeing.modules import stand_in_sum
from clearprop.gradcheck.seeing.running.arguments import Asked
from clearprop.gradcheck.seeing.running.guarded import Printed
from clearprop.gradcheck.seeing.running.libraries import SILENT, Libraries
from clearprop.gradcheck.seeing.running.notes import Notes
from clearprop.gradcheck.seeing.scalars import StandInFloat

_MARKS = (".git", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", ".gitignore")
_PERHAPS = ("README*", "readme*", "LICENSE*")  # of which folders within have some, too
_HIGHEST = 6  # folders above a file in which it may find modules
_GUESSED = 3  # the same, where nothing says where its repository begins
_SEARCHED = 300  # folders of a repository
NOT_OWN = re.compile(r"^[._]|^(venv|env|site-packages|node_modules|build|dist|tests?)$")
"""Names of folders in which nobody's own modules lie."""
_LARGEST = 2**26  # bytes of a module
_FOLDER = "__init__"  # what ``from . import x`` means in a file whose folder is no package


def folders_of(file: Path) -> list[Path]:
    """Return the folder of a file, and those above it up to the root of its repository."""
    above = list(file.resolve().parents)[:_HIGHEST]
    for place, folder in enumerate(above):
        if any((folder / mark).exists() for mark in _MARKS):
            return above[: place + 1]
    shared = {Path.home(), Path(tempfile.gettempdir()).resolve(), Path(above[0].anchor)}
    guessed = [above[0], *takewhile(lambda folder: folder not in shared, above[1:])]
    named = [k for k, one in enumerate(guessed) if any(any(one.glob(mark)) for mark in _PERHAPS)]
    return guessed[: named[-1] + 1 if named else _GUESSED]


def _package_in(folders: Sequence[Path]) -> tuple[str, Path]:
    """Return the name of the package that a folder is, and the folder that holds all of it.

    The root of a repository is none, and neither is a folder whose name can't be imported.
    """
    names: list[str] = []
    for folder in folders[:-1]:
        is_inner = not names or (folder / "__init__.py").is_file()
        if not (is_inner and folder.name.isidentifier()):
            return ".".join(names[::-1]), folder
        names.append(folder.name)
    return ".".join(names[::-1]), folders[-1]


class Importer:
    """What watched code calls to import.

    Parameters
    ----------
    folders : sequence of pathlib.Path
        Where its own modules lie; those in the first come before installed libraries.
    stand_ins : mapping of str to module
        NumPy and what else has a stand-in of its own.
    libraries : Libraries
    execute : callable
        A function of a file and a namespace that runs the file in it, watched.
    scratch : object
        Its ``importing`` is not 0 while a library is imported.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        stand_ins: Mapping[str, ModuleType],
        libraries: Libraries,
        execute: Callable[[Path, dict[str, Any]], None],
        scratch: Any,
    ) -> None:
        self.folders, self.stand_ins, self.libraries = folders, stand_ins, libraries
        self.execute, self.scratch = execute, scratch
        self.own: dict[str, ModuleType] = {}
        self.package, self._holds_package = _package_in(folders)
        self._path = list(sys.path)

    def __call__(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - as ``__import__`` has them
        locals: object = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """Import as ``__import__`` does."""
        if level:
            name = self._absolute(name, globals or {}, level)
        module = self._module(name, fromlist or ())
        if not fromlist:
            root = name.split(".")[0]
            if root != name and isinstance(module, ModuleType):
                top = self._module(root)
                self._attach(top, name, module)
                return top
            return module
        for one in fromlist:
            if one != "*":
                self._require(module, name, one)
        return module

    def _absolute(self, name: str, namespace: Mapping[str, Any], level: int) -> str:
        package = namespace.get("__package__") or ""
        parts = package.split(".") if package else []
        parts = parts[: max(0, len(parts) - (level - 1))]
        return ".".join([*parts, *([name] if name else [])]) or _FOLDER

    def _module(self, name: str, wanted: Sequence[str] = ()) -> Any:
        root = name.split(".")[0]
        if name in self.stand_ins:
            return self.stand_ins[name]
        if root in self.stand_ins:
            found: Any = self.stand_ins[root]
            for part in name.split(".")[1:]:  # where parts of NumPy were once, all of it is given
                found = getattr(found, part, self.stand_ins[root])
            return found
        own = self._own(name)
        if own is None and root not in SILENT and not _is_installed(root):
            own = self._own(self._in_other_case(name)) or self._elsewhere(name, wanted)
        if own is not None:
            return own
        if name == _FOLDER:
            return self.own.setdefault(name, ModuleType(name))
        self.scratch.importing += 1
        try:
            return self.libraries.module(name)
        finally:
            self.scratch.importing -= 1

    def _attach(self, top: Any, name: str, module: Any) -> None:
        """Make ``a.b`` of ``import a.b`` be found in ``a``."""
        owner = top
        parts = name.split(".")[1:]
        for part in parts[:-1]:
            owner = getattr(owner, part, owner)
        if getattr(owner, parts[-1], None) is None:
            owner.__dict__[parts[-1]] = module

    def _require(self, module: Any, name: str, wanted: str) -> None:
        """See to it that a module has what is imported from it."""
        try:
            getattr(module, wanted)
        except AttributeError:
            inner = wanted if name == _FOLDER else f"{name}.{wanted}"
            found = self._own(inner) or self._part(module, inner)
            if found is None:
                self.libraries.notes.say(
                    f"{name} has no {wanted}; a stand-in does nothing.", once=f"{name}.{wanted}"
                )
                found = self.libraries.stand_in(f"{name}.{wanted}")
            module.__dict__[wanted] = found

    def _part(self, module: Any, name: str) -> Any:
        """Return a module within an installed one, which has to be imported to be there."""
        if module is not sys.modules.get(module.__name__):
            return None
        self.scratch.importing += 1
        try:
            return importlib.import_module(name)
        except ImportError:
            return None
        finally:
            self.scratch.importing -= 1

    # Modules of its own.

    def _own(self, name: str, inner: str = "") -> ModuleType | None:
        """Import a module of its own; None where there is none.

        A file may be meant to be run from a folder above it, where `a` of ``a.b`` is a package, and
        lie beside a module of that name: then the package that has `inner` is meant.
        """
        known = self.own.get(name)
        if known is not None and (not inner or hasattr(known, "__path__")):
            return known
        parent, _, last = name.rpartition(".")
        if parent:
            package = self._own(parent, last)
            if package is None or not hasattr(package, "__path__"):
                return None
            folders = [Path(one) for one in package.__path__]
        else:
            folders = self._top_folders(name)
        holding = [one for one in folders if inner and self._found(one / last, inner)]
        for folder in (*holding, *folders):
            # Of a folder that holds nothing but other folders, the one that is meant is known.
            found = self._found(folder, last) or (
                (None, folder / last) if folder in holding else None
            )
            if found is not None:
                if known is not None and found[1] is None:
                    return known
                module = self._run(name, *found)
                if parent:
                    setattr(self.own[parent], last, module)
                return module
        return None

    def _top_folders(self, name: str) -> list[Path]:
        around = self._holds_package
        if name == self.package.split(".")[0] and (around / name / "__init__.py").is_file():
            return [self.folders[0], around]
        added = [Path(os.path.realpath(one)) for one in sys.path if one not in self._path]
        others = [*added, *self.folders[1:]]
        found = {folder for folder in others if self._found(folder, name)}
        if found and not found.intersection(added) and _is_installed(name):
            others = []
        return [self.folders[0], *others]

    def _in_other_case(self, name: str) -> str:
        """Return a name as its file has it, on systems that tell no capitals apart."""
        root, dot, rest = name.partition(".")
        for one in (inner for folder in self.folders for inner in folder.iterdir()):
            if one.stem.lower() == root.lower() and one.suffix in (".py", ""):
                return f"{one.stem}{dot}{rest}"
        return name

    def _elsewhere(self, name: str, wanted: Sequence[str]) -> ModuleType | None:
        """Import a module that has been moved: one of its name, with all that is wanted of it.

        Of several, one in a folder of the same name: ``b/c.py`` for ``a.b.c``. Where nothing tells
        what is wanted, the only one of its name.
        """
        root, last = self.folders[-1], name.split(".")[-1]
        asking = getattr(self.own.get(name.rpartition(".")[0]), "__file__", None)
        fitting: list[tuple[Path, Path | None]] = []
        for folder, inner, _ in islice(os.walk(root), _SEARCHED):
            inner[:] = [one for one in sorted(inner) if not NOT_OWN.search(one)]
            file, package = self._found(Path(folder), last) or (None, None)
            # A package that asks for a module of its own name is not that module.
            if file is not None and str(file) != asking and _defines(file, wanted):
                fitting.append((file, package))
        if not fitting or (len(fitting) > 1 and not wanted):
            return None
        around = name.split(".")[-2:-1]
        file, package = max(fitting, key=lambda one: [(one[1] or one[0]).parent.name] == around)
        place = file.relative_to(root)
        self.libraries.notes.say(f"{name} is not there; {place} was taken for it.")
        return self._run(name, file, package)

    def _found(self, folder: Path, name: str) -> tuple[Path | None, Path | None] | None:
        """Return the file and the folder of a module; None where there is none."""
        package = folder / name
        if (package / "__init__.py").is_file():
            return package / "__init__.py", package
        file = folder / f"{name}.py"
        if file.is_file():
            return file, None
        if package.is_dir() and next(package.glob("*.py"), None) is not None:
            return None, package
        return None

    def _run(self, name: str, file: Path | None, package: Path | None) -> ModuleType:
        module = ModuleType(name)
        namespace = module.__dict__
        namespace["__package__"] = name if package is not None else name.rpartition(".")[0]
        namespace["__watched__"] = True
        if package is not None:
            namespace["__path__"] = [str(package)]
        self.own[name] = module
        if file is not None:
            namespace["__file__"] = str(file)
            sys.modules.setdefault(name, module)  # where dataclasses and pickle look
            self.execute(file, namespace)
        return module


def _defines(file: Path, names: Sequence[str]) -> bool:
    """Whether a module has a line for each of some names that gives it a value."""
    text = read_bounded(file, _LARGEST).decode("utf-8", errors="replace")
    gives = r"^((class|def) +{0}\b|{0} *=|from .+ import .*\b{0}\b)"
    return all(re.search(gives.format(one), text, re.M) for one in names if one != "*")


def _is_installed(name: str) -> bool:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return False
    return spec is not None and spec.origin is not None  # no bare folder


class JsonLibrary(ModuleType):
    """``json``, which writes watched numbers as numbers."""

    def __init__(self) -> None:
        super().__init__("json")
        for name in ("dump", "dumps"):
            self.__dict__[name] = functools.partial(getattr(json, name), default=_listed)

    def __getattr__(self, name: str) -> Any:
        return getattr(json, name)


def _listed(item: Any) -> Any:
    if not isinstance(item, np.ndarray):
        raise TypeError(f"Object of type {type(item).__name__} is not JSON serializable")
    return np.asarray(plain(item)).tolist()


class ImportLibrary(ModuleType):
    """``importlib``, whose function for it imports as ``import`` does.

    Parameters
    ----------
    imports : callable
        A function of the name of a module that imports it.
    """

    def __init__(self, imports: Callable[[str], Any]) -> None:
        super().__init__("importlib")
        self.__dict__["import_module"] = lambda name, *_: imports(name)
        self.__dict__["reload"] = lambda module: module

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib, name)


def builtins_for(
    notes: Notes,
    importer: Importer,
    printed: Printed,
    opens: Callable[..., Any],
    asked: Asked,
) -> dict[str, Any]:
    """Return the built-in names of watched code, of Python 2 and of notebooks, too."""

    def print_(*args: Any, **kwargs: Any) -> None:
        if not printed.is_full or kwargs.get("file") is not None:
            print(*args, **kwargs)

    def input_(prompt: Any = "", *_: Any) -> str:
        frame = notes.watched_frame()
        place = ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)
        answer = asked.answer(str(prompt), *place)
        notes.say(f'input() was answered with "{answer}".', once="input")
        return answer

    def exit_(code: Any = None) -> None:
        raise SystemExit(code)

    def execfile(file: Any, namespace: Any = None, *_: Any) -> None:
        importer.execute(Path(file), sys._getframe(1).f_globals if namespace is None else namespace)

    quiet = importer.libraries.stand_in("IPython.get_ipython")
    return {
        **vars(builtins),
        "__import__": importer,
        "print": print_,
        "input": input_,
        "open": opens,
        "float": StandInFloat,
        "sum": stand_in_sum,
        "exit": exit_,
        "quit": exit_,
        "help": print_,
        "breakpoint": lambda *_, **__: None,
        "execfile": execfile,
        "get_ipython": lambda: quiet,
        "display": lambda *_, **__: None,
        "xrange": range,
        "raw_input": input_,
        "unicode": str,
        "long": int,
        "basestring": str,
        "unichr": chr,
        "reduce": functools.reduce,
        "file": opens,
        "reload": lambda module: module,
        "cmp": lambda a, b: (a > b) - (a < b),
    }
