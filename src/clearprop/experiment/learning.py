"""From settings to a trained model: load, hold out, prepare, build, train.

Other data are loaded as the model's own were.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from clearprop import preprocessing
from clearprop.configuration import Json
from clearprop.core.initializers import INITIALIZERS
from clearprop.core.parameters import Array
from clearprop.core.schedules import SCHEDULES
from clearprop.data import Dataset, Table, hold_out, load
from clearprop.data.loading import format_of
from clearprop.errors import DataError, DivergedError, ShapeError, UsageError, listed
from clearprop.experiment.settings import Extent, Settings, resolve
from clearprop.files.models import Model
from clearprop.layers import ACTIVATIONS, BatchNorm, Dense, Dropout, Flatten, Layer
from clearprop.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from clearprop.network import Network
from clearprop.optimizers import OPTIMIZERS
from clearprop.training import Callback, Checkpoint, EarlyStopping, History, Trainer
from clearprop.training.samples import steps_per_epoch


@dataclass(frozen=True)
class Task:
    """Data, network and settings, ready to train.

    Parameters
    ----------
    settings : Settings
        The settings, resolved: no None is left that training needs.
    recipe : Preprocessing
        The recipe, fitted to `train`.
    network : Network
        The network with its first weights.
    train : Dataset
    held_out : Dataset or None
        The samples for validation.
    test : Dataset or None
        The test set that came with the data.
    """

    settings: Settings
    recipe: preprocessing.Preprocessing
    network: Network
    train: Dataset
    held_out: Dataset | None
    test: Dataset | None

    def prepared(self, dataset: Dataset) -> tuple[Array | preprocessing.PreparedRows, Array]:
        """Return X, shape (N, *input_shape), and y of a data set as the network takes them."""
        X = preprocessing.prepare(dataset.X, self.recipe.inputs, self.network.dtype)
        return X, self.recipe.target.encode(dataset)


@dataclass(frozen=True)
class Trained:
    """The outcome of a training.

    Parameters
    ----------
    task : Task
    model : Model
    history : History
    diverged : DivergedError or None
        If the loss stopped being finite: the model then has the last good weights.
    """

    task: Task
    model: Model
    history: History
    diverged: DivergedError | None = None


def load_dataset(settings: Settings, name_or_path: str | None = None) -> Dataset:
    """Load the data of a run, or other data in the same way."""
    return load(name_or_path or settings.data, target=settings.target, size=settings.size)


def recipe_of(
    model: Model, purpose: str, otherwise: str = "call predict on its network"
) -> preprocessing.Preprocessing:
    """Return a model's recipe, or raise UsageError if it has none and so can't serve a purpose."""
    if model.preprocessing is None:
        raise UsageError(
            f"This model was saved without preprocessing, so it can't {purpose}. Prepare arrays "
            f"yourself, and {otherwise}."
        )
    return model.preprocessing


def load_for(model: Model, name_or_path: str) -> Dataset:
    """Load data in the form that a model takes: its target column, its size of pictures."""
    recipe = model.preprocessing
    if recipe is None:
        return load(name_or_path)
    target = _target_in(Path(name_or_path), recipe)
    if isinstance(recipe.inputs, preprocessing.PictureRecipe):
        return load(
            name_or_path,
            target=target,
            size=recipe.inputs.size,
            channels=recipe.inputs.channels,
        )
    dataset = load(name_or_path, target=target)
    if isinstance(recipe.inputs, preprocessing.ArrayRecipe) and isinstance(dataset.X, Table):
        X = preprocessing.array_of(dataset.X, recipe.inputs, name_or_path)
        return replace(dataset, kind="array", X=X, feature_names=None)
    return dataset


def _target_in(path: Path, recipe: preprocessing.Preprocessing) -> str | None:
    """Return a table's column that was learned: by its name, else the only one that is no input."""
    owner, target, inputs = format_of(path), recipe.target.name, recipe.inputs
    if owner is None or not owner.has_columns:
        return None
    if target is not None or not isinstance(inputs, preprocessing.TableRecipe):
        return target
    known = {column.name for column in inputs.columns}
    others = [name for name in owner.column_names(path) if name not in known]
    if len(others) != 1:
        raise DataError(
            f"{path} has {listed(map(repr, others)) or 'no column'} besides those that the "
            "model takes; expected one, the target."
        )
    return others[0]


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Put a file or data set in front of an error that only says what is wrong with its samples."""
    try:
        yield
    except (DataError, ShapeError) as error:
        if source in str(error):
            raise
        raise type(error)(f"{source}: {error}") from error


def set_task(settings: Settings, dataset: Dataset) -> Task:
    """Hold samples out, fit the recipe, resolve the settings, and build the network.

    Raises
    ------
    DataError, ShapeError
        If there is nothing to learn, not enough to hold some out, or data for validation or testing
        are of another kind.
    UsageError
        If the settings can't be used with these data.
    """
    features = preprocessing.fit_recipe(dataset).inputs.input_shape
    extent = Extent(len(dataset), math.prod(features), has_test_set=dataset.test is not None)
    settings = resolve(settings, extent)
    train, held_out = _held_out(settings, dataset)
    recipe = preprocessing.fit_recipe(train)
    for other in (held_out, dataset.test):
        if other is not None:
            with naming(other.name):
                recipe.inputs.check(other.X)
                recipe.target.encode(other)
    return Task(settings, recipe, build_network(settings, recipe), train, held_out, dataset.test)


def build_network(settings: Settings, recipe: preprocessing.Preprocessing) -> Network:
    """Make the network that resolved settings describe, for the data that a recipe was fitted to.

    It has one logit and binary cross-entropy for two classes, softmax for more, the mean squared
    error for values.
    """
    target = recipe.target
    loss: Loss
    if not isinstance(target, preprocessing.ClassTarget):
        loss, outputs = MeanSquaredError(), target.outputs
    elif len(target.class_names) == 2:
        loss, outputs = BinaryCrossEntropy(), 1
    else:
        loss, outputs = SoftmaxCrossEntropy(), len(target.class_names)
    init = INITIALIZERS[settings.init or "he"]
    input_shape = recipe.inputs.input_shape
    layers: list[Layer] = [] if len(input_shape) == 1 else [Flatten()]
    for units in settings.layers or ():
        layers.append(Dense(units, init, bias=not settings.batch_norm))  # the norm has its own
        if settings.batch_norm:
            layers.append(BatchNorm())
        layers.append(ACTIVATIONS[settings.activation])
        if settings.dropout:
            layers.append(Dropout(settings.dropout))
    return Network(
        [*layers, Dense(outputs, init)],
        loss=loss,
        input_shape=input_shape,
        seed=settings.seed,
        dtype=settings.dtype,
    )


def build_trainer(settings: Settings, samples: int) -> Trainer:
    """Make the trainer that resolved settings describe, whose schedule ends with the last update.

    Parameters
    ----------
    settings : Settings
    samples : int
        The number of samples that are trained on.
    """
    kind, epochs, batch_size = OPTIMIZERS[settings.optimizer], settings.epochs or 1, None
    if kind.full_batch:
        optimizer = kind(alpha=settings.l2)
    else:
        batch_size = min(settings.batch_size, samples) if settings.batch_size else None
        steps = epochs * steps_per_epoch(samples, batch_size)
        schedule = SCHEDULES[settings.schedule or "one-cycle"]
        optimizer = kind(schedule(settings.learning_rate or 0.0, steps), alpha=settings.l2)
    return Trainer(
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        early_stopping=EarlyStopping(settings.patience) if settings.patience else None,
        class_weight=None if settings.class_weight == "none" else settings.class_weight,
        clip_norm=settings.clip_norm or None,
        seed=settings.seed,
    )


def learn(
    task: Task,
    *,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resume: bool = False,
) -> Trained:
    """Train the network of a task; where the loss stops being finite, say so in the outcome.

    With `resume`, training goes on from the checkpoint, if there is one.
    """
    settings, diverged = task.settings, None
    try:
        history = build_trainer(settings, len(task.train)).fit(
            task.network,
            *task.prepared(task.train),
            validation=None if task.held_out is None else task.prepared(task.held_out),
            callbacks=callbacks,
            checkpoint=checkpoint,
            resume=resume,
        )
    except DivergedError as error:
        diverged, history = error, error.history
    model = Model(task.network, task.recipe, _summary(settings, history))
    return Trained(task, model, history, diverged)


def _held_out(settings: Settings, dataset: Dataset) -> tuple[Dataset, Dataset | None]:
    validation = settings.validation or "0"
    try:
        share = float(validation)
    except ValueError:
        return dataset, load_dataset(settings, validation)
    if share == 0:
        return dataset, None
    if not 0 < share < 1:
        raise UsageError(
            f"A validation share lies between 0 and 1, found {validation}; 0 holds nothing out, "
            "and a path or name gives data of their own."
        )
    return hold_out(dataset, share, settings.seed)


def _summary(settings: Settings, history: History) -> dict[str, Json]:
    # Nothing here depends on the clock: the same run gives the same model file.
    last = history.rows[(history.best_epoch or len(history)) - 1] if len(history) else {}
    return {
        "settings": settings.to_json(),
        "stopped": history.stopped,
        **{name: value for name, value in last.items() if name != "seconds"},
    }
