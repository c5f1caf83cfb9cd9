"""The published experiments: what equal means, what they need, and their first published digits."""

import importlib
import json
import subprocess
import sys
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from clearprop.cli import cli
from clearprop.errors import DataError, OutputError, UsageError
from clearprop.reproduce import EXPERIMENTS, Report, Row, Source, mnist_ffn
from clearprop.reproduce.cats import CatsOf1652, CatTanh, FourLayers, Logistic, TwoLayers
from clearprop.reproduce.planar import Planar
from clearprop.reproduce.published import Parts, Published, by_descent
from clearprop.reproduce.sources import Part, course_cats
from clearprop.training import Callback, Run

PETALS = Source("petals", "train/petal", "pictures of petals")


def silent(_title: str) -> tuple[Callback, ...]:
    return ()


def run(name: str, data: Path | None, out: Path) -> tuple[Report, dict[str, Row]]:
    report = EXPERIMENTS[name].run(data, out, silent)
    for path in report.pictures:
        assert path.parent == out
        assert path.read_bytes().startswith(b"\x89PNG")
    return report, {row.what: row for row in report.rows}


def first(published: Published, iterations: int) -> Published:
    """Cut a training to its first iterations."""
    return replace(published, settings=published.settings.changed({"epochs": iterations}))


def shorten(monkeypatch: pytest.MonkeyPatch, experiment: Any, iterations: int) -> int:
    """Cut an experiment, and what it compares, to its first iterations."""
    kept = {i: cost for i, cost in experiment.costs.items() if i < iterations}
    monkeypatch.setattr(experiment, "published", first(experiment.published, iterations))
    monkeypatch.setattr(experiment, "costs", kept)
    return len(kept)


@pytest.fixture
def short_planar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Planar, "accuracies", ((1, "67.5"),))
    monkeypatch.setattr(Planar, "training", first(Planar.training, 20))


def descent(hidden: tuple[int, ...], init: str, rate: float, iterations: int) -> Published:
    def nothing_to_read(_data: Path | None) -> tuple[Part, Part]:
        raise AssertionError

    return by_descent(nothing_to_read, hidden, "relu", init, rate, iterations)


def called(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["reproduce", *arguments])


@pytest.mark.parametrize(
    ("published", "measured", "unit", "equal", "texts"),
    [
        ("0.672053", 0.67205349, "", True, ("0.672053", "0.672053")),
        ("0.672053", 0.67205351, "", False, ("0.672053", "0.672054")),
        ("0.214820", 0.21482, "", True, ("0.214820", "0.214820")),
        ("82", 81.6, "%", True, ("82%", "82%")),
        ("99.99", 100.0, "%", False, ("99.99%", "100.00%")),
        ("209", 209, "", True, ("209", "209")),
        ("about 300", 300.0, " times", None, ("about 300 times", "300.0 times")),
        (None, 0.0303911, "", None, ("–", "0.03039")),
    ],
)
def test_figures_are_equal_if_they_round_to_the_published_digits(
    published: str | None,
    measured: float,
    unit: str,
    equal: bool | None,
    texts: tuple[str, str],
) -> None:
    row = Row("a figure", published, measured, unit)
    assert row.equal is equal
    assert row.texts() == texts


def test_json_keeps_every_digit_and_words() -> None:
    assert Row("cost", "0.672053", 0.67205349).to_json() == {
        "what": "cost",
        "published": 0.672053,
        "measured": 0.67205349,
        "equal": True,
    }
    assert Row("ratio", "about 300", 259.9, " times").to_json()["published"] == "about 300"
    assert Row("cost", None, 1.0).to_json()["published"] is None


def test_the_seven_experiments_cover_the_five_articles() -> None:
    names = "logistic cat-2-layer cat-4-layer planar mnist-ffn cats-1652 cat-tanh"
    assert list(EXPERIMENTS) == names.split()
    assert {number for each in EXPERIMENTS.values() for number in each.articles} == {1, 2, 3, 4, 5}


NEW = '''
from pathlib import Path
from clearprop.reproduce import Experiment, Result, Row

class Answer(Experiment):
    """A figure that needs no training."""

    name = "answer"
    title = "The answer"
    articles = (6,)
    lesson = "There is one."

    def recipe(self, data, progress):
        """Measure it."""
        from clearprop.plots import cost_curve
        progress("thinking")
        curve = cost_curve([0, 1], [1.0, 0.5], {})
        return Result((Row("answer", "42.0", 42.04),), {"curve": curve})
'''


