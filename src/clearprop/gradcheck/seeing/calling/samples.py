"""Data in the forms that code may want them in: pairs, batches, columns of classes, tables."""

import re
from typing import Any

import numpy as np

from clearprop.gradcheck.seeing.arrays import watch
from clearprop.gradcheck.seeing.calling.choices import HYPER
from clearprop.gradcheck.seeing.calling.defined import Defined
from clearprop.gradcheck.seeing.calling.materials import Data
from clearprop.gradcheck.seeing.calling.roles import Role

_SEVERAL, _NOT_MEANT = 2, re.compile(r"neg|noise", re.I)
_TABLE = re.compile(r"ndarray|NDArray|List\[List|list\[list", re.I)


def targets_for(defined: Defined, data: Data) -> Any:
    """Return the targets; numbers of classes may be wanted in a column."""
    column = data.kind.targets == "labels" and defined.doubt(data.kind, "labels", 2)
    return data.targets[:, None] if column else data.targets


def pairs_for(defined: Defined, data: Data, name: str) -> list[tuple[Any, Any]]:
    """Return samples with their targets, which are numbers of classes in what is tested.

    Parameters
    ----------
    defined : Defined
    data : Data
    name : str
        The name of the argument.
    """
    tests = re.search("test|valid|eval", name, re.I) is not None
    if tests and defined.doubt(data.kind, "test data", 2) == 0:
        return [(x, int(label)) for (x, _), label in zip(data.pairs, data.labels, strict=True)]
    if defined.doubt(data.kind, "pairs", 2) == 1:
        return [(x[:, 0], y[:, 0]) for x, y in data.pairs]
    return list(data.pairs)


def batch_for(defined: Defined, data: Data, *, making: bool) -> int:
    """Return the samples of a batch, fewer than there are: it is one of several."""
    count = len(data.pairs)
    if making and defined.doubt(data.kind, "batch", 2) == 1:
        return count
    return max(1, min(count, count // 2 + 1 if making else count // 2))


def ids_for(samples: int, rows: int, name: str) -> Any:
    """Return numbers of rows of a table: of what is not meant, several for each sample.

    Parameters
    ----------
    samples, rows : int
    name : str
        The name of the argument.
    """
    several = (_SEVERAL,) if _NOT_MEANT.search(name) else ()
    drawn = np.random.RandomState(len(name))
    return watch(drawn.randint(0, rows, (samples, *several)), "data")


def table_for(data: Data, annotation: Any, role: Role | None) -> Any:
    """Return data for a constructor whose annotation asks for a table; None for any other.

    Parameters
    ----------
    data : Data
    annotation : object
    role : str or None
        What the argument is for.
    """
    text = str(annotation).replace("typing.", "")
    if re.search(r"str\b", text):
        return list("abcdefgh") if re.search(r"list", text, re.I) else None
    if not _TABLE.search(text) or role in ("weight", "bias", "state", *HYPER):
        return None
    return data.targets if role in ("targets", "classes") else data.inputs


def upstream_for(data: Data, output: Any) -> Any:
    """Return the derivative with respect to an output, where no one has computed it."""
    if output is None:
        return None
    targets = data.targets
    if data.kind.targets == "labels":
        targets = watch(np.eye(data.kind.classes)[data.labels], "data")
        targets = targets.T if output.shape != targets.shape else targets
    return output - targets if output.shape == targets.shape else None
