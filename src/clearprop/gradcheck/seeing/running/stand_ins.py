"""Small random data that stand in for what can't be read: of the kind that a program speaks of."""

import gzip
import pickle
import re
import struct
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from clearprop.core.parameters import Array
from clearprop.gradcheck.seeing.arrays import watch
from clearprop.gradcheck.seeing.running.archives import Archive
from clearprop.gradcheck.seeing.running.columns import (
    INPUTS,
    LABELS,
    LEARNED,
    columns_asked,
    is_label,
    keys_asked,
    words_in,
)
from clearprop.gradcheck.seeing.running.forms import PLAIN, Form
from clearprop.gradcheck.seeing.running.texts import text_for

ROWS = 24
"""The samples of data that stand in for others."""

_SEARCHED, _SMALLEST = 2000, 10**6  # files of a folder; bytes of data
_NESTED, _LONG = 4, 1000  # lists within lists, and their length, in which arrays are looked for
_LARGE, _KEPT = 2000, 60  # rows of data that are cut, and to how many
_SQUARE, _FEW = (8, 8), 8  # the sides of pictures of which nothing is known, and how many
_FEWEST = 4  # samples, where a program takes too long
_NO_DATA = re.compile(
    r"pred|shape|size|num|count|hat|len|acc|loss|cost|err|name|path|dir|file|loader|gen|iter|model"
    r"|grad|noise|param|weight|layer|batch_?s|epoch|time|start|finish|duration|date",
    re.I,
)
_READS = re.compile(
    r"read_\w+\(|open\(|fetch|download|urlretrieve|urlopen|h5py|loadtxt|genfromtxt|np\.load|load_data"
)
_FRAMES = re.compile(r"\.values\b(?!\()|\.to_numpy\(|\.i?loc\[")
_ONE_HOT = re.compile(r"one_?hot|to_categorical|get_dummies|OneHot|LabelBinarizer|np\.eye", re.I)
_KINDS: tuple[tuple[str, str, int, int, tuple[int, ...]], ...] = (
    # what a program says, the kind, features, classes, and the shape of a picture
    (r"cifar|3072|32\s*[,*]\s*32", "pictures", 3072, 10, (32, 32, 3)),
    (r"catvnoncat|12288|64\s*[,*]\s*64|train_catv", "cats", 12288, 2, (64, 64, 3)),
    (r"ex[34]data|ex[34]weights|\b400\b.*\b5000\b", "small digits", 400, 10, (20, 20)),
    (r"mnist|784|28\s*[,*]\s*28|pixel|digit", "digits", 784, 10, (28, 28)),
    (r"iris|setosa", "flowers", 4, 3, ()),
    (r"wine.?quality", "tasted wines", 11, 2, ()),
    (r"\bwine\b", "wines", 13, 3, ()),
)
_PICTURED = b"airplane automobile bird cat deer dog frog horse ship truck".split()
"""What the pictures of CIFAR-10 show."""
_KAGGLE = re.compile(r"42,?000|digit-recognizer|pixel0|41,?000", re.I)
_SIZES = (
    r"(?:\b|_)(?:(?:n|num)_?(?:{0})|(?:{0})_?(?:size|dims?|nodes|layer|neurons|count|units|features)"
    r"\w*)['\"]?\s*(?::\s*int\s*=|=|:)\s*(\d+)\b"
)
_FEATURES = re.compile(_SIZES.format("x|in|inputs?|features?"), re.I)
_CLASSES = re.compile(_SIZES.format("y|out|outputs?|class(?:es)?|labels?"), re.I)
"""Numbers of features and of outputs that a program gives a name."""

_COLUMN = re.compile(r"\[[^,\[\]]*:[^,\[\]]*,\s*(\d*)\s*:?\s*(\d*)\s*\]")


def watched_within(value: Any, name: str = "data", depth: int = 0) -> Any:
    """Return a value with the arrays in it watched, in lists, tuples and dictionaries, too."""
    if isinstance(value, np.ndarray):
        return watch(value, name) if value.dtype.kind in "fiub" else value
    if depth > _NESTED:
        return value
    if type(value) in (list, tuple) and len(value) < _LONG:
        parts = [watched_within(one, name, depth + 1) for one in value]
        if all(one is two for one, two in zip(parts, value, strict=True)):
            return value
        if isinstance(value, tuple):
            return tuple(parts)
        value[:] = parts
        return value
    if isinstance(value, dict):
        for key, one in list(value.items()):
            new = watched_within(one, name, depth + 1)
            if new is not one:
                value[key] = new
    return value


