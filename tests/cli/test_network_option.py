"""Networks of pictures, named in words or by default, from folder to prediction."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearprop.experiment import expectations

QUICK = ("--epochs", 4, "--augment", "none")


def draw_shapes(folder: Path, count: int, size: int = 16) -> Path:
    """Write coloured pictures of dots and of bars, each anywhere."""
    random_state = np.random.RandomState(0)
    for name, height, width in (("dot", 3, 3), ("bar", 1, 9)):
        for number in range(count):
            pixels = random_state.randint(0, 60, (size, size, 3)).astype(np.uint8)
            row, column = (random_state.randint(size - side) for side in (height, width))
            pixels[row : row + height, column : column + width] = 230
            path = folder / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return folder


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return draw_shapes(tmp_path_factory.mktemp("pictures") / "shapes", 60)


class TestNetworksOfPictures:
    def test_look_at_places_by_default_and_end_above_a_dense_one(
        self, clearprop, shapes, strict_json
    ):
        size = ("--size", 16, "--epochs", 20, "--folds", 0, "--json")
        found = strict_json(clearprop("train", shapes, *size, "--augment", "none").stdout)
        assert found["settings"]["layers"] == ["conv16", "pool", "conv32", "pool", 64]
        assert found["settings"]["network"] == "auto"
        assert found["settings"]["batch_norm"] is True
        dense = strict_json(clearprop("train", shapes, *size, "--network", "dense").stdout)
        assert dense["settings"]["layers"] == [256, 128]
        assert (dense["settings"]["batch_norm"], dense["settings"]["augment"]) == (False, [])
        assert found["test"]["accuracy"] > 0.8 > 0.7 > dense["test"]["accuracy"]

    @pytest.mark.slow
    def test_are_named_in_words_shown_asked_examined_and_gone_on_with(self, clearprop, shapes):
        words = ("--layers", "conv4,pool,conv8s2,globalavg,5", "--size", 16)
        result = clearprop("train", shapes, *words, *QUICK, "--out", "run")
        assert result.exit_code == 0
        assert "Network 16x16x3 - conv4 - pool - conv8s2 - globalavg - 5 - 1," in result.stderr
        assert (
            'layers = ["conv4", "pool", "conv8s2", "globalavg", 5]'
            in Path("run/config.toml").read_text()
        )
        assert "conv4,pool,conv8s2,globalavg,5" in clearprop("runs", ".").stdout
        shown = clearprop("show", "run").stdout
        assert "GlobalAveragePool2D()" in shown
        assert clearprop("predict", "run", shapes / "dot" / "0.png").exit_code == 0
        assert clearprop("evaluate", "run", shapes).exit_code == 0
        assert clearprop("doctor", "run").exit_code in (0, 1)
        again = clearprop("train", shapes, "--from", "run", "--epochs", 2, "--out", "more")
        assert again.exit_code == 0
        refused = clearprop("train", shapes, "--from", "run", "--layers", "conv4,pool,5")
        assert "has conv4,pool,conv8s2,globalavg,5 as layers" in refused.stderr

    def test_go_on_after_a_stop_to_the_same_bits(self, clearprop, shapes, contents):
        begun = ("train", shapes, "--layers", "conv4,pool,4", "--size", 16, "--augment", "none")
        constant = ("--schedule", "constant", "--checkpoint-every", 0)
        clearprop(*begun, *constant, "--epochs", 3, "--out", "whole")
        clearprop(*begun, *constant, "--epochs", 1, "--out", "parts")
        resumed = clearprop("train", "--resume", "--epochs", 3, "--out", "parts")
        assert resumed.exit_code == 0
        whole = contents(Path("whole"), "model.safetensors")
        assert contents(Path("parts"), "model.safetensors") == whole

    @pytest.mark.slow
    def test_are_compared_with_dense_ones_and_scored_in_folds(
        self, clearprop, shapes, in_this_process
    ):
        every = ("--layers", "conv4,pool,4", "--layers", "4", "--layers", "none")
        result = clearprop("compare", shapes, *every, *QUICK, "--size", 16, "--repeats", 1)
        assert result.exit_code == 0
        rows = [line.split()[0] for line in result.stdout.splitlines()[1:4]]
        assert rows == ["conv4,pool,4", "4", "none"]
        twice = ("--layers", "conv4", "--layers", "conv4x3s1")
        assert "given twice" in clearprop("compare", shapes, *twice).stderr
        words = ("--layers", "conv4,pool,4", "--size", 16)
        folds = clearprop("train", shapes, *words, *QUICK, "--folds", 2)
        assert "120 samples, each in turn" in folds.stdout

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("iris", "--network", "convolution"), "--network convolution is for pictures"),
            (("iris", "--layers", "conv8,4"), "--layers conv8,4 is for pictures"),
            (("iris", "--network", "conv"), "Did you mean 'convolution'?"),
            (("SHAPES", "--layers", "conv8,pol"), "no layer 'pol', the second of 'conv8,pol'"),
            (("SHAPES", "--size", 4, "--layers", "pool,pool,pool"), "Leave a pool out"),
            (("SHAPES", "--network", "dense", "--layers", "conv8"), "leave one of both out"),
            (
                ("SHAPES", "--network", "convolution", "--layers", "none"),
                "--network convolution does not go with --layers none, which has no convolutions",
            ),
            (("SHAPES", "--layers", "globalavg,pool"), "where means of whole channels have no"),
            (("SHAPES", "--layers", "conv9999999", "--size", 200), "take fewer filters with"),
        ],
        ids=lambda arguments: " ".join(map(str, arguments)),
    )
    def test_that_can_not_be_are_refused(self, clearprop, shapes, elsewhere, arguments, message):
        arguments = [shapes if word == "SHAPES" else word for word in arguments]
        result = clearprop("train", *arguments)
        assert result.exit_code == 2
        assert message in result.stderr
        assert not (elsewhere / "runs").exists()


class TestWordsBeforehand:
    def test_say_what_a_dense_network_makes_of_photographs(self, clearprop, shapes):
        result = clearprop("train", shapes, "--size", 16, "--layers", 4, "--epochs", 1)
        assert "A dense network takes each number of a picture for itself" in result.stderr
        assert "To have one: --network convolution, without --layers." in result.stderr
        grey = clearprop("train", "digits", "--layers", 4, "--epochs", 1, "--folds", 0)
        assert "A dense network" not in grey.stderr

    def test_say_what_few_pictures_teach(self, clearprop, shapes, elsewhere):
        few = draw_shapes(elsewhere / "few", 12)
        said = "There are 12 pictures of 'bar'. From fewer than 50 a class"
        assert said in clearprop("train", few, "--size", 16, *QUICK).stderr
        enough = clearprop("train", shapes, "--size", 16, *QUICK)
        assert "There are" not in enough.stderr

    def test_of_doubt_keep_what_was_said_of_samples(self, clearprop, shapes, monkeypatch):
        monkeypatch.setattr("clearprop.cli.scores.doubts", lambda *said: [said[2]])
        moved = shapes.rename(shapes.with_name("few shapes"))
        given = ("--size", 16, "--layers", "conv2,globalavg,4", "--test", 0.5, "--seed", 3)
        found = clearprop("train", moved, *given, "--epochs", 1, "--learning-rate", 1e-9)
        moved.rename(shapes)
        assert found.exit_code == 0
        again = f"clearprop train '{moved}'"
        assert f"\n{again} --size 16x16 --layers none --test 0.5 --seed 3\n" in found.stdout
        other = f"pretrained network: {again} --test 0.5 --seed 3 --features FILE.onnx\n"
        assert other in found.stdout

    def test_say_what_makes_a_long_training_short(self, clearprop, shapes, monkeypatch):
        short = clearprop("train", shapes, "--size", 16, *QUICK)
        assert "clearprop[fast]" not in short.stderr
        monkeypatch.setattr(expectations, "_LONG", 0)
        with_numba = clearprop("train", shapes, "--size", 16, *QUICK)
        assert "clearprop[fast]" not in with_numba.stderr
        monkeypatch.setattr(expectations, "find_spec", lambda _: None)
        without = clearprop("train", shapes, "--size", 16, *QUICK)
        assert "pip install 'clearprop[fast]' makes training on pictures" in without.stderr
