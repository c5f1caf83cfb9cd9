"""The optimizers' updates of a stretch of the parameter vector.

Where a unit is dead, its running means only ever shrink, until they are denormal numbers, with
which processors are many times slower. Every 16th step those are made zero: often enough for none
to stay, and rare enough to cost nothing. In all of these w, g, the means and `scratch` have shape
(P,), and `floor` is what `flush_below` gives.
"""

from typing import Final

import numpy as np

from clearprop.core.kernels.kernel import Kernel
from clearprop.core.parameters import Array

_FLUSH_EVERY: Final = 16  # steps


def flush_below(w: Array, step: int) -> float:
    """Return the size below which running means become zero in this step; 0 in most steps."""
    return 0.0 if step % _FLUSH_EVERY else float(np.finfo(w.dtype).tiny)


def _descend(w: Array, g: Array, rate: float, floor: float, scratch: Array) -> None:
    np.multiply(g, rate, out=scratch)
    w -= scratch


def _descend_loop(w: Array, g: Array, rate: float, floor: float, scratch: Array) -> None:
    for i in range(w.size):
        w[i] -= g[i] * rate


def _push(
    w: Array, g: Array, v: Array, rate: float, momentum: float, floor: float, scratch: Array
) -> None:
    np.multiply(g, rate, out=scratch)
    v *= momentum
    v -= scratch
    _flush(v, floor, scratch)
    w += v


def _push_loop(
    w: Array, g: Array, v: Array, rate: float, momentum: float, floor: float, scratch: Array
) -> None:
    for i in range(w.size):
        v_i = v[i] * momentum - g[i] * rate
        if abs(v_i) < floor:
            v_i -= v_i
        v[i] = v_i
        w[i] += v_i


def _look_ahead(
    w: Array, g: Array, v: Array, rate: float, momentum: float, floor: float, scratch: Array
) -> None:
    np.multiply(g, rate, out=scratch)
    v *= momentum
    v -= scratch
    w -= scratch
    _flush(v, floor, scratch)
    np.multiply(v, momentum, out=scratch)
    w += scratch


def _look_ahead_loop(
    w: Array, g: Array, v: Array, rate: float, momentum: float, floor: float, scratch: Array
) -> None:
    for i in range(w.size):
        down = g[i] * rate
        v_i = v[i] * momentum - down
        if abs(v_i) < floor:
            v_i -= v_i
        v[i] = v_i
        w[i] = w[i] - down + v_i * momentum


def _scale(
    w: Array,
    g: Array,
    s: Array,
    rate: float,
    decay: float,
    share: float,
    epsilon: float,
    floor: float,
    scratch: Array,
) -> None:
    _average_squares(s, g, decay, share, scratch)
    _flush(s, floor, scratch)
    np.sqrt(s, out=scratch)
    scratch += epsilon
    np.divide(g, scratch, out=scratch)
    scratch *= rate
    w -= scratch


def _scale_loop(
    w: Array,
    g: Array,
    s: Array,
    rate: float,
    decay: float,
    share: float,
    epsilon: float,
    floor: float,
    scratch: Array,
) -> None:
    for i in range(w.size):
        s_i = s[i] * decay + g[i] * g[i] * share
        if s_i < floor:
            s_i -= s_i
        s[i] = s_i
        w[i] -= g[i] / (np.sqrt(s_i) + epsilon) * rate


def _adapt(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    rate: float,
    beta_1: float,
    share_1: float,
    beta_2: float,
    share_2: float,
    root_scale: float,
    epsilon: float,
    floor: float,
    scratch: Array,
) -> None:
    np.multiply(g, share_1, out=scratch)
    m *= beta_1
    m += scratch
    _flush(m, floor, scratch)
    _average_squares(v, g, beta_2, share_2, scratch)
    _flush(v, floor, scratch)
    np.sqrt(v, out=scratch)
    scratch *= root_scale
    scratch += epsilon
    np.divide(m, scratch, out=scratch)
    scratch *= rate
    w -= scratch


def _adapt_loop(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    rate: float,
    beta_1: float,
    share_1: float,
    beta_2: float,
    share_2: float,
    root_scale: float,
    epsilon: float,
    floor: float,
    scratch: Array,
) -> None:
    for i in range(w.size):
        m_i = m[i] * beta_1 + g[i] * share_1
        if abs(m_i) < floor:
            m_i -= m_i
        v_i = v[i] * beta_2 + g[i] * g[i] * share_2
        if v_i < floor:
            v_i -= v_i
        m[i] = m_i
        v[i] = v_i
        w[i] -= m_i / (np.sqrt(v_i) * root_scale + epsilon) * rate


def _average_squares(s: Array, g: Array, decay: float, share: float, scratch: Array) -> None:
    np.multiply(g, g, out=scratch)
    scratch *= share
    s *= decay
    s += scratch


def _flush(mean: Array, floor: float, scratch: Array) -> None:
    if floor:
        np.copyto(mean, 0, where=np.abs(mean, out=scratch) < floor)


descend = Kernel(_descend, _descend_loop, "void(T[::1], T[::1], T, T, T[::1])")
"""``descend(w, g, rate, floor, scratch)``: w -= rate g; it has no means that could be denormal."""

push = Kernel(_push, _push_loop, "void(T[::1], T[::1], T[::1], T, T, T, T[::1])")
"""``push(w, g, v, rate, momentum, floor, scratch)``: v = momentum v - rate g; w += v."""

look_ahead = Kernel(_look_ahead, _look_ahead_loop, push.signature)
"""The same arguments: v = momentum v - rate g; w += momentum v - rate g."""

scale = Kernel(_scale, _scale_loop, "void(T[::1], T[::1], T[::1], T, T, T, T, T, T[::1])")
"""``scale(w, g, s, rate, decay, share, epsilon, floor, scratch)``.

s = decay s + share g^2; w -= rate g / (sqrt(s) + epsilon).
"""

adapt = Kernel(
    _adapt, _adapt_loop, "void(T[::1], T[::1], T[::1], T[::1], T, T, T, T, T, T, T, T, T[::1])"
)
"""Adam's update, of the arguments that `_adapt` names, as `scale` with a mean m in place of g.

m = beta_1 m + share_1 g; v = beta_2 v + share_2 g^2; w -= rate m / (root_scale sqrt(v) + epsilon).
"""
