"""Backbones: pretrained networks in ONNX files, whose inner numbers are features of pictures."""

import os
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from clearprop.core.blas import available_cores
from clearprop.core.parameters import Array
from clearprop.data.pictures.onnx_file import OnnxFile, read_onnx
from clearprop.errors import DataError, MissingExtraError, UsageError

SCALES = ("imagenet", "0-1", "-1-1", "0-255")
"""The scales to which a backbone may want pictures brought."""

LAYOUTS = ("nchw", "nhwc")
"""Where a backbone wants the channels: before height and width, or behind them."""

# The mean and deviation of ImageNet's training pictures, by which nearly all networks that were
# trained on them scale: Krizhevsky, Sutskever, Hinton (2012), in the numbers of torchvision.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601

_LARGEST_SIDE = 2048  # pixels
_MOST_FEATURES = 100_000
_TOGETHER = 16  # pictures, where a network takes any number
_REMEMBERED = 2**28  # bytes of features


@dataclass(frozen=True)
class Backbone:
    """A pretrained network as a model remembers it: what it is, and how it takes pictures.

    Parameters
    ----------
    file : str
        The name of its file, without a folder.
    sha256 : str
        The digest of the file.
    size : (int, int)
        The height and width that it takes.
    layout : {"nchw", "nhwc"}
    scale : {"imagenet", "0-1", "-1-1", "0-255"}
    output : str
        The tensor whose numbers are the features.
    features : int
        Their number D.
    channels : {3, 1}, default 3
    is_bgr : bool, default False
        Whether blue comes first.
    """

    file: str
    sha256: str
    size: tuple[int, int]
    layout: str
    scale: str
    output: str
    features: int
    channels: int = 3
    is_bgr: bool = False
    places: tuple[str, ...] = field(default=(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sizes = (*self.size, self.features)
        if (
            not all(isinstance(one, int) and one > 0 for one in sizes)
            or len(self.size) != 2
            or max(self.size) > _LARGEST_SIDE
            or self.features > _MOST_FEATURES
            or self.layout not in LAYOUTS
            or self.scale not in SCALES
            or self.channels not in (1, 3)
            or Path(self.file).name != self.file
        ):
            raise UsageError(
                f"A backbone of {self.size} pixels, {self.channels} channels ({self.layout}), the "
                f"scale {self.scale} and {self.features} features can't be; expected at most "
                f"{_LARGEST_SIDE} pixels a side and {_MOST_FEATURES:,} features."
            )

    def at(self, *places: str | os.PathLike[str]) -> "Backbone":
        """Return the same backbone, which is looked for in these files first."""
        found = replace(self)
        every = dict.fromkeys((*map(str, places), *self.places))
        object.__setattr__(found, "places", tuple(every))
        return found

    def features_of(self, pictures: Array) -> Array:
        """Compute the features of pictures; those that were computed before are remembered.

        Parameters
        ----------
        pictures : ndarray of uint8, shape (N, H, W, 3) or (N, H, W)
            Pictures of the backbone's size.

        Returns
        -------
        ndarray of float32, shape (N, D)

        Raises
        ------
        DataError
            If its file is not found, is another one, or can't be run.
        MissingExtraError
            If onnx or onnxruntime is not installed.
        """
        found = np.empty((len(pictures), self.features), np.float32)
        own = f"{self.sha256} {self.output} {self.layout} {self.scale} {self.is_bgr}".encode()
        keys = [blake2b(one, key=blake2b(own).digest()).digest() for one in map(_bytes, pictures)]
        unknown = [row for row, key in enumerate(keys) if not _memory.recall(key, found[row])]
        for start in range(0, len(unknown), _TOGETHER):
            rows = unknown[start : start + _TOGETHER]
            found[rows] = self._run(pictures[rows])
            for row in rows:
                _memory.keep(keys[row], found[row])
        return found

    def _run(self, pictures: Array) -> Array:
        session = _session(self._path(), self.sha256, self.output)
        x = self._as_taken(pictures).astype(session.kind)
        together = session.batch or len(x)
        outs = []
        for start in range(0, len(x), together):
            some = x[start : start + together]
            padded = np.zeros((together, *x.shape[1:]), x.dtype)
            padded[: len(some)] = some
            outs.append(session.run(padded)[: len(some)])
        features = _flat(np.concatenate(outs), self.layout)
        if features.shape != (len(x), self.features):
            raise DataError(
                f"{self.file} gives features of shape {features.shape}, expected "
                f"({len(x)}, {self.features})."
            )
        if not np.isfinite(features).all():
            raise DataError(
                f"{self.file} gives features that are not finite: check --features-scale, or name "
                "another tensor with --features-output."
            )
        return features

    def _as_taken(self, pictures: Array) -> Array:
        """Bring pictures to the channels, the scale and the layout that it takes, in float32."""
        x: Array = pictures.astype(np.float32)
        if self.channels == 3:
            x = np.repeat(x[..., np.newaxis], 3, axis=3) if x.ndim == 3 else x
            x = x[..., ::-1] if self.is_bgr else x
        else:
            x = (x @ np.array(_LUMA, np.float32) if x.ndim == 4 else x)[..., np.newaxis]
        if self.scale == "imagenet":
            mean, std = (np.array(one, np.float32)[: self.channels] for one in (_MEAN, _STD))
            if self.is_bgr:
                mean, std = mean[::-1], std[::-1]
            x = (x / 255 - mean) / std
        elif self.scale == "0-1":
            x = x / 255
        elif self.scale == "-1-1":
            x = x / 127.5 - 1
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2) if self.layout == "nchw" else x)

    def _path(self) -> str:
        """Return the place of its file: the first that is there, or one that was opened before."""
        found = next((place for place in self.places if Path(place).is_file()), None)
        found = found or _opened.get(self.sha256)
        if found is None:
            raise DataError(
                f"The features are those of {self.file}, which is not there (SHA-256 "
                f"{self.sha256[:12]}...). Put it beside the model, or say where it lies: "
                f"--features PATH/{self.file}"
            )
        return found


