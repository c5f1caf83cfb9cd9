"""The network and the trainer that settings describe."""

from clearprop.core.initializers import INITIALIZERS
from clearprop.core.schedules import SCHEDULES
from clearprop.experiment.settings import Settings
from clearprop.layers import ACTIVATIONS, BatchNorm, Dense, Dropout, Flatten, Layer
from clearprop.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from clearprop.network import Network
from clearprop.optimizers import OPTIMIZERS
from clearprop.preprocessing import ClassTarget, Preprocessing
from clearprop.training import EarlyStopping, Trainer
from clearprop.training.samples import steps_per_epoch


def build_network(settings: Settings, recipe: Preprocessing) -> Network:
    """Make the network that resolved settings describe, for the data that a recipe was fitted to.

    It has one logit and binary cross-entropy for two classes, softmax for more, the mean squared
    error for values.
    """
    target = recipe.target
    loss: Loss
    if not isinstance(target, ClassTarget):
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
        class_weight=None if settings.class_weight == "none" else settings.class_weight,
        clip_norm=settings.clip_norm or None,
        seed=settings.seed,
    )
