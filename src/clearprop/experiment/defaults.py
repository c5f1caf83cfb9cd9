"""Defaults that depend on the data: a rule for each setting that has one, called like it.

A rule takes the settings that were given and the `Extent` of the data, and knows nothing else: the
same data give the same run.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clearprop.data.pictures.files import DEFAULT_SIZE
from clearprop.experiment import augmenting
from clearprop.experiment.layer_words import Words, is_convolution
from clearprop.layers import ACTIVATIONS
from clearprop.optimizers import OPTIMIZERS, Adam, AdamW
from clearprop.training import table_recipe

if TYPE_CHECKING:
    from clearprop.experiment.settings import Settings

_LARGE = 10_000  # samples from which batches of 128 are many enough, and more units pay
_FEW = 2_000  # samples below which a part would be too few to choose or to score with
_FOLDS = 5
_PATIENCE = 2  # the part of the epochs borne without a better one: good ones come as the rate falls
_LEAST_PATIENCE = 10
_UPDATES = 6_000  # after which a network of this kind is good
_LARGE_UPDATES = 4_000  # of convolutions, where many pictures make batches large
_FEWEST_EPOCHS, _MOST_EPOCHS = 10, 200
_MANY_FEATURES = 64
_VERY_MANY_FEATURES = 1000
_DROPOUT = 0.2

# Measured on tables, see docs/decisions/0024: few rows are learned by heart, more of them are not.
_TABLE_RATE = 1e-2
_TABLE_L2, _LARGE_TABLE_L2 = 0.1, 0.03
_LARGE_TABLE_DROPOUT = 0.1

_MOST_TABLE_UPDATES = 100_000  # of the network of tables: minutes
_OF_DENSE = ("layers", "activation", "init", "batch_norm")
"""Settings that describe the hidden layers of a dense network."""

_LEAST_PICTURE = 12  # pixels a side from which places tell more than a dense network sees
_COLOURS = 4  # channels at most; of more, nobody says that they are a picture's
_FILTERS = (16, 32, 64, 64, 64, 64)
_LEAST_POOLED = 6  # pixels a side that a pool makes half as many of
_UNITS = 64
_PICTURE_RATE = 1.5  # times the usual: what a filter learns comes from every place
_PICTURE_DROPOUT = 0.3

NOT_BY_FOLDS = ("validation", "patience", "group", "time")
"""Settings of no use where the samples are dealt out to folds."""


@dataclass(frozen=True)
class Extent:
    """The numbers of the data that defaults depend on.

    Parameters
    ----------
    samples : int
        The number of samples to train on, before any is held out.
    features : int
        The numbers in one prepared sample.
    has_test_set : bool
        Whether the data bring a test set: then none is held out.
    has_validation_set : bool, default False
        Whether they bring samples to validate with.
    is_table : bool, default False
        Whether the features are columns of a table.
    shape : tuple of int, default ()
        The shape of one prepared sample; of pictures (H, W, C) or (H, W).
    are_pictures : bool, default False
        Whether they are pictures, not arrays that are shaped like some.
    are_files : bool, default False
        Whether each is a file, brought to a size.
    class_names : sequence of str, default ()
        The names of the classes, if there are any.
    is_on_disk : bool, default False
        Whether samples are read from disk as they are learned from.
    """

    samples: int
    features: int
    has_test_set: bool
    has_validation_set: bool = False
    is_table: bool = False
    shape: tuple[int, ...] = ()
    are_pictures: bool = False
    are_files: bool = False
    class_names: Sequence[str] = ()
    is_on_disk: bool = False

    @property
    def has_places(self) -> bool:
        """Whether samples are pictures, or shaped like some: each number has neighbours."""
        return len(self.shape) in (2, 3)


def size_to_read(given: "Settings") -> tuple[int, int] | None:
    """Return the size that files of pictures are brought to, if settings say one.

    It is a small one for a dense network that is asked for: to it, larger pictures are many more
    weights, and tell nothing more.
    """
    layers = given.layers
    is_dense = given.network == "dense" or (layers is not None and not is_convolution(layers))
    return given.size or (DEFAULT_SIZE if is_dense else None)


def size(given: "Settings", extent: Extent) -> tuple[int, int] | None:
    """Tell what files of pictures were brought to, so that they are read so again."""
    told = extent.are_pictures and extent.are_files and given.start is None
    return (extent.shape[0], extent.shape[1]) if told else None


def network(given: "Settings", extent: Extent) -> str:
    """Take the network of tables for a table, unless what is given describes a dense one."""
    if given.network != "auto" or not extent.is_table:
        return given.network
    many = extent.features >= _VERY_MANY_FEATURES  # few networks of these would be minutes
    return "dense" if many or dense_by(given) else "table"


def dense_by(given: "Settings") -> str | None:
    """Return the name of a setting that is given and suits a dense network alone, if there is one.

    Hidden layers that somebody describes are dense ones; and the network of tables is trained by
    Adam, with the rates of its own parts.
    """
    if OPTIMIZERS[given.optimizer] is not Adam:
        return "optimizer"
    return next((name for name in _OF_DENSE if getattr(given, name) is not None), None)


def why_dense(given: "Settings", resolved: "Settings") -> tuple[str, ...]:
    """Say why a table does not get the network of tables, where nobody has named one.

    Parameters
    ----------
    given, resolved : Settings
        The settings as they were given, and with their defaults.
    """
    name, is_named = dense_by(given), given.network != "auto" or given.layers is not None
    if is_named or resolved.network != "dense":
        return ()
    why = "it has very many inputs" if name is None else f"--{name.replace('_', '-')} is for one"
    return (f"A dense network, as {why}; tables get --network table by default.",)


def convolves(given: "Settings", extent: Extent) -> bool:
    """Whether the network looks at places: as its layers say, or for pictures of some size."""
    if given.layers is not None:
        return is_convolution(given.layers)
    if given.network != "auto":
        return given.network == "convolution"
    return is_of_pictures(extent.shape) and not OPTIMIZERS[given.optimizer].full_batch


def is_of_pictures(shape: tuple[int, ...]) -> bool:
    """Whether a sample of that shape is a picture of some size, (H, W) or (H, W, C)."""
    if len(shape) not in (2, 3):
        return False
    height, width, *channels = shape
    return min(height, width) >= _LEAST_PICTURE and all(one <= _COLOURS for one in channels)


def layers(given: "Settings", extent: Extent) -> Words:
    """Take convolutions for pictures; else more units for more features and samples.

    A dense network has fewer for a table, whose columns say less.
    """
    if given.network == "table":
        return table_recipe.HIDDEN
    if convolves(given, extent):
        return _of_pictures(extent)
    if given.features is not None:
        return ()  # a pretrained network is deep enough
    if extent.is_table:
        return (64, 32) if extent.samples < _FEW else (128, 64)
    if extent.features < _MANY_FEATURES:
        return 64, 32
    return (512, 256) if extent.samples >= _LARGE else (256, 128)


def _of_pictures(extent: Extent) -> Words:
    """Halve pictures as long as enough is left of them, with more filters each time."""
    side, words = min(extent.shape[:2]), list[int | str]()
    for filters in _FILTERS:
        if side < _LEAST_POOLED:
            break
        words += [f"conv{filters}", "pool"]
        side //= 2
    return (*(words or [f"conv{_FILTERS[0]}"]), _UNITS)


def batch_norm(given: "Settings", extent: Extent) -> bool:
    """Normalise what convolutions give: they learn faster, and more."""
    return convolves(given, extent) and not OPTIMIZERS[given.optimizer].full_batch


def activation(given: "Settings", extent: Extent) -> str:
    """Take ReLU, or that of the recipe for tables."""
    return _usual(extent).activation if given.network == "table" else "relu"


def _usual(extent: Extent) -> table_recipe.Usual:
    return table_recipe.FOR_CLASSES if extent.class_names else table_recipe.FOR_VALUES


def init(given: "Settings", extent: Extent) -> str | None:
    """Keep the spread of signals, which half of the units of a ReLU don't pass on."""
    if given.network == "table":
        return None  # it is fitted to the data
    saturates = ACTIVATIONS[_value(activation, given, extent)].saturates
    return "glorot" if saturates else "he"


