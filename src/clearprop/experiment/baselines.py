"""Answers that a network has to beat: always the same, and a linear model's."""

import warnings
from dataclasses import replace

import numpy as np

from clearprop.core.trace import Trace
from clearprop.data import Dataset
from clearprop.experiment.answers import Answers, answers, answers_of
from clearprop.experiment.task import Task
from clearprop.files.linear import linear_network
from clearprop.layers import Sequential
from clearprop.losses import Loss, Quantiles
from clearprop.network import Network
from clearprop.preprocessing import ClassTarget, Preprocessing, values_of
from clearprop.preprocessing.targets import without_certainty

_NUMBERS = 5e7  # of samples x features x outputs that a linear model is fitted to: seconds
_FEWEST = 200  # samples, however many features
_LOOKS = 200  # at the loss
_NEVER = -30.0  # the logit of a class without a sample: a probability of 1e-13


def constant_of(train: Dataset, loss: Loss) -> list[float]:
    """Return the share of each class in the training data, or the mean of each value.

    Of a loss of quantiles it is the quantiles.
    """
    if isinstance(loss, Quantiles):
        return np.quantile(values_of(train), loss.levels).tolist()
    if train.class_names is None:
        return values_of(train).mean(axis=0).tolist()
    return (np.bincount(train.y, minlength=len(train.class_names)) / len(train)).tolist()


def constant_answers(
    constant: list[float], network: Network, recipe: Preprocessing, dataset: Dataset
) -> Answers:
    """Answer the same for every sample: the largest class with its share, the mean or quantiles.

    Parameters
    ----------
    constant : list of float
        That of the training data, see `constant_of`.
    network : Network
        The network whose loss is to be compared.
    recipe : Preprocessing
    dataset : Dataset
    """
    n = len(dataset)
    if isinstance(recipe.target, ClassTarget):
        shares, truth = np.array(constant), recipe.target.encode(dataset)
        with np.errstate(divide="ignore"):  # a class without a sample surprises without bounds
            losses = -np.log(shares[truth])
        return Answers(losses, truth, np.full(n, shares.argmax()), np.tile(shares, (n, 1)))
    if isinstance(network.loss, Quantiles):
        logits = recipe.target.standardise(np.array(constant)[:, np.newaxis])[:, 0]
        return answers(network, recipe.target, dataset, np.tile(logits, (n, 1)))
    zero = answers(network, recipe.target, dataset, np.zeros((n, len(constant)), network.dtype))
    mean = constant[0] if zero.truth.ndim == 1 else constant
    return replace(zero, predicted=np.full_like(zero.truth, mean))


def linear_answers(line: Network, recipe: Preprocessing, dataset: Dataset) -> Answers:
    """Answer by a linear model, whatever the threshold of a network that it is compared to."""
    target = without_certainty(recipe.target)
    if isinstance(target, ClassTarget):
        target = replace(target, threshold=None)
    return answers_of(line, replace(recipe, target=target), dataset)


def fit_linear(task: Task) -> Network | None:
    """Fit scikit-learn's linear model to the prepared training data of a task.

    Logistic regression for classes, ridge regression for values, both with their default strength;
    to as many samples as take seconds.

    Returns
    -------
    Network or None
        A network without hidden layers. None where no numbers come out.
    """
    from sklearn.linear_model import LogisticRegression, Ridge  # here, because it imports slowly

    line = linear_network(task.network)
    W, b = list(line.parameters.values())[-2:]  # others make inputs of codes
    features, outputs = W.shape
    most = int(max(_NUMBERS / (features * outputs), _FEWEST))
    train = task.train.in_memory()
    rows = np.random.RandomState(task.settings.seed).permutation(len(train))[:most]
    X, y = task.prepared(train.take(np.sort(rows)))
    inputs = Sequential(line.layers[:-1]).forward(line.params, line.inputs(X[:]), Trace())
    X = inputs.reshape(len(rows), -1).astype(np.float64)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of few samples, or few looks: it is a yardstick
        if isinstance(task.recipe.target, ClassTarget):
            if len(np.unique(y)) < 2:
                return None
            fitted = LogisticRegression(max_iter=_LOOKS).fit(X, y)
            known = fitted.classes_ if outputs > 1 else np.array([0])
            W[:], b[:] = 0, 0 if outputs == 1 else _NEVER
            b[known] = 0
            told = known[-len(fitted.coef_) :]  # of two classes, it tells the second one's logit
            W[:, told], b[told] = fitted.coef_.T, fitted.intercept_
        else:
            fitted = Ridge().fit(X, y)
            # Of several quantiles, each is the mean.
            W[:], b[:] = np.atleast_2d(fitted.coef_).T, fitted.intercept_
    return line if np.isfinite(W).all() and np.isfinite(b).all() else None
