"""Backward passes in the styles in which learners write them; all of their gradients are right."""
# ruff: noqa: ARG001 - functions take what learners give them, used or not

import numpy as np

from clearprop.gradcheck.learner.functions import Functions


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z, axis):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def course():
    def L_model_forward(X, parameters):  # noqa: N802 - the course's name
        A, caches = X, []
        L = len(parameters) // 2
        for layer in range(1, L + 1):
            W, b = parameters["W" + str(layer)], parameters["b" + str(layer)]
            Z = np.dot(W, A) + b
            caches.append((A, W, b, Z))
            A = np.maximum(0, Z) if layer < L else sigmoid(Z)
        return A, caches

    def compute_cost(AL, Y):
        m = Y.shape[1]
        return np.squeeze(-np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m)

    def L_model_backward(AL, Y, caches):  # noqa: N802 - the course's name
        grads, m = {}, Y.shape[1]
        dZ = AL - Y
        for layer in range(len(caches), 0, -1):
            A_prev, W, _, _ = caches[layer - 1]
            grads["dW" + str(layer)] = np.dot(dZ, A_prev.T) / m
            grads["db" + str(layer)] = np.sum(dZ, axis=1, keepdims=True) / m
            if layer > 1:
                dZ = np.dot(W.T, dZ) * (caches[layer - 2][3] > 0)
        return grads

    return Functions(L_model_forward, L_model_backward, compute_cost)


def two_fixed_layers_with_a_cache():
    def forward_propagation(X, parameters):
        Z1 = parameters["W1"] @ X + parameters["b1"]
        A1 = np.tanh(Z1)
        Z2 = parameters["W2"] @ A1 + parameters["b2"]
        A2 = sigmoid(Z2)
        return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}

    def compute_cost(A2, Y, parameters):
        return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))

    def backward_propagation(parameters, cache, X, Y):
        m = X.shape[1]
        dZ2 = cache["A2"] - Y
        dZ1 = parameters["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
        return {
            "dW1": dZ1 @ X.T / m,
            "db1": dZ1.sum(axis=1, keepdims=True) / m,
            "dW2": dZ2 @ cache["A1"].T / m,
            "db2": dZ2.sum(axis=1, keepdims=True) / m,
        }

    return Functions(forward_propagation, backward_propagation, compute_cost)


def arrays_as_arguments_and_labels():
    def forward_prop(W1, b1, W2, b2, X):
        Z1 = W1.dot(X) + b1
        A1 = np.maximum(Z1, 0)
        Z2 = W2.dot(A1) + b2
        A2 = softmax(Z2, 0)
        return Z1, A1, Z2, A2

    def one_hot(Y):
        return np.eye(Y.max() + 1)[Y].T

    def cross_entropy(A2, Y):
        return -np.mean(np.log(A2[Y, np.arange(Y.size)]))

    def back_prop(Z1, A1, Z2, A2, W1, W2, X, Y):
        m = Y.size
        dZ2 = A2 - one_hot(Y)
        dZ1 = W2.T.dot(dZ2) * (Z1 > 0)
        dW2, db2 = dZ2.dot(A1.T) / m, dZ2.sum(axis=1).reshape(-1, 1) / m
        return dZ1.dot(X.T) / m, dZ1.sum(axis=1).reshape(-1, 1) / m, dW2, db2

    return Functions(forward_prop, back_prop, cross_entropy)


def cost_and_cache_of_three_layers():
    def forward_propagation_n(X, Y, parameters):
        m = X.shape[1]
        W1, b1, W2, b2, W3, b3 = (parameters[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3"))
        A1 = np.maximum(W1 @ X + b1, 0)
        A2 = np.maximum(W2 @ A1 + b2, 0)
        A3 = sigmoid(W3 @ A2 + b3)
        cost = -np.sum(np.log(A3) * Y + np.log(1 - A3) * (1 - Y)) / m
        return cost, (A1, W1, A2, W2, A3, W3)

    def backward_propagation_n(X, Y, cache):
        m = X.shape[1]
        A1, _, A2, W2, A3, W3 = cache
        dZ3 = A3 - Y
        dZ2 = W3.T @ dZ3 * (A2 > 0)
        dZ1 = W2.T @ dZ2 * (A1 > 0)
        grads = {}
        for layer, dZ, A in ((3, dZ3, A2), (2, dZ2, A1), (1, dZ1, X)):
            grads[f"dZ{layer}"] = dZ
            grads[f"dW{layer}"] = dZ @ A.T / m
            grads[f"db{layer}"] = dZ.sum(axis=1, keepdims=True) / m
        return grads

    return Functions(forward_propagation_n, backward_propagation_n, None)


def rows_and_flat_biases():
    def forward(x, params):
        h = np.tanh(x @ params["W1"] + params["b1"])
        out = h @ params["W2"] + params["b2"]
        return out, (x, h)

    def loss(y, y_hat):
        return np.mean((y_hat - y) ** 2)

    def backward(params, cache, y, y_hat):
        x, h = cache
        d = 2 * (y_hat - y) / len(x)
        d_h = d @ params["W2"].T * (1 - h**2)
        return {"W2": h.T @ d, "b2": d.sum(0), "W1": x.T @ d_h, "b1": d_h.sum(0)}

    return Functions(forward, backward, loss)


def rows_and_labels_in_lower_case():
    def forward(inputs, weights):
        hidden = np.maximum(inputs @ weights["w1"] + weights["b1"], 0)
        probs = softmax(hidden @ weights["w2"] + weights["b2"], 1)
        return probs, (inputs, hidden)

    def cross_entropy_loss(probs, labels):
        return -np.log(probs[np.arange(len(labels)), labels]).mean()

    def backward(probs, labels, cache, weights):
        inputs, hidden = cache
        d = probs.copy()
        d[np.arange(len(labels)), labels] -= 1
        d /= len(labels)
        d_hidden = d @ weights["w2"].T * (hidden > 0)
        layers = [(inputs.T @ d_hidden, d_hidden.sum(0)), (hidden.T @ d, d.sum(0))]
        return layers[::-1]

    return Functions(forward, backward, cross_entropy_loss)


def columns_and_transposed_weights():
    def forward(X, parameters):
        A1 = np.tanh(parameters["W1"].T @ X + parameters["b1"])
        return sigmoid(parameters["W2"].T @ A1 + parameters["b2"]), A1

    def cost(A, Y):
        return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))

    def backward(X, Y, A, cache, parameters, m):
        dZ2 = (A - Y) / m
        dZ1 = parameters["W2"] @ dZ2 * (1 - cache**2)
        return {
            "dW2": cache @ dZ2.T,
            "db2": dZ2.sum(1, keepdims=True),
            "dW1": X @ dZ1.T,
            "db1": dZ1.sum(1, keepdims=True),
        }

    return Functions(forward, backward, cost)


def rows_and_transposed_weights_of_one_layer():
    def feed_forward(X, params):
        return sigmoid(X @ params["W1"].T + params["b1"])

    def compute_loss(y_pred, y_true):
        return -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))

    def compute_gradients(X, y_true, y_pred):
        d = (y_pred - y_true) / len(X)
        return d.T @ X, d.sum(axis=0)

    return Functions(feed_forward, compute_gradients, compute_loss)


