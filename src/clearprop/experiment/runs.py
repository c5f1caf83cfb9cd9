"""Runs on disk: which one a word means, where its data are, what there is, and its removal."""

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from clearprop.configuration import Json
from clearprop.core.reading import parsed_json, read_bounded
from clearprop.data import Problem
from clearprop.data.named import BUILTINS, TOYS
from clearprop.data.tables import column_paths, text_file
from clearprop.errors import (
    ClearpropError,
    DataError,
    ModelFileError,
    OutputError,
    UsageError,
    did_you_mean,
    listed,
    nearest_file,
)
from clearprop.experiment.backbones import remembered
from clearprop.experiment.candidates import CHOSEN
from clearprop.experiment.layer_words import Words
from clearprop.experiment.settings import Settings, settings_in
from clearprop.experiment.values import Data
from clearprop.files.models import Model, load
from clearprop.files.written import BESIDE

MODEL_SUFFIX = ".safetensors"
MODEL = f"model{MODEL_SUFFIX}"
HISTORY, SETTINGS, REPORT = "history.csv", "config.toml", "report.json"
CHECKPOINT, KEPT, PAGE = "checkpoint.safetensors", f"epochs{MODEL_SUFFIX}", "report.html"
PICTURES = (
    *("curves", "weights", "predictions", "confusion", "boundary", "mistakes"),
    *("attention", "features", "augmented", "calibration", "importance"),
)
ROOT = Path("runs")

_FILES = (MODEL, HISTORY, SETTINGS, CHECKPOINT, KEPT, REPORT, PAGE, *map("{}.png".format, PICTURES))
_LARGEST_REPORT, _MOST_TRAININGS = 2**26, 100  # bytes; steps back, as two may name each other
_DATA, _NAMES = Data("DATA"), (*BUILTINS, *TOYS, text_file.STDIN)


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return (folder / SETTINGS).exists()


@dataclass(frozen=True)
class Saved:
    """A saved model.

    Parameters
    ----------
    word : str
        The word that means it: the folder of its run, or its file.
    file : Path
    folder : Path or None
        The folder of its run; None for a file that lies elsewhere.
    """

    word: str
    file: Path
    folder: Path | None

    @cached_property
    def model(self) -> Model:
        """The model."""
        return remembered(load(self.file), self.file.parent / SETTINGS)

    @cached_property
    def settings(self) -> Settings | None:
        """The settings that it was trained with, if they are known.

        A run says where its data are; a file alone, which may be anywhere, only how they are
        called. What folds have chosen stands in the model.
        """
        found = self.open_settings
        return found and replace(found, **self.chosen)

    @cached_property
    def open_settings(self) -> Settings | None:
        """The same, with None for what folds have chosen.

        Whoever repeats the run lets them choose again: a choice of all folds would flatter each.
        """
        return self._own if self.folder is None else settings_in(self.folder / SETTINGS)

    @cached_property
    def chosen(self) -> dict[str, Any]:
        """The settings of a run that folds have chosen."""
        own, found = self._own, self.open_settings
        open_ones = [name for name in CHOSEN if own and getattr(found, name) is None]
        return {name: getattr(own, name) for name in open_ones}

    @cached_property
    def _own(self) -> Settings | None:
        """The settings that stand in the model, if it is there."""
        if self.folder is not None and not self.file.exists():
            return None
        told: Any = self.model.training.get("settings")
        return settings_in(self.file, told) if isinstance(told, dict) else None

    def on(self, data: str | None, *, again: bool = False) -> Settings:
        """Return its settings, with other data where they are given.

        Parameters
        ----------
        data : str or None
        again : bool, default False
            Whether the run is repeated: then what folds have chosen is open.

        Raises
        ------
        UsageError
            If nothing is given, and its own data are not known, or not there any more.
        """
        known = self.open_settings if again else self.settings
        if data is not None:
            return replace(known or Settings(data=data), data=data)
        if known is None:
            raise UsageError(
                f"{self.word} does not say what it was trained on. Give data with --data."
            )
        require_there(known, self.word)
        return known

    def trainings(self) -> Iterator[tuple["Saved", Settings]]:
        """Go through this model, the one that its training went on from, and so on.

        It ends where one is gone, or does not say how it was trained; a file alone does not say
        where the one before it lies.
        """
        one: Saved | None = self
        with suppress(ClearpropError):
            for _ in range(_MOST_TRAININGS):
                if one is None or one.settings is None:
                    return
                yield one, one.settings
                start = one.settings.start
                one = None if start is None or one.folder is None else saved_at(start)

    def knows(self, data: str) -> bool:
        """Whether it was trained on data of a name or path."""
        known = "" if self.settings is None else self.settings.data
        if self.folder is None:
            return _DATA.last_part(known) == _DATA.last_part(data)
        if _DATA.is_path(known) and _DATA.is_path(data):
            with suppress(OSError):  # one is not there
                return Path(known).samefile(data)
        return known == data


