"""A learner's file run as it stands, statement by statement, with arrays that are watched."""

import __future__

import ast
import linecache
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy.typing as numpy_typing

from clearprop.core.reading import read_bounded
from clearprop.gradcheck.seeing.arrays import recording
from clearprop.gradcheck.seeing.modules import StandInMath, StandInNumpy, StandInRandom
from clearprop.gradcheck.seeing.running.arguments import Asked
from clearprop.gradcheck.seeing.running.clock import Watchdog
from clearprop.gradcheck.seeing.running.forms import PLAIN, Form
from clearprop.gradcheck.seeing.running.guarded import Printed, Scratch, guarded
from clearprop.gradcheck.seeing.running.imports import (
    Importer,
    ImportLibrary,
    JsonLibrary,
    builtins_for,
    folders_of,
)
from clearprop.gradcheck.seeing.running.libraries import Libraries, is_stand_in
from clearprop.gradcheck.seeing.running.loops import (
    FOR,
    WHILE,
    Cutting,
    Loops,
    OutOfTime,
    Training,
)
from clearprop.gradcheck.seeing.running.notes import Failure, Notes
from clearprop.gradcheck.seeing.running.quotients import REACHED, Quotients
from clearprop.gradcheck.seeing.running.scaling import Scaling
from clearprop.gradcheck.seeing.running.stand_ins import Data, has_data, watched_within
from clearprop.gradcheck.seeing.running.statements import Piece, delays_annotations, pieces_of
from clearprop.gradcheck.seeing.running.tables import Files
from clearprop.gradcheck.seeing.running.tolerant import (
    DATA,
    FAILED,
    FAILURES,
    Tolerant,
    programs_in,
    stored_in,
    uncalled_main,
)
from clearprop.gradcheck.seeing.tape import Tape, TapeFull

_MORE_NODES = 15_000  # that every statement may add, at the least
_RAISES = 4  # times that a full tape is given more room
_LOOPS_END = 0.75  # of the time, after which no loop goes on
_LONGEST = 0.6  # of the time, for one statement
_LARGEST = 2**26
_ENDED = "that it was ended"
_HIDDEN = (
    *("__builtins__", "__doc__", "__loader__", "__spec__", "__package__", "__warningregistry__"),
)
_IMPORTS = (ast.Import, ast.ImportFrom)  # whose statements have a time each
_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, *_IMPORTS)


@dataclass
class Ran:
    """What came of running a file.

    Parameters
    ----------
    namespace : dict
        The names that it defined, with their values.
    notes : list of str
        What was stood in for, skipped or ended, as sentences with their line.
    failures : list of Failure
        The statements that failed.
    sources : dict of str to list of str
        The lines of every file that was watched, by its name as in code objects.
    printed : str
        What it printed, of a lot only the beginning.
    trees : dict of str to ast.Module
        What was parsed of every file: of one in Python 2 what it was converted to.
    """

    namespace: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    sources: dict[str, list[str]] = field(default_factory=dict)
    printed: str = ""
    _runner: Any = field(default=None, repr=False, compare=False)
    trees: dict[str, ast.Module] = field(default_factory=dict, repr=False)

    @property
    def is_given(self) -> bool:
        """Whether it was given data that stand in for others."""
        return any("stand in for" in note for note in self.notes)

    @property
    def was_ended(self) -> bool:
        """Whether a statement took so long, or computed so much, that it was ended."""
        return any(_ENDED in note for note in self.notes)

    def module(self, file: Path) -> tuple[str, dict[str, Any]] | None:
        """Return the name and the namespace of a file that was imported; None of any other."""
        for one in self._runner.importer.own.values():
            own = getattr(one, "__file__", None)
            if own is not None and Path(own).resolve() == file.resolve():
                return self._runner.name_of(file), vars(one)
        return None

    @contextmanager
    def calling(self, tape: Tape, seconds: float = 20.0) -> Iterator[None]:
        """Let functions of the file be called, watched on a tape, and able to do no harm.

        Parameters
        ----------
        tape : Tape
            Where what happens is put down: that of the run, or another.
        seconds : float
            The time after which loops end, and `OutOfTime` is raised.

        Raises
        ------
        TapeFull, OutOfTime
            If the functions compute too much, or too long; in the caller's own code.
        """
        with self._runner.active(tape, seconds), self._runner.watchdog.armed_for(seconds):
            yield


