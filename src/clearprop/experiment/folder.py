"""The folder of a run: model, history, settings, checkpoint, report and pictures."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clearprop.configuration import Json, finite_json
from clearprop.core.parameters import Array
from clearprop.core.printable import printable_json
from clearprop.data import Dataset, Problem, Table
from clearprop.data.tables.column_paths import has_pattern
from clearprop.data.tables.table import Words, is_numeric
from clearprop.data.tables.text_file import STDIN
from clearprop.errors import OutputError, UsageError
from clearprop.experiment import looking
from clearprop.experiment.augmenting import augmentations
from clearprop.experiment.evaluation import Evaluation
from clearprop.experiment.explaining import draw_importance
from clearprop.experiment.learning import Trained
from clearprop.experiment.measuring import Measured
from clearprop.experiment.runs import CHECKPOINT, HISTORY, MODEL, REPORT, ROOT, SETTINGS
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import Task
from clearprop.experiment.temperature import draw_calibration
from clearprop.experiment.values import Place
from clearprop.explain import Importance, has_convolution
from clearprop.files.models import Model, save
from clearprop.files.written import make_folder, remove_leftovers, write_text
from clearprop.preprocessing import InputRecipe, PreparedRows
from clearprop.training import History
from clearprop.training.augmentation import Augmenter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDS, SEARCH = "folds.json", "search.json"
"""The file of a cross-validation and that of a search, whose folders have no other."""

_AUGMENTED, _DRAWS = 6, 7  # pictures that are shown augmented, and how often each


def open_folder(out: str | None, data: str, *, resume: bool, root: Path = ROOT) -> Path:
    """Make the folder of a run, in which one may stand already if it is to be resumed.

    Where `out` is None, it is a new one under `root` that is called like the data.

    Raises
    ------
    UsageError
        If another run stands in `out`.
    OutputError
        If the folder can't be made or written to.
    """
    if out is None:
        stem = "stdin" if data == STDIN else _called(data)
        return make_folder(root / stem) if resume else free_folder(root / stem)
    folder = Path(out)
    if resume:
        remove_leftovers(folder)
    if not resume and _holds_a_run(folder):
        raise UsageError(
            f"{folder} holds a run already. Choose another folder with --out, or go on with it: "
            f"--resume --out {folder}"
        )
    return make_folder(folder)


def _called(data: str) -> str:
    """Return the name of a run on data: that of a file or folder, or what a pattern tells."""
    if not ("/" in data or "." in data):
        return data
    if not has_pattern(data):
        return Path(Path(data).resolve().name).stem or "run"
    plain = [part.strip("-_. ") for part in re.split(r"[*?\[\]]+", Path(data).stem)]
    return "-".join(filter(None, plain)) or Path(data).absolute().parent.name or "run"


def beside(out: str | Path | None) -> Path:
    """Return the folder that a run's folder lies in: what several runs use lies there, too."""
    return ROOT if out is None else Path(out).absolute().parent


def free_folder(folder: Path) -> Path:
    """Make a folder for a new run: of that name, or of that name and the first free number."""
    free, number = folder, 2
    while _holds_a_run(free):
        free, number = folder.with_name(f"{folder.name}-{number}"), number + 1
    return make_folder(free)


def _holds_a_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in (SETTINGS, MODEL, CHECKPOINT, FOLDS, SEARCH))


def save_run(
    folder: Path, trained: Trained, measured: Measured, command: str | None = None
) -> dict[str, Json]:
    """Write settings, model, history and report; return the report as JSON values.

    `command` is what repeats the run, as one typed it.
    """
    save_settings(folder, trained.task.open_settings)
    save(folder / MODEL, measured.model)
    trained.history.save(folder / HISTORY)
    report = _report(folder, trained, measured, command)
    write_text(folder / REPORT, dumps(report) + "\n")
    return report


def save_settings(folder: Path, settings: Settings) -> None:
    """Write the settings of a run, which find its data from anywhere."""
    settings.with_places(Place.absolute).save(folder / SETTINGS)


