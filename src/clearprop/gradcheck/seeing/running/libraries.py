"""Libraries as watched code sees them: real ones give watched arrays, absent ones stand-ins."""

import functools
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import Watched, watch
from clearprop.gradcheck.seeing.modules import StandInNumpy, vectorize
from clearprop.gradcheck.seeing.running.archives import Archive
from clearprop.gradcheck.seeing.running.courses import helpers, is_course
from clearprop.gradcheck.seeing.running.loaders import Loaders, batches
from clearprop.gradcheck.seeing.running.notes import Notes
from clearprop.gradcheck.seeing.running.pools import POOLS
from clearprop.gradcheck.seeing.running.proxies import Library, limited_optimizer, plain_within
from clearprop.gradcheck.seeing.running.silent import Silent, SilentModule
from clearprop.gradcheck.seeing.running.stand_ins import (
    Data,
    cut_rows,
    kept_rows,
    watched_within,
)

SILENT = frozenset(
    (
        *("matplotlib", "pylab", "seaborn", "plotly", "bokeh", "mpl_toolkits", "IPython"),
        *("ipywidgets", "tqdm", "progressbar", "numba", "tkinter", "turtle", "pygame"),
        *("streamlit", "graphviz", "torch", "torchvision", "tensorflow", "keras", "tflearn"),
        *("theano", "mxnet", "jax", "wandb", "subprocess", "multiprocessing", "socket"),
        *("requests", "urllib", "urllib2", "http", "ftplib", "smtplib", "ctypes", "cffi"),
        *("webbrowser", "signal", "wget", "google", "kaggle", "cv2", "asyncio", "socketserver"),
        *("telnetlib", "pty", "resource", "gc", "atexit", "faulthandler", "concurrent"),
    )
)
"""What is never the real one: it would draw, ask, download, start something, or differentiate."""

_UNNAMED = frozenset(
    ("matplotlib", "IPython", "tqdm", "gc", "numba", "atexit", "multiprocessing", "concurrent")
)
"""Those of which nobody needs to be told."""

_OPERATORS = (
    *(
        f"__{r}{one}__"
        for one in ("add", "sub", "mul", "truediv", "pow", "matmul")
        for r in ("", "r")
    ),
    "dot",
)
"""What tables of pandas compute with watched arrays."""

_KNOWN: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("multiprocessing", "concurrent", "joblib", "pathos"), POOLS),
    "opt_einsum": {"contract": StandInNumpy(lambda *_: None).einsum},
    "torch": {"DataLoader": batches},
    "pydantic": {"Field": lambda default=None, **_: default},
}
"""Parts of libraries that do something though the library is not there, or not used here."""

_TABLES = ("csv", "excel", "table", "json", "hdf", "pickle", "parquet")
"""What pandas reads tables from."""

_LEARNING = frozenset(("torch", "tensorflow", "jax", "autograd", "theano", "mxnet", "keras"))
_NETS = re.compile(r"nn\.Module|\boptim\.|requires_grad|GradientTape")
"""What is written where such a library itself trains, and gives more than data."""

_MOVED = {
    "sklearn.cross_validation": "sklearn.model_selection",
    "sklearn.datasets.samples_generator": "sklearn.datasets",
    "scipy.misc": "scipy.special",
}


