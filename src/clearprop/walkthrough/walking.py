"""A training step, written out."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearprop.core.expressions import number_text
from clearprop.core.trace import Trace
from clearprop.errors import UsageError, shortened, unknown_name
from clearprop.files.written import write_text
from clearprop.network import Network
from clearprop.network.probe import Record
from clearprop.optimizers import SGD, Optimizer
from clearprop.walkthrough.drawings import picture_shape_of, with_names, with_pictures
from clearprop.walkthrough.notation import notation_of
from clearprop.walkthrough.plain import describe_walk, numbered, walk_text
from clearprop.walkthrough.quantities import Entry, Quantity, Step
from clearprop.walkthrough.record import record_step
from clearprop.walkthrough.sentences import SENTENCES
from clearprop.walkthrough.steps import steps_of

_DIGITS = 18
_ENTRY = re.compile(r"([^\[\]]+)(?:\[([\d\s,]+)\])?")


@dataclass(frozen=True, eq=False)
class Walk:
    """A training step, written out; ``print`` shows it, notebooks draw it, `save` makes a page.

    Parameters
    ----------
    title : str
    notation : {"engine", "course"}
    sample : int
        The sample of the batch that is looked at.
    samples : int
        The number of samples in the batch.
    dtype : str
        The dtype of every number of the engine.
    loss : float
        The mean loss, without L2.
    facts : tuple of str
        Sentences about the whole.
    steps : tuple of Step
        The steps, in the order in which they are computed.
    """

    title: str
    notation: str
    sample: int
    samples: int
    dtype: str
    loss: float
    facts: tuple[str, ...]
    steps: tuple[Step, ...]

    def __getitem__(self, key: str) -> Quantity:
        """Return a matrix: ``walk["0.dW"]``, or ``walk["dW1"]`` in the course's notation.

        Within the steps of one layer, its symbol alone is enough.
        """
        every = {quantity.key: quantity for quantity in self.quantities}
        if key in every:
            return every[key]
        found = [quantity for quantity in every.values() if quantity.symbol == key]
        if len(found) != 1:
            raise unknown_name("matrix", key, every)
        return found[0]

    @property
    def quantities(self) -> Iterator[Quantity]:
        """Every matrix, in the order in which they are computed."""
        return (quantity for step in self.steps for quantity in step.quantities)

    def entry(self, name: str) -> Entry:
        """Return one number with its arithmetic.

        Parameters
        ----------
        name : str
            A matrix and the place of the entry in it, from 0: ``"0.y[3,0]"``, or ``"Z1[0,3]"`` in
            the course's notation.

        Raises
        ------
        UnknownNameError, ShapeError
            If there is no such matrix, or no such entry in it.
        UsageError
            If it is written in another way.
        """
        written = _ENTRY.fullmatch(name.strip())
        if written is None:
            raise UsageError(
                f"An entry is written with its place, such as 0.y[3,0]; found {shortened(name)}."
            )
        quantity = self[written[1].strip()]
        places = [part.strip() for part in (written[2] or "").split(",")]
        if written[2] and not all(one.isdecimal() and len(one) <= _DIGITS for one in places):
            raise UsageError(
                f"{shortened(name)} needs one number, of at most {_DIGITS} digits, before and "
                "after each comma. Write it as in 0.y[3,0]."
            )
        return quantity.entry(*(int(place) for place in places if place))

    def of(self, layer: str) -> "Walk":
        """Return the steps of one layer, of those inside it, of the ``"input"`` or the ``"loss"``.

        Raises
        ------
        UnknownNameError
            If there is no such layer.
        """
        steps = tuple(
            step for step in self.steps if step.name == layer or step.name.startswith(f"{layer}.")
        )
        if not steps:
            raise unknown_name("layer", layer, {step.name for step in self.steps})
        return replace(self, steps=steps)

    @property
    def first_not_finite(self) -> Entry | None:
        """The first number that is NaN or infinite; None if all are finite."""
        for quantity in self.quantities:
            where = quantity.first_not_finite
            if where is not None:
                return quantity.entry(*where)
        return None

    def to_dict(self) -> dict[str, Any]:
        """Describe it in JSON values: large matrices by an excerpt."""
        return describe_walk(self)

    def to_html(self) -> str:
        """Return one page that needs no network and no script."""
        from clearprop.walkthrough.page import walk_page  # Pillow is imported with it

        return walk_page(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page of `to_html`.

        Raises
        ------
        OutputError
            If the file can't be written.
        """
        write_text(path, self.to_html())

    def __str__(self) -> str:
        return walk_text(self)

    def _repr_html_(self) -> str:
        from clearprop.walkthrough.page import walk_fragment  # Pillow is imported with it

        return walk_fragment(self)


