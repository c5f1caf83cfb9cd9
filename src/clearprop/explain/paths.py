"""What each input adds to an answer on the straight way to it: integrated gradients."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearprop.core.parameters import Array
from clearprop.explain.contributions import Contributions, Groups

Numbers = NDArray[np.float64]
Slopes = Callable[[Array], tuple[Numbers, Numbers]]
"""Prepared samples (n, D) in; their numbers (n,) and the derivatives of these (n, D) out."""

_NODES = 4  # of Gauss and Legendre, in each piece of the way
_CLOSE = 1e-11  # of the answer: pieces whose halves say nothing else are done
_MOST_NODES, _DEEPEST = 2**18, 60
_OFF_THE_ENDS = 1e-3  # of a piece: a kink nearer to an end is no good place to cut it


@dataclass(frozen=True, eq=False)
class IntegratedGradients(Contributions):
    """Integrated gradients, and the nodes that they were summed over.

    Parameters
    ----------
    names, values, base, answer
        As of `Contributions`; `base` is the answer at the baseline.
    groups : mapping of str to ndarray of int
        The inputs of each name.
    x, baseline : ndarray of float64, shape (D,)
        The sample, and where the way to it begins.
    nodes, weights : ndarray of float64, shape (n,)
        The places on the way, 0 to 1, and their weights, which sum to 1.
    slopes_of : callable
    """

    groups: Groups
    x: Numbers
    baseline: Numbers
    nodes: Numbers
    weights: Numbers
    slopes_of: Slopes

    def slopes(self, name: str) -> Numbers:
        """Return the derivatives by the inputs of a name at all nodes, shape (n, inputs)."""
        places, difference = self.groups[name], self.x - self.baseline
        found = np.empty((len(self.nodes), len(places)))
        step = _rows_at_once(self.x.size)
        for start in range(0, len(found), step):
            way = self.nodes[start : start + step, np.newaxis]
            found[start : start + step] = self.slopes_of(self.baseline + way * difference)[1][
                :, places
            ]
        return found


def integrated_gradients(
    slopes_of: Slopes, x: Array, baseline: Array, groups: Groups
) -> IntegratedGradients:
    """Integrate the derivatives of an answer from a baseline to a sample.

    Parameters
    ----------
    slopes_of : callable
        The answer that is explained: prepared samples (n, D) in; numbers (n,) and their
        derivatives (n, D) out, all in float64.
    x, baseline : ndarray of float64, shape (D,)
    groups : mapping of str to ndarray of int
        The inputs whose contributions are summed, by name.

    Notes
    -----
    For each input i, with d = x - baseline::

        phi_i = d_i integral_0^1 df/dx_i (baseline + t d) dt

    All phi together are f(x) - f(baseline), by the fundamental theorem of calculus. Each piece of
    the way has four nodes of Gauss and Legendre, which are exact up to degree 7. A piece is
    cut as long as its two parts say anything else than the whole, or than the difference of f at
    their ends: at its middle, or where the tangents at its ends cross, which is where a ReLU has
    its kink if there is one. Source: Sundararajan, Taly, Yan, "Axiomatic Attribution for Deep
    Networks" (2017), equation 1 and proposition 1.
    """
    difference = x - baseline
    way = _Way(slopes_of, baseline, difference)
    ends = np.array([0.0, 1.0])
    values, rises = way.at(ends)
    base, answer = float(values[0]), float(values[1])
    close = _CLOSE * max(1.0, abs(base), abs(answer))
    pending = _Pieces(ends[:1], ends[1:], values[:1], values[1:], rises[:1], rises[1:])
    wholes = way.integrals(pending)
    total, done = np.zeros_like(difference), []
    for depth in range(_DEEPEST):
        halves = pending.cut(way, at_kinks=depth % 2 == 1)
        parts = way.integrals(halves)
        sums = parts[0::2] + parts[1::2]
        off = np.abs(parts.sum(axis=1) - (halves.f_right - halves.f_left))
        wrong = np.maximum(np.abs(sums - wholes).max(axis=1), off[0::2] + off[1::2]) > close
        if depth == _DEEPEST - 1 or way.spent > _MOST_NODES:
            wrong[:] = False  # what is left is told as the residual
        total += sums[~wrong].sum(axis=0)
        done.append(halves.take(np.repeat(~wrong, 2)))
        pending, wholes = halves.take(np.repeat(wrong, 2)), parts[np.repeat(wrong, 2)]
        if not len(pending.left):
            break
    left = np.concatenate([piece.left for piece in done])
    right = np.concatenate([piece.right for piece in done])
    order = np.argsort(left, kind="stable")
    nodes, weights = way.nodes(left[order], right[order])
    return IntegratedGradients(
        tuple(groups),
        np.array([total[places].sum() for places in groups.values()]),
        base,
        answer,
        groups,
        x,
        baseline,
        nodes.ravel(),
        weights.ravel(),
        slopes_of,
    )


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Pieces of the way, and at their ends the answer f and its derivative by t; all (k,)."""

    left: Numbers
    right: Numbers
    f_left: Numbers
    f_right: Numbers
    rise_left: Numbers
    rise_right: Numbers

    def take(self, rows: NDArray[np.bool_]) -> "_Pieces":
        """Return some of them."""
        return _Pieces(*(each[rows] for each in vars(self).values()))

    def cut(self, way: "_Way", *, at_kinks: bool) -> "_Pieces":
        """Cut each in two, which follow each other: shape (2 k,)."""
        length = self.right - self.left
        share = np.full(len(length), 0.5)
        if at_kinks:  # f_left + rise_left s = f_right - rise_right (length - s)
            bend = (self.rise_left - self.rise_right) * length
            rise = self.f_right - self.f_left - self.rise_right * length
            crossing = np.divide(rise, bend, out=share.copy(), where=bend != 0)
            inside = (crossing > _OFF_THE_ENDS) & (crossing < 1 - _OFF_THE_ENDS)
            share = np.where(inside, crossing, 0.5)
        middle = self.left + share * length
        f, rise = way.at(middle)
        pairs = (
            (self.left, middle),
            (middle, self.right),
            (self.f_left, f),
            (f, self.f_right),
            (self.rise_left, rise),
            (rise, self.rise_right),
        )
        return _Pieces(*(np.stack(pair, axis=1).ravel() for pair in pairs))