def open_backbone(
    path: str | os.PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    layout: str | None = None,
    scale: str | None = None,
    output: str | None = None,
) -> Backbone:
    """Read a pretrained network, and run it once on a black picture.

    Parameters
    ----------
    path : path-like
        An ONNX file.
    size : (int, int), optional
        The height and width of its pictures, where the file does not say them.
    layout, scale : str, optional
        One of `LAYOUTS` and of `SCALES`, where the file does not say them.
    output : str, optional
        The tensor whose numbers are the features; unless given, what its last layer takes.

    Raises
    ------
    DataError
        If the file is no network of pictures, or can't be run.
    UsageError
        If something is not given that the file does not say, or differs from what it says.
    MissingExtraError
        If onnx or onnxruntime is not installed.
    """
    file = read_onnx(path)
    layout = _layout_of(file, layout)
    height, width, channels = (
        file.shape[axis] for axis in ((2, 3, 1) if layout == "nchw" else (1, 2, 3))
    )
    if size is not None and (size[0], size[1]) != (height or size[0], width or size[1]):
        raise UsageError(
            f"{path} takes pictures of {height}x{width}, found --size {size[0]}x{size[1]}; leave "
            "it out."
        )
    height, width = (height, width) if size is None else size
    if height is None or width is None:
        raise UsageError(
            f"{path} takes pictures of any size. Say the one that it was trained with, often 224: "
            "--size 224"
        )
    if channels not in (None, 1, 3):
        raise DataError(f"{path} takes pictures of {channels} channels, expected 1 or 3.")
    scale = scale or file.scale
    if scale is None:
        raise UsageError(
            f"{path} does not say to which scale it wants pictures brought. Say it, as its source "
            f"tells: --features-scale {'|'.join(SCALES)} (imagenet for nearly all networks from "
            "PyTorch)."
        )
    found = Backbone(
        file=Path(path).name,
        sha256=file.sha256,
        size=(height, width),
        layout=layout,
        scale=scale,
        output=output or file.penultimate(),
        features=1,
        channels=channels or 3,
        is_bgr=file.is_bgr,
    ).at(path)
    session = _session(str(path), file.sha256, found.output)
    black = np.zeros((session.batch or 1, *found.size, found.channels), np.uint8)
    taken = found._as_taken(black if found.channels == 3 else black[..., 0])
    shape = _flat(session.run(taken.astype(session.kind)), layout).shape
    return replace(found, features=shape[1]).at(path)


