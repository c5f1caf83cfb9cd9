"""The settings of a run. Each is written once: a field of `Settings` says all about it.

A field carries the kind of its values, its help, and its default, which may be a rule on the data.
The options of the command line, what a TOML file may hold, the checks and the table in
``docs/settings.md`` come from there: a new setting is one field, and the place that uses it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from typing import Any

from clearprop.configuration import Json
from clearprop.core.initializers import INITIALIZERS
from clearprop.core.schedules import SCHEDULES
from clearprop.data.loading import is_folder_of_pictures
from clearprop.data.pictures.backbone import LAYOUTS, SCALES
from clearprop.data.pictures.files import DEFAULT_SIZE
from clearprop.data.reading import MEMORY, Reading, TextForm
from clearprop.errors import DataError, UsageError, unknown_name
from clearprop.experiment import augmenting, defaults, values
from clearprop.experiment.contradictions import require_together
from clearprop.experiment.layer_words import Words
from clearprop.experiment.setting import Setting, setting
from clearprop.experiment.toml_files import read_toml, write_toml
from clearprop.layers import ACTIVATIONS
from clearprop.optimizers import OPTIMIZERS
from clearprop.preprocessing import TARGET_SCALES
from clearprop.training.augmentation import AUGMENTATIONS
from clearprop.training.shards import SHARDS

INITS = tuple(INITIALIZERS)
DTYPES = ("float32", "float64")
CLASS_WEIGHTS = ("none", "balanced")
TASKS = ("classify", "regress")
NETWORKS = ("auto", "dense", "convolution", "table")

_LARGEST_SEED = 2**32 - 1  # of numpy.random.RandomState

_MOST_FOLDS = 100
_SIGNS = {"\\t": "\t", "tab": "\t", "space": " "}  # as delimiters are typed


_of_data = partial(setting, group="Data")
_of_network = partial(setting, group="Network")
_of_training = partial(setting, group="Training")
_against_overfitting = partial(setting, group="Regularisation")
_of_scores = partial(setting, group="Held-out samples")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One run. None stands for a default that depends on the data; see `resolve`.

    The activation stands after every hidden layer, behind the normalisation of a batch and before
    the dropout; the seed decides the weights, the batches, the dropout and what is held out.
    """

    data: str = field(metadata={"setting": Setting(values.Data("DATA"), "A name or a path.")})
    start: str | None = _of_data(
        values.Place("MODEL"),
        "A run's folder or a model file whose training goes on: its weights, its columns, its "
        "classes, and its settings where none is given.",
    )
    target: str | None = _of_data(
        values.Text("COLUMN"),
        "What to learn of a table.",
        told="target, label, class or y, else the last that can be learned",
    )
    drop: tuple[str, ...] | None = _of_data(
        values.Names("COLUMN,..."), "The columns of a table that are left out."
    )
    keep: tuple[str, ...] | None = _of_data(
        values.Names("COLUMN,..."), "The columns that are used, though they look of no use."
    )
    category: tuple[str, ...] | None = _of_data(
        values.Names("COLUMN,..."), "The columns that are categories, not numbers."
    )
    number: tuple[str, ...] | None = _of_data(
        values.Names("COLUMN,..."), "The columns that are numbers, whatever else is among them."
    )
    missing: tuple[str, ...] | None = _of_data(
        values.Names("TEXT,..."), "Cells that stand for missing, in every column."
    )
    encoding: str | None = _of_data(
        values.Text("NAME"), "Of a table as text.", told="UTF-8, UTF-16, or else Windows-1252"
    )
    delimiter: str | None = _of_data(
        values.Text("SIGN"), "Of a table as text; a space for any blanks.", told="found out"
    )
    decimal: str | None = _of_data(
        values.Choice(".|,", (".", ",")), "The sign before a fraction.", told="found out"
    )
    header: bool | None = _of_data(
        values.Switch(), "Whether the first line of a table holds names.", told="found out"
    )
    task: str | None = _of_data(
        values.Choice(names=TASKS),
        "Whether the target names classes or holds values.",
        told="by the target",
    )
    target_scale: str = _of_data(
        values.Choice(names=TARGET_SCALES),
        "The scale on which values are learned; answers are on their own.",
        default="auto",
    )
    memory: int | None = _of_data(
        values.Bytes("BYTES"),
        "What cells of a table, eight bytes each, numbers of an array, or a folder's pictures may "
        "take: with more, Parquet, Arrow, NPY, NPZ and HDF5 files stay on disk, pictures are "
        "decoded into a file, and half of it holds the rows that are being learned from.",
        told="1GB",
        rule=lambda _, extent: MEMORY if extent.is_on_disk else None,
    )
    size: tuple[int, int] | None = _of_data(
        values.PictureSize("HEIGHTxWIDTH"),
        "What a folder's pictures are brought to.",
        told="64x64; 96x96 for fewer than 10000 that are mostly larger",
        rule=defaults.size,
    )
    features: str | None = _of_data(
        values.Place("FILE.onnx"),
        "A pretrained network, from whose features of pictures is learned; its own weights stay.",
    )
    features_scale: str | None = _of_data(
        values.Choice(names=SCALES), "The scale that it wants pictures on.", told="as its file says"
    )
    features_layout: str | None = _of_data(
        values.Choice(names=LAYOUTS), "Where it wants the channels.", told="as its file says"
    )
    features_output: str | None = _of_data(
        values.Text("NAME"), "Its tensor that is taken.", told="what its last layer takes"
    )
    network: str = _of_network(
        values.Choice(names=NETWORKS),
        "Whether hidden layers look for small patterns anywhere in a picture, or take each number "
        "as an input of its own; table is the recipe of RealMLP. Auto chooses by the samples.",
        default="auto",
    )
    layers: Words | None = _of_network(
        values.Layers("LAYER,LAYER,..."),
        "The hidden layers: 20,7,5, or none; of pictures conv16,pool,conv32,pool,128.",
        told="256,256,256 with --network table; of pictures convolutions; none with --features; "
        "else 256,128; 64,32 below 64 features; of a table 64,32, from 2000 rows 128,64, or none",
        rule=defaults.layers,
    )
    activation: str | None = _of_network(
        values.Choice(names=tuple(ACTIVATIONS)),
        told="relu; with --network table selu, for values mish",
        rule=defaults.activation,
    )
    init: str | None = _of_network(
        values.Choice(names=INITS),
        told="he; glorot for tanh, sigmoid; with --network table fitted to the data",
        rule=defaults.init,
    )
    optimizer: str = _of_training(values.Choice(names=tuple(OPTIMIZERS)), default="adam")
    learning_rate: float | None = _of_training(
        values.Number("RATE", why_above="at 0 nothing is learned"),
        "The largest of the schedule.",
        told="0.04 with --network table, for values 0.2; else by the optimizer; 0.01 for tables "
        "with adam; 1.5 times the usual with convolutions; none for lbfgs",
        rule=defaults.learning_rate,
    )
    schedule: str | None = _of_training(
        values.Choice(names=tuple(SCHEDULES)),
        told="one-cycle; coslog with --network table; none for lbfgs",
        rule=defaults.schedule,
    )
    epochs: int | None = _of_training(
        values.WholeNumber("N", 1),
        told="256 with --network table; else 10 to 200, fewer for more samples; 200 for lbfgs",
        rule=defaults.epochs,
    )
    batch_size: int | None = _of_training(
        values.BatchSize("N|full"),
        told="256 with --network table; else 32; 128 from 10000 samples on; full for lbfgs",
        rule=defaults.batch_size,
    )
    dropout: float | None = _against_overfitting(
        values.Number("SHARE"),
        "What is dropped after each hidden layer.",
        told="0.15 with --network table; else 0.2; 0.3 with convolutions; 0.1 for tables from 2000 "
        "rows on; 0 with --layers, lbfgs",
        rule=defaults.dropout,
    )
    batch_norm: bool | None = _of_network(
        values.Switch(),
        "Normalise hidden layers.",
        told="with convolutions",
        rule=defaults.batch_norm,
    )
    l2: float | None = _against_overfitting(
        values.Number("ALPHA"),
        "L2, as scikit-learn scales it.",
        told="0; for tables with --network dense the best of several",
        rule=defaults.l2,
    )
    augment: tuple[str, ...] | None = _against_overfitting(
        augmenting.Augmentations("none|light|strong|LIST"),
        "The random changes of pictures that are trained on, some of: "
        f"{', '.join(AUGMENTATIONS)}; shift:0.2 tells a strength.",
        told="strong below 10000 pictures, else light, as far as the classes bear it; none without "
        "convolutions",
        rule=defaults.augment,
    )
    clip_norm: float | None = _of_training(
        values.Number("NORM"), "The longest gradient.", told="any"
    )
    shards: int | None = _of_training(
        values.WholeNumber("N", least=1),
        "The virtual shards that each batch is cut into, whose gradients are added up a fixed "
        "tree: the result depends on this number, and not on who computes them.",
        told="none; with --cluster 16",
        rule=lambda given, _: SHARDS if given.cluster is not None else None,
    )
    cluster: str | None = _of_training(
        values.Text("local:N|ADDRESS"),
        "The processes that compute the shards: N of this machine, or the workers of a Dask "
        "scheduler, such as tcp://host:8786.",
        marks=False,
    )
    class_weight: str = _of_training(values.Choice(names=CLASS_WEIGHTS), default="none")
    quantiles: tuple[float, ...] | None = _of_training(
        values.Levels("Q,Q,..."),
        "The quantiles of values, such as 0.1,0.5,0.9, that are learned in the place of the mean; "
        "the prediction is the median.",
    )
    threshold: str | None = _of_scores(
        values.Threshold("P|f1|cost:RATIO"),
        "The probability from which on the positive of two classes, the one that says yes or else "
        "the rarer, is the answer: a number; f1, the one with the best F1; or cost:5, the cheapest "
        "where to miss one costs as much as 5 false alarms.",
        told="the likelier class is the answer",
    )
    coverage: float | None = _of_scores(
        values.Coverage("SHARE"),
        "The share of rows, such as 90%, whose truth is to lie in a set of classes or an interval; "
        "a fifth of the rows is held out to fit that.",
    )
    folds: int | None = _of_scores(
        values.WholeNumber("N", most=_MOST_FOLDS),
        "Cross-validation: each of N parts is held out once, to choose the epoch and to give the "
        "score; then all is learned from. 0 for none.",
        told="5 below 2000 samples of below 1000 features without convolutions",
        rule=defaults.folds,
    )
    test: str | None = _of_scores(
        values.ShareOrData("SHARE|DATA"),
        "The samples that give the score, and choose nothing; 0 for none.",
        told="what came to test with, else 0.2, or every fold",
        rule=defaults.test,
    )
    validation: str | None = _of_scores(
        values.ShareOrData("SHARE|DATA"),
        "The samples that choose the epoch; 0 for none.",
        told="what came to validate with, else 0.2 of the rest, from 10000 on 0.1; with "
        "convolutions 0 below 10000",
        rule=defaults.validation,
    )
    patience: int | None = _of_scores(
        values.WholeNumber("N"),
        "Stop after N epochs without a better validation loss. The best epoch is kept; 0 trains "
        "all, and keeps the last.",
        told="half of the epochs, at least 10; all with --network table",
        rule=defaults.patience,
    )
    group: str | None = _of_scores(
        values.Text("COLUMN"), "Hold out whole groups of a table's rows, such as patients."
    )
    time: str | None = _of_scores(
        values.Text("COLUMN"), "Hold out a table's last rows by dates or numbers."
    )
    dtype: str = _of_training(values.Choice(names=DTYPES), default="float32")
    seed: int = _of_training(values.WholeNumber("N", most=_LARGEST_SEED), default=0)

    def __post_init__(self) -> None:
        for name, about in described(self).items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, about.kind.check(name, value))

    def changed(self, changes: Mapping[str, Any]) -> "Settings":
        """Return these settings with some changed; None changes nothing."""
        _check_names(changes)
        return replace(
            self, **{name: value for name, value in changes.items() if value is not None}
        )

    def with_places(self, written: Callable[[values.Place, str], str]) -> "Settings":
        """Return these settings with each path written in another way.

        Parameters
        ----------
        written : callable
            `Place.absolute`, to be found from anywhere, or `Place.last_part`, to be shown to
            anybody.
        """
        kinds = {name: about.kind for name, about in described(self).items()}
        return self.changed(
            {
                name: written(kind, value)
                for name, kind in kinds.items()
                if isinstance(kind, values.Place) and (value := getattr(self, name)) is not None
            }
        )

    def to_json(self) -> dict[str, Json]:
        """Describe them in JSON values; what is None, or leaves no mark, is left out."""
        marks = {name for name, about in described(self).items() if about.marks}
        found = {k: value for k, value in asdict(self).items() if value is not None and k in marks}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items()
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them as TOML; what is None is left out.

        Raises
        ------
        OutputError
            If the file can't be written.
        """
        write_toml(path, self.to_json())


def reading_of(settings: "Settings") -> Reading:
    """Return what settings say of a table beforehand."""
    form = TextForm(
        encoding=settings.encoding,
        delimiter=_SIGNS.get(settings.delimiter or "", settings.delimiter),
        decimal=settings.decimal,
        missing=settings.missing or (),
        header=settings.header,
    )
    followed = tuple(filter(None, (settings.group, settings.time)))
    return Reading(
        text=form,
        target=settings.target,
        task=settings.task,
        drop=tuple(name for name in settings.drop or () if name not in followed),
        keep=(*(settings.keep or ()), *followed),
        category=settings.category or (),
        number=settings.number or (),
    )


def described(settings: type[Settings] | Settings) -> dict[str, Setting]:
    """Return the facts of every setting by its name, in the order of the fields."""
    return {field.name: field.metadata["setting"] for field in fields(settings)}


def read_settings(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read settings from a TOML file: those that stand there, by name.

    Raises
    ------
    DataError
        If the file is missing or no TOML.
    UsageError
        If it names a setting that does not exist.
    """
    found = read_toml(path)
    _check_names(found)
    return found