def walk(
    network: Network,
    X: Any,
    y: Any,
    *,
    sample: int = 0,
    notation: str = "engine",
    optimizer: Optimizer = SGD(),  # noqa: B008 - frozen: nobody can change it
    sample_weight: Any = None,
    trace: Trace | None = None,
    picture_shape: tuple[int, ...] | None = None,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> Walk:
    """Make one training step on a copy of a network, and write out every number in it.

    The numbers are those of the engine, bit for bit: ``walk(net, X, y)["0.dW"].array`` is
    ``net.loss_and_gradient(X, y)[1]["0.W"]``. Only the course's dA and dZ are multiplied, by m.

    Parameters
    ----------
    network : Network
        Left as it is.
    X : array-like, shape (N, *input_shape)
    y : array-like, shape (N,) or (N, K)
        Targets, as the loss takes them.
    sample : int, default 0
        The sample that is looked at: its numbers are always among those of an excerpt.
    notation : {"engine", "course"}
        The course's has columns of samples, and ``Z1``, ``A1``, ``dW1``.
    optimizer : Optimizer, default SGD()
        Makes its first step.
    sample_weight : array-like, shape (N,), optional
    trace : Trace, optional
        As `Network.loss_and_gradient` takes it: unless given, a fresh one for training.
    picture_shape : tuple of int, optional
        (H, W) or (H, W, 3), where samples are pictures; found in the network's input shape unless
        given.
    feature_names, class_names : sequence of str, optional
        The names of the features and of the classes, which then stand beside their numbers.

    Returns
    -------
    Walk

    Raises
    ------
    ShapeError, DataError
        If X, y or the weights don't fit the network, the loss, or each other.
    UsageError
        If there is no such sample or notation, or the course has no symbols for the network.

    Examples
    --------
    >>> import clearprop as cp
    >>> net = cp.Network(
    ...     [cp.Dense(2, cp.Constant(0.5))], loss=cp.MeanSquaredError(), input_shape=(2,)
    ... )
    >>> print(cp.walk(net, [[1.0, 3.0]], [[2.0, 2.5]]).entry("0.y[0,1]"))
    y[0,1] = x[0,0]*W[0,1] + x[0,1]*W[1,1] + b[1]
           = 1*0.5 + 3*0.5 + 0
           = 2
             (engine 2.0, operands 2.0)
    """
    X = network.inputs(X)
    shape = picture_shape_of(network, picture_shape)
    if not 0 <= sample < max(len(X), 1):
        raise UsageError(f"There is no sample {sample}: the batch has {len(X):,}, counted from 0.")
    written = notation_of(notation, network, len(X), weighted=sample_weight is not None)
    features, classes = (tuple(map(str, names or ())) for names in (feature_names, class_names))
    outputs = classes[1:] if network.output_shape == (1,) else classes
    record, update = record_step(network, X, y, sample_weight, optimizer, trace)
    steps = steps_of(network, X.copy(), record, update, written)
    found = Walk(
        title=SENTENCES["title"],
        notation=notation,
        sample=sample,
        samples=len(X),
        dtype=network.dtype.name,
        loss=record.losses[0].loss,
        facts=(),
        steps=with_names(
            with_pictures(steps, network, written, shape), network, written, features, outputs
        ),
    )
    return replace(found, facts=tuple(_facts(found, network, record, classes)))


def _facts(found: Walk, network: Network, record: Record, classes: Sequence[str]) -> Iterator[str]:
    yield SENTENCES["batch"].format(samples=found.samples, dtype=found.dtype, loss=found.loss)
    with np.errstate(all="ignore"):
        every = network.loss.predict(record.losses[0].logits)
    target, predicted = (
        ", ".join(number_text(float(number)) for number in np.ravel(rows[found.sample]))
        for rows in (record.losses[0].y, every)
    )
    yield SENTENCES["looked at"].format(sample=found.sample, target=target, predicted=predicted)
    if classes:
        yield SENTENCES["classes"].format(names=numbered(range(len(classes)), classes))
    yield SENTENCES[f"legend {found.notation}"]
    if found.dtype == "float32":
        yield SENTENCES["float32"]
    wrong = found.first_not_finite
    if wrong is not None:
        yield SENTENCES["not finite"].format(name=wrong.name, value=wrong.value)
