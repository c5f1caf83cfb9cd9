"""Draw README's picture: ``python docs/images/overview.py``.

A small network reads a digit that it never saw: forward in the upper row, back in the lower one,
and beside them one weight's gradient by back-propagation and by central differences.
"""

from pathlib import Path

import numpy as np

import clearprop as cp
from clearprop.plots import save
from clearprop.plots.figures import (
    FAINT,
    INK,
    LABEL,
    PALETTE,
    SMALL,
    TITLE,
    bare,
    chart,
    finished,
    legend,
    new_figure,
    percentages,
)

BLUE, RED = PALETTE[:2]


def trained():
    """Return a network of 32 tanh units after a few epochs, its history, and samples held out."""
    learned, held_out = cp.hold_out(cp.load_data("digits"), 0.2, seed=0)
    recipe = cp.fit_recipe(learned)
    parts = [
        (recipe.inputs.transform(part.X, "float64"), recipe.target.encode(part))
        for part in (learned, held_out)
    ]
    net = cp.Network(
        [cp.Flatten(), cp.Dense(32), cp.Tanh(), cp.Dense(10)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(8, 8),
        seed=1,
    )
    trainer = cp.Trainer(optimizer=cp.Adam(0.003), epochs=25)
    return net, trainer.fit(net, *parts[0], validation=parts[1]), parts[1]


def passes(net, x, y):
    """Return the arrays of a sample's way forward and back, by the formulas of the derivations."""
    w1, b1, w2, b2 = (net.parameters[name] for name in ("1.W", "1.b", "3.W", "3.b"))
    hidden = np.tanh(x.ravel() @ w1 + b1)
    logits = hidden @ w2 + b2
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    d_logits = shares - np.eye(10)[y]
    d_hidden = d_logits @ w2.T
    d_x = (d_hidden * (1 - hidden**2)) @ w1.T
    return (x, hidden, shares), (d_x.reshape(8, 8), d_hidden, d_logits)


def by_differences(net, x, y, entry, step=1e-5):
    """Return the slope of the loss along one weight of the first layer."""
    w1, costs = net.parameters["1.W"], []
    for sign in (1, -1):
        w1[entry] += sign * step
        costs.append(net.loss_and_gradient(x[None], y[None])[0])
        w1[entry] -= sign * step
    return (costs[0] - costs[1]) / (2 * step)


def grid_of(axes, values, title, colours="RdBu_r", lowest=-1):
    limit = np.abs(values).max()
    axes.imshow(values, cmap=colours, vmin=lowest * limit, vmax=limit)
    bare(axes, title)
    axes.title.set_fontsize(LABEL)


def bars(axes, values, title, colour, truth):
    axes.bar(range(10), values, color=[colour if k == truth else FAINT for k in range(10)])
    axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.set_title(title, fontsize=LABEL, color=INK)
    axes.set_xticks(range(10))
    axes.tick_params(labelsize=SMALL, colors=FAINT, labelcolor=INK, length=0)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.set_yticks([])


def overview():
    """Return the figure."""
    net, history, (X, y) = trained()
    shares = net.predict_proba(X)
    # The sample that is right, and the least sure of it: there both ways have something to show.
    place = min(np.flatnonzero(shares.argmax(1) == y), key=lambda n: shares[n, y[n]])
    x, truth = X[place], y[place]
    (pixels, hidden, says), (d_pixels, d_hidden, d_logits) = passes(net, x, truth)
    gradient = net.loss_and_gradient(x[None], y[place : place + 1])[1]["1.W"].copy()
    entry = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)

    figure = new_figure(4.6, 12.0)
    grid = figure.add_gridspec(2, 5, width_ratios=[1, 1.3, 1.6, 0.2, 2.5])
    (a, b, c), (d, e, f) = ([figure.add_subplot(grid[r, k]) for k in range(3)] for r in (0, 1))
    grid_of(a, pixels, f"x, a new {truth}  →", "gray", 0)
    grid_of(b, hidden.reshape(4, 8), "h = tanh(x W + b)  →")
    bars(c, says, f"softmax: {says[truth]:.0%} sure of {truth}", BLUE, truth)
    grid_of(d, d_pixels, "←  dx")
    grid_of(e, d_hidden.reshape(4, 8), "←  dh")
    bars(f, d_logits, "dz = softmax − truth", RED, truth)

    text = figure.add_subplot(grid[0, 4])
    bare(text)
    ours, theirs = gradient[entry], by_differences(net, x, y[place], entry)
    i, j = entry
    lines = [
        (f"dW[{i},{j}] = x[{i}] · dh[{j}] · (1 − h[{j}]²)", INK),
        (f"= {x.ravel()[i]:.4f} · {d_hidden[j]:.4f} · (1 − {hidden[j]:.4f}²)", INK),
        (f"= {ours:.10f}    by back-propagation", BLUE),
        (f"= {theirs:.10f}    by central differences", RED),
        (f"   apart: {abs(ours - theirs) / abs(ours):.0e} of it", FAINT),
    ]
    text.text(0, 1.0, "One weight's gradient, worked out and checked", fontsize=TITLE, color=INK)
    for number, (line, colour) in enumerate(lines):
        text.text(0, 0.8 - 0.19 * number, line, fontsize=LABEL, color=colour)

    curve = figure.add_subplot(grid[1, 4])
    chart(curve, "", "epoch", "accuracy")
    epochs = range(1, len(history["accuracy"]) + 1)
    drawn = [
        curve.plot(epochs, history[column], color=colour, linewidth=2)[0]
        for column, colour in (("accuracy", BLUE), ("validation_accuracy", RED))
    ]
    curve.yaxis.set_major_formatter(percentages)
    legend(curve, drawn, ["training", "never seen"], loc="lower right")
    return finished(figure)


if __name__ == "__main__":
    save(overview(), Path(__file__).with_name("overview.png"))
