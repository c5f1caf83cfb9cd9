"""The softmax's cross-entropy, but for exp and log: NumPy's are as fast as any."""

import numpy as np

from clearprop.kernels.kernel import Kernel
from clearprop.parameters import Array


def _shift(logits: Array, shifted: Array) -> None:
    np.subtract(logits, logits.max(axis=1, keepdims=True), out=shifted)


def _shift_loop(logits: Array, shifted: Array) -> None:
    for n in range(logits.shape[0]):
        largest = logits[n, 0]
        for k in range(1, logits.shape[1]):
            if logits[n, k] > largest or logits[n, k] != logits[n, k]:  # NaN stays NaN
                largest = logits[n, k]
        for k in range(logits.shape[1]):
            shifted[n, k] = logits[n, k] - largest


def _pick(p: Array, shifted: Array, total: Array, labels: Array, losses: Array) -> None:
    rows = np.arange(len(labels))
    p /= total[:, np.newaxis]
    losses -= shifted[rows, labels]
    p[rows, labels] -= 1


def _pick_loop(p: Array, shifted: Array, total: Array, labels: Array, losses: Array) -> None:
    for n in range(p.shape[0]):
        for k in range(p.shape[1]):
            p[n, k] /= total[n]
        losses[n] -= shifted[n, labels[n]]
        p[n, labels[n]] -= 1


softmax_shift = Kernel(_shift, _shift_loop, "void(T[:, ::1], T[:, ::1])")
"""``softmax_shift(logits, shifted)``: write each row (N, K) less its largest number."""

softmax_pick = Kernel(_pick, _pick_loop, "void(T[:, ::1], T[:, ::1], T[::1], int64[::1], T[::1])")
"""``softmax_pick(p, shifted, total, labels, losses)``: bring labels (N,) into loss and gradient.

p (N, K) comes as exp(shifted), and becomes p / total - one-hot; losses (N,) come as log(total), and
lose the shifted logit of their label.
"""
