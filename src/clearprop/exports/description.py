"""A model in plain numbers and operations: what every target is written from."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearprop import losses
from clearprop.core.program import Operation, Program, Value
from clearprop.errors import UsageError
from clearprop.files.models import Model
from clearprop.layers.base import described
from clearprop.losses import Loss, Quantiles
from clearprop.network import Network
from clearprop.preprocessing import (
    ArrayRecipe,
    ClassTarget,
    PictureRecipe,
    PowerScale,
    TableRecipe,
    TargetRecipe,
    ValueTarget,
)
from clearprop.preprocessing.cells import Cells


@dataclass(frozen=True)
class TableInputs:
    """Rows of a table: the inputs of each column's cells, one column after the other.

    Parameters
    ----------
    columns : tuple of NumberCells, CategoryCells and DateCells
    """

    columns: tuple[Cells, ...]


@dataclass(frozen=True)
class PictureInputs:
    """Pictures of uint8, shape (H, W, 3) or (H, W): x = byte / 255.

    Parameters
    ----------
    size : (int, int)
        Height and width, to which pictures of another size are brought.
    channels : {3, 1}
    """

    size: tuple[int, int]
    channels: int


@dataclass(frozen=True, eq=False)
class NumberInputs:
    """Numbers of a fixed shape: x = (number - mean) / std.

    Parameters
    ----------
    mean, std : ndarray of float64, shape () or that of a sample
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]


Inputs: TypeAlias = TableInputs | PictureInputs | NumberInputs


@dataclass(frozen=True)
class ClassAnswer:
    """One of several classes.

    Parameters
    ----------
    names : tuple of str
        The classes by index.
    link : {"softmax", "logistic", "identity"}
        What makes probabilities of logits: of one logit z those of the two classes are 1 - p and
        p = 1 / (1 + exp(-z)). With the identity there are none, and the answer is the class of the
        largest logit; of a single one the second class where it is above 0.
    temperature : float
        What logits are divided by before.
    threshold : float or None
        The probability of the positive of two classes from which on it is the answer; None: the
        likeliest class is.
    positive : int
        The index of that class.
    most : float or None
        The log odds against a class up to which it is in the set of classes; None: there are none.
    share : float or None
        The share of samples whose class is in their set.
    """

    names: tuple[str, ...]
    link: str
    temperature: float = 1.0
    threshold: float | None = None
    positive: int = 1
    most: float | None = None
    share: float | None = None


@dataclass(frozen=True)
class ValueAnswer:
    """Values: y = inverse(clip(link(logits), low, high) std + mean).

    Parameters
    ----------
    link : {"identity", "exp"}
        The function of each logit.
    mean, std : tuple of float
        A number for each value.
    low, high : tuple of float or None
        What answers are kept within, in standard deviations.
    scale : PowerScale or None
        The scale whose `inverse` brings back a single value. None: it is as it is.
    levels : tuple of float
        The levels of quantiles, where the logits, in ascending order, are these of one value.
    median : tuple of (int, float)
        The places of the quantiles whose weighted sum is the answer, and their weights.
    most : float or None
        What is added on both sides of an answer for its interval, in standard deviations; of
        quantiles on both sides of the two of `ends`. None: there are none.
    ends : tuple of int
        The places of the quantiles that an interval begins and ends at.
    share : float or None
        The share of samples whose value is in their interval.
    """

    link: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    scale: PowerScale | None = None
    levels: tuple[float, ...] = ()
    median: tuple[tuple[int, float], ...] = ()
    most: float | None = None
    ends: tuple[int, ...] = ()
    share: float | None = None


Answer: TypeAlias = ClassAnswer | ValueAnswer