def learning_rate(given: "Settings", extent: Extent) -> float | None:
    """Take the optimizer's usual rate, the one measured for tables, or less for many features."""
    if given.network == "table":
        return _usual(extent).learning_rate
    if OPTIMIZERS[given.optimizer].full_batch:
        return None
    if extent.is_table and OPTIMIZERS[given.optimizer] in (Adam, AdamW):
        return _TABLE_RATE
    if convolves(given, extent):
        return OPTIMIZERS[given.optimizer].usual_rate * _PICTURE_RATE
    # A step moves each weight by about as much however many there are, so that a unit with 12,288
    # inputs is thrown far enough for its ReLU to die: photographs then end as one class.
    fewer = min(1.0, math.sqrt(_VERY_MANY_FEATURES / extent.features))
    return OPTIMIZERS[given.optimizer].usual_rate * fewer


def schedule(given: "Settings", _: Extent) -> str | None:
    """Let the rate rise and fall, where there is one; for the network of tables, several times."""
    if given.network == "table":
        return "coslog"
    return None if OPTIMIZERS[given.optimizer].full_batch else "one-cycle"


def epochs(given: "Settings", extent: Extent) -> int:
    """Train for about as many updates, however many samples there are.

    The network of tables sees each sample as often, unless there are very many.
    """
    if given.network == "table":
        size = _value(batch_size, given, extent) or extent.samples
        most = _MOST_TABLE_UPDATES // max(extent.samples // size, 1)
        return min(max(most, _fewest(extent)), table_recipe.EPOCHS)
    if OPTIMIZERS[given.optimizer].full_batch:
        return _MOST_EPOCHS
    size = _value(batch_size, given, extent)
    if not size:
        return _UPDATES
    updates, fewest, wanted = math.ceil(extent.samples / size), _fewest(extent), _UPDATES
    if convolves(given, extent) and extent.samples >= _LARGE:
        fewest, wanted = fewest // 2, _LARGE_UPDATES
    return min(max(round(wanted / updates), fewest), _MOST_EPOCHS)


