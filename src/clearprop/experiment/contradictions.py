"""Settings that don't go together, or not with the data: they are refused before training."""

from typing import TYPE_CHECKING

from clearprop.errors import UsageError, counted
from clearprop.experiment.defaults import NOT_BY_FOLDS, Extent
from clearprop.experiment.layer_words import is_convolution, written
from clearprop.optimizers import OPTIMIZERS, Adam

if TYPE_CHECKING:
    from clearprop.experiment.settings import Settings

_NOT_FULL_BATCH = (
    *("learning_rate", "schedule", "batch_size"),
    *("dropout", "batch_norm", "clip_norm", "augment"),
)
"""Settings of no use to an optimizer that finds its steps by looks at the loss of all samples."""


def require_together(given: "Settings", extent: Extent) -> None:
    """Refuse settings that contradict each other, or the data.

    Parameters
    ----------
    given : Settings
        The settings as they were given, but for the network, which is chosen.
    extent : Extent

    Raises
    ------
    UsageError
    """
    unused = [name for name in _NOT_FULL_BATCH if getattr(given, name)]
    if unused and OPTIMIZERS[given.optimizer].full_batch:
        raise UsageError(
            f"The optimizer {given.optimizer} finds its steps by looks at one and the same "
            f"loss, that of all samples: leave {', '.join(unused)} out."
        )
    by_folds = [name for name in NOT_BY_FOLDS if getattr(given, name) is not None]
    if given.folds == 1 or (given.folds and by_folds):
        raise UsageError(
            "A single fold leaves nothing to learn from: --folds takes 2 or more, or 0 for none."
            if given.folds == 1
            else f"--folds deals all samples out at random to choose and to score with: leave "
            f"--{by_folds[0]} out, or say --folds 0."
        )
    if given.network == "table":
        _require_table(given, extent)
    else:
        _require_network(given, extent)
    if given.augment:
        _require_pictures(given, extent)


def _require_network(given: "Settings", extent: Extent) -> None:
    """Refuse layers that are not of the network asked for, and convolutions of what is no picture.

    Raises
    ------
    UsageError
    """
    named = given.layers is not None
    said = f"--layers {written(given.layers or ())}" if named else "--network convolution"
    asked = given.network == "convolution" or is_convolution(given.layers)
    if asked and given.features is not None:
        raise UsageError(
            f"{said} is for pictures, and --features puts numbers without places in their place: "
            "leave one of both out."
        )
    if asked and not extent.has_places:
        raise UsageError(
            f"{said} is for pictures, whose numbers have neighbours, and a sample of these data is "
            f"{counted(extent.features, 'number')} without: leave it out, or give pictures."
        )
    if given.layers is None or given.network == "auto":
        return
    if is_convolution(given.layers) != (given.network == "convolution"):
        has = "convolutions or pools" if given.network == "dense" else "no convolutions"
        raise UsageError(
            f"--network {given.network} does not go with {said}, which has {has}: leave one of "
            "both out."
        )


def _require_table(given: "Settings", extent: Extent) -> None:
    if not extent.is_table:
        raise UsageError(
            "--network table is for tables, whose columns it prepares in its own way, and these "
            "data are none: leave it out."
        )
    if is_convolution(given.layers):
        raise UsageError(
            f"--layers {written(given.layers or ())} is for pictures, and --network table takes "
            "numbers of units, such as 256,256: leave one of both out."
        )
    unused = {
        "optimizer": given.optimizer if OPTIMIZERS[given.optimizer] is not Adam else None,
        "init": given.init,
        "batch_norm": given.batch_norm or None,
    }
    if name := next((name for name, value in unused.items() if value is not None), None):
        own = {"optimizer": "is trained by adam", "init": "fits its first weights to the data"}
        raise UsageError(
            f"--network table does not go with --{name.replace('_', '-')}: that network "
            f"{own.get(name, 'has scales of its own')}. Leave one of both out; --network dense "
            "takes it."
        )


def _require_pictures(given: "Settings", extent: Extent) -> None:
    """Refuse augmentation of what is no picture, nor shaped like one.

    Raises
    ------
    UsageError
    """
    if not extent.has_places:
        raise UsageError(
            f"--augment {','.join(given.augment or ())} changes pictures, and a sample of these "
            f"data is {counted(extent.features, 'number')} without places: leave it out."
        )