@dataclass(frozen=True, eq=False)
class Description:
    """A model in plain numbers and operations.

    Parameters
    ----------
    name : str
        What the model is called.
    inputs : TableInputs, PictureInputs or NumberInputs
        What goes in, and how it is prepared, in float64.
    operations : tuple of Operation
        What the network computes, in `dtype`.
    input, output : Value
        The prepared sample, and its logits.
    answer : ClassAnswer or ValueAnswer
        What logits say, in float64.
    target : str
        What is predicted: the name of a column; "" where nobody has named it.
    dtype : numpy.dtype
        float32 or float64.
    layers : mapping of str to str
        The network's layers by place, in words.
    """

    name: str
    inputs: Inputs
    operations: tuple[Operation, ...]
    input: Value
    output: Value
    answer: Answer
    target: str
    dtype: np.dtype[Any]
    layers: dict[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """The number of constants of its operations."""
        return sum(array.size for op in self.operations for array in op.arrays.values())


def describe(model: Model, name: str = "model") -> Description:
    """Describe a model.

    Parameters
    ----------
    model : Model
    name : str, default "model"

    Raises
    ------
    UsageError
        If a layer, the loss, or the recipe of inputs can't be told to another language; it is
        named.
    """
    network = model.network
    program = Program(network.input_shape)
    output = described(network.body, network.params, program.input, program)
    target = None if model.preprocessing is None else model.preprocessing.target
    return Description(
        name=name,
        inputs=_inputs(model),
        operations=tuple(program.operations),
        input=program.input,
        output=output,
        answer=_answer(network, target),
        target="" if target is None else target.name or "",
        dtype=network.dtype,
        layers={str(place): repr(layer) for place, layer in enumerate(network.layers)},
    )


def _inputs(model: Model) -> Inputs:
    if model.preprocessing is None:
        return NumberInputs(np.zeros(()), np.ones(()))
    match model.preprocessing.inputs:
        case TableRecipe() as recipe:
            return TableInputs(tuple(column.describe() for column in recipe.columns))
        case PictureRecipe() as recipe:
            return PictureInputs(recipe.size, recipe.channels)
        case ArrayRecipe() as recipe:
            mean, std = (
                np.array(one).reshape(recipe.shape if len(one) > 1 else ())
                for one in (recipe.mean, recipe.std)
            )
            return NumberInputs(mean, std)
        case other:
            raise UsageError(
                f"The model takes what {type(other).__name__} makes of pictures: the features of "
                "another network, whose file is not in the model. Export that network by its own "
                "tool, or train without --features."
            )


def _answer(network: Network, target: TargetRecipe | None) -> Answer:
    loss, outputs = network.loss, network.output_shape[0]
    if type(loss) not in vars(losses).values() and type(loss).predict is not Loss.predict:
        raise UsageError(
            f"The loss {type(loss).__name__} is not clearprop's, and makes answers in its own way, "
            "which no other language can be told of. Train with a loss of clearprop, or export "
            "the network alone with a loss that leaves predict as it is."
        )
    if isinstance(target, ClassTarget):
        if (outputs != len(target.class_names) and outputs != 1) or not _tells_apart(loss, outputs):
            raise _several_answers(loss, outputs)
        coverage = target.coverage
        return ClassAnswer(
            target.class_names,
            loss.link,
            target.temperature,
            target.threshold,
            target.positive,
            *((None, None) if coverage is None else (coverage.score, coverage.share)),
        )
    if target is None and loss.classifies:
        if not _tells_apart(loss, outputs):
            raise _several_answers(loss, outputs)
        names = tuple(str(index) for index in range(max(outputs, 2)))
        return ClassAnswer(names, loss.link)
    return _values(loss, outputs, target)


def _several_answers(loss: Loss, outputs: int) -> UsageError:
    return UsageError(
        f"{type(loss).__name__} of {outputs} outputs says yes or no to each of them, which no "
        "export knows. Train a network for each, or one with a single class of several."
    )


def _tells_apart(loss: Loss, outputs: int) -> bool:
    """Whether a sample has one class of several, rather than a yes or no for each output."""
    return loss.one_of_many or outputs == 1


def _values(loss: Loss, outputs: int, target: ValueTarget | None) -> ValueAnswer:
    levels = loss.levels if isinstance(loss, Quantiles) else ()
    median = tuple(loss.median()) if isinstance(loss, Quantiles) else ()
    answers = loss.answers(outputs)
    if target is None:
        none, one = (0.0,) * answers, (1.0,) * answers
        return ValueAnswer(loss.link, none, one, levels=levels, median=median)
    coverage = target.coverage
    ends: tuple[int, ...] = ()
    if coverage is not None and levels:
        wanted = ((1 - coverage.share) / 2, (1 + coverage.share) / 2)
        ends = tuple(int(np.abs(np.array(levels) - one).argmin()) for one in wanted)
    return ValueAnswer(
        loss.link,
        target.mean,
        target.std,
        target.low,
        target.high,
        target.scale,
        levels,
        median,
        None if coverage is None else coverage.score,
        ends,
        None if coverage is None else coverage.share,
    )
