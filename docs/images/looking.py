"""Draw the picture of docs/looking.md, in its folder after its commands: ``python looking.py``.

Six of the new signs that the network of the page never saw, and where it looks in each.
"""

from pathlib import Path

import clearprop as cp

model = cp.load("runs/signs/model.safetensors")
network, names = model.network, list(model.class_names)
data = cp.load_data("new", size=(32, 32))
rows = [0, 20, 1, 21, 2, 22]
X = model.preprocessing.inputs.transform(data.X[rows], network.dtype)
said, shares = network.predict(X), network.predict_proba(X).max(axis=1)
figure = cp.plots.attention(
    X,
    data.y[rows],
    said,
    shares,
    names,
    saliency=cp.saliency(network, X),
    activation=cp.class_activation(network, X),
)
cp.plots.save(figure, Path(__file__).with_suffix(".png"))
