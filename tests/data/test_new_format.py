"""A format is one new file and one line that names it."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner

import clearprop as cp
from clearprop.cli import cli
from clearprop.data import loading
from clearprop.data.format import Format
from clearprop.errors import DataError, UnknownNameError, UsageError
from clearprop.preprocessing import read_inputs

MODULE = '''
"""Lines of NAME=VALUE pairs, a sample each."""

import numpy as np

from clearprop.data.dataset import Dataset
from clearprop.data.format import Format, Samples
from clearprop.data.reading import DEFAULT
from clearprop.data.tables.table import Table


class Pairs(Format):
    suffixes = (".pairs",)
    has_columns = takes_folders = takes_inputs = True

    def read(self, path, reading=DEFAULT):
        table = self.read_inputs(path, reading).raw
        y = table.columns[reading.target or "sort"].astype(int)
        X = table.without(reading.target or "sort")
        return Dataset(str(path), "table", X, y, ("few", "many"), X.names, target_name="sort")

    def column_names(self, path, form):
        return self.read_inputs(path, None).raw.names

    def read_inputs(self, path, reading):
        files = sorted(path.glob("*.pairs")) if path.is_dir() else [path]
        lines = [line for file in files for line in file.read_text().splitlines()]
        rows = [dict(pair.split("=") for pair in line.split()) for line in lines]
        columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
        return Samples(Table(columns))
'''


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Write the new file, and add the one line."""
    file = tmp_path / "pairs.py"
    file.write_text(MODULE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("pairs", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(loading, "FORMATS", (*loading.FORMATS, module.Pairs()))
    return module


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rng = np.random.RandomState(0)
    lines = [f"a={a:.3f} b={b:.3f} sort={int(a > 0)}\n" for a, b in rng.randn(40, 2)]
    path = tmp_path / "folder/some.pairs"
    path.parent.mkdir()
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_without_the_line_it_is_not_read(file: Path) -> None:
    with pytest.raises(
        DataError, match=r"Expected a \.csv, \.tsv, .*\.npz, \.npy, \.h5 or \.hdf5 file"
    ):
        cp.load_data(file)


@pytest.mark.usefixtures("known")
def test_files_and_folders_of_a_new_format_are_read(file: Path) -> None:
    for dataset in (cp.load_data(file, target="sort"), cp.load_data(file.parent)):
        assert len(dataset) == 40
        assert dataset.feature_names == ("a", "b")


@pytest.mark.usefixtures("known")
def test_messages_name_a_new_format(tmp_path: Path) -> None:
    (tmp_path / "a.doc").touch()
    with pytest.raises(DataError, match=r"\.npz, \.npy, \.h5, \.hdf5 or \.pairs file, IDX images"):
        cp.load_data(tmp_path / "a.doc")
    with pytest.raises(UsageError, match=r"only CSV, TSV, .* and PAIRS files have"):
        cp.load_data("digits", target="x")
    recipe = cp.fit_recipe(cp.load_data("iris"))
    with pytest.raises(
        DataError, match=r"or a \.csv, \.tsv, .*\.npz, \.npy, \.h5, \.hdf5 or \.pairs file"
    ):
        read_inputs([tmp_path / "a.doc"], recipe)
    with pytest.raises(
        DataError, match=r"pictures, or one CSV, TSV, .*NPZ, NPY, H5, HDF5 or PAIRS file"
    ):
        read_inputs([tmp_path / "a.doc", tmp_path / "b.doc"], recipe)


@pytest.mark.slow
@pytest.mark.usefixtures("known")
def test_commands_train_evaluate_and_predict_from_a_new_format(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    described = json.loads(run("data", str(file), "--target", "sort", "--json"))
    assert [column["name"] for column in described["columns"]] == ["a", "b"]
    run("train", str(file), "--layers", "4", "--epochs", "2", "--validation", "0", "--out", "run")
    model = "run/model.safetensors"
    assert json.loads(run("evaluate", model, str(file), "--json"))["samples"] == 40
    predicted = json.loads(run("predict", model, str(file), "--json"))["predictions"]
    assert predicted[3]["source"] == "some.pairs row 4"


def test_every_format_says_how_its_files_are_named() -> None:
    for one in loading.FORMATS:
        assert isinstance(one, Format)
        assert one.suffixes or one.otherwise
        for suffix in one.suffixes:
            assert re.fullmatch(r"\.[a-z0-9]+", suffix)
            assert loading.format_of(Path("FILE" + suffix.upper())) is one
    assert loading.format_of(Path("a.doc")) is None


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(UnknownNameError):
        cp.load_data(tmp_path / "a.csv", target="z")
