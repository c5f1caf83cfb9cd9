"""Few pictures are learned from by the features of a pretrained network, which travels by name."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

import clearprop as cp
from clearprop.data.pictures import backbone as backbones
from clearprop.preprocessing import FeatureRecipe

sys.path.append(str(Path(__file__).parents[1] / "preprocessing"))
from onnx_networks import FILTERS, save_network

Clearprop = Callable[..., Result]
FEW = ("--epochs", 30, "--learning-rate", 0.05, "--folds", 0)


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let no command find the file that another opened, or its features."""

    def now() -> None:
        monkeypatch.setattr(backbones, "_opened", {})
        monkeypatch.setattr(backbones, "_memory", backbones._Memory())
        backbones._session.cache_clear()

    now()
    return now


@pytest.fixture
def network(tmp_path: Path) -> Path:
    save_network(tmp_path / "backbone.onnx")
    return tmp_path / "backbone.onnx"


@pytest.fixture
def run(clearprop: Clearprop, photos: Path, network: Path, forget: Callable[[], None]) -> Path:
    result = clearprop("train", photos, "--features", network, *FEW, "--out", "run")
    assert result.exit_code == 0, result.stderr
    assert (
        f"{FILTERS} features of each picture come from backbone.onnx, its tensor 'features'."
        in (result.stderr)
    )
    forget()
    return Path("run")


class TestATraining:
    def test_learns_from_features_with_a_linear_head(self, with_pictures: None, run: Path) -> None:
        model = cp.load(run / "model.safetensors")
        assert [type(one).__name__ for one in model.network.layers] == ["Dense"]
        assert model.network.input_shape == (FILTERS,)
        assert isinstance(model.preprocessing.inputs, FeatureRecipe)

    def test_may_have_hidden_layers_and_folds(
        self, clearprop: Clearprop, photos: Path, network: Path
    ) -> None:
        options = ("--layers", "8", "--folds", 3, "--epochs", 2, "--out", "run")
        assert clearprop("train", photos, "--features", network, *options).exit_code == 0

    def test_is_doubted_with_its_features(
        self,
        clearprop: Clearprop,
        photos: Path,
        network: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("clearprop.cli.scores.doubts", lambda *said: [said[2]])
        options = ("--features", network, "--layers", "8", "--epochs", 1)
        found = clearprop("train", photos, *options, "--out", "run").stdout
        assert f"\nclearprop train {photos} --features {network} --layers none\n" in found
        assert "FILE.onnx" not in found

    @pytest.mark.slow
    def test_is_repeated_by_its_settings(
        self,
        clearprop: Clearprop,
        run: Path,
        contents: Callable[..., dict[str, str]],
    ) -> None:
        assert clearprop("train", "--config", run / "config.toml", "--out", "again").exit_code == 0
        own, again = (contents(Path(one), "model.safetensors") for one in ("run", "again"))
        assert own == again

    def test_says_what_can_t_be(
        self, clearprop: Clearprop, photos: Path, network: Path, people: Path, tmp_path: Path
    ) -> None:
        save_network(tmp_path / "silent.onnx", metadata={})
        for arguments, message in (
            ((photos, "--features", tmp_path / "silent.onnx"), "--features-scale imagenet|0-1|"),
            ((photos, "--features-scale", "0-1"), "that --features FILE.onnx names"),
            ((photos, "--features", network, "--size", 9), "pictures of 8x8, found --size 9x9"),
            ((people, "--features", network), "--features are those of pictures"),
            ((photos, "--features", network, "--network", "convolution"), "is for pictures"),
            ((photos, "--features", network, "--layers", "conv8"), "and --features puts numbers"),
            ((photos, "--features", network, "--augment", "flip"), "changes pictures"),
        ):
            result = clearprop("train", *arguments, "--out", "no")
            assert result.exit_code == 2, message
            assert message in result.stderr
            assert not Path("no").exists()
        result = clearprop("train", photos, "--features", photos / "bright/0.png")
        assert result.exit_code == 1
        assert "is no ONNX file" in result.stderr


class TestAPrediction:
    def test_finds_the_network_where_it_lay(
        self, clearprop: Clearprop, run: Path, photos: Path, network: Path
    ) -> None:
        found = json.loads(clearprop("predict", run, photos, "--json").stdout)
        model = cp.load(run / "model.safetensors")
        features = model.preprocessing.inputs.at(network).transform(
            cp.load_data(photos, size=(8, 8)).X, np.float32
        )
        expected = np.array(model.class_names)[model.network.predict(features)]
        assert [one["prediction"] for one in found["predictions"]] == expected.tolist()

    def test_finds_it_beside_the_model_or_where_it_is_said_to_lie(
        self,
        clearprop: Clearprop,
        run: Path,
        photos: Path,
        network: Path,
        forget: Callable[[], None],
    ) -> None:
        model = Path("elsewhere/model.safetensors")
        model.parent.mkdir()
        (run / "model.safetensors").rename(model)
        moved = network.rename(network.with_name("moved.onnx"))
        result = clearprop("predict", model, photos / "bright/0.png")
        assert result.exit_code == 1
        assert "The features are those of backbone.onnx, which is not there" in result.stderr
        assert "--features PATH/backbone.onnx" in result.stderr
        for options in (("predict", model, photos), ("evaluate", model, photos)):
            forget()
            assert clearprop(*options, "--features", moved).exit_code == 0
        forget()
        moved.rename(model.with_name("backbone.onnx"))
        assert clearprop("predict", model, photos).exit_code == 0

    def test_refuses_another_network_and_one_that_is_not_needed(
        self,
        clearprop: Clearprop,
        run: Path,
        photos: Path,
        picture_model: Path,
        tmp_path: Path,
    ) -> None:
        save_network(tmp_path / "other.onnx", seed=1)
        result = clearprop("evaluate", run, photos, "--features", tmp_path / "other.onnx")
        assert result.exit_code == 1
        assert "is another network than the one that the model learned from" in result.stderr
        result = clearprop("predict", picture_model, photos, "--features", "any.onnx")
        assert result.exit_code == 2
        assert "this model needs none" in result.stderr

    def test_draws_features_as_what_the_network_sees(
        self, clearprop: Clearprop, run: Path, photos: Path
    ) -> None:
        assert clearprop("predict", run, photos / "bright/0.png", "--show").exit_code == 0
        assert Path("0-seen.png").exists()
        assert clearprop("evaluate", run, photos, "--show").exit_code == 2

    def test_other_commands_go_on_with_such_a_run(
        self,
        with_pictures: None,
        clearprop: Clearprop,
        run: Path,
        photos: Path,
        forget: Callable[[], None],
    ) -> None:
        for command in (
            ("show", run),
            ("plot", run),
            ("check", run),
            ("walk", run, "--layer", "loss"),
            ("train", photos, "--from", run, "--epochs", 1, "--test", 0, "--out", "more"),
        ):
            forget()
            result = clearprop(*command)
            assert result.exit_code == 0, (command, result.stderr)
