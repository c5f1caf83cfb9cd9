"""The mistakes that are planted: a line of whose file, what is written instead, and its name.

The name is what the learner did. Some of them give the same numbers as something else.
"""

from dataclasses import dataclass

from catalogue.learners import LEARNERS, Learner


@dataclass(frozen=True)
class Planted:
    """One mistake: `old` lines become `new` ones; `first` is the first gradient to go wrong."""

    learner: Learner
    cause: str
    first: str
    old: str
    new: str
    samples: int

    @property
    def source(self) -> str:
        return self.learner.changed((self.old, self.new))

    def __str__(self) -> str:
        return f"{self.learner.name}-{self.cause}-{self.first}"


def _in(name: str, *mistakes: tuple[str, ...]) -> list[Planted]:
    learner = LEARNERS[name]
    return [Planted(learner, *mistake, samples=learner.samples) for mistake in mistakes]


MISTAKES = [
    *_in(
        "two_layers_tanh",
        ("mean_missing", "W2", "dW2 = 1 / m * np.dot", "dW2 = np.dot"),
        ("mean_twice", "W1", "dW1 = 1 / m * np", "dW1 = 1 / m**2 * np"),
        ("sign", "W1", "dW1 = 1 / m", "dW1 = -1 / m"),
        ("wrong_pair", "W2", "np.dot(dZ2, A1.T)", "np.dot(dZ2, Z1.T)"),
        ("reshaped", "W2", "np.dot(dZ2, A1.T)", "np.dot(dZ2, A1.reshape(m, -1))"),
        ("bias_axis", "b1", "np.sum(dZ1, axis=1, keepdims=True)", "np.sum(dZ1, axis=0)"),
        ("bias_broadcast", "b1", "np.sum(dZ1, axis=1, keepdims=True)", "np.sum(dZ1)"),
        ("other_activation", "W1", "(1 - np.tanh(Z1) ** 2)", "A1 * (1 - A1)"),
        ("other_activation", "W1", "(1 - np.tanh(Z1) ** 2)", "(1 - sigmoid(Z1) ** 2)"),
        ("at_A", "W1", "np.tanh(Z1) ** 2", "np.tanh(A1) ** 2"),
        ("at_Z", "W1", "np.tanh(Z1) ** 2", "Z1**2"),
        ("slope_missing", "W1", "dA1 * (1 - np.tanh(Z1) ** 2)", "dA1"),
        ("slope_incomplete", "W1", "np.tanh(Z1) ** 2", "np.tanh(Z1)"),
        (
            "W_updated",
            "W1",
            "    dA1 = np.dot(W2.T, dZ2)\n",
            "    W2 = W2 - 0.5 * dW2\n    dA1 = np.dot(W2.T, dZ2)\n",
        ),
        ("swapped", "W2", "dZ2 = A2 - Y", "dZ2 = Y - A2"),
        ("other_loss", "W2", "dZ2 = A2 - Y", "dZ2 = (A2 - Y) * A2 * (1 - A2)"),
        ("at_Z", "W2", "dZ2 = A2 - Y", 'dZ2 = cache["Z2"] - Y'),
        ("mean_axis", "W2", "m = X.shape[1]", "m = Y.shape[0]"),
        ("mean_twice", "b1", "db1 = 1 / m * np.sum", "db1 = 1 / m**2 * np.sum"),
    ),
    *_in(
        "two_layers_softmax",
        ("mean_missing", "W2", "    dscores /= N\n", ""),
        ("mean_twice", "W1", "X.T.dot(dhidden)", "X.T.dot(dhidden) / N"),
        ("factor_two", "b1", "np.sum(dhidden, axis=0)", "2 * np.sum(dhidden, axis=0)"),
        ("bias_axis", "b1", "np.sum(dhidden, axis=0)", "np.sum(dhidden, axis=1)"),
        ("bias_averaged", "b2", "np.sum(dscores, axis=0)", "np.mean(dscores, axis=0)"),
        ("mask_sign", "W1", "dhidden[hidden <= 0]", "dhidden[hidden > 0]"),
        ("slope_missing", "W1", "    dhidden[hidden <= 0] = 0\n", ""),
        ("mask_layer", "W1", "dhidden[hidden <= 0]", "dhidden[dhidden <= 0]"),
        ("l2_missing", "W2", '    grads["W2"] += reg * W2\n', ""),
        (
            "l2_bias",
            "b1",
            "    return loss, grads",
            '    grads["b1"] += reg * b1\n    return loss, grads',
        ),
        ("l2_factor", "W1", "+= reg * W1", "+= 0.5 * reg * W1"),
        ("off_by_one", "W2", "dscores[np.arange(N), y] -= 1", "dscores[np.arange(N), y - 1] -= 1"),
        ("Y_missing", "W2", "    dscores[np.arange(N), y] -= 1\n", ""),
        ("swapped", "W2", "    dscores /= N", "    dscores = -dscores / N"),
    ),
    *_in(
        "course_relu",
        ("mean_missing", "W4", "dW = 1 / m * np", "dW = np"),
        ("mean_axis", "W4", "    m = A_prev.shape[1]", "    m = A_prev.shape[0]"),
        ("bias_averaged", "b4", "db = 1 / m * np.sum", "db = 1 / m * np.mean"),
        ("bias_axis", "b4", "db = 1 / m * np.sum(dZ, axis=1", "db = 1 / m * np.sum(dZ, axis=0"),
        ("bias_broadcast", "b4", "np.sum(dZ, axis=1, keepdims=True)", "np.sum(dZ, axis=1)"),
        ("transposed", "W4", "np.dot(dZ, A_prev.T)", "np.dot(A_prev, dZ.T)"),
        ("slope_missing", "W3", "    dZ[Z <= 0] = 0\n", ""),
        ("mask_sign", "W3", "dZ[Z <= 0] = 0", "dZ[Z > 0] = 0"),
        ("mask_layer", "W3", "dZ[Z <= 0] = 0", "dZ[dA <= 0] = 0"),
        (
            "other_activation",
            "W3",
            "    dZ = np.array(dA, copy=True)\n    dZ[Z <= 0] = 0\n",
            "    A = np.maximum(0, Z)\n    dZ = dA * A * (1 - A)\n",
        ),
        ("other_activation", "W3", "dZ[Z <= 0] = 0", "dZ[Z <= 0] *= 0.01"),
        ("other_activation", "W4", "    dZ = dA * s * (1 - s)", "    dZ = dA * (1 - s**2)"),
        ("slope_missing", "W4", "    dZ = dA * s * (1 - s)", "    dZ = dA"),
        ("slope_incomplete", "W4", "    dZ = dA * s * (1 - s)", "    dZ = dA * (1 - s)"),
        ("dA_slip", "W4", "(np.divide(Y, AL) - np.", "(np.divide(Y, AL) + np."),
        ("dA_slip", "W4", "np.divide(1 - Y, 1 - AL)", "np.divide(1 - Y, AL)"),
        ("dA_missing", "W3", "dZ = np.array(dA, copy=True)", "dZ = np.ones(Z.shape)"),
        ("dA_missing", "W4", "dZ = dA * s * (1 - s)", "dZ = s * (1 - s)"),
        ("sign", "W4", "dAL = -(np.divide", "dAL = (np.divide"),
        (
            "other_loss",
            "W4",
            "dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))",
            "dAL = 2 * (AL - Y)",
        ),
        ("off_by_one", "W3", 'grads["dW" + str(l + 1)] = dW', 'grads["dW" + str(l)] = dW'),
        (
            "mean_twice",
            "W3",
            "dA_prev = np.dot(W.T, dZ)",
            "dA_prev = 1 / m * np.dot(W.T, dZ)",
        ),
        ("wrong_pair", "W4", "return linear_backward(dZ,", "return linear_backward(dA,"),
    ),
    *_in(
        "three_layers_sigmoid",
        ("mean_axis", "W3", "m = Y.shape[1]", "m = Y.shape[0]"),
        ("factor_two", "W3", "dz3 = a3 - Y", "dz3 = 2 * (a3 - Y)"),
        ("softmax_elementwise", "W3", "dz3 = a3 - Y", "dz3 = -Y / a3 * a3 * (1 - a3)"),
        ("slope_missing", "W3", "dz3 = a3 - Y", "dz3 = -Y / a3"),
        ("at_Z", "W2", "* a2 * (1 - a2)", "* z2 * (1 - z2)"),
        ("at_A", "W1", "* a1 * (1 - a1)", "* sigmoid(a1) * (1 - sigmoid(a1))"),
        ("brackets", "W1", "* a1 * (1 - a1)", "* a1 * 1 - a1"),
        ("other_activation", "W2", "* a2 * (1 - a2)", "* (1 - a2**2)"),
        ("other_activation", "W1", "* a1 * (1 - a1)", "* (z1 > 0)"),
        ("slope_incomplete", "W2", "* a2 * (1 - a2)", "* (1 - a2)"),
        ("bias_broadcast", "b2", "np.sum(dz2, axis=1, keepdims=True)", "np.sum(dz2)"),
        ("bias_broadcast", "b3", "np.sum(dz3, axis=1, keepdims=True) / m", "dz3 / m"),
        ("wrong_pair", "W1", "dW1 = dz1 @ X.T", "dW1 = (p['W2'].T @ dz2) @ X.T"),
        ("thresholded", "W3", "dz3 = a3 - Y", "dz3 = (a3 == a3.max(axis=0)) - Y"),
        ("sign", "b3", "db3 = np", "db3 = -np"),
    ),
    *_in(
        "layer_objects",
        ("accumulated", "W3", "self.dW = np.dot", "self.dW += np.dot"),
        ("mean_missing", "W3", "(self.y - self.t) / batch_size", "self.y - self.t"),
        ("mean_axis", "W3", "batch_size = self.t.shape[0]", "batch_size = self.t.shape[1]"),
        ("swapped", "W3", "(self.y - self.t)", "(self.t - self.y)"),
        (
            "softmax_elementwise",
            "W3",
            "(self.y - self.t)",
            "(self.y - self.t) * self.y * (1 - self.y)",
        ),
        ("other_activation", "W2", "(1.0 - self.out) * self.out", "(1.0 - self.out**2)"),
        ("at_Z", "W2", "(1.0 - self.out) * self.out", "(1.0 - self.x) * self.x"),
        ("bias_averaged", "b3", "np.sum(dout, axis=0)", "np.mean(dout, axis=0)"),
        (
            "zero",
            "b3",
            "        self.db = np.sum(dout, axis=0)\n",
            "        self.db = 0 * self.b\n",
        ),
    ),
    *_in(
        "five_layers_tanh",
        ("mean_missing", "W5", "delta = (probs - Y) / n", "delta = probs - Y"),
        ("other_activation", "W4", "(1 - acts[i - 1] ** 2)", "(acts[i - 1] > 0)"),
        ("at_Z", "W4", "(1 - acts[i - 1] ** 2)", "(1 - zs[i - 1] ** 2)"),
        ("slope_missing", "W4", " * (1 - acts[i - 1] ** 2)", ""),
        ("slope_incomplete", "W4", "(1 - acts[i - 1] ** 2)", "(1 - acts[i - 1])"),
        (
            "W_updated",
            "W4",
            "        if i > 1:\n",
            '        W = W - 0.1 * grads[f"W{i}"]\n        if i > 1:\n',
        ),
        ("bias_averaged", "b5", "np.sum(delta, axis=0)", "np.mean(delta, axis=0)"),
        ("sign", "W4", "(delta @ W.T)", "-(delta @ W.T)"),
        ("other_loss", "W5", "delta = (probs - Y) / n", "delta = np.sign(probs - Y) / n"),
        ("off_by_one", "W5", "acts[i - 1].T @ delta", "acts[i - 1][1:].T @ delta[1:]"),
        ("last_sample", "b5", "np.sum(delta, axis=0)", "delta[-1]"),
    ),
    *_in(
        "three_layers_l2",
        ("l2_missing", "W2", "np.dot(dZ2, A1.T) + lambd / m * W2", "np.dot(dZ2, A1.T)"),
        ("l2_mean", "W3", "+ lambd / m * W3", "+ lambd * W3"),
        ("l2_factor", "W3", "+ lambd / m * W3", "+ lambd / (2 * m) * W3"),
        (
            "l2_bias",
            "b3",
            "db3 = 1 / m * np.sum(dZ3, axis=1, keepdims=True)",
            "db3 = 1 / m * np.sum(dZ3, axis=1, keepdims=True) + lambd / m * b3",
        ),
        (
            "l2_bias",
            "b1",
            "db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)",
            "db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True) + lambd / m * b1",
        ),
        ("mean_missing", "W1", "dW1 = 1 / m * np", "dW1 = np"),
        ("mask_sign", "W2", "np.int64(A2 > 0)", "np.int64(A2 <= 0)"),
        ("factor_two", "W2", "dA2 = np.dot(W3.T, dZ3)", "dA2 = 2 * np.dot(W3.T, dZ3)"),
    ),
    *_in(
        "three_layers_dropout",
        ("dropout_missing", "W2", "    dA2 = dA2 * D2\n    dA2 = dA2 / keep_prob\n", ""),
        ("dropout_missing", "W1", "    dA1 = dA1 * D1\n", ""),
        ("dropout_scale", "W2", "    dA2 = dA2 / keep_prob\n", ""),
        ("dropout_scale", "W1", "dA1 = dA1 / keep_prob", "dA1 = dA1 * keep_prob"),
        ("mask_sign", "W1", "(Z1 > 0)", "(Z1 < 0)"),
        ("swapped", "W3", "dZ3 = A3 - Y", "dZ3 = Y - A3"),
        ("mean_missing", "W2", "dW2 = 1 / m * np", "dW2 = np"),
    ),
    *_in(
        "four_square_layers",
        ("transposed", "W2", "w[k + 1].T", "(w[k + 1].T if k == 3 else w[k + 1])"),
        ("W_layer", "W1", "w[k + 1].T", "w[max(k + 1, 3)].T"),
        ("mask_layer", "W2", "relu_prime(z[k])", "relu_prime(z[k + 1] if k < 3 else z[k])"),
        ("delta_layer", "W1", "np.matmul(delta[k + 1], w", "np.matmul(delta[max(k + 1, 3)], w"),
        (
            "cache_layer",
            "W3",
            "np.matmul(a[k - 1].T, delta[k])",
            "np.matmul(a[min(k, 3)].T, delta[k])",
        ),
        (
            "W_missing",
            "W2",
            "np.matmul(delta[k + 1], w[k + 1].T)",
            "(np.matmul(delta[4], w[4].T) if k == 3 else delta[k + 1])",
        ),
        ("bias_broadcast", "b4", "delta[k].sum(axis=0, keepdims=True) / n", "delta[k].sum() / n"),
        ("bias_axis", "b4", "delta[k].sum(axis=0, keepdims=True)", "delta[k].sum(axis=1)"),
        (
            "mean_missing",
            "b4",
            "delta[k].sum(axis=0, keepdims=True) / n",
            "delta[k].sum(axis=0, keepdims=True)",
        ),
        ("slope_incomplete", "W3", "relu_prime(z[k])", "np.maximum(z[k], 0)"),
    ),
    *_in(
        "five_square_layers",
        ("transposed", "W4", 'params["W%d" % l].T @ dZ', 'params["W%d" % l] @ dZ'),
        ("transposed", "W5", "dZ @ A[l - 1].T / m", "A[l - 1] @ dZ.T / m"),
        ("wrong_pair", "W5", "dZ @ A[l - 1].T", "dZ @ Z[l - 1].T"),
        ("cache_layer", "W5", "dZ @ A[l - 1].T", "dZ @ A[l].T"),
        ("cache_layer", "W4", "(1 - A[l - 1] ** 2)", "(1 - A[l] ** 2)"),
        ("W_layer", "W4", 'params["W%d" % l].T @ dZ', 'params["W%d" % (l - 1)].T @ dZ'),
        ("elementwise", "W5", "dZ @ A[l - 1].T / m", "dZ * A[l - 1] / m"),
        ("softmax_elementwise", "W5", "dZ = A[L] - Y", "dZ = -(Y / A[L]) * A[L] * (1 - A[L])"),
        ("off_by_one", "W5", 'grads["dW%d" % l]', 'grads["dW%d" % (l - 1)]'),
        ("mean_axis", "W5", "m = X.shape[1]", "m = X.shape[0]"),
        ("slope_twice", "W4", "(1 - A[l - 1] ** 2)", "(1 - A[l - 1] ** 2) ** 2"),
    ),
]