def settings_in(path: str | os.PathLike[str], found: Mapping[str, Any] | None = None) -> Settings:
    """Make the settings of a run that a file tells, perhaps one of an earlier version.

    Parameters
    ----------
    path : path-like
        The file.
    found : mapping of str to object, optional
        The settings that it holds, by name, of whatever kind; unless given, it is a TOML file.

    Raises
    ------
    DataError
        If they don't say the data, or one is unknown or can't be.
    """
    found = read_settings(path) if found is None else found
    try:
        _check_names(found)
        if found.get("data") is None:
            raise UsageError("they don't say which data.")
        return Settings(**{**found, **_as_before(found)})
    except UsageError as error:
        raise DataError(f"{path} has settings that can't be used: {error}") from error


def _as_before(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return how runs were made before a setting was one, where it is not among those found."""
    before: dict[str, Any] = {"target_scale": "none", "augment": ()}
    if "folds" not in found:  # every run that knows of it tells it
        before |= {"folds": 0, "test": "0", "patience": 0}
    if "features" not in found and is_folder_of_pictures(str(found.get("data"))):
        before |= {"size": DEFAULT_SIZE}
    before = {name: value for name, value in before.items() if name not in found}
    if found.get("network", "auto") == "auto" and "layers" not in found:
        before["network"] = "dense"  # folds chose the layers, and only of dense networks
    return before


def _check_names(names: Mapping[str, Any]) -> None:
    known = described(Settings)
    for name in names:
        if name not in known:
            raise unknown_name("setting", name, known)


def resolve(settings: Settings, extent: defaults.Extent) -> Settings:
    """Put the value of its rule in the place of every None that has one.

    Raises
    ------
    UsageError
        If one was given that the optimizer or the folds have no use for.
    """
    settings = replace(settings, network=defaults.network(settings, extent))
    require_together(settings, extent)
    if settings.augment:
        words = augmenting.spelled(settings.augment, extent.class_names)
        settings = replace(settings, augment=words)
    found = {
        name: about.rule(settings, extent)
        for name, about in described(settings).items()
        if about.rule is not None and getattr(settings, name) is None
    }
    return replace(settings, **found)
