"""One training step on real data, ready to be written out."""

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.data import Dataset
from clearprop.errors import DataError, ModelFileError, UnknownNameError, UsageError
from clearprop.experiment.construction import build_trainer
from clearprop.experiment.defaults import resolve
from clearprop.experiment.folder import MODEL, SETTINGS
from clearprop.experiment.learning import load_dataset, set_task
from clearprop.experiment.loading import load_for, naming
from clearprop.experiment.settings import Settings
from clearprop.model_file import load
from clearprop.network import Network
from clearprop.preprocessing import Preprocessing, prepare
from clearprop.walkthrough import Walk, walk
from clearprop.walkthrough.sentences import SENTENCES

_MODEL_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Ready:
    """A network, and the data and settings that a step of its training needs.

    Parameters
    ----------
    network : Network
    recipe : Preprocessing
    dataset : Dataset
    settings : Settings
        Resolved.
    """

    network: Network
    recipe: Preprocessing
    dataset: Dataset
    settings: Settings


def make_ready(
    model_or_data: str,
    *,
    data: str | None = None,
    target: str | None = None,
    size: tuple[int, int] | None = None,
) -> Ready:
    """Load a saved network with its data, or make the network that training would begin with.

    Parameters
    ----------
    model_or_data : str
        A run's folder or a model file; or a name or path of data, for which the network is the one
        that ``clearprop train`` without options makes, with its first weights.
    data : str, optional
        Of a model: other data than it was trained on.
    target : str, optional
        Of data: the column of a table that is to be learned.
    size : (int, int), optional
        Of data: what a folder's pictures are brought to.

    Returns
    -------
    Ready

    Raises
    ------
    UsageError
        If the model has no preprocessing or does not say its data, or an option is of no use.
    ModelFileError, DataError
        If the model or the data can't be read, or don't fit each other.
    """
    path = Path(model_or_data)
    if path.suffix == _MODEL_SUFFIX:
        return _of_model(path, data, target, size)
    if (path / MODEL).exists() or (path / SETTINGS).exists():
        return _of_model(path / MODEL, data, target, size)
    if data is not None:
        raise UsageError(f"--data gives a model other data; {model_or_data} is no model.")
    settings = Settings(data=model_or_data, target=target, size=size)
    dataset = load_dataset(settings)
    task = set_task(settings, dataset)
    return Ready(task.network, task.recipe, dataset, task.settings)


def walk_step(ready: Ready, sample: int, notation: str) -> Walk:
    """Write out the training step on the batch in which a sample lies.

    Batches are taken in order: with 32 samples each, sample 40 lies in the second.

    Parameters
    ----------
    ready : Ready
    sample : int
        Its place in the data, from 0.
    notation : {"engine", "course"}

    Returns
    -------
    Walk

    Raises
    ------
    UsageError
        If there is no such sample, or the course has no symbols for the network.
    """
    dataset, settings = ready.dataset, ready.settings
    count = len(dataset)
    if not 0 <= sample < count:
        raise UsageError(
            f"{dataset.name} has {count:,} samples, 0 to {count - 1}; there is no sample {sample}."
        )
    batch_size = min(settings.batch_size or count, count)
    first = sample // batch_size * batch_size
    rows = np.arange(first, min(first + batch_size, count))
    batch = dataset.take(rows)
    with naming(dataset.name):
        X = prepare(batch.X, ready.recipe.inputs, ready.network.dtype)[:]
        y = ready.recipe.target.encode(batch)
    found = walk(
        ready.network,
        X,
        y,
        sample=sample - first,
        notation=notation,
        optimizer=build_trainer(settings, count).optimizer,
    )
    which = SENTENCES["of data"].format(
        data=dataset.name,
        first=first,
        last=first + len(rows) - 1,
        count=count,
        sample=sample,
        row=sample - first,
        source=dataset.source(sample),
    )
    return replace(found, facts=(which, *_left_out(settings), *found.facts))


def _of_model(
    path: Path, data: str | None, target: str | None, size: tuple[int, int] | None
) -> Ready:
    if target is not None or size is not None:
        raise UsageError(f"--target and --size are for new data; {path} knows its own.")
    model = load(path)
    if model.preprocessing is None:
        raise UsageError(
            f"{path} was saved without preprocessing, so it can't read data. Prepare arrays "
            "yourself, and call clearprop.walk with its network."
        )
    described: Any = model.training.get("settings")
    trained = Settings(**described) if isinstance(described, dict) else None
    source = trained.data if data is None and trained is not None else data
    if source is None:
        raise UsageError(f"{path} does not say what it was trained on. Give data with --data.")
    try:
        dataset = load_for(model, source)
    except (DataError, UnknownNameError) as error:
        if data is not None:
            raise
        raise ModelFileError(f"{path} was trained on {source}. {error} Or give --data.") from error
    features = prod(model.preprocessing.inputs.input_shape)
    settings = trained or Settings(data=source)
    settings = resolve(settings, len(dataset), features, has_test_set=dataset.test is not None)
    return Ready(model.network, model.preprocessing, dataset, settings)


def _left_out(settings: Settings) -> list[str]:
    """Say which settings of a run have no part in the step."""
    left_out = []
    if settings.class_weight != "none":
        left_out.append(SENTENCES["without class weights"])
    if settings.clip_norm:
        left_out.append(SENTENCES["without clipping"].format(norm=settings.clip_norm))
    return left_out