def saved_at(word: str, *, or_data: bool = False) -> Saved | None:
    """Return the model that is meant by its file or by the folder of its run; None for neither.

    Where it may be data, the name of a data set goes before a folder that is called so.
    """
    path = Path(word)
    if or_data and word in _NAMES:
        return None
    if path.suffix == MODEL_SUFFIX and not path.is_dir():
        inside = path.name == MODEL and is_run(path.parent)
        return Saved(word, path, path.parent if inside else None)
    if is_run(path):
        return Saved(word, path / MODEL, path)
    return Saved(word, path / MODEL, None) if (path / MODEL).exists() else None


def saved_or_data(word: str) -> Saved | None:
    """Return the model that a word means; None where it means data.

    Raises
    ------
    UsageError
        If it means nothing, and a run is called nearly so.
    """
    found = saved_at(word, or_data=True)
    means_nothing = found is None and word not in _NAMES and not Path(word).exists()
    if means_nothing and (run := _near(word)) is not None:
        raise UsageError(
            f"There is no data set or path {word!r}, and no run.{did_you_mean(word, _NAMES)} The "
            f"nearest run is {run}."
        )
    return found


def require_saved(word: str) -> Saved:
    """Return the model that a word means.

    Raises
    ------
    ModelFileError
        If it means none.
    """
    found, path = saved_at(word), Path(word)
    if found is not None and found.file.exists():
        return found
    if found is not None and found.folder is not None:
        raise ModelFileError(
            f"{found.folder} has no {MODEL}: its training did not come to an end. Go on with it: "
            f"clearprop train --resume --out {found.folder}"
        )
    if path.exists() and not path.is_dir():
        return Saved(word, path, None)
    run = _near(word)
    raise ModelFileError(
        (
            f"{word} is a folder without a run: it has no {SETTINGS} and no {MODEL}."
            if path.is_dir()
            else f"There is no model file {word}, and no run in a folder of that name."
        )
        + (f" Did you mean {run}?" if run else nearest_file(word))
        + " Expected the folder of a run or a .safetensors file; clearprop runs lists the runs."
    )


def require_run(word: str) -> Saved:
    """Return the model of the run that is meant by its folder, or by the model file in it.

    Raises
    ------
    UsageError
        If there is none.
    """
    found = saved_at(word)
    if found is not None and found.folder is not None:
        return found
    run = _near(word)
    raise UsageError(
        f"{word} is no run's folder: it has no {SETTINGS}."
        + (f" Did you mean {run}?" if run else " Give one that train made.")
    )


def _near(word: str) -> Path | None:
    """Return the run whose folder is called nearly so, beside it or under ``runs/``."""
    places = dict.fromkeys((Path(word).parent, ROOT))
    runs = {path.name: path for place in places for path in _folders(place) if is_run(path)}
    near = get_close_matches(Path(word).name, runs, n=1)
    return runs[near[0]] if near else None


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if path.is_dir())
    except OSError:
        return []


def require_there(settings: Settings, whose: str, how: str = "--data PATH") -> None:
    """Refuse data of a run that lie elsewhere now, or can't be read again.

    Raises
    ------
    UsageError
    """
    if settings.data == text_file.STDIN:
        raise UsageError(
            f"{whose} was trained on standard input, which can't be read again. Save the same data "
            f"as a file, and name it: {how}"
        )
    if _DATA.is_path(settings.data) and not column_paths.is_there(settings.data):
        raise UsageError(
            f"{whose} names {settings.data} as its data, and nothing is there."
            f"{did_you_mean(settings.data, _NAMES)} Say where they lie now: {how}"
        )


@dataclass(frozen=True)
class Listed:
    """A run in a list.

    Parameters
    ----------
    folder : Path
    data : str
    layers : tuple of int or str, or None
    ended : str
        The reason for which training ended, or ``unfinished``.
    score_name : str or None
    score, to_beat : float or None
        The score on samples that it has not learned from and that chose nothing, and that of the
        best baseline, each where it is known.
    saved : datetime
        When its last file was written.
    bytes : int
        What it takes on disk.
    """

    folder: Path
    data: str
    layers: Words | None
    ended: str
    score_name: str | None
    score: float | None
    to_beat: float | None
    saved: datetime
    bytes: int

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return vars(self) | {
            "folder": str(self.folder),
            "layers": None if self.layers is None else list(self.layers),
            "saved": self.saved.isoformat(timespec="seconds"),
        }


