"""Files that earlier versions wrote: they load, and trainings go on from them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from saved_trainings import SOME, SURE, TRAININGS, picture_network, pictures, samples

import clearprop as cp

FOLDER = Path(__file__).parent
VERSIONS = sorted(path.name for path in FOLDER.iterdir() if (path / "model.safetensors").exists())


def expected(path: Path) -> np.ndarray:
    return np.loadtxt(path, delimiter=",")


def test_there_are_some() -> None:
    assert "0.1" in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_loads_and_predicts_the_same(version: str) -> None:
    model = cp.load(FOLDER / version / "model.safetensors")
    X = model.preprocessing.inputs.transform(cp.load_data("blobs").X[:5], "float64")
    found = model.network.predict_proba(X)
    np.testing.assert_allclose(found, expected(FOLDER / version / "model.csv"), rtol=1e-12)
    told = model.predict_proba(cp.load_data("blobs").X[:5])  # it has no temperature
    np.testing.assert_allclose(told, found, rtol=1e-12)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", SURE)
def test_a_model_that_says_how_sure_it_is_says_the_same(version: str, name: str) -> None:
    model = cp.load(FOLDER / version / f"{name}.safetensors")
    assert model.preprocessing == SURE[name]().preprocessing
    found = model.predict_set(SOME) if model.class_names else model.predict_interval(SOME)
    np.testing.assert_allclose(found, expected(FOLDER / version / f"{name}.csv"), rtol=1e-12)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_network_for_pictures_loads_and_predicts_the_same(version: str) -> None:
    network = cp.load(FOLDER / version / "pictures.safetensors").network
    assert network.layers == picture_network().layers
    found = network.predict_proba(pictures())
    np.testing.assert_allclose(found, expected(FOLDER / version / "pictures.csv"), rtol=1e-9)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_an_estimator_loads_and_predicts_the_same(version: str, solver: str) -> None:
    estimator = cp.load(FOLDER / version / f"{solver}.safetensors")
    found = estimator.predict_proba(cp.load_data("blobs").X[:5])
    np.testing.assert_allclose(found, expected(FOLDER / version / f"{solver}.csv"), rtol=1e-12)
    assert estimator.predict(cp.load_data("blobs").X[:5]).dtype.kind == "U"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", TRAININGS)
def test_a_checkpoint_is_gone_on_from(version: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    shutil.copy(FOLDER / version / f"{name}-checkpoint.safetensors", path)
    make_network, trainer = TRAININGS[name]
    whole, resumed = make_network(), make_network()
    X, y = samples(whole)
    history = trainer(epochs=9).fit(resumed, X, y, checkpoint=cp.Checkpoint(path), resume=True)
    assert len(history) == 9
    trainer(epochs=9).fit(whole, X, y)
    # Another processor has saved it, whose sums are rounded otherwise.
    data = resumed.parameters.data
    np.testing.assert_allclose(data, whole.parameters.data, rtol=1e-9, atol=1e-9)
