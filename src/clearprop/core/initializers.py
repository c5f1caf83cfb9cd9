"""First values of parameters.

Random weights are drawn with shape (units, inputs), as the published systems draw them, and then
transposed into the engine's (inputs, units): the same seed gives the same network in both
notations. Those of a convolution, (kh, kw, C, F), are such a matrix, too: kh kw C inputs of one
window, and F units. They are drawn in float64 and rounded to the network's dtype afterwards, so
that a float32 and a float64 network start alike.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearprop.errors import UsageError

_MIXED: Final = 5  # products that a bias is a mean of
_ROUNDING: Final = 16  # units in the last place by which equal products may differ


class Initializer(ABC):
    """Base of every initializer; one's own is a frozen dataclass with a `draw`."""

    @abstractmethod
    def draw(
        self, random_state: np.random.RandomState, shape: tuple[int, ...]
    ) -> NDArray[Any] | float:
        """Return the first values of one array.

        Parameters
        ----------
        random_state : numpy.random.RandomState
            The source of random numbers, which is advanced.
        shape : tuple of int
            The shape of the array; (inputs, units) for weights, (kh, kw, C, F) for filters.

        Returns
        -------
        ndarray of float64 or float
            The array, or one number for all of it.
        """


@dataclass(frozen=True)
class Constant(Initializer):
    """Every entry the same `value`."""

    value: float

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> float:
        """Return `value`."""
        return self.value


@dataclass(frozen=True)
class Zeros(Initializer):
    """Every entry zero: right for biases; as weights, every unit of a layer stays the same."""

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> float:
        """Return 0."""
        return 0.0


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal with mean 0 and a given standard deviation.

    Parameters
    ----------
    std : float, default 0.01
        The standard deviation.
    """

    std: float = 0.01

    def __post_init__(self) -> None:
        if not self.std > 0:
            raise UsageError(f"Normal needs a positive standard deviation, found {self.std}.")

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return ``std * randn``."""
        return self.std * _standard_normal(random_state, shape)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform on ±bound.

    Parameters
    ----------
    bound : float
        The largest size of an entry; positive.
    """

    bound: float

    def __post_init__(self) -> None:
        if not self.bound > 0:
            raise UsageError(f"Uniform needs a positive bound, found {self.bound}.")

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return values between ``-bound`` and ``bound``."""
        return _uniform(random_state, shape, self.bound)


@dataclass(frozen=True)
class Scaled(Initializer):
    """Normal with variance 1 / inputs: keeps the variance of what passes a linear layer.

    Source: LeCun, Bottou, Orr, Müller, "Efficient BackProp" (1998), section 4.6.
    """

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return ``randn / sqrt(inputs)``."""
        return _standard_normal(random_state, shape) / np.sqrt(_inputs(shape))


@dataclass(frozen=True)
class HeNormal(Initializer):
    """Normal with variance 2 / inputs: makes up for the half that ReLU cuts off.

    Source: He, Zhang, Ren, Sun, "Delving Deep into Rectifiers" (2015), equation 10.
    """

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return ``randn * sqrt(2 / inputs)``."""
        return _standard_normal(random_state, shape) * np.sqrt(2.0 / _inputs(shape))


@dataclass(frozen=True)
class HeUniform(Initializer):
    """Uniform on ±sqrt(6 / inputs), which has the variance of `HeNormal`.

    Source: He, Zhang, Ren, Sun, "Delving Deep into Rectifiers" (2015), equation 10.
    """

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return values between ``-sqrt(6 / inputs)`` and ``sqrt(6 / inputs)``."""
        return _uniform(random_state, shape, np.sqrt(6.0 / _inputs(shape)))


@dataclass(frozen=True)
class GlorotNormal(Initializer):
    """Normal with variance 2 / (inputs + units): a compromise of both directions.

    The units are those that one input reaches: of a convolution kh kw F.

    Source: Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural
    networks" (2010), equation 12.
    """

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return ``randn * sqrt(2 / (inputs + units))``."""
        return _standard_normal(random_state, shape) * np.sqrt(2.0 / _inputs_and_reached(shape))


