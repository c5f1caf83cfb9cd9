"""Exporting a model: written, proved against the model, and only then handed over."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearprop.core.printable import printable
from clearprop.errors import ExportError, UsageError, listed, unknown_name
from clearprop.exports.description import Description, describe
from clearprop.exports.proof import Proof, prove
from clearprop.exports.rows import Rows
from clearprop.exports.target import NotRun, Target
from clearprop.files.models import Model, load
from clearprop.files.written import write_together, write_whole
from clearprop.network import Network
from clearprop.preprocessing import raw_from

TARGETS = {
    "onnx": "clearprop.exports.onnx.target:OnnxTarget",
    "python": "clearprop.exports.python.target:PythonTarget",
    "c": "clearprop.exports.c.target:CTarget",
    "javascript": "clearprop.exports.web.script:ScriptTarget",
    "html": "clearprop.exports.web.page:PageTarget",
    "sql": "clearprop.exports.sql.target:SqlTarget",
}
"""The class of each target by its name, imported when it is asked for."""

_ENDINGS = {
    ".onnx": "onnx",
    ".py": "python",
    ".c": "c",
    ".js": "javascript",
    ".mjs": "javascript",
    ".html": "html",
    ".htm": "html",
    ".sql": "sql",
}


@dataclass(frozen=True)
class Exported:
    """An export that was handed over.

    Parameters
    ----------
    path : Path
        The file that was asked for.
    files : mapping of Path to int
        All files that were written, with their bytes.
    target : str
        What it is, in a few words.
    proof : Proof or NotRun
        What came of running it.
    facts : mapping of str to str
        What else there is to say of it.
    notes : tuple of str
        Sentences on what it can't do.
    """

    path: Path
    files: Mapping[Path, int]
    target: str
    proof: Proof | NotRun
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say what was written, and what came of running it."""
        files = listed([f"{path} ({size:,} bytes)" for path, size in self.files.items()])
        lines = [f"{files}: {self.target}."]
        if isinstance(self.proof, NotRun):
            lines.append(f"Not run: {self.proof.reason}")
        else:
            lines += self.proof.in_words()
        lines += [f"{name}: {fact}" for name, fact in self.facts.items()]
        return "\n".join([*lines, *self.notes])


def export(
    model: Any,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - what the command line calls it
    data: Any = None,
    overwrite: bool = False,
    int8: bool = False,
) -> Exported:
    """Write a model in another language, with the whole recipe, and prove it against the model.

    The file is run first, where its runtime is there, on rows that matter: ordinary ones, extremes,
    gaps, unknown categories, and rows between two classes.

    Parameters
    ----------
    model : Model, Network, fitted estimator, or path of a model's file
    path : path-like
        The file to write: .onnx, .py, .c, .js, .html or .sql.
    format : str, optional
        The target by its name, one of `TARGETS`, where the ending of `path` does not tell.
    data : object, optional
        Rows to prove it on beside those that are made up; what `Model.predict` takes.
    overwrite : bool, default False
        Whether a file that stands there is replaced.
    int8 : bool, default False
        Whether weights are rounded to bytes: of C alone.

    Returns
    -------
    Exported
        What was written and how near it comes; ``print`` tells it.

    Raises
    ------
    UsageError
        If the target can't hold the model, or a file stands there.
    ExportError
        If the export does not do what the model does. Nothing is written then.
    MissingExtraError
        If a package is missing that it is written with.
    OutputError
        If the file can't be written.
    """
    target = target_for(path, format, int8=int8)
    known = model_of(model)
    description = describe(known, Path(path).stem)
    rows = None if data is None else rows_of(known, description, data)
    return write_export(known, path, target, rows, overwrite=overwrite, description=description)