def test_a_new_experiment_is_a_file_and_a_line_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answer_experiment.py").write_text(NEW)
    monkeypatch.syspath_prepend(tmp_path)
    answer = importlib.import_module("answer_experiment").Answer()
    assert called("answer").exit_code == 2
    monkeypatch.setitem(EXPERIMENTS, "answer", answer)
    listed = json.loads(called("--json").stdout)["experiments"]
    assert [each["title"] for each in listed if each["articles"] == [6]] == ["The answer"]
    result = called("answer", "--out", str(tmp_path / "out"))
    assert result.stderr.startswith("thinking")
    assert "42.0" in result.stdout
    assert "There is one." in result.stdout
    assert (tmp_path / "out/curve.png").is_file()


@pytest.mark.parametrize("given", ["", "petals"])
def test_data_are_found_in_a_folder_or_as_the_folder(tmp_path: Path, given: str) -> None:
    (tmp_path / "petals/train/petal").mkdir(parents=True)
    assert PETALS.find(tmp_path / given) == tmp_path / "petals"
    assert PETALS.is_in(tmp_path / given)


def test_missing_data_are_named_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="pictures of petals") as caught:
        PETALS.find(tmp_path)
    assert str(tmp_path / "petals/train/petal") in str(caught.value)
    assert str(tmp_path / "train/petal") in str(caught.value)
    with pytest.raises(UsageError, match="--data"):
        PETALS.find(None)
    assert not PETALS.is_in(None)


