"""Every reader with files for it, and what must hold when it gets one of them."""

import io
import resource
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from random import Random

import arrays
import backbones
import checkpoints
import columnar
import cross_validations
import estimators
import models
import numpy as np
import pictures
import run_folders
import searches
import tables
import texts
import workbooks
from click.testing import CliRunner

import clearprop as cp
from clearprop.cli import cli, output
from clearprop.data import describe, load
from clearprop.data.pictures.files import read_pictures
from clearprop.errors import ClearpropError
from clearprop.experiment import settings_in
from clearprop.preprocessing import fit_recipe
from clearprop.training import History

MOST_LINES = 20  # of a message


@dataclass(frozen=True)
class Reader:
    """Files for a reader, how it reads one, and the folder in which they stand."""

    files: Callable[[Random], Iterator[tuple[str, bytes]]]
    read: Callable[[Path], object]
    furnish: Callable[[Path], object] = lambda _: None
    cost: int = 1
    """The files of a cheap reader that take the time of one of this."""
    memory: int = 200
    """The MiB by which a process may grow: a small file needs no more."""

    def from_seed(self, seed: int) -> Iterator[tuple[str, bytes]]:
        """Yield the same files for the same seed."""
        return self.files(Random(seed))  # noqa: S311 - no secret, but files that come again


def _model(path: Path) -> None:
    model = cp.load(path)
    shape = model.network.input_shape
    if np.prod(shape) < 1000:
        with np.errstate(all="ignore"):
            model.network.predict(np.ones((2, *shape)))
    _shown(path)


def _shown(path: Path) -> None:
    """Show a model, and look at every character that is printed."""
    for options in ([], ["--json"]):
        result = CliRunner().invoke(cli, ["show", str(path), *options])
        if not isinstance(result.exception, SystemExit | None):
            raise result.exception
        require_harmless(result.output)


def _estimator(path: Path) -> None:
    found = cp.load(path)
    if hasattr(found, "n_features_in_"):
        with np.errstate(all="ignore"):
            found.predict(np.ones((2, found.n_features_in_)))
        repr(found)


def _table(path: Path) -> None:
    dataset = load(path)
    describe(dataset)
    fit_recipe(dataset)


def _picture(path: Path) -> None:
    read = read_pictures([path], (8, 8), 3)
    for problem in read.problems:
        require_message(str(problem))


READERS = {
    "models": Reader(models.files, _model, cost=6),
    "estimators": Reader(estimators.files, _estimator, cost=4),
    "checkpoints": Reader(checkpoints.files, checkpoints.resumed, cost=4),
    "settings": Reader(texts.settings_files, settings_in),
    "histories": Reader(texts.histories, History.load),
    "folds": Reader(cross_validations.files, cross_validations.gone_on_with),
    "searches": Reader(searches.files, searches.gone_on_with),
    "tables": Reader(tables.files, _table),
    "arrays": Reader(arrays.files, _table),
    "columnar": Reader(columnar.files, _table, cost=3),
    "workbooks": Reader(workbooks.files, _table, cost=30),  # a process for each
    # Hundreds of bytes may stand for as many pixels as the largest photographs have.
    "pictures": Reader(pictures.files, _picture, memory=800),
    "backbones": Reader(backbones.files, backbones.opened),
    "runs": Reader(run_folders.files, run_folders.looked_at, run_folders.make_run, cost=40),
}
"""Every reader by the name of its files."""


class FindingError(AssertionError):
    """A file that a reader does not stand."""


def try_file(reader: Reader, folder: Path, name: str, content: bytes) -> bool:
    """Read a file, and return whether it could be read.

    Raises
    ------
    FindingError
        If anything but an error of clearprop's own comes out, its message is long or does
        something to a terminal, memory grows, or a file is changed.
    """
    path = folder / name
    path.write_bytes(content)
    before, memory, good = _contents(folder), _memory(), True
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            reader.read(path)
    except ClearpropError as error:
        require_message(str(error))
        good = False
    except Exception as error:
        raise FindingError(f"{type(error).__name__}: {str(error)[:300]}") from error
    if odd := [one for one in caught if not issubclass(one.category, RuntimeWarning)]:
        raise FindingError(f"a warning: {odd[0].message}")
    if (grown := _memory() - memory) > reader.memory:
        raise FindingError(f"memory has grown by {grown:.0f} MiB")
    if _contents(folder) != before:
        raise FindingError("a file was changed")
    return good


def require_message(message: str) -> None:
    """Print a message as commands do, and look at it."""
    printed = io.StringIO()
    with redirect_stderr(printed), redirect_stdout(printed):
        output.complain(message)
    require_harmless(printed.getvalue())
    if len(printed.getvalue().splitlines()) > MOST_LINES:
        raise FindingError(f"a message of many lines: {printed.getvalue()[:300]}")


def require_harmless(text: str) -> None:
    """Refuse characters that a terminal obeys or hides, as Unicode's categories tell them."""
    hidden = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    for character in set(text) - {"\n", "\t"}:
        if unicodedata.category(character) in hidden:
            raise FindingError(f"{character!r} is printed")


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _memory() -> float:
    """Return the largest memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