def dumps(value: Any) -> str:
    """Return JSON text that a terminal may show; what is not finite becomes null.

    JSON has no NaN, and it can say every character that is hidden or obeyed by its code point.
    """
    return printable_json(json.dumps(finite_json(value), indent=2, ensure_ascii=False))


def _report(
    folder: Path, trained: Trained, measured: Measured, command: str | None
) -> dict[str, Json]:
    task, history = trained.task, trained.history
    promise = task.recipe.target.coverage
    settings = task.settings.with_places(Place.absolute)
    last = history.rows[-1] if len(history) else {}
    return {
        "folder": str(folder),
        "command": command,
        "model": str(folder / MODEL),
        "data": settings.data,
        "samples": {name: found.samples for name, found in measured.parts.items()},
        "parameters": task.network.parameters.data.size,
        "epochs": len(history),
        "stopped": history.stopped,
        "diverged": None if trained.diverged is None else str(trained.diverged),
        "best_epoch": history.best_epoch,
        "seconds": last.get("seconds", 0.0),
        "threshold": None if trained.threshold is None else trained.threshold.to_json(),
        "temperature": None if trained.temperature is None else trained.temperature.to_json(),
        "coverage": None if promise is None else promise.to_json(),
        **measured.to_json(),
        "settings": settings.to_json(),
        "notes": list(task.notes),
    }


def draw_run(
    folder: Path,
    model: Model,
    history: History,
    evaluated: Evaluation | None,
    dataset: Dataset | None,
    importance: Importance | None = None,
) -> tuple[list[Path], list[Problem]]:
    """Draw every picture that fits a run; return the files that were written, and what failed.

    `evaluated` is the measure of the model on `dataset`, samples that it did not learn from.
    """
    written, failed = [], []
    figures = [*_figures(model, history, evaluated, dataset)]
    if importance is not None:
        figures.append(("importance", lambda: draw_importance(importance)))
    for name, figure in figures:
        path = folder / f"{name}.png"
        problem = draw(figure, path)
        if problem is None:
            written.append(path)
        else:
            failed.append(problem)
    return written, failed


def draw_augmented(folder: Path, task: Task) -> tuple[Path | None, Problem | None]:
    """Draw what augmentation makes of some pictures, where a task has any: its file, or why not."""
    if not task.settings.augment:
        return None, None
    path = folder / "augmented.png"
    try:
        problem = draw(lambda: _augmented(task), path)
    except OutputError as error:  # no reason not to train
        problem = Problem(path.name, f"is left out ({str(error).rstrip('.')})")
    return (path if problem is None else None), problem


def _augmented(task: Task) -> "Figure":
    """Draw a picture of each class, or some, and several draws beside each."""
    from clearprop import plots

    train, network = task.train, task.network
    names, settings = train.class_names, task.settings
    rows = np.linspace(0, len(train) - 1, min(_AUGMENTED, len(train))).astype(np.int64)
    if names is not None:  # as many of each class
        order = np.argsort(train.y, kind="stable")
        rows = order[rows]
    assert not isinstance(train.X, Table)  # noqa: S101 - settings have refused to augment one
    every = PreparedRows(train.X, task.recipe.inputs, network.dtype)
    x, y = every[rows], network.targets(task.recipe.target.encode(train.take(rows)))
    change = Augmenter.of(
        augmentations(settings.augment or ()), settings.seed, network, network.loss, every
    )
    draws = [change(n, x.copy(), np.empty_like(x), y, None)[0].copy() for n in range(_DRAWS)]
    return plots.augmented(x, draws, None if names is None else [names[k] for k in train.y[rows]])


