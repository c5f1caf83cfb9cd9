"""Makes the files of this folder, which are kept as one version of clearprop wrote them.

Run it once for a version, with that version installed: ``python make_saved.py 0.1``. What later
versions must still read then lies beside this script.
"""

import sys
from pathlib import Path

import numpy as np
from saved_trainings import SOME, SURE, TRAININGS, picture_network, pictures, samples

import clearprop as cp

FOLDER = Path(__file__).parent


def main(version: str) -> None:
    """Save models, an estimator, and a checkpoint of every kind of training."""
    folder = FOLDER / version
    folder.mkdir()
    data = cp.load_data("blobs")
    recipe = cp.fit_recipe(data)
    net = cp.Network(
        [cp.Dense(3), cp.BatchNorm(), cp.ReLU(), cp.Dense(3)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(2,),
    )
    X = recipe.inputs.transform(data.X, "float64")
    cp.Trainer(epochs=3).fit(net, X, recipe.target.encode(data))
    cp.save(folder / "model.safetensors", cp.Model(net, recipe))
    np.savetxt(folder / "model.csv", net.predict_proba(X[:5]), fmt="%.17g", delimiter=",")
    make_pictures(folder)
    make_sure(folder)
    for solver in ("adam", "sgd", "lbfgs"):
        estimator = cp.MLPClassifier(4, solver=solver, max_iter=5, random_state=0)
        estimator.fit(data.X, np.array(["red", "green", "blue"])[data.y])
        estimator.save(folder / f"{solver}.safetensors")
        found = estimator.predict_proba(data.X[:5])
        np.savetxt(folder / f"{solver}.csv", found, fmt="%.17g", delimiter=",")
    for name, (make_network, trainer) in TRAININGS.items():
        X, y = samples(make_network())
        path = folder / f"{name}-checkpoint.safetensors"
        trainer(epochs=4).fit(make_network(), X, y, checkpoint=cp.Checkpoint(path))


def make_pictures(folder: Path) -> None:
    """Save a network for pictures, and what it says of some."""
    net, X = picture_network(), pictures()
    cp.Trainer(optimizer=cp.Adam(0.01), epochs=3).fit(net, X, np.arange(len(X)) % 3)
    cp.save(folder / "pictures.safetensors", net)
    found = net.predict_proba(X)
    np.savetxt(folder / "pictures.csv", found, fmt="%.17g", delimiter=",")


def make_sure(folder: Path) -> None:
    """Save models with a temperature and a coverage, and their sets and intervals."""
    for name, make_model in SURE.items():
        model = make_model()
        cp.save(folder / f"{name}.safetensors", model)
        found = model.predict_set if model.class_names else model.predict_interval
        np.savetxt(folder / f"{name}.csv", found(SOME), fmt="%.17g", delimiter=",")


if __name__ == "__main__":
    main(sys.argv[1])