def _fewest(extent: Extent) -> int:
    """Return the epochs that many samples get, too: of those on disk one is many updates."""
    return 1 if extent.is_on_disk else _FEWEST_EPOCHS


def batch_size(given: "Settings", extent: Extent) -> int:
    """Take larger batches of many samples: there are updates enough."""
    if given.network == "table":
        return table_recipe.BATCH_SIZE
    if OPTIMIZERS[given.optimizer].full_batch:
        return 0
    return 128 if extent.samples >= _LARGE else 32


def dropout(given: "Settings", extent: Extent) -> float:
    """Drop units of the layers that nobody chose: there may be too many of them."""
    if given.network == "table":
        return table_recipe.DROPOUT
    if given.layers is not None or OPTIMIZERS[given.optimizer].full_batch:
        return 0.0
    if convolves(given, extent):
        return _PICTURE_DROPOUT
    return _LARGE_TABLE_DROPOUT if extent.is_table and extent.samples >= _FEW else _DROPOUT


def l2(given: "Settings", extent: Extent) -> float:
    """Shrink the weights for a table, if no samples choose how much.

    The network of tables has the weight decay of its recipe instead.
    """
    if not extent.is_table or given.network == "table" or OPTIMIZERS[given.optimizer].full_batch:
        return 0.0
    return _TABLE_L2 if extent.samples < _FEW else _LARGE_TABLE_L2


def augment(given: "Settings", extent: Extent) -> tuple[str, ...]:
    """Change pictures of classes at random for convolutions, the more the fewer there are.

    A value may be the very place or angle that is changed.
    """
    if not extent.are_pictures or not extent.class_names or not convolves(given, extent):
        return ()
    if OPTIMIZERS[given.optimizer].full_batch:
        return ()
    return augmenting.spelled((augmenting.usual(extent.samples),), extent.class_names)


def _chooser_came(given: "Settings", extent: Extent) -> bool:
    """Whether samples came along to choose the epoch with, and others give the score."""
    return extent.has_validation_set and (extent.has_test_set or given.test is not None)


def folds(given: "Settings", extent: Extent) -> int:
    """Deal few samples out to folds, unless something was said that they have no use for."""
    said = any(getattr(given, name) is not None for name in NOT_BY_FOLDS)
    few = extent.samples < _FEW and extent.features < _VERY_MANY_FEATURES
    few = (
        few and not extent.is_on_disk and not convolves(given, extent)
    )  # six trainings of these would be half an hour
    return _FOLDS if few and not said and not _chooser_came(given, extent) else 0


def test(given: "Settings", extent: Extent) -> str | None:
    """Hold a fifth out to score with, unless samples came along, or folds do it."""
    came = extent.has_test_set or extent.has_validation_set
    return None if came or _value(folds, given, extent) else "0.2"


def validation(given: "Settings", extent: Extent) -> str | None:
    """Hold a part of the rest out to choose with, unless samples came along, or folds do it.

    Convolutions learn from all of few pictures, to the end of the schedule: few that choose an
    epoch choose a lucky one, and what they would teach is worth more.
    """
    if _chooser_came(given, extent) or _value(folds, given, extent):
        return None
    chooses = given.threshold is not None or bool(given.patience)
    if convolves(given, extent) and extent.samples < _LARGE and not chooses:
        return "0"
    return "0.2" if extent.samples < _LARGE else "0.1"


def patience(given: "Settings", extent: Extent) -> int | None:
    """Bear half of the epochs without an improvement; where nothing chooses, all.

    The network of tables goes all the way: its rate comes down four times, the last time at the
    end.
    """
    if _value(folds, given, extent):
        return None
    if _value(validation, given, extent) == "0":
        return 0
    if given.network == "table":
        return _value(epochs, given, extent)
    return max(_value(epochs, given, extent) // _PATIENCE, _LEAST_PATIENCE)


def _value(rule: Callable[["Settings", Extent], Any], given: "Settings", extent: Extent) -> Any:
    """Return the value of a setting: the one given, or else that of its rule."""
    value = getattr(given, rule.__name__)
    return rule(given, extent) if value is None else value
