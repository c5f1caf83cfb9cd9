"""One network on real data, looked into: a training step written out, or its gradients checked."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from clearprop.core.parameters import Array
from clearprop.data import Dataset, load
from clearprop.errors import UsageError, naming
from clearprop.experiment.building import build_trainer
from clearprop.experiment.loading import load_dataset, load_for, recipe_of
from clearprop.experiment.runs import Saved, saved_or_data
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import resolve_for, set_task
from clearprop.network import Network
from clearprop.optimizers import SGD
from clearprop.preprocessing import ClassTarget, Preprocessing, ValueTarget, fit_recipe, prepare

if TYPE_CHECKING:
    from clearprop.gradcheck import Report
    from clearprop.gradcheck.learner import Batch
    from clearprop.walkthrough import Walk

_CHECKED = 32  # samples; with more, a check takes longer and shows no more


@dataclass(frozen=True)
class Ready:
    """A network, and the data and resolved settings that a step of its training needs."""

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
        Data for a model in the place of those that it was trained on.
    target : str, optional
        The column of a table that is to be learned; for data.
    size : (int, int), optional
        The size that a folder's pictures are brought to; for data.

    Raises
    ------
    UsageError
        If the model has no preprocessing or does not say its data, or an option is of no use.
    ModelFileError, DataError
        If the model or the data can't be read, or don't fit each other.
    """
    if (saved := saved_or_data(model_or_data)) is not None:
        if target is not None or size is not None:
            raise UsageError(f"--target and --size are for new data; {saved.word} knows its own.")
        return _of_model(saved, data)
    if data is not None:
        raise UsageError(f"--data gives a model other data; {model_or_data} is no model.")
    settings = Settings(data=model_or_data, target=target, size=size)
    dataset = load_dataset(settings)
    if dataset.kind == "table":  # one that a reader can follow, and that learns in its first step
        settings = replace(settings, network="dense")
    task = set_task(settings, dataset)
    return Ready(task.network, task.recipe, dataset, task.settings)


def _of_model(saved: Saved, data: str | None) -> Ready:
    model = saved.model
    recipe = recipe_of(model, "read data", "call clearprop.walk with its network")
    settings = saved.on(data)
    dataset = load_for(model, settings.data)
    resolved = resolve_for(settings, dataset, recipe.inputs.input_shape)
    return Ready(model.network, recipe, dataset, resolved)


def walk_step(ready: Ready, sample: int, notation: str) -> "Walk":
    """Write out the training step on the batch in which a sample, counted from 0, lies.

    Batches are taken in order: with 32 samples each, sample 40 lies in the second.

    Raises
    ------
    UsageError
        If there is no such sample, or the course has no symbols for the network.
    """
    from clearprop.walkthrough import walk
    from clearprop.walkthrough.sentences import SENTENCES

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
    optimizer = build_trainer(settings, count).optimizer
    looks_along_a_line = optimizer.full_batch
    found = walk(
        ready.network,
        X,
        y,
        sample=sample - first,
        notation=notation,
        optimizer=SGD() if looks_along_a_line else optimizer,
        feature_names=ready.recipe.inputs.input_names or dataset.feature_names,
        class_names=dataset.class_names,
    )
    facts = [
        SENTENCES["of data"].format(
            data=dataset.name,
            first=first,
            last=first + len(rows) - 1,
            count=count,
            sample=sample,
            row=sample - first,
            source=dataset.source(sample),
        )
    ]
    target = ready.recipe.target
    if isinstance(target, ValueTarget) and target.scale is not None:
        formula = target.scale.formula(target.name or "value")
        (mean,), (std,) = target.mean, target.std
        facts.append(SENTENCES["scaled target"].format(formula=formula, mean=mean, std=std))
    if looks_along_a_line:
        found = replace(found, steps=tuple(one for one in found.steps if one.stage != "update"))
        facts.append(SENTENCES["without update"].format(optimizer=type(optimizer).__name__))
    if settings.class_weight != "none":
        facts.append(SENTENCES["without class weights"])
    if settings.augment:
        facts.append(SENTENCES["without augmentation"])
    if settings.clip_norm:
        facts.append(SENTENCES["without clipping"].format(norm=settings.clip_norm))
    return replace(found, facts=(*facts, *found.facts))


def check_network(model_or_data: str, data: str | None) -> "Report":
    """Check the gradients of a saved network, or of the one that training would begin with.

    The arguments are those of `make_ready`.

    Raises
    ------
    UsageError
        If it is not known which data, or the model was saved without preprocessing.
    ShapeError, DataError
        If the data don't fit the model.
    """
    if (saved := saved_or_data(model_or_data)) is None:
        if data is not None:
            raise UsageError(
                f"{model_or_data} is itself the data. Leave --data out, or give a FILE or MODEL."
            )
        # Gradients are right or wrong on any scale, with any L2: none need be tried.
        settings = Settings(data=model_or_data, target_scale="none", l2=0.0)
        task = set_task(settings, load_dataset(settings))
        return _check(task.network, task.recipe, task.train)
    model = saved.model
    instead = "use cp.check_gradients(network, X, y)"
    recipe = recipe_of(model, "be checked on raw data", instead)
    return _check(model.network, recipe, load_for(model, saved.on(data).data))


def batch_for_learners(data: str) -> "Batch":
    """Prepare data for a learner's own code: flat samples, one output for two classes.

    There are at most 32 samples, in float64.
    """
    from clearprop.gradcheck.learner import Batch

    dataset = load(data)
    recipe = fit_recipe(dataset)
    X, y = _prepared(_some(dataset), recipe)
    if isinstance(recipe.target, ClassTarget) and len(recipe.target.class_names) > 2:
        y = np.eye(len(recipe.target.class_names))[y]
    return Batch(X.reshape(len(X), -1), y.reshape(len(X), -1).astype(np.float64))


def _check(network: Network, recipe: Preprocessing, dataset: Dataset) -> "Report":
    from clearprop.gradcheck import check_gradients

    some = _some(dataset)
    with naming(dataset.name):
        report = check_gradients(network, *_prepared(some, recipe))
    if len(some) == len(dataset):
        return report
    note = f"checked on {len(some)} of {len(dataset)} samples."
    return replace(report, notes=(note, *report.notes))


def _some(dataset: Dataset) -> Dataset:
    rows = np.random.RandomState(0).permutation(len(dataset))[:_CHECKED]
    return dataset.take(np.sort(rows))


def _prepared(dataset: Dataset, recipe: Preprocessing) -> tuple[Array, Array]:
    return recipe.inputs.transform(dataset.X, np.float64), recipe.target.encode(dataset)
