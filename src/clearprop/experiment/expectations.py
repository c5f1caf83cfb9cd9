"""What to expect of a training, said before it begins: of networks of pictures, and of nothing."""

from importlib.util import find_spec

from clearprop.data import Dataset
from clearprop.errors import DataError
from clearprop.experiment.defaults import is_of_pictures
from clearprop.experiment.layer_words import is_convolution
from clearprop.experiment.settings import Settings
from clearprop.network import Network
from clearprop.training.streaming.order import design_effect

_COLOURS = 3
_FEW = 50  # pictures of a class, below which a network that begins with nothing sees too little
_LONG = 60  # seconds
_SORTED = 1.5  # times the variance of a batch's mean
_PER_SECOND = 5e9  # multiplications of a training in NumPy alone, of one core
_PASSES = 3  # one forward, two back


def expectations(settings: Settings, network: Network, dataset: Dataset) -> tuple[str, ...]:
    """Say what a training on pictures can't do, and what to type or to bring instead.

    Parameters
    ----------
    settings : Settings
        Resolved settings.
    network : Network
    dataset : Dataset
        The data, before samples are held out.
    """
    shape = network.input_shape
    if not is_of_pictures(shape):
        return _of_sorted(settings, dataset)
    if not is_convolution(settings.layers):
        return _of_dense(shape)
    return (*_of_few(dataset), *_of_numpy(settings, network, len(dataset)))


def _of_sorted(settings: Settings, dataset: Dataset) -> tuple[str, ...]:
    """Say where rows that lie together on disk are alike, so that batches are less mixed."""
    if dataset.whole is None or not settings.batch_size:
        return ()
    between = dataset.whole.survey.columns[dataset.target_name].between
    effect = design_effect(settings.batch_size, between)
    if effect < _SORTED:
        return ()
    return (
        f"Rows that lie together are alike in {dataset.target_name!r}, so a batch of "
        f"{settings.batch_size} tells as much as one of about {settings.batch_size / effect:.0f} "
        "drawn from all. Where the files can be written once more, write them in random order.",
    )


def _of_dense(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Say what a dense network makes of photographs; small grey pictures it learns well."""
    if shape[2:] != (_COLOURS,):
        return ()
    return (
        "A dense network takes each number of a picture for itself and knows of no neighbours: of "
        "photographs expect little more than a linear model knows. On 1,652 cats and dogs it "
        "reached 60%, and a convolution 87%. To have one: --network convolution, without --layers.",
    )


def _of_few(dataset: Dataset) -> tuple[str, ...]:
    counts = dataset.counts() if dataset.class_names is not None else {}
    few = min(counts, key=counts.__getitem__, default=None)
    if few is None or counts[few] >= _FEW:
        return ()
    return (
        f"There are {counts[few]} pictures of {few!r}. From fewer than {_FEW} a class a network "
        "that begins with nothing learns what is plain to see, such as colours and large shapes, "
        "and its score varies by several percent from one --seed to the next: more pictures help, "
        "or the features of a pretrained network, --features FILE.onnx.",
    )


def _of_numpy(settings: Settings, network: Network, samples: int) -> tuple[str, ...]:
    passes = _PASSES * (settings.epochs or 1) * samples
    if find_spec("numba") is not None or passes * network.multiplications < _LONG * _PER_SECOND:
        return ()
    return (
        "This will take minutes by NumPy alone; pip install 'clearprop[fast]' makes training on "
        "pictures several times as fast.",
    )


def require_different(train: Dataset) -> None:
    """Refuse to learn from values that are all the same.

    Raises
    ------
    DataError
    """
    if train.class_names is not None or (train.y != train.y[0]).any():
        return
    if len(train) == 1:
        raise DataError(
            f"{train.name}: where some samples are held out, one is left to learn from, which is "
            "too few. Add samples, or hold fewer out with --folds 0 --test 0 --validation 0."
        )
    raise DataError(
        f"{train.name}: every value of {train.target_name!r} that is trained on is "
        f"{train.y.flat[0]:g}, so there is nothing to learn. Name another target, or add samples "
        "with other values."
    )