class Libraries:
    """The libraries of a run.

    Parameters
    ----------
    notes : Notes
    data : Data
        What stands in for what they would read or download.
    found : callable
        A function of a path that says where a file is to be read; None where it is not there.
    """

    def __init__(self, notes: Notes, data: Data, found: Callable[[Any], Any]) -> None:
        self.notes, self.data, self.found = notes, data, found
        self.loaders = Loaders(notes, data, self._differentiates)
        self.known: dict[str, Any] = self.loaders.known()
        self.numpy: ModuleType | None = None
        self.replaced: dict[str, Any] = {}
        self._modules: dict[str, ModuleType] = {}
        self._prepared: set[str] = set()
        self._changed: list[tuple[Any, str, Any, Any]] = []

    def module(self, name: str) -> ModuleType:
        """Return a module, real or not."""
        if name not in self._modules:
            self._modules[name] = self._module(_MOVED.get(name, name))
        return self._modules[name]

    def _module(self, name: str) -> ModuleType:
        root = name.split(".")[0]
        if root not in SILENT:
            try:
                real = importlib.import_module(name)
            except BaseException as error:  # a library may fail in any way
                if isinstance(error, KeyboardInterrupt):
                    raise
                return self.silent(name)
            if root in ("sklearn", "scipy", "pandas", "h5py"):
                self._prepare(root)
                return Library(real, self.replaced)
            if root == "statistics":
                return Library(real, {})
            if root == "pickle" or name in ("_pickle", "joblib", "dill", "cPickle"):
                return _Reading(real)
            return real
        return self.silent(name)

    def silent(self, name: str, why: str = "") -> SilentModule:
        """Return a stand-in for a module, and say so."""
        root = name.split(".")[0]
        if root == "cPickle":
            return _Reading(importlib.import_module("pickle"))  # type: ignore[return-value]
        if root not in _UNNAMED:
            reason = why or ("is not used here" if root in SILENT else "is not there")
            self.notes.say(f"{root} {reason}; a stand-in does nothing.", once=f"library {root}")
        differentiates = root in _LEARNING and _NETS.search(self.data.text)
        known = self.known | ({} if differentiates else _KNOWN.get(root, {}))
        module = SilentModule(name, self._differentiates, known)
        if is_course(name) and self.numpy is not None:
            vars(module).update(found := helpers(name, self.notes, self.numpy))
            vars(module)["__all__"] = list(found)
        return module

    def stand_in(self, name: str) -> Any:
        """Return what stands in for a name out of a module that is not there."""
        last = name.rsplit(".", 1)[-1]
        return self.known.get(last) or Silent(name, self._differentiates)

    def _differentiates(self, name: str) -> None:
        root = name.split(".")[0]
        if root in _LEARNING:
            self.notes.say(
                f"{root} differentiates here: an autograd framework, whose gradients are not seen.",
                once=f"autograd {root}",
            )

    # What is replaced in libraries that are there.

    def _prepare(self, root: str) -> None:
        if root in self._prepared:
            return
        self._prepared.add(root)
        getattr(self, f"_prepare_{root}")()

    def _prepare_pandas(self) -> None:
        import pandas

        self._watch_values(pandas.DataFrame)
        self._watch_values(pandas.Series)
        for name in (f"read_{kind}" for kind in _TABLES):
            self.replaced[f"pandas.{name}"] = self._table_reader(pandas, getattr(pandas, name))

    def _table_reader(self, pandas: Any, real: Callable[..., Any]) -> Callable[..., Any]:
        def read(source: Any = None, *args: Any, **options: Any) -> Any:
            if source is None:
                source = options.pop("filepath_or_buffer", options.pop("io", ""))
            if isinstance(source, str | bytes) or hasattr(source, "__fspath__"):
                place = self.found(source)
                if place is None:
                    self.say_missing(source)
                    return self.data.frame(pandas, options)
                source = place
            frame = real(source, *args, **options)
            if len(frame) > len(kept := kept_rows(len(frame))):
                self.say_cut(len(frame), len(kept))
                frame = frame.iloc[kept].reset_index(drop=True)
            return frame

        return read

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Change within what is changed in libraries."""
        for owner, name, _, new in self._changed:
            setattr(owner, name, new)
        try:
            yield
        finally:
            for owner, name, old, _ in reversed(self._changed):
                setattr(owner, name, old)

    def _watch_values(self, kind: Any) -> None:
        """Give watched arrays where watched code itself asks a table of pandas for its numbers."""
        values, to_numpy = kind.values, kind.to_numpy

        def asked() -> bool:
            return sys._getframe(2).f_code.co_filename in self.notes.files

        def values_(table: Any) -> Any:
            found = values.fget(table)
            return watch(found) if asked() else found

        def to_numpy_(table: Any, *args: Any, **kwargs: Any) -> Any:
            found = to_numpy(table, *args, **kwargs)
            return watch(found) if asked() else found

        for name, old, new in (
            ("values", values, property(values_)),
            ("to_numpy", to_numpy, to_numpy_),
            ("as_matrix", None, to_numpy_),  # as it was called before 2020
        ):
            self._changed.append((kind, name, old, new))
            setattr(kind, name, new)
        for name in _OPERATORS:
            self._watch_operator(kind, name)

    def _watch_operator(self, kind: Any, name: str) -> None:
        """Let a table of pandas and a watched array give a watched array."""
        does = getattr(kind, name)

        def operator(table: Any, other: Any, *rest: Any, **named: Any) -> Any:
            if type(other) is not Watched:
                return does(table, other, *rest, **named)
            return getattr(watch(table.to_numpy()), name)(other)

        self._changed.append((kind, name, does, operator))
        setattr(kind, name, operator)

    def say_missing(self, path: Any) -> None:
        """Say that a file is not there."""
        self.notes.say(f"there is no {path}; small random data stand in for it.", once=str(path))

    def say_cut(self, rows: int, kept: int) -> None:
        """Say that data were cut."""
        self.data.cut(rows, kept)
        self.notes.say(f"of {rows:,} rows {kept} are used.", once=f"rows {rows}")

    def _prepare_sklearn(self) -> None:
        import sklearn.datasets
        import sklearn.model_selection
        import sklearn.preprocessing

        encoder = sklearn.preprocessing.OneHotEncoder
        self.replaced["sklearn.preprocessing.OneHotEncoder"] = _of_old_names(encoder)
        names = [one for one in dir(sklearn.datasets) if one.startswith("fetch_")]
        split = self._split(sklearn.model_selection.train_test_split)
        self.replaced["sklearn.model_selection.train_test_split"] = split
        for name in [*names, "fetch_mldata", "load_boston"]:
            self.replaced[f"sklearn.datasets.{name}"] = self._fetcher(name)

    def _split(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def split(*arrays: Any, **options: Any) -> Any:
            given = [plain_within(one) for one in arrays]
            try:
                return watched_within(real(*given, **options))
            except ValueError:  # more samples are asked for than there are
                return watched_within(real(*given))

        return split

    def _fetcher(self, name: str) -> Callable[..., Any]:
        def fetch(*args: Any, **options: Any) -> Any:
            from sklearn.utils import Bunch

            self.notes.say("small random data stand in for what is loaded here.", once=name)
            if "mnist" in str(args).lower() + str(options).lower() or name == "fetch_mldata":
                pixels = self.data.pictures(shape=(28, 28)).astype(float)
                pixels = pixels.reshape(len(pixels), -1)
                labels: Any = self.data.labels(classes=10)
                if name == "fetch_openml":
                    labels = labels.astype(str)
            elif name == "fetch_olivetti_faces":
                labels = self.data.labels(classes=4)
                pixels = np.random.uniform(0, 1, (len(labels), 4096))
            else:
                labels = np.random.uniform(0, 5, 4 * self.data.samples)
                pixels = np.random.uniform(-1, 1, (len(labels), 13 if "boston" in name else 8))
            asked, frame = options.get("as_frame", "auto"), None
            tables = self.data.as_frames and name == "fetch_openml"
            if asked is True or (asked == "auto" and tables):
                import pandas

                pixels, labels = pandas.DataFrame(pixels), pandas.Series(labels)
                frame = pixels.assign(target=labels)
            pixels, labels = watched_within(pixels), watched_within(labels)
            if options.get("return_X_y"):
                return pixels, labels
            features = [f"x{number}" for number in range(pixels.shape[1])]
            return Bunch(
                data=pixels,
                target=labels,
                frame=frame,
                feature_names=features,
                target_names=[],
                DESCR="",
            )

        return fetch

    def _prepare_scipy(self) -> None:
        import scipy.io
        import scipy.optimize

        real = scipy.io.loadmat

        def loadmat(path: Any, *args: Any, **options: Any) -> Any:
            place = self.found(path) or self.found(f"{path}.mat")
            if place is None:
                self.say_missing(path)
                return watched_within(self.data.matrices())
            return watched_within(self.cut_all(real(place, *args, **options)))

        self.replaced["scipy.io.loadmat"] = loadmat
        self.replaced["scipy.special.imread"] = self.loaders.picture
        self.replaced["scipy.special.imresize"] = self.known["imresize"]
        for name in dir(scipy.optimize):
            if name == "minimize" or name.startswith("fmin"):
                does = getattr(scipy.optimize, name)
                self.replaced[f"scipy.optimize.{name}"] = limited_optimizer(name, does)

    def _prepare_h5py(self) -> None:
        import h5py

        def file(path: Any, mode: str = "r", *_: Any, **__: Any) -> Any:
            if not mode.startswith("r"):
                raise PermissionError("HDF5 files are not written here")
            place = self.found(path)
            if place is None:
                self.say_missing(path)
                return Archive(self.data)
            return h5py.File(place, "r")

        self.replaced["h5py.File"] = file

    def cut_all(self, value: Any) -> Any:
        """Cut the rows of arrays that were read, in dictionaries and tuples, too."""
        if isinstance(value, dict):
            return {key: self.cut_all(one) for key, one in value.items()}
        if type(value) in (list, tuple) and len(value) < 10:
            return type(value)(self.cut_all(one) for one in value)
        kept = cut_rows(value)
        if kept is not value:
            self.say_cut(len(value), len(kept))
        return kept


def _of_old_names(encoder: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes an encoder that takes ``sparse``, as it was called before 2023, too."""

    def make(*args: Any, **options: Any) -> Any:
        if "sparse" in options:
            options["sparse_output"] = options.pop("sparse")
        return encoder(*args, **options)

    return make


