"""Functions of libraries that are not there, or not used here, which have to give something."""

from collections.abc import Callable
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, plain, watch
from clearprop.gradcheck.seeing.running.notes import Notes
from clearprop.gradcheck.seeing.running.silent import Progress, Silent
from clearprop.gradcheck.seeing.running.stand_ins import ROWS, Data, watched_within

_FRAMES = 6  # of an animation
_DATASETS = ("mnist", "fashion_mnist", "cifar10", "cifar100", "boston_housing")
_PARTS = {
    "train_images": (0, 0),
    "train_labels": (0, 1),
    "test_images": (1, 0),
    "test_labels": (1, 1),
}


class Loaders:
    """What gives data, or gives back what it gets, whatever library it is a part of.

    Parameters
    ----------
    notes : Notes
    data : Data
    differentiates : callable
        What a stand-in calls when it is asked for derivatives.
    """

    def __init__(self, notes: Notes, data: Data, differentiates: Callable[[str], None]) -> None:
        self.notes, self.data, self.differentiates = notes, data, differentiates

    def known(self) -> dict[str, Any]:
        """Return the functions by their names."""
        datasets = {name: _Dataset(self.load_data) for name in _DATASETS}
        return {
            **datasets,
            **dict.fromkeys(("MNIST", "FashionMNIST", "KMNIST"), datasets["mnist"]),
            "CIFAR10": datasets["cifar10"],
            "FuncAnimation": animated,
            **{name: getattr(datasets["mnist"], name) for name in _PARTS},
            "load_data": self.load_data,
            "load_mnist": self.load_mnist,
            "load_data_wrapper": self.load_data_wrapper,
            "read_data_sets": self.read_data_sets,
            "to_categorical": to_categorical,
            "spiral_data": spiral_data,
            "vertical_data": spiral_data,
            "sine_data": sine_data,
            **dict.fromkeys(("trange", "tnrange", "prange"), trange),
            "tqdm": self.progress,
            "tqdm_notebook": self.progress,
            "imread": self.picture,
            "imresize": _unchanged,
            "convert_from_file": self.array,
            "Request": lambda address="", *_, **__: address,
            "urlopen": self.page,
            "get": self.page,
        }

    def say_loaded(self) -> None:
        """Say that data stand in for others."""
        self.notes.say("small random data stand in for what is loaded here.", once="loaded")

    def load_data(self, *_: Any, **__: Any) -> Any:
        """Return samples and labels to learn from, and to test with, as Keras does."""
        self.say_loaded()
        return watched_within(self.data.loaded())

    def load_mnist(self, *_: Any, **options: Any) -> Any:
        """Return the same as a well-known book's ``dataset.mnist`` does."""
        parts = []
        for images, labels in self.load_data():
            x = images.reshape(
                len(images),
                -1 if options.get("flatten", True) else 1,
                *(() if options.get("flatten", True) else images.shape[1:3]),
            )
            t = to_categorical(labels, 10) if options.get("one_hot_label") else labels
            parts.append((x / 255.0 if options.get("normalize", True) else x, t))
        return tuple(parts)

    def load_data_wrapper(self, *_: Any, **__: Any) -> Any:
        """Return pairs of columns to learn from, to validate and to test with."""
        self.say_loaded()
        wrapped = "load_data_wrapper"
        return tuple(watched_within(self.data.named("data", wrapped)) for _ in range(3))

    def read_data_sets(self, *_: Any, **options: Any) -> Any:
        """Return what TensorFlow's first tutorials read."""
        self.say_loaded()
        return _TensorflowData(self.data, bool(options.get("one_hot")))

    def progress(self, items: Any = (), *_: Any, **options: Any) -> Any:
        """Return a silent bar."""
        return Progress(options.get("iterable", items), self.differentiates)

    def array(self, path: Any = "", *_: Any) -> Any:
        """Return the array that a file of digits holds."""
        self.say_loaded()
        part = self.data.loaded()["t10k" in str(path) or "test" in str(path)]
        return watch(part["label" in str(path)])

    def picture(self, *_: Any, **__: Any) -> Any:
        """Return a picture."""
        return watch(self.data.pictures(1)[0])

    def page(self, address: Any = "", *_: Any, **__: Any) -> Any:
        """Return what is read from an address: what a file of that name would hold."""
        name = str(address).split("?")[0]
        content = self.data.contents(Path(name))
        if content is None:
            return Silent("requests.get", self.differentiates)
        self.notes.say(f"{name} is not read; small random data stand in for it.", once=name)
        return _Page(content)


