"""Settings of ``clearprop train``: which of them hold, and which are refused before it begins."""

from pathlib import Path

import pytest
from folder_names import names


class TestSettings:
    def test_of_the_command_line_go_before_those_of_the_file(self, clearprop, strict_json):
        Path("my.toml").write_text('data = "iris"\nepochs = 2\nlayers = [3]\nvalidation = 0.5\n')
        result = clearprop("train", "--config", "my.toml", "--epochs", 1, "--json")
        report = strict_json(result.stdout)
        assert report["samples"] == {"test": 30, "validation": 60, "train": 60}
        assert report["settings"]["layers"] == [3]
        assert report["epochs"] == 1

    def test_lower_the_learning_rate_for_very_many_features(self, clearprop, photos, strict_json):
        rates = {}
        for side in (8, 64):
            options = ("--size", side, "--layers", 2, "--epochs", 1, "--folds", 0, "--json")
            result = clearprop("train", photos, *options)
            rates[side] = strict_json(result.stdout)["settings"]["learning_rate"]
        assert rates[64] == pytest.approx(rates[8] * (1000 / (64 * 64 * 3)) ** 0.5)

    def test_of_a_run_repeat_it_to_the_byte(self, clearprop, table_run, contents):
        result = clearprop("train", "--config", table_run / "config.toml", "--out", "again")
        assert result.exit_code == 0
        model = contents(table_run, "*.safetensors")["model.safetensors"]
        assert contents(Path("again"))["model.safetensors"] == model

    @pytest.mark.parametrize(
        ("toml", "message"),
        [
            ("lerning_rate = 1", "Did you mean 'learning_rate'?"),
            ("epochs = 0", "epochs takes a whole number of at least 1, found 0"),
            (
                'layers = "abc"',
                'words for pictures, as in ["conv16", "pool", 128]; found \'abc\'',
            ),
            ("layers = [0]", "layers takes whole numbers from 1"),
            ('activation = "rely"', "Did you mean 'relu'?"),
            ("data = 3", "data takes a text in quotes, found 3"),
        ],
    )
    def test_in_a_file_are_checked(self, clearprop, elsewhere, toml, message):
        Path("my.toml").write_text(toml)
        result = clearprop("train", *([] if "data" in toml else ["iris"]), "--config", "my.toml")
        assert result.exit_code == 2
        assert message in result.stderr
        assert not (elsewhere / "runs").exists()

    @pytest.mark.parametrize(
        ("text", "message"),
        [("a,b\n1,2", "my.toml is no TOML file"), (None, "my.toml can't be read")],
    )
    def test_need_a_toml_file(self, clearprop, text, message):
        if text is not None:
            Path("my.toml").write_text(text)
        result = clearprop("train", "iris", "--config", "my.toml")
        assert result.exit_code == 1
        assert message in result.stderr

    @pytest.mark.parametrize(
        ("option", "value", "message"),
        [
            ("--layers", "0", "layers takes whole numbers from 1 to 10000000 as units, found 0"),
            ("--layers", "abc", "layers knows no layer 'abc'"),
            ("--layers", "", "'' is no list of layers"),
            ("--layers", "9" * 30, "layers takes whole numbers from 1 to 10000000"),
            ("--size", "8x", "'8x' is no size"),
            ("--size", "0x3", "at least one pixel a side"),
            ("--batch-size", "0", "at least one sample, found 0"),
            ("--batch-size", "some", "'some' is no batch size"),
            ("--epochs", "0", "epochs takes a whole number of at least 1"),
            ("--learning-rate", "-1", "learning_rate takes a number of at least 0"),
            ("--learning-rate", "nan", "learning_rate takes a number of at least 0"),
            ("--learning-rate", "inf", "learning_rate takes a number of at least 0"),
            ("--dropout", "1", "below 1; found 1.0"),
            ("--l2", "-1", "l2 takes a number of at least 0"),
            ("--validation", "1.5", "lies between 0 and 1, found 1.5"),
            ("--validation", "nirvana", "no data set or path 'nirvana'"),
            ("--seed", "99999999999", "seed takes a number up to"),
            ("--target", "x", "no columns to name a target of"),
            ("--activation", "rely", "'rely' is none. Did you mean 'relu'?"),
        ],
    )
    def test_that_cant_be_are_refused_before_anything_is_written(
        self, clearprop, elsewhere, option, value, message
    ):
        result = clearprop("train", "digits", option, value)
        assert result.exit_code == 2
        assert message in result.stderr
        assert names(elsewhere) == set()

    def test_that_need_more_memory_than_there_is_are_refused(self, clearprop, elsewhere):
        result = clearprop("train", "iris", "--layers", "9999999,9999999")
        assert result.exit_code == 1
        assert "not enough memory" in result.stderr
        assert names(elsewhere) == set()

    def test_name_validation_data_of_another_kind(self, clearprop, elsewhere):
        result = clearprop("train", "digits", "--validation", "iris")
        assert result.exit_code == 1
        assert "iris: Found a table, expected pictures" in result.stderr
        assert names(elsewhere) == set()


def test_settings_that_clash_leave_no_run_behind(clearprop):
    result = clearprop("train", "iris", "--optimizer", "lbfgs", "--dropout", 0.5, "--out", "run")
    assert result.exit_code == 2
    assert "leave dropout out" in result.stderr
    assert not Path("run").exists()