def write_export(
    model: Model,
    path: str | os.PathLike[str],
    target: Target,
    data: Rows | None,
    *,
    overwrite: bool,
    description: Description | None = None,
    truth: NDArray[np.str_] | None = None,
) -> Exported:
    """Write an export and prove it: what `export` does of what it has found out.

    Parameters
    ----------
    model : Model
    path : path-like
    target : Target
    data : Rows or None
    overwrite : bool
    description : Description, optional
        The model's, where it is known already.
    truth : ndarray of str, shape (N,), optional
        The class of each row of data.
    """
    path = Path(path)
    if description is None:
        description = describe(model, path.stem)
    _require_free([path], overwrite=overwrite)
    written = target.write(model, description)
    paths = {
        path if ending == target.ending else path.with_suffix(ending): content
        for ending, content in written.files.items()
    }
    if len(paths) < len(written.files):
        raise UsageError(
            f"{target.title[0].upper()}{target.title[1:]} takes files that end in "
            f"{listed(written.files)}, and one of them can't be called {path.name}, too. Call it "
            f"{path.stem}{target.ending}."
        )
    _require_free(list(paths), overwrite=overwrite)
    with tempfile.TemporaryDirectory() as folder:
        for one, content in paths.items():
            write_whole(Path(folder) / one.name, content)
        proof = prove(target, Path(folder) / path.name, model, description, data, truth)
    if isinstance(proof, Proof) and not proof.holds:
        raise ExportError(
            f"{printable(str(path), one_line=True)} was not written, as it does not do what the "
            f"model does. {' '.join(proof.in_words())}"
        )
    _require_free(list(paths), overwrite=overwrite)  # for proving took a while
    write_together(paths)
    sizes = {one: len(content) for one, content in paths.items()}
    return Exported(path, sizes, target.title, proof, written.facts, written.notes)


def target_for(
    path: str | os.PathLike[str],
    format: str | None = None,  # noqa: A002 - what the command line calls it
    *,
    int8: bool = False,
) -> Target:
    """Return the target of a file, by its ending unless its name is given.

    Raises
    ------
    UsageError
        If neither tells, or bytes are asked for of another language than C.
    """
    ending = Path(path).suffix.lower()
    if ending == ".safetensors":  # which a model's own file has, and --force would replace
        raise UsageError(
            f"{os.fspath(path)} is the name of a model's file; call an export otherwise."
        )
    name = _ENDINGS.get(ending) if format is None else format
    if name is None:
        has = f"the ending {ending}" if ending else "no ending"
        known = listed(sorted(_ENDINGS), len(_ENDINGS))
        raise UsageError(
            f"{os.fspath(path)} has {has}, which tells no target; expected one of {known}. Or say "
            f"which it is with --format {' | '.join(TARGETS)}."
        )
    if name not in TARGETS:
        raise unknown_name("target", name, TARGETS)
    if int8 and name != "c":
        raise UsageError(f"--int8 is of C alone, and {os.fspath(path)} is {name}. Leave it out.")
    module, _, kind = TARGETS[name].partition(":")
    made: Target = getattr(import_module(module), kind)(**({"int8": True} if int8 else {}))
    return made


def model_of(model: Any) -> Model:
    """Return what somebody gives as a model.

    Raises
    ------
    UsageError
        If it is none.
    ModelFileError
        If it is the path of a file that holds none.
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, Network):
        return Model(model)
    if hasattr(model, "as_model"):
        found: Model = model.as_model()
        return found
    if isinstance(model, str | os.PathLike):
        path = Path(model)
        return load(path / "model.safetensors" if path.is_dir() else path)
    raise UsageError(
        f"Found {type(model).__name__}, expected a Model, a Network, a fitted estimator of "
        "clearprop, or the path of a model's file."
    )


def rows_of(model: Model, description: Description, data: Any) -> Rows:
    """Return data as rows that a proof can be made on; those of several files one after the other.

    Raises
    ------
    DataError, ShapeError
        If they don't fit the model.
    """
    recipe = model.preprocessing
    parts = (np.asarray(data),) if recipe is None else raw_from(data, recipe)
    found = [Rows.of(description.inputs, raw) for raw in parts]
    every = found[0]
    for more in found[1:]:
        every = every.followed_by(more)
    return every


def _require_free(paths: list[Path], *, overwrite: bool) -> None:
    standing = [path for path in paths if path.exists() or path.is_symlink()]
    if standing and not overwrite:
        raise UsageError(
            f"{listed(map(str, standing))} {'are' if len(standing) > 1 else 'is'} there already, "
            "and kept. Choose another name, or replace it with --force (overwrite=True in Python)."
        )
