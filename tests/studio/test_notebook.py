"""``cp.Studio``: the page of a run in a notebook's cell."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Chromium, chromium

import clearprop as cp
from clearprop.errors import UnknownNameError, UsageError
from clearprop.experiment import Task, learn, measure
from clearprop.experiment.folder import save_run
from clearprop.files.models import Model
from clearprop.preprocessing import ClassTarget, PictureRecipe, Preprocessing
from clearprop.studio import notebook

MARKUP = "\"></iframe><script>parent.document.title = 'taken'</script>"


def data_of(studio: cp.Studio) -> Any:
    """Read the data of the page within a frame, as a browser does."""
    (page,) = re.findall(r'<iframe srcdoc="([^"]*)"', studio._repr_html_())
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', unescape(page))
    assert found is not None
    return json.loads(found[1])


@pytest.fixture(scope="module")
def trained() -> tuple[cp.Network, cp.History]:
    moons = cp.load_data("moons")
    layers, loss = [cp.Dense(4), cp.Tanh(), cp.Dense(1)], cp.BinaryCrossEntropy()
    net = cp.Network(layers, loss=loss, input_shape=(2,), seed=1)
    return net, cp.Trainer(epochs=3, seed=1).fit(net, moons.X, moons.y)


@pytest.fixture(scope="module")
def folder(moons: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("runs") / MARKUP.replace("/", "")
    path.mkdir()
    run = learn(moons)
    save_run(path, run, measure(run), "clearprop train moons")
    return path


def test_the_folder_of_a_run(folder: Path) -> None:
    for given in (folder, str(folder)):
        (run,) = data_of(cp.Studio(given))["runs"]
        assert run["name"] == folder.name
        assert run["command"] == "clearprop train moons"
        assert run["history"]["epoch"] == [1, 2, 3]
        assert run["samples"]["part"] == "test"


def test_a_network_with_its_history(trained: tuple[cp.Network, cp.History]) -> None:
    net, history = trained
    (run,) = data_of(cp.Studio(net, history=history))["runs"]
    assert run["history"]["loss"] == list(history["loss"])
    (model,) = data_of(cp.Studio(Model(net)))["runs"]
    assert model["model"] == run["model"]
    assert model["history"] == {}


def test_a_fitted_estimator() -> None:
    X, y = np.random.RandomState(0).randn(40, 3), np.array(["no", "<b>yes"] * 20)
    with pytest.warns(UserWarning, match="converge"):
        estimator = cp.MLPClassifier((4,), max_iter=5, random_state=0).fit(X, y)
    (run,) = data_of(cp.Studio(estimator))["runs"]
    assert run["name"] == "MLPClassifier"
    assert run["history"]["loss"] == pytest.approx(estimator.loss_curve_)


def test_several_runs_beside_each_other(folder: Path, trained: tuple[Any, Any]) -> None:
    studio = cp.Studio(folder, trained[0])
    assert [run["name"] for run in data_of(studio)["runs"]] == [folder.name, "a network"]
    assert repr(studio) == f"Studio of {folder.name} · a network"


def test_in_the_language_that_is_asked_for(trained: tuple[Any, Any]) -> None:
    assert '<html lang="es">' in unescape(cp.Studio(trained[0], language="es")._repr_html_())
    with pytest.raises(UnknownNameError, match="no language"):
        cp.Studio(trained[0], language="xx")


def test_the_frame_reaches_nothing_and_has_a_sensible_size(trained: tuple[Any, Any]) -> None:
    html = cp.Studio(trained[0])._repr_html_()
    assert re.sub('srcdoc="[^"]*"', "", html) == (
        '<iframe  title="a network" sandbox="allow-scripts allow-downloads" '
        'style="width: 100%; height: 760px; max-height: 90vh; border: 0"></iframe>'
    )


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        ("nothing", {}, "nothing is no run's folder"),
        (3, {}, "Found 3, expected the folder of a run, a Model, a Network"),
        (cp.MLPClassifier(), {}, "that has been fitted"),
        ("nothing", {"history": cp.History([])}, "has its own history"),
    ],
)
def test_what_is_no_run_is_refused(given: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        cp.Studio(given, **options)


def test_a_history_belongs_to_one_run(trained: tuple[cp.Network, cp.History]) -> None:
    net, history = trained
    with pytest.raises(UsageError, match="of one run"):
        cp.Studio(net, net, history=history)


def test_what_a_notebook_can_not_show_is_said_with_its_size(
    trained: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook, "LARGEST", 200_000)
    with pytest.raises(UsageError, match=r"The page would be of 0\.\d MB, and a notebook shows"):
        cp.Studio(trained[0])


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as started:
        yield started


@pytest.mark.browser
def test_a_cell_shows_it_and_no_text_gets_out_of_its_frame(
    browser: Chromium, folder: Path, tmp_path: Path
) -> None:
    recipe = Preprocessing(PictureRecipe((4, 4), 3), ClassTarget(("b", MARKUP), "kind"))
    net = cp.Network(
        [cp.Flatten(), cp.Dense(2)], loss=cp.SoftmaxCrossEntropy(), input_shape=(4, 4, 3)
    )
    cells = [cp.Studio(folder), cp.Studio(Model(net, recipe))]
    page = tmp_path / "notebook.html"
    outputs = "".join(f"<div class='output'>{one._repr_html_()}</div>" for one in cells)
    page.write_text(f"<!doctype html><title>notebook</title>{outputs}<p id='below'>below</p>")
    browser.open(page)
    assert browser.run("return document.querySelectorAll('iframe').length") == 2
    for place, name in enumerate((folder.name, "a model")):
        browser.driver.switch_to.frame(place)
        browser.says("h1", name)
        browser.show("curves")
        browser.until(lambda: browser.text("#curves") != "Curves", "no curve is drawn")
        nothing = "There is no history of its training."
        assert (nothing in browser.text("#curves")) == (name == "a model")
        browser.show("matrices")
        browser.driver.switch_to.default_content()
    assert browser.text("title") == "notebook"
    assert browser.text("#below") == "below"
    width, height = browser.run(
        "const {width, height} = document.querySelector('iframe').getBoundingClientRect();"
        "return [width, height];"
    )
    assert width > 1_000
    assert height <= 760
    assert browser.errors() == []