def draw(figure: Callable[[], "Figure"], path: Path) -> Problem | None:
    """Draw a figure and save it; one that can't be drawn costs nothing but itself.

    Parameters
    ----------
    figure : callable
        Makes the figure.
    path : Path

    Returns
    -------
    Problem or None
        The picture that can't be drawn, and why.

    Raises
    ------
    OutputError
        If the picture can't be written: that is no matter of drawing.
    """
    from clearprop.plots import save as save_figure  # here, because matplotlib is slow to import

    try:
        save_figure(figure(), path)
    except (OutputError, Warning):  # a warning is an error only where somebody asked for that
        raise
    except Exception as error:  # whatever a figure meets: odd shapes, numbers, fonts, too many
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return Problem(path.name, f"can't be drawn ({reason.splitlines()[0].rstrip('.')})")
    return None


def _figures(
    model: Model, history: History, evaluated: Evaluation | None, dataset: Dataset | None
) -> Iterator[tuple[str, Callable[[], "Figure"]]]:
    from clearprop import plots

    if len(history):
        yield "curves", lambda: plots.curves(history.to_dict(), _best_epoch(model, history))
    if weights := looking.first_weights(model.network):
        yield "weights", lambda: plots.first_layer_weights(*weights)
    if evaluated is None or dataset is None:
        return
    names, truth, predicted = (
        model.class_names,
        evaluated.answers.truth,
        evaluated.answers.predicted,
    )
    if names is None:
        target = dataset.target_name
        yield "predictions", lambda: plots.residuals(truth, predicted, target)
        return
    if (confusion := evaluated.confusion) is not None:
        yield "confusion", lambda: plots.confusion(confusion, names)
    if model.preprocessing is None:
        return
    inputs, shares = model.preprocessing.inputs, evaluated.answers.probabilities
    if evaluated.calibration is not None:
        yield "calibration", lambda: draw_calibration(evaluated.answers, evaluated.target)
    if (places := _plane(dataset)) is not None:
        yield "boundary", lambda: _boundary(model, inputs, dataset, places, names)
    elif not isinstance(dataset.X, Table) and evaluated.mistakes and shares is not None:
        X, _ = inputs.bring(dataset.X)
        confidence, sources = shares[np.arange(len(predicted)), predicted], dataset.sources
        yield "mistakes", lambda: plots.mistakes(X, truth, predicted, confidence, names, sources)
    if not isinstance(dataset.X, Table) and looking.takes_pictures(model.network):
        own = evaluated.answers
        yield "attention", lambda: looking.draw_attention(model, own, dataset)
        if has_convolution(model.network):
            yield "features", lambda: looking.draw_features(model, own, dataset)


def _best_epoch(model: Model, history: History) -> int | None:
    """Return the epoch that was kept, which the table of a history does not say."""
    kept, stopped = model.training.get("epoch"), model.training.get("stopped")
    if history.best_epoch is not None or "validation_loss" not in history.columns:
        return history.best_epoch
    if isinstance(kept, int) and (kept < len(history) or stopped == "finished"):
        return kept
    return None


def _boundary(
    model: Model, inputs: InputRecipe, dataset: Dataset, places: Array, names: Sequence[str]
) -> "Figure":
    from clearprop import plots

    known = np.isfinite(places).all(axis=1)  # what is missing has no place in the plane
    x1, x2 = dataset.feature_names or ("x1", "x2")

    def over_the_plane(at: Array) -> Array:
        is_table = isinstance(dataset.X, Table)
        raw = Table({x1: at[:, 0], x2: at[:, 1]}) if is_table else at
        return model.shares(model.network.logits(inputs.transform(raw, model.network.dtype)))

    return plots.decision_boundary(over_the_plane, places[known], dataset.y[known], names, (x1, x2))


def _plane(dataset: Dataset) -> Array | None:
    """Give samples of two numbers as points of a plane, shape (N, 2); None for all others."""
    X = dataset.X
    if not isinstance(X, Table):
        return X[:] if X.shape[1:] == (2,) else None
    columns = list(X.columns.values())
    numbers = [column for column in columns if not isinstance(column, Words) and is_numeric(column)]
    return np.column_stack(numbers) if len(numbers) == len(columns) == 2 else None
