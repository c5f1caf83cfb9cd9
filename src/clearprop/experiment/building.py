"""The network and the trainer that settings describe."""

from clearprop.core.initializers import INITIALIZERS
from clearprop.core.schedules import SCHEDULES
from clearprop.experiment.augmenting import augmentations
from clearprop.experiment.fitting import require_fit
from clearprop.experiment.layer_words import convolution, layer_of
from clearprop.experiment.settings import Settings
from clearprop.layers import ACTIVATIONS, BatchNorm, Dense, Dropout, Flatten, Layer
from clearprop.losses import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from clearprop.network import Network
from clearprop.optimizers import OPTIMIZERS
from clearprop.preprocessing import ClassTarget, Preprocessing
from clearprop.training import EarlyStopping, Trainer
from clearprop.training.samples import steps_per_epoch


def build_network(settings: Settings, recipe: Preprocessing, samples: int = 1) -> Network:
    """Make the network that resolved settings describe, for the data that a recipe was fitted to.

    It has one logit and binary cross-entropy for two classes, softmax for more, the mean squared
    error for values.

    Parameters
    ----------
    settings : Settings
    recipe : Preprocessing
    samples : int, default 1
        The number of samples that are trained on, which memory must hold.

    Raises
    ------
    UsageError
        If the layers don't fit the samples, or a batch does not fit into memory.
    """
    target = recipe.target
    loss: Loss
    if not isinstance(target, ClassTarget):
        loss, outputs = MeanSquaredError(), target.outputs
    elif len(target.class_names) == 2:
        loss, outputs = BinaryCrossEntropy(), 1
    else:
        loss, outputs = SoftmaxCrossEntropy(), len(target.class_names)
    input_shape = recipe.inputs.input_shape
    layers = [*_hidden(settings, input_shape), Dense(outputs, INITIALIZERS[settings.init or "he"])]
    require_fit(layers, settings, input_shape, samples)
    return Network(
        layers,
        loss=loss,
        input_shape=input_shape,
        seed=settings.seed,
        dtype=settings.dtype,
    )


def _hidden(settings: Settings, input_shape: tuple[int, ...]) -> list[Layer]:
    """Make the hidden layers that resolved settings describe, and what makes samples flat.

    Convolutions have the normalisation where there are any, as dense layers above them gain little
    from another; dense layers, which have most of the weights, have the dropout.
    """
    init, activation = INITIALIZERS[settings.init or "he"], ACTIVATIONS[settings.activation]
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
        augment=augmentations(settings.augment or ()),
        seed=settings.seed,
    )