class _Reading(ModuleType):
    """A module that reads objects, in which arrays are watched."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__)
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        found = _KNOWN.get(self.__name__, {}).get(name) or getattr(self._real, name)
        if name not in ("load", "loads", "Unpickler"):
            return found

        def function(*args: Any, **kwargs: Any) -> Any:
            try:
                return watched_within(found(*args, **kwargs))
            except UnicodeDecodeError:  # written by Python 2
                return watched_within(found(*args, **{**kwargs, "encoding": "latin1"}))

        return found if name == "Unpickler" else function


_KNOWN["six"] = {
    "cPickle": _Reading(importlib.import_module("pickle")),
    "string_types": (str,),
    "integer_types": (int,),
    "class_types": (type,),
    "text_type": str,
    "binary_type": bytes,
    **dict.fromkeys(("range", "xrange"), range),
    **{f"iter{name}": getattr(dict, name) for name in ("items", "keys", "values")},
}


def _each_entry(*given: Any, **_: Any) -> Any:
    """Return what numba's ``vectorize`` makes of a function, or a decorator that makes it."""
    if not given or not callable(given[0]):
        return _each_entry

    def function(*args: Any) -> Any:
        try:
            return given[0](*args)  # of whole arrays, where it may
        except ValueError:
            return vectorize(given[0])(*args)

    return functools.wraps(given[0])(function)


_KNOWN["numba"] = {"vectorize": _each_entry}


def is_stand_in(value: Any) -> bool:
    """Whether a value stands in for what a module gives that is missing, and may be data."""
    return isinstance(value, Silent) and value._name.split(".")[0] not in SILENT