def _layout_of(file: OnnxFile, said: str | None) -> str:
    """Return the layout that the sizes of a file say, or that is said where they leave it open."""
    told = {
        layout
        for layout, axis in (("nchw", 1), ("nhwc", 3))
        if file.shape[axis] in (1, 3) and file.shape[4 - axis] not in (1, 3)
    }
    if len(told) == 1:
        (own,) = told
        if said not in (None, own):
            raise UsageError(f"{file.path} is {own}, found --features-layout {said}; leave it out.")
        return own
    if said is None:
        raise UsageError(
            f"{file.path} does not say where the channels of its pictures are. Say it: "
            "--features-layout nchw (before height and width, as PyTorch has it) or nhwc (behind "
            "them, as TensorFlow does)."
        )
    return said


def _flat(tensor: Array, layout: str) -> Array:
    """Return features (N, D): of maps, the mean over their places."""
    if tensor.ndim == 4:
        tensor = tensor.mean(axis=(2, 3) if layout == "nchw" else (1, 2))
    if tensor.ndim != 2 or tensor.dtype.kind != "f":
        raise DataError(
            f"The features have shape {tensor.shape} and type {tensor.dtype}; expected floats, one "
            "row a picture, or maps. Name another tensor with --features-output."
        )
    return tensor.astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Session:
    """A network that is ready to run.

    Parameters
    ----------
    file : OnnxFile
    runs : onnxruntime.InferenceSession
    """

    file: OnnxFile
    runs: Any

    @property
    def kind(self) -> str:
        return self.file.kind

    @property
    def batch(self) -> int | None:
        """How many pictures it takes at a time; None for any number."""
        return self.file.shape[0]

    def run(self, x: Array) -> Array:
        try:
            (found,) = self.runs.run(None, {self.file.input: x})
        except Exception as error:  # onnxruntime's own, of which each has its class
            raise DataError(f"{self.file.path} can't be run: {_reason(error)}") from error
        return np.asarray(found)


@lru_cache(maxsize=2)
def _session(path: str, digest: str, output: str) -> _Session:
    """Open a network whose digest is known, to give one tensor."""
    try:
        import onnxruntime  # here, because it is an extra
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "onnx", "--features") from error
    file = read_onnx(path)
    if file.sha256 != digest:
        raise DataError(
            f"{path} is another network than the one that the model learned from: its SHA-256 "
            f"begins with {file.sha256[:12]}, expected {digest[:12]}. Give the same file."
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    options.log_severity_level = 4
    try:
        runs = onnxruntime.InferenceSession(
            file.giving(output),
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # which would print what went wrong, and try the same again
        )
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{path} can't be run: {_reason(error)}") from error
    _opened[digest] = path
    return _Session(file, runs)


_opened: dict[str, str] = {}  # the files of this process by their digests


def _reason(error: Exception) -> str:
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return first if len(first) <= 200 else f"{first[:197]}..."


def _bytes(picture: Array) -> bytes:
    return picture.tobytes() + str(picture.shape).encode()


class _Memory:
    """Features by the digest of what they were computed from, the latest of them.

    Folds, scores and baselines ask for those of the same pictures, which take long to compute.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Array] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def recall(self, key: bytes, out: Array) -> bool:
        """Write features to `out`, and say whether they were known."""
        with self._lock:
            known = self._kept.get(key)
            if known is None:
                return False
            self._kept.move_to_end(key)
            out[...] = known
            return True

    def keep(self, key: bytes, features: Array) -> None:
        """Keep features, and forget the oldest where there are too many."""
        with self._lock:
            if key not in self._kept:
                self._bytes += features.nbytes
            self._kept[key] = features.copy()
            while self._bytes > _REMEMBERED:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.nbytes


_memory = _Memory()
