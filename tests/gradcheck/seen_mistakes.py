"""Single mistakes in the backward lines of `seen_styles`: lines as they are, and as they are wrong.

Several lines are divided by ``|``; a third text is that of the one that is told as the wrong one.
"""

_TANH_SLOPE = "dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))"
_D2 = "d2 = np.dot(d3, self.W3.T) * (1 - self.a2 ** 2)"
_D1 = "d1 = np.dot(d2, self.W2.T) * self.a1 * (1 - self.a1)"
_W3 = "self.W3 -= 0.1 * np.dot(self.a2.T, d3)"
_GRAD_W1 = "gW1 = X.T.dot(gH * (1 - H ** 2)) / len(X)"
_DELTA = "delta = (delta @ W2.T) * a * (1 - a)"
_OCULTA = "delta_oculta = delta_salida.dot(pesos2.T) * oculta * (1 - oculta)"
_POIDS = "grad_poids = X.T @ ecart / len(X) + lam / len(X) * poids"

MISTAKES = {
    "course functions with dicts": [
        ("dZ2 = A2 - Y", "dZ2 = Y - A2"),
        ("dW2 = np.dot(dZ2, A1.T) / m", "dW2 = np.dot(dZ2, A1.T)"),
        ("dW2 = np.dot(dZ2, A1.T) / m", "dW2 = np.dot(A1, dZ2.T) / m"),
        ("dW2 = np.dot(dZ2, A1.T) / m", "dW2 = np.dot(dZ2, A2.T) / m"),
        (
            "db2 = np.sum(dZ2, axis=1, keepdims=True) / m",
            "db2 = 2 * np.sum(dZ2, axis=1, keepdims=True) / m",
        ),
        (
            "db2 = np.sum(dZ2, axis=1, keepdims=True) / m",
            "db2 = np.sum(dZ2[:, :4], axis=0, keepdims=True).T / m",
        ),
        (_TANH_SLOPE, "dZ1 = np.dot(W2, dZ2) * (1 - np.power(A1, 2))"),
        (_TANH_SLOPE, "dZ1 = np.dot(W2.T, dZ2) * A1 * (1 - A1)"),
        (_TANH_SLOPE, "dZ1 = np.dot(W2.T, dZ2)"),
        (
            "db1 = np.sum(dZ1, axis=1, keepdims=True) / m",
            "db1 = np.sum(dZ2, axis=1, keepdims=True) / m",
        ),
        ("dW1 = np.dot(dZ1, X.T) / m", "dW1 = np.dot(dZ2, X.T) / m"),
        ("dW1 = np.dot(dZ1, X.T) / m", "dW1 = -np.dot(dZ1, X.T) / m"),
    ],
    "class with self.W1": [
        (_D1, "d1 = np.dot(d2, self.W2) * self.a1 * (1 - self.a1)"),
        (_D1, "d1 = np.dot(d2, self.W2.T) * self.a1 * (1 + self.a1)"),
        (_D1, "d1 = np.dot(d2, self.W2.T) * self.a1"),
        (f"{_D2}|{_D1}|{_W3}", f"{_W3}|{_D2}|{_D1}", _W3),
        ("self.W2 -= 0.1 * np.dot(self.a1.T, d2)", "self.W2 -= 0.1 * np.dot(self.a2.T, d2)"),
        ("self.W2 -= 0.1 * np.dot(self.a1.T, d2)", "self.W2 -= 0.1 * np.dot(d2.T, self.a1)"),
        ("self.W1 -= 0.1 * np.dot(self.input.T, d1)", "self.W1 -= 0.1 * np.dot(self.input.T, d2)"),
    ],
    "loop over loose scalars": [
        ("dw1 += (p - y) * x1 / 3", "dw1 += (y - p) * x1 / 3"),
    ],
    "samples one by one, in columns": [
        (
            "nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())",
            "nabla_w[-l] = np.dot(delta, activations[-l].transpose())",
        ),
        ("nabla_b[-l] = delta", "nabla_b[-l] = delta * sp"),
    ],
    "layer classes": [
        ("grad_input = grad @ self.weights.T", "grad_input = grad @ self.weights"),
        ("grad_weights = self.x.T @ grad", "grad_weights = grad.T @ self.x"),
        (
            "grad_bias = grad.sum(axis=0, keepdims=True)",
            "grad_bias = grad.mean(axis=0, keepdims=True)",
        ),
        ("return grad * (1 - self.out ** 2)", "return grad * self.out * (1 - self.out)"),
        ("return grad * (1 - self.out ** 2)", "return grad * (1 - self.out)"),
        ("grad = 2 * (out - Y) / Y.size", "grad = 2 * (out - Y) * out / Y.size"),
    ],
    "rows with integer labels": [
        ("dscores[range(m), y] -= 1", "dscores[range(m), y] -= 2"),
        ("dhidden[hidden <= 0] = 0", "dhidden[hidden > 0] = 0"),
        ("dW2 = np.dot(hidden.T, dscores)", "dW2 = np.dot(dscores.T, hidden)"),
        ("dhidden = np.dot(dscores, W2.T)", "dhidden = np.dot(dscores, W2)"),
    ],
    "momentum": [
        ("gH = diff.dot(W2.T)", "gH = -diff.dot(W2.T)"),
        (_GRAD_W1, "gW1 = X.T.dot(gH * (1 - H)) / len(X)"),
        (_GRAD_W1, "gW1 = X.T.dot(gH * H * (1 - H)) / len(X)"),
    ],
    "Adam": [
        ("gb2 = delta.sum(axis=0)", "gb2 = delta.mean(axis=0)"),
        (_DELTA, "delta = (delta @ W2.T) * (1 - a ** 2)"),
    ],
    "recurrent cell": [
        ("dh = np.dot(Why.T, dy) + dhnext", "dh = np.dot(Why.T, dy)"),
    ],
    "Spanish names": [
        (_OCULTA, "delta_oculta = delta_salida.dot(pesos2.T) * (1 - oculta ** 2)"),
        (
            "sesgo1 += 0.5 * np.sum(delta_oculta, axis=0)",
            "sesgo1 += 0.5 * np.mean(delta_oculta, axis=0)",
        ),
    ],
    "French names and L2": [
        (_POIDS, "grad_poids = X.T @ ecart / len(X)"),
        (_POIDS, "grad_poids = X.T @ ecart / len(X) - lam / len(X) * poids"),
    ],
    "dropout": [
        ("dA1 = W2.T @ dZ2 * D1 / keep_prob", "dA1 = W2.T @ dZ2 * D1"),
        ("dZ1 = dA1 * np.where(Z1 > 0, 1, 0.1)", "dZ1 = dA1 * (Z1 > 0)"),
        ("dW1 = dZ1 @ X.T / m", "dW1 = dA1 @ X.T / m"),
    ],
}


def mistaken(text, right, wrong, at=None):
    """Return a file with a mistake in it, and the number of the line that is at fault."""
    lines = text.split("\n")
    olds = right.split("|")
    (first,) = (k for k, line in enumerate(lines) if line.strip() == olds[0])
    assert [line.strip() for line in lines[first : first + len(olds)]] == olds
    blanks = lines[first][: lines[first].index(olds[0])]
    lines[first : first + len(olds)] = [blanks + new for new in wrong.split("|")]
    (number,) = (k for k, line in enumerate(lines, 1) if line.strip() == (at or wrong))
    return "\n".join(lines), number


def replaced(text, number, line):
    """Return a text with another line of a number, as far to the right."""
    lines = text.split("\n")
    old = lines[number - 1]
    lines[number - 1] = old[: len(old) - len(old.lstrip())] + line
    return "\n".join(lines)
