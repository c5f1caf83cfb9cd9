"""One new file and one line that names it make a part of a network one of clearprop's own.

The package is copied, each part of `new_parts` is put into it as one would do by hand, and the copy
is used as anybody uses clearprop.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import clearprop

LINES = {
    "layers/softsign.py": "from clearprop.layers.softsign import Softsign as Softsign",
    "losses/log_cosh.py": "from clearprop.losses.log_cosh import LogCosh as LogCosh",
    "optimizers/damped.py": "from clearprop.optimizers.damped import Damped as Damped",
}
"""New files in the package, and the line for each in the `__init__` beside it."""

TRAINING = """
import sys
import numpy as np
import clearprop as cp
from clearprop.compiled import is_chain
from clearprop.layers import Softsign
from clearprop.losses import LogCosh
from clearprop.optimizers import Damped

X = np.random.RandomState(0).standard_normal((60, 3))
y = np.sin(X[:, 0]) + X[:, 1]
net = cp.Network(
    [cp.Dense(6), Softsign(), cp.Dense(4), cp.Tanh(), cp.Dense(1)],
    loss=LogCosh(),
    input_shape=(3,),
)
"""

WHOLE = """
optimizer = Damped(0.05)
history = cp.Trainer(optimizer=optimizer, epochs=40, batch_size=16).fit(net, X, y)
assert history["loss"][-1] < 0.5 * history["loss"][0]
assert is_chain(net, net.loss, optimizer)
print("clearprop.compiled.crew" in sys.modules, net.parameters.data.tolist())
"""


class House:
    """A copy of clearprop with the new parts in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        package = folder / "clearprop"
        source = Path(clearprop.__file__).parent
        shutil.copytree(source, package, ignore=shutil.ignore_patterns("*.nb?"))
        for place, line in LINES.items():
            new = package / place
            shutil.copy(Path(__file__).parent / "new_parts" / new.name, new)
            names = new.parent / "__init__.py"
            before, mark, after = names.read_text().partition("from clearprop.configuration ")
            names.write_text(f"{before}{line}\n{mark}{after}")

    def run(self, *arguments: str, kernels: str = "numpy") -> str:
        environment = {
            "PYTHONPATH": str(self.folder),
            "CLEARPROP_KERNELS": kernels,
            "NUMBA_CACHE_DIR": str(self.folder / "numba"),
        }
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def weights(self, kernels: str) -> tuple[bool, list[float]]:
        """Return whether compiled steps ran, and the weights of a training."""
        compiled, weights = self.run("-c", TRAINING + WHOLE, kernels=kernels).split(" ", 1)
        return compiled == "True", [float(one) for one in weights.strip()[1:-1].split(",")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))


@pytest.mark.slow
def test_they_train_in_compiled_steps_as_plainly(house: House) -> None:
    compiled, plain_weights = house.weights("numpy")
    assert not compiled
    pytest.importorskip("numba", reason="Numba (the extra 'fast') is not installed")
    compiled, weights = house.weights("compiled")
    assert compiled
    assert weights == pytest.approx(plain_weights, rel=1e-9, abs=1e-12)


def test_their_gradients_are_checked(house: House) -> None:
    said = house.run(
        "-c",
        TRAINING
        + "print(bool(cp.check_layer(Softsign(), (3,))), bool(cp.check_loss(LogCosh(), 2)),"
        + "bool(cp.check_gradients(net, X, y)))",
    )
    assert said == "True True True\n"


def test_model_files_contain_them(house: House) -> None:
    script = """
net.parameters.data += 0.1
cp.save("net.safetensors", net)
same = cp.load("net.safetensors").network
assert np.array_equal(same.predict(X), net.predict(X))
print(same.layers == net.layers, same.loss == net.loss)
"""
    assert house.run("-c", TRAINING + script) == "True True\n"


@pytest.mark.slow
def test_the_estimators_know_their_names(house: House) -> None:
    script = """
classifier = cp.MLPClassifier((4,), activation="soft_sign", max_iter=300, random_state=0)
print(classifier.fit(X, y > 0).score(X, y > 0) > 0.8, classifier.network_.layers[1])
regressor = cp.MLPRegressor("log_cosh", (4,), max_iter=300, random_state=0)
print(regressor.fit(X, y).network_.loss)
"""
    assert house.run("-W", "ignore", "-c", TRAINING + script) == "True Softsign()\nLogCosh()\n"


@pytest.mark.slow
def test_the_command_line_knows_their_names(house: House) -> None:
    said = house.run("-m", "clearprop", "train", "--help")
    assert "soft-sign" in said.replace("\n", "").replace(" ", "")
    assert "damped" in said.replace("\n", "").replace(" ", "")
    house.run(
        *("-m", "clearprop", "train", "iris", "--epochs", "3", "--folds", "0", "--out", "run"),
        *("--activation", "soft-sign", "--optimizer", "damped"),
    )
    assert 'activation = "soft-sign"' in (house.folder / "run/config.toml").read_text()
    assert "Softsign()" in house.run("-m", "clearprop", "show", "run/model.safetensors")


def test_their_trainings_are_resumed(house: House) -> None:
    script = """
def fit(network, epochs, resume):
    trainer = cp.Trainer(optimizer=Damped(0.05), epochs=epochs)
    trainer.fit(network, X, y, checkpoint=cp.Checkpoint("going.safetensors"), resume=resume)
    return network.parameters.data
whole = fit(net.copy(), 4, False)
fit(net.copy(), 2, False)
print(np.array_equal(fit(net.copy(), 4, True), whole))
"""
    assert house.run("-c", TRAINING + script) == "True\n"


@pytest.mark.slow
def test_their_runs_are_walked_and_examined(house: House) -> None:
    parts = ("--activation", "soft-sign", "--optimizer", "damped", "--layers", "6", "--folds", "0")
    house.run("-m", "clearprop", "train", "iris", "--out", "watched", "--epochs", "2", *parts)
    walked = house.run("-m", "clearprop", "walk", "watched", "--sample", "3")
    assert "y = x / (1 + abs(x))" in walked
    assert "dx = dy * (1 - abs(y))**2" in walked
    assert "Damped" in walked
    assert "findings" in house.run("-m", "clearprop", "doctor", "watched", "--json")
