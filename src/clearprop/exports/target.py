"""What every target has: a name, the ending of its file, what it writes, and how that is run."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from clearprop.exports.description import Description
from clearprop.exports.rows import Rows
from clearprop.files.models import Model


@dataclass(frozen=True)
class Written:
    """What a target makes of a model.

    Parameters
    ----------
    files : mapping of str to bytes
        The content of each file by its ending; the first one is the file that was asked for.
    facts : mapping of str to str
        What there is to say of it, in a few words each: ``{"flash": "9,812 bytes"}``.
    notes : tuple of str
        Sentences on what it can't do.
    """

    files: Mapping[str, bytes]
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Ran:
    """What came of running a file.

    Parameters
    ----------
    logits : ndarray of float64, shape (N, K)
    seconds : float
        The time that a row took, without starting.
    runtime : str
        What ran it, with its version: ``"Node 20.11"``.
    answers : ndarray or None
        The answers (N,) or (N, outputs): names of classes or values; None where the target gives
        logits alone.
    """

    logits: NDArray[np.float64]
    seconds: float
    runtime: str
    answers: NDArray[np.generic] | None = None


@dataclass(frozen=True)
class NotRun:
    """That a file was not run.

    Parameters
    ----------
    reason : str
        What is missing, as a sentence.
    """

    reason: str


class Target(ABC):
    """Base of the targets."""

    name: ClassVar[str]
    """The name that ``--format`` takes."""

    ending: ClassVar[str]
    """The ending of its file, with the dot."""

    title: ClassVar[str]
    """What it is, in a few words: ``"a C99 file"``."""

    tolerance: float = 1e-5
    """The largest difference of logits, as a share of the largest, that counts as equal."""

    @abstractmethod
    def write(self, model: Model, description: Description) -> Written:
        """Write a model.

        Raises
        ------
        UsageError
            If the target can't hold such a model; what is in the way is named.
        MissingExtraError
            If a package is missing that it is written with.
        """

    @abstractmethod
    def run(self, path: Path, description: Description, rows: Rows) -> Ran | NotRun:
        """Run a file that was written on rows as they are, before any preparation.

        It runs in a process of its own, within a time limit.
        """