def cut_rows(array: Any) -> Any:
    """Return some rows of an array that has very many, from all over it; others as they are.

    Arrays of equally many rows are cut at the same ones, so that labels stay with their samples.
    """
    if isinstance(array, np.ndarray) and array.ndim and len(array) > _LARGE:
        return array[kept_rows(len(array))]
    return array


def kept_rows(count: int) -> Array:
    """Return the numbers of the rows that are kept of so many."""
    if count <= _LARGE:
        return np.arange(count)
    return np.linspace(0, count - 1, _KEPT).astype(int)


def has_data(folder: Path) -> bool:
    """Whether a folder, or one in it, holds a file as large as well-known data are."""
    for place, path in enumerate(folder.glob("**/*")):
        if place > _SEARCHED:
            return True
        suffix = path.suffix not in (".ipynb", ".py")
        if suffix and path.is_file() and path.stat().st_size > _SMALLEST:
            return True
    return False


@dataclass
class Data:
    """Data for a program.

    Parameters
    ----------
    text : str
        Its source, which tells what it wants.
    form : Form
    rows : int
        The number of rows of the well-known data that it wants, or of those that it read; 0 of
        others.
    kept : int
        The number of rows that there are here for these.
    was_cut : bool
        Whether rows were left out of data that it read.
    """

    text: str
    form: Form = PLAIN
    rows: int = 0
    kept: int = 0
    was_cut: bool = False
    _random: Any = field(default_factory=lambda: np.random.RandomState(3))

    def __post_init__(self) -> None:
        self.kind, self.features, self.classes, self.picture = "numbers", 4, 2, ()
        self.samples = _FEWEST if self.form.is_small else ROWS
        self._rank, self._column, self._columns_named = len(_KINDS), 0, 0
        self._reads = self._is_of_kaggle = False
        self._learn(self.text)

    def add(self, text: str) -> None:
        """Take the source of a module, too."""
        self.text += text
        self._learn(text)

    def _learn(self, text: str) -> None:
        """Learn from a part of the source; the kind that comes first in the list counts."""
        for rank, (pattern, *what) in enumerate(_KINDS[: self._rank]):
            if re.search(pattern, text, re.I):
                self.kind, self.features, self.classes, self.picture = what  # type: ignore[assignment]
                self._rank = rank
                break
        self._reads = self._reads or bool(_READS.search(text))
        self._is_of_kaggle = self._is_of_kaggle or bool(_KAGGLE.search(text))
        if not self.was_cut:
            self.rows = {"digits": 60_000, "pictures": 50_000}.get(self.kind, 0)
            if self.kind == "digits" and self._is_of_kaggle:
                self.rows = 42_000
            # Five files of equally many rows have them.
            self.kept = -(-self.samples // 5) * 5 if self.kind == "pictures" else self.samples
        if self._rank == len(_KINDS):
            self.features = self._columns_asked(text) or 4
            outputs = [int(one) for one in _CLASSES.findall(text)]
            self.classes = next((one for one in outputs[::-1] if one > 1), self.classes)

    def _columns_asked(self, text: str) -> int:
        numbers = [int(one) for pair in _COLUMN.findall(text) for one in pair if one]
        last = self._column = max(self._column, *(one for one in numbers if one < 200), 0)
        sizes = [int(one) for one in _FEATURES.findall(text) if one != "1"]
        named = self._columns_named = self._columns_named or next(iter(sizes), 0)
        return named if last <= named + 1 < 200 else last  # the last column is the label's

    @property
    def as_frames(self) -> bool:
        """Whether the program takes what it fetches for tables of pandas."""
        return bool(_FRAMES.search(self.text))

    @property
    def is_whole(self) -> bool:
        """Whether the program needs no data that may not be there."""
        return not self.rows and not self._reads

    # Arrays.

    def pictures(self, rows: int = 0, shape: tuple[int, ...] = ()) -> Array:
        """Return pictures as bytes: samples, then the axes of a picture."""
        shape = shape or self.picture or (28, 28)
        return self._random.randint(0, 256, (rows or self.samples, *shape)).astype(np.uint8)

    def inputs(self, rows: int = 0) -> Array:
        """Return rows of numbers from 0 to 1, or pictures of such, where these are wanted."""
        rows = rows or self.samples
        if not self.form.channels:
            return self._random.uniform(0, 1, (rows, self.features))
        sides, channels = (self.picture or _SQUARE)[:2], (self.picture[2:] or (1,))
        first = self.form.channels == "first"
        axes = (*channels, *sides) if first else (*sides, *channels)
        return self._random.uniform(0, 1, (min(rows, _FEW), *axes))

    def targets(self, rows: int = 0) -> Array:
        """Return the classes of samples, as numbers, or as rows with a single 1."""
        rows = min(rows or self.samples, _FEW) if self.form.channels else rows
        return self.one_hot(rows) if self.form.one_hot else self.labels(rows)

    def labels(self, rows: int = 0, classes: int = 0) -> Array:
        """Return the classes of samples, as numbers; of few samples the last class, too."""
        rows, classes = rows or self.samples, classes or self.classes
        if rows < classes and self.form.is_small:
            return np.linspace(0, classes - 1, rows).astype(int)
        return np.arange(rows) % classes

    def one_hot(self, rows: int = 0, classes: int = 0) -> Array:
        """Return the classes of samples, as rows with a single 1."""
        return np.eye(classes or self.classes)[self.labels(rows, classes)]

    def named(self, name: str, statement: str, rows: int = 0) -> Any:
        """Return data that suit the name of a variable; None where the name tells nothing."""
        if _NO_DATA.search(name) or name == "T":
            return None
        if "load_data_wrapper" in statement:
            pairs = zip(self.inputs(rows), self.one_hot(rows), strict=True)
            return [(x[:, None], t[:, None]) for x, t in pairs]
        if LABELS.search(name):
            if self.kind == "cats":
                return self.labels(rows)[None, :]
            return self.one_hot(rows) if _ONE_HOT.search(statement) else self.targets(rows)
        if INPUTS.search(name):
            if self.picture and re.search(r"orig|images?$", name):
                return self.pictures(rows)
            return self.inputs(rows)
        return None

    def loaded(self) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Digits as ``mnist.load_data`` gives them."""
        few = self.scaled(10_000)
        last = (self.labels(classes=10) + 9) % 10  # so that there is one of the last class
        return (self.pictures(), self.labels(classes=10)), (self.pictures(few), last[:few])

    def scaled(self, rows: int) -> int:
        """Return how many rows there are here for so many in the data that are not there."""
        if not self.rows:
            return rows
        few = round(rows * self.kept / self.rows)
        # Of what is left beside them, to validate, there are two, as well.
        return max(2, min(few, self.kept - 2) if rows < self.rows else few)

    def cut(self, rows: int, kept: int) -> None:
        """Take notice of data of which some rows are kept."""
        if rows > self.rows or not self.was_cut:
            self.rows, self.kept, self.was_cut = rows, kept, True

    # Files, by their names.

    def table(self, columns: int = 0) -> Array:
        """Return rows as files of numbers have them: digits with their label first, or last."""
        if self.kind in ("digits", "pictures"):
            pixels = self._random.randint(0, 256, (self.samples, self.features))
            return np.c_[self.labels(), pixels].astype(float)
        features = columns - 1 if columns > 1 else self.features
        numbers = self._random.uniform(-1, 1, (self.samples, features)).round(3)
        return np.c_[numbers, self.labels()]

    def array(self, path: str) -> Any:
        """Return what ``numpy.load`` and its like give for a file."""
        name = Path(path).stem
        if path.endswith(".npz"):
            return Archive(self)
        if LABELS.search(name):
            return self.targets()
        return self.inputs()

    def contents(self, path: Path) -> bytes | None:
        """Return the bytes that stand in for a file; None where nothing is known to suit."""
        name = path.name.lower()
        stem, packed = name.removesuffix(".gz"), name.endswith(".gz")
        data = self._bytes(stem)
        return gzip.compress(data) if packed and data is not None else data

    def _bytes(self, name: str) -> bytes | None:
        suffix = Path(name).suffix
        if re.search(r"idx\d|ubyte", name):
            return self._idx("label" in name or "idx1" in name, "t10k" in name or "test" in name)
        if suffix in (".pkl", ".pickle", ".p", ".pk") or "batch" in name:
            return pickle.dumps(self._pickled(name), protocol=2)
        if suffix == ".npy":
            stream = BytesIO()
            np.save(stream, self.array(name))
            return stream.getvalue()
        if suffix in (".png", ".jpg", ".jpeg", ".bmp", ".gif"):
            return self._png()
        if suffix in (".csv", ".txt", ".data", ".dat", ".tsv", ".test", ".train", ""):
            return self._text(name).encode()
        return None

    def _idx(self, labels: bool, few: bool) -> bytes:
        rows = self.scaled(10_000) if few else self.samples
        if labels:
            return struct.pack(">II", 2049, rows) + self.labels(rows, 10).astype(np.uint8).tobytes()
        pixels = self._random.randint(0, 256, (rows, 28, 28)).astype(np.uint8)
        return struct.pack(">IIII", 2051, rows, 28, 28) + pixels.tobytes()

    def _pickled(self, name: str) -> Any:
        if "batch" in name:
            few, number = self.scaled(10_000), int(re.sub(r"\D", "", name) or 0)
            rows = self._random.randint(0, 256, (few, 3072)).astype(np.uint8)
            labels = ((np.arange(few) + few * number) % 10).tolist()
            return {b"data": rows, b"labels": labels, b"label_names": list(_PICTURED)}
        if re.match(r"y|labels?|targets?", name, re.I):
            return self.targets()
        inputs = self.inputs().astype(np.float32)
        keys = [key for key in keys_asked(self.text) if not LEARNED.search(key)]
        if keys:
            return {key: self.targets() if LABELS.search(key) else inputs for key in keys}
        if re.match(r"x|images?", name, re.I):
            return inputs
        part = (inputs, self.targets())
        return (part, part, part)

    def _png(self) -> bytes:
        side = self.picture[0] if self.picture else 28
        rows = self._random.randint(0, 256, (side, 1 + 3 * side)).astype(np.uint8)
        rows[:, 0] = 0  # no filter

        def chunk(kind: bytes, data: bytes) -> bytes:
            check = struct.pack(">I", zlib.crc32(kind + data))
            return struct.pack(">I", len(data)) + kind + data + check

        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes()))
        return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")

    def _text(self, name: str) -> str:
        words = text_for(name, self.text, self.labels().tolist())
        if words is not None:
            return words
        apart = "," if name.endswith(".csv") or "split(','" in self.text else " "
        apart = (
            "," if re.search(r"""split\(["'],|delimiter=["'],|csv\.reader""", self.text) else apart
        )
        apart = "\t" if re.search(r"""split\(["']\\t""", self.text) else apart
        table = self.table()
        lines = [apart.join(f"{number:g}" for number in row) for row in table]
        if re.search(r"next\(|skip|header", self.text):
            lines.insert(0, apart.join(f"c{number}" for number in range(table.shape[1])))
        return "\n".join(lines) + "\n"

    def frame(self, pandas: Any, options: dict[str, Any]) -> Any:
        """Return a table of pandas in the place of a file."""
        names = options.get("names")
        asked = columns_asked(self.text, self.features)
        if names is None and self.kind not in ("digits", "pictures") and asked:
            names = asked
        table = self.table(len(names) if names is not None else 0)
        if self.kind in ("digits", "pictures"):
            names = ["label", *(f"pixel{number}" for number in range(self.features))]
        elif names is None:
            names = [*(f"x{number}" for number in range(table.shape[1] - 1)), "label"]
        names = list(names)[: table.shape[1]]
        frame = pandas.DataFrame(table[:, : len(names)], columns=names)
        labels = [one for one in names if is_label(str(one))] or list(names)[-1:]
        for one in labels:
            frame[one] = self.labels()
        for one in asked:
            if one in names and (words := words_in(self.text, one)):
                frame[one] = np.resize(words, self.samples)
        if self.kind in ("digits", "pictures"):
            frame = frame.astype(int)
        if options.get("header", 0) is None and options.get("names") is None:
            frame.columns = range(frame.shape[1])
        return frame

    def matrices(self) -> dict[str, Any]:
        """Return what ``scipy.io.loadmat`` gives: of a well-known course's exercises, say."""
        found = Archive(self, is_flat=True)
        if self.kind == "small digits":
            scale = 0.3
            found["y"] = (self.labels(classes=10) + 1)[:, None]
            found["Theta1"] = self._random.randn(25, 401) * scale
            found["Theta2"] = self._random.randn(10, 26) * scale
        return found
