"""``clearprop walk``."""

import json

import numpy as np
import pytest

import clearprop as cp
from clearprop.experiment import Settings, load_dataset, set_task
from clearprop.experiment.building import build_trainer


class TestOfData:
    def test_it_walks_the_network_that_training_begins_with(self, clearprop, strict_json):
        result = clearprop("walk", "moons", "--sample", 3, "--json")
        assert result.exit_code == 0, result.stderr
        found = strict_json(result.stdout)
        settings = Settings(data="moons")
        task = set_task(settings, load_dataset(settings))
        dataset = cp.load_data("moons")
        X = task.recipe.inputs.transform(dataset.X[:32], "float32")
        loss, gradient = task.network.loss_and_gradient(X, dataset.y[:32])
        assert (found["sample"], found["samples"], found["loss"]) == (3, 32, loss)
        matrices = {one["name"]: one for step in found["steps"] for one in step["matrices"]}
        excerpt = matrices["0.dW"]
        assert np.array_equal(
            excerpt["values"], gradient["0.W"][np.ix_(excerpt["rows"], excerpt["columns"])]
        )
        optimizer = build_trainer(task.settings, len(dataset)).optimizer
        optimizer.step(
            task.network.parameters, gradient, optimizer.start(task.network.parameters), 0
        )
        assert matrices["0.W_new"]["values"][0][0] == task.network.parameters["0.W"][0, 0]

    def test_samples_are_found_in_later_batches(self, clearprop):
        result = clearprop("walk", "moons", "--sample", 399)
        assert result.exit_code == 0
        said = " ".join(result.stdout.split())
        assert (
            "moons: the batch of samples 384 to 399 of 400. Sample 399 (row 400) is number 15"
            in said
        )

    def test_a_layer_and_an_entry_are_chosen(self, clearprop):
        layer = clearprop("walk", "moons", "--layer", 2).stdout
        assert "Forward: layer 2, Dropout(rate=0.2)" in layer
        assert "layer 0, Dense" not in layer
        whole = clearprop("walk", "moons", "--entry", "0.y[3,1]").stdout
        assert whole.startswith("y[3,1] = x[3,0]*W[0,1] + x[3,1]*W[1,1] + b[1]\n")
        assert clearprop("walk", "moons", "--layer", 0, "--entry", "y[3,1]").stdout == whole

    def test_an_entry_as_json(self, clearprop, strict_json):
        result = clearprop("walk", "moons", "--entry", "0.y[3,1]", "--json")
        found = strict_json(result.stdout)
        assert found["formula"] == "y = x W + b"
        assert found["symbols"] == "x[3,0]*W[0,1] + x[3,1]*W[1,1] + b[1]"
        assert found["total"] == pytest.approx(found["value"], rel=1e-5)

    def test_in_the_course_s_notation(self, clearprop):
        result = clearprop("walk", "moons", "--notation", "course", "--layer", 1)
        assert "Z1 = W1 X + b1" in result.stdout
        assert "A1_drop = D1 * A1" in result.stdout

    def test_a_page(self, clearprop, elsewhere, strict_json):
        result = clearprop("walk", "digits", "--html", "step.html")
        assert (result.exit_code, result.stdout) == (0, "step.html\n")
        page = (elsewhere / "step.html").read_text(encoding="utf-8")
        assert "digits: the batch of samples 0 to 31 of 1,797." in page
        assert 'alt="unit 19"' in page
        result = clearprop("walk", "moons", "--html", "moons.html", "--json")
        assert strict_json(result.stdout)["page"] == "moons.html"

    def test_a_table_with_a_target(self, clearprop, people):
        result = clearprop("walk", people, "--target", "buys", "--sample", 79)
        assert result.exit_code == 0, result.stderr
        assert "row 80" in " ".join(result.stdout.split())

    def test_a_folder_of_pictures_of_a_size(self, clearprop, photos):
        result = clearprop("walk", photos, "--size", 6, "--entry", "input.X[0,0,0,0]")
        assert result.exit_code == 0, result.stderr
        result = clearprop("walk", photos, "--size", 6, "--layer", "input")
        assert "X (12, 6, 6, 3), samples" in result.stdout


