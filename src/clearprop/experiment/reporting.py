"""A run as a page: what of it is shown, from what was just trained or from its folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.core.reading import parsed_json, read_bounded
from clearprop.data import Dataset
from clearprop.errors import ClearpropError
from clearprop.experiment.epochs_kept import read_kept
from clearprop.experiment.learning import Trained
from clearprop.experiment.measuring import Measured
from clearprop.experiment.runs import HISTORY, KEPT, REPORT, Saved
from clearprop.experiment.task import Task, load_dataset, set_task
from clearprop.report import RunPage
from clearprop.training import History

_LARGEST_REPORT = 2**26  # bytes


def page_of_training(
    folder: Path,
    trained: Trained,
    measured: Measured,
    *,
    report: Mapping[str, Json],
    kept: Sequence[tuple[int, Array]],
    doctor: Mapping[str, Json] | None,
) -> RunPage:
    """Return what the page of a run shows that has just ended.

    Parameters
    ----------
    folder : Path
        Its folder, after which it is called.
    trained : Trained
    measured : Measured
    report : mapping
        What its ``report.json`` holds.
    kept : sequence of (int, ndarray)
        Some epochs, and the parameters after each.
    doctor : mapping or None
        The doctor's first finding.
    """
    return RunPage(
        name=folder.name,
        command=str(report["command"]),
        model=measured.model,
        history=trained.history,
        report=report,
        samples=shown_part(trained.task),
        kept=kept,
        doctor=doctor,
    )


def page_of(
    saved: Saved, data: str | None, otherwise: str, *, embeds: bool
) -> tuple[RunPage, str | None]:
    """Read a run's folder for a page, and say what is left out, where its data are not there.

    Parameters
    ----------
    saved : Saved
    data : str or None
        Where its data lie now, if elsewhere.
    otherwise : str
        The command that repeats it, where its report has none.
    embeds : bool
        Whether the samples that were learned from are put in.

    Raises
    ------
    UsageError
        If the data are not there, and are to be put in.
    """
    folder, model = saved.file.parent, saved.model
    samples = train = note = None
    try:
        settings = saved.on(data)
        task = set_task(settings, load_dataset(settings))
        samples, train = shown_part(task), task.train if embeds else None
    except ClearpropError as error:
        if embeds:
            raise
        note = f"The page of {folder} shows no samples. {error}"
    report = folder / REPORT
    told = parsed_json(read_bounded(report, _LARGEST_REPORT)) if report.exists() else {}
    told = told if isinstance(told, dict) else {}
    run = RunPage(
        name=folder.name,
        command=str(told.get("command") or otherwise),
        model=model,
        history=History.load(folder / HISTORY),
        report=told,
        samples=samples,
        train=train,
        kept=read_kept(folder / KEPT, model.network),
    )
    return run, note


def shown_part(task: Task) -> tuple[str, Dataset]:
    """Return the part whose samples are shown: where there is one, one not learned from."""
    if task.test is not None:
        return "test", task.test
    if task.validation is not None:
        return "validation", task.validation
    return "train", task.train