@dataclass(frozen=True)
class GlorotUniform(Initializer):
    """Uniform on ±sqrt(6 / (inputs + units)), which has the variance of `GlorotNormal`.

    Source: Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural
    networks" (2010), equation 16.
    """

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return values between ``-sqrt(6 / (inputs + units))`` and its opposite."""
        return _uniform(random_state, shape, np.sqrt(6.0 / _inputs_and_reached(shape)))


@dataclass(frozen=True)
class FromData(Initializer):
    """Standard normal weights, which `LayerStack.initialize_from` fits to samples.

    There each unit of a Dense layer gets the variance 1 over the samples, whatever reaches it, and
    a bias at which its output is zero somewhere among them, so that units bend where samples are.

    Source: Holzmüller, Grinsztajn, Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted
    Trees on Tabular Data" (2024), section 3; the biases are those of Steinwart, "A Sober Look at
    Neural Network Initializations" (2019).
    """

    def draw(self, random_state: np.random.RandomState, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return ``randn``."""
        return _standard_normal(random_state, shape)

    def fit(
        self, random_state: np.random.RandomState, products: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the factors of the units' weights, and the biases that go with them.

        Parameters
        ----------
        random_state : numpy.random.RandomState
            The source of random numbers, which is advanced.
        products : ndarray, shape (N, M)
            The outputs of the M units for N samples, with the weights that were drawn and without
            biases.

        Returns
        -------
        factors : ndarray, shape (M,)
            1 / std of each unit's products (population); 1 where all of them are the same, up to
            rounding.
        biases : ndarray, shape (M,)
            For each unit, minus a mean of five of its products, times its factor. The samples are
            drawn with replacement; the weights of the mean are standard exponential numbers,
            divided by their sum.
        """
        samples, units = products.shape
        spread = products.std(axis=0, dtype=np.float64)
        sizes = np.abs(products).max(axis=0, initial=0).astype(np.float64)
        same = spread <= _ROUNDING * float(np.finfo(products.dtype).eps) * sizes
        factors = 1 / np.where(same, 1.0, spread)
        rows = random_state.randint(0, samples, (units, _MIXED))
        shares = random_state.standard_exponential((units, _MIXED))
        shares /= shares.sum(axis=1, keepdims=True)
        chosen = products[rows, np.arange(units)[:, np.newaxis]]
        return factors, -factors * (shares * chosen).sum(axis=1)


INITIALIZERS: dict[str, Initializer] = {
    "he": HeNormal(),
    "he-uniform": HeUniform(),
    "glorot": GlorotNormal(),
    "glorot-uniform": GlorotUniform(),
    "scaled": Scaled(),
    "normal": Normal(),
    "zeros": Zeros(),
}
"""The initializers of weights, by their names on the command line."""


def _standard_normal(
    random_state: np.random.RandomState, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    return random_state.standard_normal(_transposed(shape)).T.reshape(shape)


def _uniform(
    random_state: np.random.RandomState, shape: tuple[int, ...], bound: float
) -> NDArray[np.float64]:
    return random_state.uniform(-bound, bound, _transposed(shape)).T.reshape(shape)


def _transposed(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the units and inputs of the matrix that weights of a shape are."""
    return shape[-1], math.prod(shape[:-1])


def _inputs(shape: tuple[int, ...]) -> int:
    return math.prod(shape[:-1]) if len(shape) > 1 else shape[0]


def _inputs_and_reached(shape: tuple[int, ...]) -> int:
    *places, inputs, units = (0, *shape) if len(shape) == 1 else shape
    return math.prod(places) * (inputs + units)


def random_state_of(seed: int) -> np.random.RandomState:
    """Make the source of random numbers that a seed stands for.

    Raises
    ------
    UsageError
        If it is not a whole number from 0 to 2**32 - 1.
    """
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise UsageError(f"A seed is a whole number from 0 to 2**32 - 1, found {seed!r}.")
    return np.random.RandomState(int(seed))