def run(file: Path, tape: Tape, seconds: float = 20.0, form: Form = PLAIN) -> Ran:
    """Run a ``.py`` file or a notebook, and put down what its arrays go through.

    Nothing in it ends the run: what fails is noted, and what it would have given is stood in for
    where that is possible. Nothing is written outside a scratch folder.

    Parameters
    ----------
    file : pathlib.Path
    tape : Tape
        Where what happens is put down; the names of the files that run are added to its `files`.
    seconds : float
        The time that all of it may take.
    form : Form
        The form of data that stand in for others.

    Returns
    -------
    Ran

    Raises
    ------
    OSError
        If the file can't be read.
    """
    file = file.resolve()
    text = read_bounded(file, _LARGEST).decode("utf-8", errors="replace")
    return _Runner(file, tape, text, form).run(seconds)


class _Runner:
    def __init__(self, file: Path, tape: Tape, text: str, form: Form) -> None:
        self.file, self.tape, self.seconds, self.deadline = file, tape, 0.0, 0.0
        self.notes = Notes(tape.files)
        self.data = Data(text, form)
        self.scratch = Scratch(file.parent, self.notes, self._missing)
        self.libraries = Libraries(self.notes, self.data, self.scratch.found)
        self.printed = Printed()
        self.training = Training()
        self.sources: dict[str, list[str]] = {}
        self.trees: dict[str, ast.Module] = {}
        self.flags: dict[str, int] = {}
        self._named: dict[str, Path] = {}
        self.loops = Loops(tape, self.notes, 0.0)
        self.watchdog = Watchdog()
        self.raises = 0
        self.module = ModuleType("__main__")
        self.scaling = Scaling(self.data.scaled, form.is_small)
        self.has_data = has_data(file.parent)
        files = Files(self.scratch, self.libraries)
        numpy = StandInNumpy(files.load)
        vars(numpy)["typing"], vars(numpy)["math"] = numpy_typing, StandInMath()
        vars(numpy).update(files.writers())
        self.libraries.numpy = numpy
        stand_ins: dict[str, ModuleType] = {
            "numpy": numpy,
            "cupy": numpy,
            "autograd.numpy": numpy,
            "jax.numpy": numpy,
            "math": StandInMath(),
            "random": StandInRandom(),
            "json": JsonLibrary(),
        }
        stand_ins["importlib"] = ImportLibrary(lambda name: self.importer(name, fromlist=("*",)))
        self.importer = Importer(
            folders_of(file), stand_ins, self.libraries, self._execute, self.scratch
        )
        self.asked = Asked(self.trees)
        self.builtins = builtins_for(
            self.notes, self.importer, self.printed, self.scratch.open, self.asked
        )
        self.builtins |= {
            FAILURES: (Exception, SystemExit, KeyboardInterrupt, GeneratorExit),
            FAILED: self._failed_at,
            DATA: self._data_for,
        }
        self.programs: set[str] = set()
        self.builtins |= {FOR: self.loops.rounds, WHILE: self.loops.guard, **REACHED}

    @contextmanager
    def active(self, tape: Tape, seconds: float) -> Iterator[None]:
        """Let watched code run, on a tape, for some time."""
        tape.files |= self.tape.files
        self.tape = self.loops.tape = tape
        self.notes.files = tape.files
        self.seconds, self.deadline = seconds, time.monotonic() + seconds
        self.loops.deadline, self.loops.depth = time.monotonic() + _LOOPS_END * seconds, 0
        with (
            tempfile.TemporaryDirectory(prefix="clearprop-", ignore_cleanup_errors=True) as name,
            recording(tape),
            self.watchdog.watching(),
        ):
            self.scratch.folder = Path(name).resolve()
            with (
                guarded(self.scratch, self.file, self.printed, self.asked),
                self.libraries.patched(),
            ):
                sys.modules["__main__"] = self.module
                yield

    def run(self, seconds: float) -> Ran:
        """Run the file."""
        namespace = self.module.__dict__
        namespace |= {"__file__": str(self.file), "__package__": self.importer.package}
        with self.active(self.tape, seconds):
            self._execute(self.file, namespace)
        kept = {
            name: value
            for name, value in namespace.items()
            if name not in _HIDDEN and not name.startswith(WHILE)
        }
        notes = self.notes
        printed = self.printed.getvalue()
        return Ran(kept, notes.sentences, notes.failures, self.sources, printed, self, self.trees)

    # Statements.

    def _execute(self, file: Path, namespace: dict[str, Any]) -> None:
        """Run all of a file in a namespace."""
        namespace["__builtins__"] = self.builtins
        pieces = list(pieces_of(file, self.name_of(file), self.notes))
        main = uncalled_main([one for piece in pieces for one in piece.tree.body])
        if main is not None and namespace is self.module.__dict__:
            pieces[-1].tree.body.append(main)
            self.notes.add(f"{pieces[-1].name}: main(), which nothing calls, was called.")
        for piece in pieces:
            self.trees[piece.name] = deepcopy(piece.tree)
            self.training.learn(piece.tree)
            self.programs |= programs_in(piece.tree.body)
            if file != self.file:
                self.data.add("\n".join(piece.lines))
        if namespace is self.module.__dict__:
            sys.argv[1:] = self.asked.given()
        for piece in pieces:
            self.tape.files.add(piece.name)
            self.sources[piece.name] = piece.lines
            if any(map(delays_annotations, piece.tree.body)):
                self.flags[piece.name] = __future__.annotations.compiler_flag
            whole = "\n".join(piece.lines)
            # So that whoever asks for the source of a function finds it.
            linecache.cache[piece.name] = (
                len(whole),
                None,
                whole.splitlines(keepends=True),
                piece.name,
            )
            self._statements(piece.tree.body, piece, namespace)

    def name_of(self, file: Path) -> str:
        """Return what a file goes by: its way from the one that was asked for, or its name."""
        file = file.resolve()
        if file.is_relative_to(self.file.parent):
            return file.relative_to(self.file.parent).as_posix()
        ways = ("/".join(file.parts[-k:]) for k in range(1, len(file.parts) + 1))
        return next(way for way in ways if self._named.setdefault(way, file) == file)

    def _statements(self, body: list[ast.stmt], piece: Piece, namespace: dict[str, Any]) -> None:
        for statement in body:
            if isinstance(statement, ast.If):
                chosen: list[bool] = []
                self._one(statement, piece, namespace, chosen)
                if chosen:
                    branches = statement.body, statement.orelse
                    branch, other = branches if chosen[0] else branches[::-1]
                    known = len(self.notes.failures)
                    self._statements(branch, piece, namespace)
                    # Saved weights are not there, say: then those count that it begins with.
                    missing = (stored_in(branch) & stored_in(other)) - set(namespace)
                    if missing and len(self.notes.failures) > known:
                        self._statements(other, piece, namespace)
            else:
                self._one(statement, piece, namespace)

    def _one(
        self,
        statement: ast.stmt,
        piece: Piece,
        namespace: dict[str, Any],
        chosen: list[bool] | None = None,
    ) -> None:
        """Run a statement; of an ``if``, its condition alone."""
        name, line = piece.name, statement.lineno
        if time.monotonic() > self.deadline and not isinstance(statement, _DEFINES):
            self.notes.add(
                f"{name}, line {line}: the time was over; only definitions were run from here.",
                once="time",
            )
            return
        depth, self.loops.depth = self.loops.depth, 0
        self._make_room()
        try:
            code = self._compiled(statement, name, only_condition=chosen is not None)
            longest = 1 if isinstance(statement, _IMPORTS) else _LONGEST
            latest = min(self.deadline, time.monotonic() + longest * self.seconds)
            with self.watchdog.armed(latest):
                value = eval(code, namespace)  # noqa: S307 - said before it runs
                if chosen is not None:
                    chosen.append(bool(value))
        except TapeFull:
            self.tape.cuts.append(len(self.tape))
            self.notes.add(f"{name}, line {line}: it computes so much {_ENDED}.")
        except OutOfTime:
            self.notes.add(f"{name}, line {line}: it took so long {_ENDED}.")
        except BaseException as error:  # SystemExit, too: the file is not in charge here
            self.notes.fail(error, name, line)
            error.__traceback__ = None
        finally:
            self.loops.depth = depth
        if chosen is None and not isinstance(statement, _DEFINES):
            self._make_room()
            with suppress(TapeFull):  # where even room for data lacks, names stay without
                self._stand_in(statement, namespace)
        with suppress(TapeFull):
            self._watch_all(namespace)

    def _compiled(self, statement: ast.stmt, name: str, only_condition: bool) -> Any:
        is_whole = self.has_data or self.data.is_whole
        if self.data.was_cut or self.data.form.is_small or not is_whole:
            self.scaling.rows = self.data.rows
            statement = self.scaling.visit(statement)
            if self.scaling.changed:
                why = "as it takes long" if self.data.form.is_small else "with the small data"
                self.notes.add(
                    f"{name}, line {statement.lineno}: {why}, numbers of rows or "
                    f"of a batch such as {self.scaling.changed:,} are made smaller.",
                    once="scaled",
                )
        statement = Quotients().visit(statement)
        statement = Tolerant(self.programs, self._is_data).visit(statement)
        cutting = Cutting(name, self.training)
        if only_condition:
            assert isinstance(statement, ast.If)  # noqa: S101 - of nothing else
            expression = ast.Expression(statement.test)
            return compile(expression, name, "eval", self.flags.get(name, 0), dont_inherit=True)
        made = cutting.visit(statement)
        body = made if isinstance(made, list) else [made]
        module = ast.Module(body, [])
        return compile(module, name, "exec", self.flags.get(name, 0), dont_inherit=True)

    def _make_room(self) -> None:
        """Give the next statement some nodes, where a few statements have taken all."""
        tape = self.tape
        if tape.most_nodes - len(tape) < _MORE_NODES and self.raises < _RAISES:
            tape.most_nodes = len(tape) + _MORE_NODES
            self.raises += 1

    def _stand_in(self, statement: ast.stmt, namespace: dict[str, Any]) -> None:
        """Give data to the names that a statement should have given some, and has not."""
        if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.With | ast.Try):
            return
        maker: Any = getattr(getattr(statement, "value", None), "func", None)
        if (getattr(maker, "attr", "") or getattr(maker, "id", ""))[:1].isupper():
            return  # an object of a class is no data
        text = ""
        for node in ast.walk(statement):
            if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
                return
            if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Store):
                continue
            if node.id in namespace and not is_stand_in(namespace[node.id]):
                continue
            text = text or ast.unparse(statement)
            data = self.data.named(node.id, text)
            if data is not None:
                namespace[node.id] = watched_within(data, node.id)
                self.notes.add(
                    f"{self._last_name}, line {statement.lineno}: small random data stand in for "
                    f"{node.id}."
                )

    def _is_data(self, name: str, text: str) -> bool:
        return self.data.named(name, text) is not None

    def _data_for(self, name: str, text: str) -> Any:
        """Give data to a variable of a program, one of whose statements has failed."""
        self.notes.say(f"small random data stand in for {name}.")
        return watched_within(self.data.named(name, text), name)

    def _failed_at(self, line: int) -> None:
        """Take notice of a statement of a program that has failed."""
        error, frame = sys.exc_info()[1], self.notes.watched_frame()
        if error is not None:
            file = frame.f_code.co_filename if frame is not None else self.file.name
            self.notes.fail(error, file, line)

    @property
    def _last_name(self) -> str:
        return next(reversed(self.sources), self.file.name)

    def _watch_all(self, namespace: dict[str, Any]) -> None:
        try:
            for name, value in list(namespace.items()):
                if not name.startswith("__"):
                    new = watched_within(value, name)
                    if new is not value:
                        namespace[name] = new
        except TapeFull:
            return

    # Files that are read.

    def _missing(self, path: Path) -> bytes | None:
        data = self.data.contents(path)
        if data is not None:
            self.libraries.say_missing(path)
        return data
