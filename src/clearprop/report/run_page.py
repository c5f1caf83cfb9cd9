"""A run as the data of a page: JSON values, with the model file as it is saved within them."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np

from clearprop.configuration import Json, finite_json
from clearprop.core.parameters import Array, ParameterVector
from clearprop.data import Dataset
from clearprop.errors import UsageError
from clearprop.files.models import Model, model_bytes
from clearprop.files.written import write_text
from clearprop.network import Network
from clearprop.page import language_of_system, pack
from clearprop.report.samples import samples_data
from clearprop.training import History

FORMAT = 1
LARGEST = 24_000_000
"""The bytes of a page at most: a browser opens what is larger, but nobody can send it."""

_LARGEST_TRAIN, _MOST_TRAIN = 2**22, 20_000  # bytes and samples of training data, on request


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """A run, as a page shows it.

    Parameters
    ----------
    name : str
        The name of its data, or that of its folder.
    command : str
        The command that repeats it.
    model : Model
    history : History
    report : mapping
        What its ``report.json`` holds.
    samples : tuple of (str, Dataset), optional
        The name of the part that gives the score, and its samples.
    train : Dataset, optional
        The samples that were learned from, to go on with in the page.
    kept : sequence of (int, ndarray)
        Some epochs, and after each the parameters as the network has them, then perhaps what its
        layers keep beside them, shape (P,) or (P + S,).
    doctor : mapping, optional
        The doctor's first finding, as ``train --json`` tells it.
    """

    name: str
    command: str
    model: Model
    history: History
    report: Mapping[str, Json]
    samples: tuple[str, Dataset] | None = None
    train: Dataset | None = None
    kept: Sequence[tuple[int, Array]] = ()
    doctor: Mapping[str, Json] | None = None

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values, without a number that is none."""
        recipe, samples, train = self.model.preprocessing, None, None
        if recipe is not None and self.samples is not None:
            samples = samples_data(*self.samples, recipe)
        if recipe is not None and self.train is not None:
            train = samples_data(
                "train", self.train, recipe, most=_MOST_TRAIN, largest=_LARGEST_TRAIN
            )
        training = {name: finite_json(one) for name, one in self.model.training.items()}
        plain = replace(self.model, linear=None, training=training)
        report = _as_given_away(self.report)
        told: dict[str, Json] = {
            "name": self.name,
            "command": self.command,
            "model": b64encode(model_bytes(plain)).decode("ascii"),
            "history": {name: list(self.history[name]) for name in self.history.columns},
            "best_epoch": self.history.best_epoch,
            "report": report,
            "settings": report.get("settings"),
            "doctor": None if self.doctor is None else [_told(self.doctor)],
            "samples": samples,
            "train": train,
            "kept": [kept_data(self.model.network, *one) for one in self.kept],
        }
        return {name: finite_json(one) for name, one in told.items()}


def _as_given_away(report: Mapping[str, Json]) -> dict[str, Json]:
    """Return a report whose files go by their names: where they lie is nobody's business."""
    told = {name: one for name, one in report.items() if name not in ("model", "command", "doctor")}
    settings = told.get("settings")
    if isinstance(settings, dict):
        told["settings"] = settings | {"data": _name(settings.get("data"))}
    return told | {name: _name(told[name]) for name in ("data", "folder") if name in told}


def _name(place: Json) -> Json:
    return PurePath(place).name or place if isinstance(place, str) else place


def _told(finding: Mapping[str, Json]) -> dict[str, Json]:
    """Name what a page says of a finding."""
    command = finding.get("command")
    return {
        "name": finding["illness"],
        "said": finding["finding"],
        "advice": finding["advice"] if command is None else f"{finding['advice']}\n{command}",
    }


def kept_data(network: Network, epoch: int, numbers: Array) -> dict[str, Json]:
    """Describe what a network was after an epoch, in the order of a model file's names.

    Parameters
    ----------
    network : Network
    epoch : int
    numbers : ndarray, shape (P,) or (P + S,)
        Its parameters, then perhaps its running statistics.

    Notes
    -----
    Half precision is enough to look at parameters, and half as long; running variances may be
    beyond it.
    """
    size = network.parameters.data.size
    with np.errstate(over="ignore"):  # what half precision can't hold is infinite on the page
        data = _by_name(network.parameters, numbers[:size]).astype("<f2")
    told: dict[str, Json] = {"epoch": epoch, "type": "f16", "parameters": _base64(data)}
    if numbers.size > size:
        told["state"] = _base64(_by_name(network.state, numbers[size:]).astype("<f4"))
    return told


def _by_name(like: ParameterVector, numbers: Array) -> Array:
    """Return the arrays of a vector one after the other, in the order of their names."""
    vector = like.like()
    vector.data[...] = numbers
    arrays = [vector[name].reshape(-1) for name in sorted(vector)]
    return np.concatenate(arrays) if arrays else np.empty(0)


def _base64(data: Array) -> str:
    return b64encode(np.ascontiguousarray(data).tobytes()).decode("ascii")


def page_data(runs: Sequence[RunPage]) -> dict[str, Json]:
    """Return the data of a page that shows runs, one or several beside each other."""
    return {"format": FORMAT, "live": None, "runs": [run.to_json() for run in runs]}


def write_page(path: Path, runs: Sequence[RunPage], language: str | None = None) -> None:
    """Write the page of runs, whole or not at all.

    Parameters
    ----------
    path : Path
    runs : sequence of RunPage
    language : str, optional
        The language of its words, by its name in `clearprop.page.LANGUAGES`; the system's unless
        given.

    Raises
    ------
    UsageError
        If it would be larger than `LARGEST`: before anything is written.
    OutputError
        If it can't be written.
    """
    write_text(path, page_text(runs, language))


def page_text(runs: Sequence[RunPage], language: str | None = None) -> str:
    """Return the page of runs, as `write_page` writes it, and raise what that raises."""
    title = " · ".join(run.name for run in runs)
    text = pack(page_data(runs), title=title, language=language or language_of_system())
    size = len(text.encode())
    if size > LARGEST:
        parameters = sum(run.model.network.parameters.data.size for run in runs)
        advice = "clearprop show and plot look at the run without one."
        if len(runs) > 1 or any(run.train is not None for run in runs):
            advice = "Show fewer runs in it, or one without --embed-data."
        raise UsageError(
            f"The page would be of {size / 1e6:,.0f} MB, for {parameters:,} parameters; at most "
            f"{LARGEST / 1e6:,.0f} MB are sensible. {advice}"
        )
    return text
