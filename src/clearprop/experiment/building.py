"""The network and the trainer that settings describe."""

from dataclasses import replace

from clearprop.core.initializers import INITIALIZERS
from clearprop.core.schedules import SCHEDULES
from clearprop.errors import UsageError
from clearprop.experiment.augmenting import augmentations
from clearprop.experiment.fitting import require_fit
from clearprop.experiment.layer_words import convolution, layer_of
from clearprop.experiment.settings import Settings
from clearprop.layers import ACTIVATIONS, BatchNorm, Dense, Dropout, Flatten, Layer
from clearprop.losses import (
    BinaryCrossEntropy,
    Loss,
    MeanSquaredError,
    Quantiles,
    SoftmaxCrossEntropy,
)
from clearprop.network import Network
from clearprop.optimizers import OPTIMIZERS
from clearprop.preprocessing import ClassTarget, Preprocessing, TableRecipe, TargetRecipe
from clearprop.training import EarlyStopping, Trainer
from clearprop.training.samples import steps_per_epoch
from clearprop.training.table_recipe import SMOOTHED, TableTraining, stopping_for


def build_network(settings: Settings, recipe: Preprocessing, samples: int = 1) -> Network:
    """Make the network that resolved settings describe, for the data that a recipe was fitted to.

    It has one logit and binary cross-entropy for two classes, softmax for more, the mean squared
    error for values; the network of tables a softmax for two classes, too, of smoothed labels.

    Parameters
    ----------
    settings : Settings
    recipe : Preprocessing
    samples : int, default 1
        The number of samples that are trained on, which memory must hold, and for which the
        schedules of a network of tables are laid out.

    Raises
    ------
    UsageError
        If the layers don't fit the samples, or a batch does not fit into memory.
    """
    target = recipe.target
    loss: Loss
    if settings.quantiles is not None:
        loss, outputs = Quantiles(settings.quantiles), len(settings.quantiles)
        _require_one_value(target)
    elif not isinstance(target, ClassTarget):
        loss, outputs = MeanSquaredError(), target.outputs
    elif settings.network == "table":
        loss, outputs = SMOOTHED, len(target.class_names)
    elif len(target.class_names) == 2:
        loss, outputs = BinaryCrossEntropy(), 1
    else:
        loss, outputs = SoftmaxCrossEntropy(), len(target.class_names)
    input_shape = recipe.inputs.input_shape
    if settings.network == "table":
        layers = _of_table(settings, recipe, samples, outputs)
    else:
        last = Dense(outputs, INITIALIZERS[settings.init or "he"])
        layers = [*_hidden(settings, input_shape), last]
        require_fit(layers, settings, input_shape, samples)
    return Network(
        layers,
        loss=loss,
        input_shape=input_shape,
        seed=settings.seed,
        dtype=settings.dtype,
    )


def chooses_by_errors(settings: Settings, recipe: Preprocessing) -> bool:
    """Whether an epoch is chosen by the share of wrong answers, rather than by the loss."""
    return settings.network == "table" and isinstance(recipe.target, ClassTarget)


def _of_table(settings: Settings, recipe: Preprocessing, samples: int, outputs: int) -> list[Layer]:
    if not isinstance(recipe.inputs, TableRecipe):
        raise UsageError("A network of tables takes a table, whose columns it prepares.")
    hidden = [units for units in settings.layers or () if isinstance(units, int)]
    training, activation = _table_training(settings, samples), ACTIVATIONS[_activation(settings)]
    return training.layers(recipe.inputs.groups, hidden, activation, outputs)


def _table_training(settings: Settings, samples: int) -> TableTraining:
    return TableTraining(
        rows=samples,
        batch_size=settings.batch_size or samples,
        epochs=settings.epochs or 1,
        dropout=settings.dropout or 0.0,
    )


def _activation(settings: Settings) -> str:
    return settings.activation or "relu"


def _require_one_value(target: TargetRecipe) -> None:
    if isinstance(target, ClassTarget) or target.outputs > 1:
        kind = "classes" if isinstance(target, ClassTarget) else f"{target.outputs} values a sample"
        again = "; --task regress takes numbers as values" if kind == "classes" else ""
        raise UsageError(
            f"--quantiles is for one value a sample, and the target {target.name or ''!r} holds "
            f"{kind}: leave it out{again}."
        )


def _hidden(settings: Settings, input_shape: tuple[int, ...]) -> list[Layer]:
    """Make the hidden layers that resolved settings describe, and what makes samples flat.

    Convolutions have the normalisation where there are any, as dense layers above them gain little
    from another; dense layers, which have most of the weights, have the dropout.
    """
    init, activation = INITIALIZERS[settings.init or "he"], ACTIVATIONS[_activation(settings)]
    dropped = [Dropout(settings.dropout)] if settings.dropout else []
    norm = [BatchNorm()] if settings.batch_norm else []
    bias = not norm  # the norm has its own
    layers: list[Layer] = []
    of_pictures = [word for word in settings.layers or () if isinstance(word, str)]
    for word in of_pictures:
        layers.append(layer_of(word, init, bias=bias))
        if convolution(word) is not None:
            layers += [*norm, activation]
    if len(input_shape) > 1 and "globalavg" not in of_pictures:
        layers.append(Flatten())
    if any(map(convolution, of_pictures)):
        norm, bias = [], True
    for units in settings.layers or ():
        if isinstance(units, int):
            layers += [Dense(units, init, bias=bias), *norm, activation, *dropped]
    return layers


def build_trainer(settings: Settings, samples: int, loss: Loss | None = None) -> Trainer:
    """Make the trainer that resolved settings describe, whose schedule ends with the last update.

    Parameters
    ----------
    settings : Settings
    samples : int
        The number of samples that are trained on.
    loss : Loss, optional
        The loss of the network, which says what chooses the epoch of a network of tables; the loss
        itself unless given.
    """
    if settings.network == "table":
        trainer = _table_trainer(settings, samples, loss)
    else:
        trainer = _plain_trainer(settings, samples)
    return replace(
        trainer,
        class_weight=None if settings.class_weight == "none" else settings.class_weight,
        clip_norm=settings.clip_norm or None,
        augment=augmentations(settings.augment or ()),
        shards=settings.shards,
        cluster=settings.cluster,
    )


def _table_trainer(settings: Settings, samples: int, loss: Loss | None) -> Trainer:
    training, patience = _table_training(settings, samples), settings.patience
    rate = SCHEDULES[settings.schedule or "coslog"](settings.learning_rate or 0.0, training.steps)
    stopping = stopping_for(loss or MeanSquaredError(), patience) if patience else None
    return training.trainer(rate, alpha=settings.l2 or 0.0, stopping=stopping, seed=settings.seed)


def _plain_trainer(settings: Settings, samples: int) -> Trainer:
    kind, epochs, batch_size = OPTIMIZERS[settings.optimizer], settings.epochs or 1, None
    if kind.full_batch:
        optimizer = kind(alpha=settings.l2 or 0.0)
    else:
        batch_size = min(settings.batch_size, samples) if settings.batch_size else None
        steps = epochs * steps_per_epoch(samples, batch_size)
        schedule = SCHEDULES[settings.schedule or "one-cycle"]
        optimizer = kind(schedule(settings.learning_rate or 0.0, steps), alpha=settings.l2 or 0.0)
    return Trainer(
        optimizer=optimizer,
        epochs=epochs,
        batch_size=batch_size,
        early_stopping=EarlyStopping(settings.patience) if settings.patience else None,
        seed=settings.seed,
    )
