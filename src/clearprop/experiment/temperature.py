"""The temperature of a model: how it is fitted, and how well its probabilities come true.

A network that is trained until it is right mostly says so too surely: of what it calls 95% likely
less than 95% is right. One number mends most of that, and changes no answer.

Sources: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks" (2017), for the
temperature and for the error over bins; Nixon, Dusenberry, Zhang, Jerfel, Tran, "Measuring
Calibration in Deep Learning" (2019), for bins of equal count.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clearprop.configuration import Json
from clearprop.core.parameters import Array
from clearprop.experiment.answers import Answers
from clearprop.experiment.scores import log_loss
from clearprop.files.certainty import odds_against
from clearprop.losses import Loss
from clearprop.preprocessing import ClassTarget, TargetRecipe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SPREAD = 0.5  # of log T beforehand: few samples, or none that is wrong, move it little
_FURTHEST = 20.0  # the highest temperature, and one by the lowest
_BINS, _IN_EACH = 10, 10  # of the samples that score: at most so many bins, of as many at least


@dataclass(frozen=True)
class Temperature:
    """A temperature, and how it came about.

    Parameters
    ----------
    value : float
        The number that logits are divided by: above 1 where the network was too sure.
    samples : int
        The number of samples that it was fitted to.
    why_one : str
        The reason for which nothing could be fitted, and it is 1.
    """

    value: float
    samples: int = 0
    why_one: str = ""

    def __str__(self) -> str:
        if self.why_one:
            return f"Temperature: 1, as none could be fitted: {self.why_one}."
        return (
            f"Temperature: {self.value:.3g}, fitted to {self.samples:,} samples that were not "
            "learned from."
        )

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return {
            "temperature": self.value,
            "samples": self.samples,
            "why_one": self.why_one or None,
        }


def fit_temperature(loss: Loss, logits: Array, truth: Array) -> Temperature:
    """Find the temperature T that is likeliest, where log T is about N(0, 1/4) beforehand.

    It has the least sum of -log p_y of the logits / T, and 2 (log T)^2: of many samples the first
    decides, of few the second keeps it near 1. Where several networks answer by the mean of their
    probabilities, p is that mean.

    Parameters
    ----------
    loss : Loss
        One with probabilities.
    logits : ndarray, shape (N, outputs) or (networks, N, outputs)
        The outputs for samples that were not learned from.
    truth : ndarray of int, shape (N,)
        Their classes.
    """
    n = len(truth)
    if n == 0:
        return Temperature(1.0, n, "there are no samples to fit it to")
    if not np.isfinite(logits).all():
        return Temperature(1.0, n, "some outputs are not finite")
    from scipy.optimize import minimize_scalar  # here, so that importing stays quick

    networks, rows = logits.reshape(-1, *logits.shape[-2:]), np.arange(n)

    def cost(log_temperature: float) -> float:
        temperature = math.exp(log_temperature)
        against = [odds_against(loss, one, temperature)[rows, truth] for one in networks]
        each = -np.logaddexp(0.0, against)  # log p, as p = 1 / (1 + e^against)
        mean = np.logaddexp.reduce(each, axis=0) - math.log(len(networks))
        return float(-mean.sum() + (log_temperature / _SPREAD) ** 2 / 2)

    most = math.log(_FURTHEST)
    found = minimize_scalar(cost, bounds=(-most, most), method="bounded", options={"xatol": 1e-6})
    return Temperature(math.exp(float(found.x)), n)


@dataclass(frozen=True)
class Calibration:
    """How well probabilities come true on samples whose truth is known.

    Parameters
    ----------
    log_loss, error : float
        The log loss, and the `calibration_error`.
    log_loss_before, error_before : float
        The same at the temperature 1.
    """

    log_loss: float
    error: float
    log_loss_before: float
    error_before: float

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        return dict(vars(self))


def calibration_of(own: Answers, target: TargetRecipe) -> Calibration | None:
    """Measure how well the probabilities of answers come true; None where there are none."""
    if not isinstance(target, ClassTarget) or own.probabilities is None:
        return None
    if not np.isfinite(own.probabilities).all():  # of a run that diverged
        return None
    before = own.probabilities if own.untempered is None else own.untempered
    after, plain = (
        (log_loss(own.truth, shares), calibration_error(*outcomes(shares, own.truth, target)))
        for shares in (own.probabilities, before)
    )
    return Calibration(*after, *plain)


def draw_calibration(own: Answers, target: TargetRecipe) -> "Figure":
    """Draw how well the probabilities of answers come true, and did before the temperature."""
    from clearprop import plots

    assert isinstance(target, ClassTarget)  # noqa: S101 - others have no probabilities
    assert own.probabilities is not None  # noqa: S101
    bins = reliability(*outcomes(own.probabilities, own.truth, target))
    before = None
    if own.untempered is not None:
        before = reliability(*outcomes(own.untempered, own.truth, target))
    name = target.positive_name
    return plots.reliability(bins, "the likeliest class" if name is None else repr(name), before)


def outcomes(shares: Array, truth: Array, target: ClassTarget) -> tuple[Array, Array]:
    """Return the probability of one event for each sample, float64, and whether it came true.

    Of two classes the event is the positive one, of more the likeliest one of each sample.

    Parameters
    ----------
    shares : ndarray, shape (N, K)
        The probabilities.
    truth : ndarray of int, shape (N,)
    target : ClassTarget
    """
    if target.positive_name is not None:
        return shares[:, target.positive].astype(np.float64), truth == target.positive
    likeliest = shares.argmax(axis=1)
    return shares.max(axis=1).astype(np.float64), truth == likeliest


def reliability(said: Array, is_true: Array) -> tuple[Array, Array, Array]:
    """Sort samples into bins of about equal count by a probability, and count how often it is true.

    Equal probabilities come into one bin, so that the order of samples makes no difference.

    Parameters
    ----------
    said : ndarray of float64, shape (N,)
    is_true : ndarray of bool, shape (N,)

    Returns
    -------
    mean, share : ndarray of float64, shape (bins,)
        The mean probability of each bin, and the share of its samples that came true.
    counts : ndarray of int, shape (bins,)
    """
    count = min(_BINS, max(len(said) // _IN_EACH, 1))
    edges = np.quantile(said, np.linspace(0, 1, count + 1)[1:-1])
    _, places, counts = np.unique(
        np.searchsorted(edges, said), return_inverse=True, return_counts=True
    )
    mean, share = (np.bincount(places, one) / counts for one in (said, is_true))
    return mean, share, counts


def calibration_error(said: Array, is_true: Array) -> float:
    """Return the expected calibration error: the mean over samples of |mean - share| of their bin.

    Takes what `reliability` does.
    """
    mean, share, counts = reliability(said, is_true)
    return float(np.abs(mean - share) @ counts / counts.sum())