def list_runs(folder: Path) -> tuple[list[Listed], list[Problem]]:
    """List the runs in a folder, or the one that it is; the newest first.

    Returns
    -------
    runs : list of Listed
    problems : list of Problem
        The folders that are no runs, or whose files can't be read.

    Raises
    ------
    DataError
        If there is no such folder.
    """
    try:
        inside = [folder] if is_run(folder) else sorted(filter(Path.is_dir, folder.iterdir()))
    except OSError as error:
        raise DataError(f"{folder} can't be listed: {error.strerror}. Give a folder.") from error
    runs, problems = [], []
    for place in inside:
        if not is_run(place):
            problems.append(Problem(str(place), f"is no run: it has no {SETTINGS}"))
            continue
        try:
            runs.append(_listed(place))
        except ClearpropError as error:
            problems.append(Problem(str(place), f"can't be listed: {str(error).rstrip('.')}"))
    return sorted(runs, key=lambda run: run.saved, reverse=True), problems


def _listed(folder: Path) -> Listed:
    settings, files = settings_in(folder / SETTINGS), _files_in(folder)
    report, layers = read_report(folder / REPORT), settings.layers
    own: Any = report.get("settings")
    if layers is None and isinstance(own, dict):  # folds have chosen
        layers = settings_in(folder / REPORT, own).layers
    found: Any = next((report[part] for part in ("test", "folds") if part in report), {})
    name = found.get("score") if isinstance(found, dict) else None
    score = to_beat = None
    if isinstance(name, str):
        score = _number(found, name)
        baselines = found.get("baselines")
        others = baselines.values() if isinstance(baselines, dict) else ()
        known = [_number(one, name) for one in others if isinstance(one, dict)]
        to_beat = max((one for one in known if one is not None), default=None)
    ended = report.get("stopped", "unfinished")
    return Listed(
        folder,
        settings.data,
        layers,
        ended if isinstance(ended, str) else "unfinished",
        None if score is None else name,
        score,
        to_beat,
        datetime.fromtimestamp(max(one.st_mtime for one in files.values())).astimezone(),
        sum(one.st_size for one in files.values()),
    )


def read_report(path: Path) -> dict[str, Any]:
    """Read the report of a run; nothing where it has none yet."""
    if not path.exists():
        return {}
    try:
        found = parsed_json(read_bounded(path, _LARGEST_REPORT))
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise DataError(f"{path} is no JSON: {error}.") from error
    if isinstance(found, dict) and isinstance(found.get("settings", {}), dict):
        return found
    raise DataError(f"{path} is no report.")


def _number(found: Mapping[str, Any], name: str) -> float | None:
    value = found.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _files_in(folder: Path) -> dict[Path, os.stat_result]:
    """Return all files under a folder with their states; no symlink is followed."""
    found: dict[Path, os.stat_result] = {}
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            with suppress(OSError):  # gone in between
                found[path] = path.lstat()
    return found


def removable(word: str) -> tuple[Path, int, int]:
    """Return the folder of a run that holds nothing else, its number of files, and their bytes.

    Raises
    ------
    UsageError
        If it is no run's folder, a symlink, or there are other files in it.
    """
    folder = Path(word)
    if folder.is_symlink():
        raise UsageError(f"{folder} is a symlink. Name the folder that it leads to.")
    require_run(word)
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file of a run; name its folder, {folder.parent}.")
    if others := [path.name for path in folder.iterdir() if not _is_own(path)]:
        raise UsageError(
            f"{folder} holds more than a run: {listed(sorted(others))}. Nothing was removed; move "
            "that elsewhere first."
        )
    files = _files_in(folder)
    return folder, len(files), sum(one.st_size for one in files.values())


def remove(folder: Path) -> None:
    """Remove a run's folder with what is in it; what is no file of a run stays, with the folder.

    Raises
    ------
    OutputError
        If something can't be removed.
    """
    try:
        own = filter(_is_own, folder.iterdir())
        for path in sorted(own, key=lambda path: path.name == SETTINGS):  # it says that it is a run
            path.unlink()
        folder.rmdir()
    except OSError as error:
        raise OutputError(f"{folder} can't be removed: {error.strerror}.") from error


def _is_own(path: Path) -> bool:
    """Whether a file was made by a training; a symlink or a folder never was."""
    named = path.name in _FILES or path.name.startswith(BESIDE)
    return named and path.is_file() and not path.is_symlink()