def four_layers_by_name_with_dropout():
    def forward(X, parameters, keep_prob=0.8):
        A, cache = X, {"A0": X}
        for layer in (1, 2, 3, 4):
            Z = parameters[f"W{layer}"] @ A + parameters[f"b{layer}"]
            A = np.maximum(Z, 0) if layer < 4 else sigmoid(Z)
            if layer < 4:
                cache[f"D{layer}"] = D = (np.random.rand(*A.shape) < keep_prob) / keep_prob
                A = A * D
            cache[f"A{layer}"] = A
        return A, cache

    def compute_cost(AL, Y):
        return -np.mean(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))

    def backward(AL, Y, cache, parameters):
        grads, m = {}, Y.shape[1]
        dZ = AL - Y
        for layer in (4, 3, 2, 1):
            grads[f"dW{layer}"] = dZ @ cache[f"A{layer - 1}"].T / m
            grads[f"db{layer}"] = dZ.sum(axis=1, keepdims=True) / m
            if layer > 1:
                dA = parameters[f"W{layer}"].T @ dZ * cache[f"D{layer - 1}"]
                dZ = dA * (cache[f"A{layer - 1}"] > 0)
        return grads

    return Functions(forward, backward, compute_cost)


STYLES = {
    course: ("columns", (5, 4, 6, 1)),
    two_fixed_layers_with_a_cache: ("columns", (5, 4, 1)),
    arrays_as_arguments_and_labels: ("columns", (5, 4, 3)),
    cost_and_cache_of_three_layers: ("columns", (5, 4, 6, 1)),
    rows_and_flat_biases: ("rows", (5, 4, 1)),
    rows_and_labels_in_lower_case: ("rows", (5, 4, 3)),
    columns_and_transposed_weights: ("columns", (5, 4, 1)),
    rows_and_transposed_weights_of_one_layer: ("rows", (5, 1)),
    four_layers_by_name_with_dropout: ("columns", (5, 4, 6, 8, 1)),
}
"""What samples are, and the sizes that a check chooses, by style."""
# ruff: noqa: ARG001 - functions take what learners give them, used or not