def test_missing_data_leave_no_folder_behind(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        EXPERIMENTS["logistic"].run(tmp_path, tmp_path / "out", silent)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_noticed_before_training(tmp_path: Path) -> None:
    def never(_title: str) -> tuple[Callback, ...]:
        raise AssertionError("training began")

    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        EXPERIMENTS["planar"].run(None, tmp_path / "file/out", never)


def test_an_interrupted_training_ends_the_experiment() -> None:
    class Interrupt(Callback):
        def on_epoch_end(self, run: Run) -> None:
            run.stop("interrupted")

    part = Part(np.ones((2, 1)), np.array([0, 1]))
    with pytest.raises(KeyboardInterrupt):
        descent((), "zeros", 0.1, 5).train(Parts(part, part), callbacks=[Interrupt()])


def test_costs_are_those_before_each_update() -> None:
    part = Part(np.array([[1.0], [-1.0]]), np.array([1, 0]))
    _, history = descent((), "zeros", 2.0, 2).train(Parts(part, part))
    # From w = b = 0: dw = mean((1/2 - y) x) = -1/2, db = 0, so w = 1 after a step of 2.
    np.testing.assert_allclose(history["loss"], [log(2), log(1 + np.exp(-1))], rtol=1e-14)


def test_hidden_layers_start_as_the_published_recipe_draws_them() -> None:
    random_state = np.random.RandomState(1)
    published = descent((3, 2), "scaled", 0.1, 1)
    part = Part(np.ones((2, 6)), np.array([0, 1]))
    network = published.set_up(published.settings, part).network
    for name, inputs, units in (("0.W", 6, 3), ("2.W", 3, 2), ("4.W", 2, 1)):
        drawn = random_state.randn(units, inputs) / np.sqrt(inputs)
        np.testing.assert_array_equal(network.parameters[name], drawn.T)


def test_course_pictures_come_in_the_order_of_the_course(shared_data: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="the extra h5 is not installed")
    for part, name in zip(course_cats(shared_data), ("train", "test"), strict=True):
        with h5py.File(shared_data / f"catvnoncat/h5/{name}_catvnoncat.h5") as file:
            np.testing.assert_array_equal(part.pictures, file[f"{name}_set_x"][()])
            np.testing.assert_array_equal(part.y, file[f"{name}_set_y"][()].ravel())
        np.testing.assert_array_equal(part.X, part.pictures.reshape(len(part.y), -1) / 255)


@pytest.mark.parametrize(
    ("name", "experiment", "iterations", "figures"),
    [("logistic", Logistic, 301, 4), ("cat-4-layer", FourLayers, 201, 3)],
    ids=["logistic", "cat-4-layer"],
)
def test_first_costs_have_every_published_digit(
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    experiment: Any,
    iterations: int,
    figures: int,
) -> None:
    assert shorten(monkeypatch, experiment, iterations) == figures
    _, rows = run(name, shared_data, tmp_path)
    compared = [row for what, row in rows.items() if what.startswith("cost after iteration")]
    assert [row.equal for row in compared] == [True] * figures
    assert all(rows[what].equal for what in ("training pictures", "test pictures", "features"))


@pytest.mark.slow
def test_up_to_five_units_bound_the_flower_as_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = tuple(one for one in Planar.accuracies if one[0] <= 5)
    monkeypatch.setattr(Planar, "accuracies", few)
    report, rows = run("planar", None, tmp_path)
    assert [row.equal for row in rows.values()] == [True] * 5
    assert len(report.pictures) == 6


def test_two_layers_are_compared_with_four(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, TwoLayers, 2)
    report, rows = run("cat-2-layer", shared_data / "catvnoncat", tmp_path)
    assert rows["two layers: test accuracy"].published == "74"
    assert rows["four layers: training accuracy"].published == "99.52"
    assert tmp_path / "depths.png" in report.pictures


def test_tanh_layers_start_blind_as_published_and_seeing_as_corrected(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = tuple(
        (name, settings.changed({"epochs": 2}), published)
        for name, settings, published in CatTanh.variants
    )
    monkeypatch.setattr(CatTanh, "variants", variants)
    _, rows = run("cat-tanh", shared_data, tmp_path)
    blind, seeing = (
        rows[f"{name}: cost after iteration 0"].measured for name in ("as published", "corrected")
    )
    assert abs(blind - log(2)) < 1e-5 < 1e-3 < abs(seeing - log(2))
    assert rows["as published: test accuracy"].equal is None  # "up to 80" is no figure to equal


@pytest.mark.slow
def test_an_epoch_of_mnist_shows_which_recipe_learns(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist_ffn, "UPDATES", 270)
    _, rows = run("mnist-ffn", shared_data, tmp_path)
    assert rows["as published: test accuracy"].measured < 15
    assert rows["corrected: test accuracy"].measured > 88
    assert rows["held out for validation"].equal


@pytest.mark.slow
def test_1652_photographs_are_split_as_published(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shorten(monkeypatch, CatsOf1652, 1) == 1
    _, rows = run("cats-1652", shared_data, tmp_path)
    names = ["cats", "other pictures", "training pictures", "test pictures", "features"]
    names += [f"units in layer {layer}" for layer in (1, 2, 3, 4)]
    assert list(rows)[:9] == names
    assert all(rows[name].equal for name in names)


def test_the_command_lists_what_is_there() -> None:
    text = called()
    assert text.exit_code == 0
    assert all(name in text.stdout for name in EXPERIMENTS)
    listed = json.loads(called("--json").stdout)["experiments"]
    assert [each["name"] for each in listed if each["found"]] == ["planar"]


@pytest.mark.usefixtures("short_planar")
def test_the_command_prints_one_json_object_and_progress_apart(tmp_path: Path) -> None:
    result = called("planar", "--json", "--out", str(tmp_path))
    report = json.loads(result.stdout)
    assert set(report) == {"name", "rows", "lesson", "pictures", "seconds"}
    assert set(report["rows"][0]) == {"what", "published", "measured", "equal"}
    assert "1 hidden unit" in result.stderr
    assert "epoch 20/20" in result.stderr


@pytest.mark.usefixtures("short_planar")
def test_the_command_prints_a_table_and_the_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = called("planar")
    assert result.exit_code == 0
    assert "67.5%" in result.stdout
    assert "One or two units" in result.stdout
    assert (tmp_path / "reproduced/planar/boundary-01.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["cat-4-layers"], 2, "Did you mean 'cat-4-layer'"),
        (["logistic"], 2, "--data DIR"),
        (["logistic", "--data", "nowhere"], 1, "looked for nowhere/catvnoncat/train/cat"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], code: int, message: str) -> None:
    result = called(*arguments)
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""


def test_the_registry_imports_nothing_heavy() -> None:
    heavy = ("matplotlib", "PIL", "scipy", "sklearn", "rich", "h5py")
    code = f"import sys, clearprop.reproduce; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