def to_categorical(labels: Any, num_classes: int | None = None, **_: Any) -> Any:
    """Return labels as rows with a single 1."""
    numbers = np.asarray(plain(labels)).astype(int).ravel()
    return watch(np.eye(num_classes or int(numbers.max()) + 1)[numbers])


def spiral_data(samples: int = 100, classes: int = 3, **_: Any) -> Any:
    """Return points on the arms of a spiral."""
    rows = min(samples, ROWS) * classes
    turns = np.linspace(0, 4, rows) + np.random.randn(rows) * 0.2
    X = np.stack([np.sin(turns * 2.5), np.cos(turns * 2.5)], axis=1)
    return watch(X), watch(np.arange(rows) % classes)


def sine_data(samples: int = 1000) -> Any:
    """Return the points of a sine."""
    X = np.linspace(0, 1, min(samples, 4 * ROWS))[:, None]
    return watch(X), watch(np.sin(2 * np.pi * X))


def trange(*args: Any, **_: Any) -> Any:
    """Return a range, without a bar."""
    return range(*(int(one) for one in args))


def _unchanged(picture: Any, *_: Any, **__: Any) -> Any:
    return picture


class _Page(BytesIO):
    """What comes from an address."""

    status_code, ok = 200, True

    @property
    def content(self) -> bytes:
        return self.getvalue()

    @property
    def text(self) -> str:
        return self.getvalue().decode("utf-8", errors="replace")

    def raise_for_status(self) -> None: ...


class _Dataset:
    """A module with a data set."""

    def __init__(self, load_data: Callable[..., Any]) -> None:
        self.load_data, self.load, self.as_arrays, self.part = load_data, load_data, False, 0

    def __call__(self, *_: Any, **options: Any) -> Any:
        made = _Dataset(self.load_data)
        made.as_arrays = options.get("return_type") == "numpy"
        made.part = 1 - options.get("train", True)
        return made

    def __len__(self) -> int:
        return len(self.load_data()[self.part][1])

    def __getitem__(self, place: Any) -> Any:
        picture, label = (one[place] for one in self.load_data()[self.part])
        return (picture[None] if picture.ndim == 2 else np.moveaxis(picture, -1, 0)) / 255.0, label

    def __getattr__(self, name: str) -> Any:
        if name == "MNIST":
            return self
        place = _PARTS.get(name)
        if place is not None:
            return lambda *_, **__: self.load_data()[place[0]][place[1]]
        if name in ("data", "targets"):  # of torchvision
            return _tensor(self.load_data()[self.part][name == "targets"])
        if name in ("load_training", "load_testing"):
            return lambda *_: self._flat(*self.load_data()[name == "load_testing"])
        raise AttributeError(name)

    def _flat(self, images: Any, labels: Any) -> Any:
        images = images.reshape(len(images), -1)
        return (images, labels) if self.as_arrays else (images.tolist(), labels.tolist())


class _Tensor(Watched):
    """An array with the names that torch has for what gives arrays."""

    def numpy(self, *_: Any, **__: Any) -> Any:
        return self[...]

    cpu = detach = to = float = long = numpy


def _tensor(array: Any) -> Any:
    return watch(array).view(_Tensor)


def batches(pairs: Any, batch_size: int = 1, *_: Any, **__: Any) -> list[Any]:
    """Return what torch's ``DataLoader`` gives: the batches of a set."""
    every = [pairs[place] for place in range(len(pairs))]
    parts = [every[first : first + batch_size] for first in range(0, len(every), batch_size)]
    return [[_tensor(np.stack(one)) for one in zip(*part, strict=True)] for part in parts]


def animated(
    _: Any, function: Callable[[Any], Any], frames: Any = _FRAMES, *__: Any, **___: Any
) -> Any:
    """Call what draws the pictures of an animation, a few times; it may train."""
    for frame in islice(range(frames) if isinstance(frames, int) else frames, _FRAMES):
        function(frame)
    return Silent("matplotlib.animation", lambda _: None)


class _TensorflowData:
    """What TensorFlow's first tutorials read."""

    def __init__(self, data: Data, one_hot: bool) -> None:
        self.num_examples = data.samples
        self.images = watch(data.pictures().reshape(data.samples, -1) / 255.0)
        self.labels = watch(data.one_hot(classes=10) if one_hot else data.labels(classes=10))
        self.train = self.test = self.validation = self

    def next_batch(self, size: int, *_: Any, **__: Any) -> Any:
        return self.images[:size], self.labels[:size]