class _Way:
    """The straight way from the baseline to the sample, t from 0 to 1."""

    def __init__(self, slopes_of: Slopes, baseline: Numbers, difference: Numbers) -> None:
        self.slopes_of, self.baseline, self.difference = slopes_of, baseline, difference
        self.spent = 0  # derivatives that were computed
        places, weights = np.polynomial.legendre.leggauss(_NODES)
        self._places, self._weights = (places + 1) / 2, weights / 2

    def at(self, t: Numbers) -> tuple[Numbers, Numbers]:
        """Return f and df/dt at places (k,)."""
        self.spent += len(t)
        values, slopes = self.slopes_of(self.baseline + t[:, np.newaxis] * self.difference)
        return values, slopes @ self.difference

    def nodes(self, left: Numbers, right: Numbers) -> tuple[Numbers, Numbers]:
        """Return the nodes of pieces (k,) and their weights, both (k, 4)."""
        length = (right - left)[:, np.newaxis]
        return left[:, np.newaxis] + length * self._places, length * self._weights

    def integrals(self, pieces: _Pieces) -> Numbers:
        """Return what each input adds on each piece, shape (k, D)."""
        t, weights = self.nodes(pieces.left, pieces.right)
        self.spent += t.size
        found = np.empty((len(t), len(self.difference)))
        step = max(1, _rows_at_once(len(self.difference)) // _NODES)
        for start in range(0, len(t), step):
            rows = slice(start, start + step)
            way = self.baseline + t[rows].reshape(-1, 1) * self.difference
            slopes = self.slopes_of(way)[1].reshape(-1, _NODES, len(self.difference))
            found[rows] = np.einsum("kn,knd->kd", weights[rows], slopes) * self.difference
        return found


def _rows_at_once(inputs: int) -> int:
    return max(_NODES, 2**21 // inputs)