class TestOfAModel:
    @pytest.mark.parametrize("which", ["table_run", "table_model"])
    def test_a_run_s_folder_or_a_model_file(self, clearprop, request, which, strict_json):
        path = request.getfixturevalue(which)
        result = clearprop("walk", path, "--json")
        assert result.exit_code == 0, result.stderr
        found = strict_json(result.stdout)
        folder = path if path.is_dir() else path.parent
        model = cp.load(folder / "model.safetensors")
        matrices = {one["name"]: one for step in found["steps"] for one in step["matrices"]}
        assert matrices["0.b"]["values"][0][0] == model.network.parameters["0.b"][0]

    def test_on_other_data(self, clearprop, array_model, elsewhere):
        X = np.random.RandomState(5).randn(7, 6)
        np.savez("other.npz", X=X, y=np.arange(7) % 2)
        result = clearprop("walk", array_model, "--data", "other.npz", "--sample", 6)
        assert result.exit_code == 0, result.stderr
        assert "other.npz: the batch of samples 0 to 6 of 7." in result.stdout

    def test_whose_data_are_gone(self, clearprop, array_model, tmp_path):
        model = cp.load(array_model)
        gone = dict(model.training) | {
            "settings": dict(model.training["settings"]) | {"data": "gone.npz"}
        }
        cp.save(tmp_path / "moved.safetensors", cp.Model(model.network, model.preprocessing, gone))
        result = clearprop("walk", tmp_path / "moved.safetensors")
        assert result.exit_code == 2
        assert "names gone.npz as its data, and nothing is there" in result.stderr
        assert "--data" in result.stderr

    def test_that_does_not_say_its_data(self, clearprop, array_model, tmp_path):
        model = cp.load(array_model)
        cp.save(tmp_path / "silent.safetensors", cp.Model(model.network, model.preprocessing))
        result = clearprop("walk", tmp_path / "silent.safetensors")
        assert result.exit_code == 2
        assert "Give data with --data" in result.stderr

    def test_without_preprocessing(self, clearprop):
        net = cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(2,))
        cp.save("bare.safetensors", net)
        result = clearprop("walk", "bare.safetensors", "--data", "moons")
        assert result.exit_code == 2
        assert "clearprop.walk" in result.stderr

    def test_says_what_the_step_leaves_out(self, clearprop):
        options = ("--class-weight", "balanced", "--clip-norm", 0.5, "--epochs", 1)
        assert clearprop("train", "moons", *options, "--out", "run").exit_code == 0
        said = clearprop("walk", "run").stdout
        assert "The run weighs classes; this step does not." in said
        assert "The run clips gradients to the length 0.5; this step does not." in said

    def test_says_why_a_run_of_lbfgs_shows_no_update(self, clearprop, strict_json):
        options = ("--optimizer", "lbfgs", "--l2", 1, "--epochs", 1)
        assert clearprop("train", "moons", *options, "--out", "run").exit_code == 0
        result = clearprop("walk", "run")
        assert result.exit_code == 0, result.stderr
        said = " ".join(result.stdout.split())
        assert "moons: the batch of samples 0 to 399 of 400." in said
        assert "LBFGS finds an update by several looks at the loss along a line" in said
        stages = {
            step["stage"]
            for step in strict_json(clearprop("walk", "run", "--json").stdout)["steps"]
        }
        assert stages == {"input", "forward", "loss", "backward"}


class TestRefuses:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("moons", "--sample", 400), "moons has 400 samples, 0 to 399"),
            (("moons", "--sample", -1), "there is no sample -1"),
            (("moons", "--layer", 9), "There is no layer '9'"),
            (("moons", "--entry", "0.z[0,0]"), "There is no matrix '0.z'"),
            (("moons", "--entry", "0.y"), "0.y has shape (32, 64)"),
            (("moons", "--entry", "0.y[0"), "written with its place"),
            (("moons", "--entry", "0.y[0,0]", "--html", "x.html"), "Choose one"),
            (("moons", "--notation", "curse"), "--notation"),
            (("moons", "--data", "iris"), "moons is no model"),
            (("moon",), "Did you mean 'moons'"),
            (("none.safetensors",), "There is no model file none.safetensors"),
            (("none.safetensors", "--target", "y"), "for new data"),
        ],
    )
    def test_what_can_not_be(self, clearprop, elsewhere, arguments, said):
        result = clearprop("walk", *arguments)
        assert result.exit_code in (1, 2)
        assert said in result.stderr
        assert result.stdout == ""
        assert list(elsewhere.iterdir()) == []

    def test_networks_that_the_course_has_no_symbols_for(self, clearprop):
        options = ("--batch-norm", "--layers", 3, "--epochs", 1)
        assert clearprop("train", "moons", *options, "--out", "run").exit_code == 0
        result = clearprop("walk", "run", "--notation", "course")
        assert result.exit_code == 2
        assert "layer 1 is BatchNorm" in result.stderr


def test_nothing_is_trained_or_written(clearprop, elsewhere, contents, table_run):
    before = contents(table_run)
    assert clearprop("walk", table_run).exit_code == 0
    assert contents(table_run) == before
    assert list(elsewhere.iterdir()) == []
    assert json.loads(clearprop("walk", table_run, "--json").stdout)
