"""``clearprop show`` and ``clearprop plot``, and model files that are none."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import clearprop as cp


def described(path):
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["clearprop"])


class TestShow:
    def test_tells_layers_columns_and_what_was_reached(self, clearprop, table_model):
        result = clearprop("show", table_model)
        assert result.exit_code == 0
        assert "Dense(units=16" in result.stdout
        facts = dict(
            line.split("  ", 1) for line in result.stdout.partition("\n\n")[2].splitlines()
        )
        facts = {name.strip(): value.strip() for name, value in facts.items()}
        assert facts["input"].endswith("age (number), colour (2 categories), weight (number)")
        assert facts["classes"] == "no, yes"
        assert facts["epoch"] == "100"
        assert facts["made by"] == f"clearprop {cp.__version__}"

    def test_takes_the_folder_of_a_run(self, clearprop, table_model, table_run):
        assert clearprop("show", table_run).stdout == clearprop("show", table_model).stdout

    def test_tells_an_estimator(self, clearprop, tmp_path):
        X, y = np.arange(12.0).reshape(6, 2), [0, 1] * 3
        path = tmp_path / "net.safetensors"
        cp.MLPClassifier(3, max_iter=1, solver="lbfgs", tol=1e9).fit(X, y).save(path)
        result = clearprop("show", path)
        assert "estimator      MLPClassifier; clearprop.load opens it as one" in result.stdout

    def test_tells_pictures_and_arrays(self, clearprop, picture_model, array_model):
        assert "pictures, brought to 8x8 RGB" in clearprop("show", picture_model).stdout
        assert "arrays of 6 numbers, standardised" in clearprop("show", array_model).stdout

    def test_as_json_counts_the_parameters_of_the_file(self, clearprop, table_model, strict_json):
        found = strict_json(clearprop("show", table_model, "--json").stdout)
        arrays = load_file(table_model)  # with a linear model beside the network
        of_network = [array.size for name, array in arrays.items() if "linear" not in name]
        assert found["parameters"] == sum(of_network) < sum(map(np.size, arrays.values()))
        assert found["class_names"] == ["no", "yes"]

    def test_takes_a_bare_network(self, clearprop):
        network = cp.Network([cp.Dense(1)], loss=cp.MeanSquaredError(), input_shape=(2,), seed=0)
        cp.save("bare.safetensors", network)
        assert clearprop("show", "bare.safetensors").exit_code == 0
        assert clearprop("show", "bare.safetensors", "--json").exit_code == 0
        result = clearprop("evaluate", "bare.safetensors", "iris")
        assert result.exit_code == 2
        assert "saved without preprocessing" in result.stderr


class TestAModelFile:
    @pytest.fixture(params=["show", "predict", "evaluate"])
    def refused(self, request, clearprop):
        """Use a model in every command that takes one, and return what is said."""

        def use(model):
            arguments = {"predict": ["new.csv"], "evaluate": ["iris"]}.get(request.param, [])
            result = clearprop(request.param, model, *arguments)
            assert result.exit_code == 1
            assert result.stdout == ""
            assert str(model) in result.stderr
            return result.stderr

        return use

    @pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.99])
    def test_that_is_truncated(self, refused, table_model, share):
        data = table_model.read_bytes()
        Path("cut.safetensors").write_bytes(data[: int(share * len(data))])
        assert "is no clearprop model file, or was cut short" in refused("cut.safetensors")

    def test_that_is_something_else(self, refused, people, table_run):
        assert "is no clearprop model file" in refused(people)
        assert "it says it is 'checkpoint'" in refused(table_run / "checkpoint.safetensors")
        assert "There is no model file none" in refused("none")

    def test_of_a_later_format(self, refused, table_model):
        metadata = {"clearprop": json.dumps(described(table_model) | {"format": 99})}
        save_file(load_file(table_model), "later.safetensors", metadata)
        assert "is of format 99" in refused("later.safetensors")

    def test_whose_shapes_dont_match(self, refused, table_model):
        arrays = load_file(table_model)
        arrays["0.W"] = arrays["0.W"][:, :3].copy()
        metadata = {"clearprop": json.dumps(described(table_model))}
        save_file(arrays, "odd.safetensors", metadata)
        message = refused("odd.safetensors")
        assert "contradicts itself: its layers need '0.W' as float32 (4, 16)" in message


@pytest.mark.usefixtures("with_pictures")
class TestPlot:
    def test_draws_the_pictures_anew(self, clearprop, table_run, contents):
        shutil.copytree(table_run, "run")
        before = contents(Path("run"), "*.png")
        for name in before:
            Path("run", name).unlink()
        result = clearprop("plot", "run")
        assert result.exit_code == 0
        assert {Path(line).name for line in result.stdout.splitlines()} == set(before)
        assert contents(Path("run"), "*.png") == before

    def test_draws_the_curves_where_the_data_are_gone(self, clearprop, table_run, strict_json):
        shutil.copytree(table_run, "run")
        settings = Path("run/config.toml")
        lines = settings.read_text().splitlines()
        settings.write_text("\n".join(['data = "gone.csv"', *lines[1:]]))
        result = clearprop("plot", "run", "--json")
        assert result.exit_code == 0
        assert strict_json(result.stdout)["pictures"] == ["run/curves.png"]
        assert "names gone.csv as its data, and nothing is there" in result.stderr

    def test_needs_a_run(self, clearprop, elsewhere):
        for folder in (elsewhere, "nothing"):
            result = clearprop("plot", folder)
            assert result.exit_code == 2
            assert "is no run's folder: it has no config.toml" in result.stderr
