"""Files whose answers are not known, and other data read as a model's own were."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.experiment import Settings, learn, set_task
from clearprop.experiment.answer_files import save_answers
from clearprop.experiment.loading import load_for
from clearprop.experiment.prediction import Block, Predictions, predict_files
from clearprop.files import models


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two columns of numbers with the class between them."""
    random_state = np.random.RandomState(0)
    rows = [
        f"{x:.3f},{'high' if x + y > 0 else 'low'},{y:.3f}"
        for x, y in random_state.standard_normal((60, 2))
    ]
    path = tmp_path_factory.mktemp("table") / "points.csv"
    path.write_text("\n".join(["x,class,y", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def model(table: Path) -> cp.Model:
    settings = Settings(data=str(table), target="class", layers=(4,), epochs=5)
    return learn(set_task(settings, cp.load_data(table, target="class"))).model


def test_every_row_of_a_table_is_answered(table: Path, model: cp.Model, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("y,x\n0.5,2\n-1,-1\n0.1,0\n")
    with predict_files(model, [path]) as found:
        answered = list(found.first(3))
    numbers = np.array([[2, 0.5], [-1, -1], [0, 0.1]])
    columns = cp.load_data(table, target="class").X.columns
    mean = np.array([column.mean() for column in columns.values()])
    std = np.array([column.std() for column in columns.values()])
    prepared = np.array([seen for _, _, seen in answered])
    # The recipe was fitted to four fifths of the table: near, but not the same.
    np.testing.assert_allclose(prepared, (numbers - mean) / std, atol=0.3)
    probabilities = model.shares(model.network.logits(prepared))
    for (answer, given, _), shares in zip(answered, probabilities, strict=True):
        assert given is None
        assert list(answer.probabilities) == list(model.class_names)
        np.testing.assert_allclose(list(answer.probabilities.values()), shares)
        assert answer.prediction == model.class_names[shares.argmax()]
        assert "new.csv" in answer.source
    assert found.problems == ()


def test_values_come_back_on_their_own_scale(tmp_path: Path) -> None:
    diabetes = cp.load_data("diabetes")
    model = learn(set_task(Settings(data="diabetes", layers=(3,), epochs=2), diabetes)).model
    columns = diabetes.X.columns
    path = tmp_path / "new.csv"
    rows = [",".join(repr(float(column[row])) for column in columns.values()) for row in range(3)]
    path.write_text("\n".join([",".join(columns), *rows]) + "\n")
    with predict_files(model, [path]) as found:
        answers = list(found.answers())
    recipe = model.preprocessing
    prepared = recipe.inputs.transform(diabetes.X[:3], model.network.dtype)
    expected = model.network.predict(prepared) * recipe.target.std[0] + recipe.target.mean[0]
    np.testing.assert_allclose([answer.prediction for answer in answers], expected)
    np.testing.assert_allclose(model.predict(path), expected)
    assert "probabilities" not in answers[0].to_json()
    with pytest.raises(UsageError, match="gives no probabilities"):
        model.predict_proba(path)


def test_several_values_a_sample_have_a_column_each(tmp_path: Path) -> None:
    X = np.random.RandomState(0).randn(40, 3)
    np.savez(tmp_path / "two.npz", X=X, y=X[:, :2] * 100)
    data = str(tmp_path / "two.npz")
    model = learn(set_task(Settings(data=data, layers=(3,), epochs=2), cp.load_data(data))).model
    with predict_files(model, [data]) as found:
        save_answers(tmp_path / "p.csv", found)
    header, *rows = (line.split(",") for line in (tmp_path / "p.csv").read_text().splitlines())
    assert header == ["file", "row", "prediction", "prediction 2"]
    assert [row[:2] for row in rows] == [[data, str(place)] for place in range(1, 41)]
    expected = model.predict(X)
    assert expected.shape == (40, 2)
    np.testing.assert_array_equal([list(map(float, row[2:])) for row in rows], expected)


def test_blocks_of_any_length_give_the_same(
    model: cp.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.csv"
    points = np.random.RandomState(1).randn(23, 2)
    np.savetxt(path, points, delimiter=",", header="x,y", comments="")
    texts = []
    for rows in (100, 7, 1):
        monkeypatch.setattr(models, "_ROWS", rows)
        with predict_files(model, [path], top=2) as found:
            assert max(len(block.sources) for block in found.blocks()) == min(rows, 23)
            save_answers(tmp_path / "p.csv", found)
        texts.append((tmp_path / "p.csv").read_text().splitlines())
    cells = [[line.split(",")[2] for line in text] for text in texts]
    assert cells[0] == cells[1] == cells[2]
    assert cells[0][1:] == model.predict({"x": points[:, 0], "y": points[:, 1]}).tolist()
    assert all(len(text) == 24 for text in texts)


def test_the_prediction_is_the_likeliest_even_among_equals(model: cp.Model, tmp_path: Path) -> None:
    net = model.network.copy()
    net.parameters.data[...] = 0
    net.parameters["2.b"][...] = 1e-20  # both classes have one half, and the second is predicted
    (tmp_path / "new.csv").write_text("x,y\n1,2\n")
    with predict_files(replace(model, network=net), [tmp_path / "new.csv"], top=2) as found:
        (answer,) = found.answers()
    assert answer.probabilities == {"low": 0.5, "high": 0.5}
    assert next(iter(answer.probabilities)) == answer.prediction == "low"


def test_a_file_that_can_t_be_finished_leaves_the_old_one(
    model: cp.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new.csv").write_text("x,y\n1,2\n3,4\n")
    (tmp_path / "p.csv").write_text("old")
    monkeypatch.setattr(models, "_ROWS", 1)
    with predict_files(model, [tmp_path / "new.csv"]) as found:
        blocks = list(found.blocks())

        def interrupted(_: object) -> Iterator[Block]:
            yield blocks[0]
            raise KeyboardInterrupt

        monkeypatch.setattr(Predictions, "blocks", interrupted)
        with pytest.raises(KeyboardInterrupt):
            save_answers(tmp_path / "p.csv", found)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv", "p.csv"]
    assert (tmp_path / "p.csv").read_text() == "old"


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_names_that_are_no_text_are_written_escaped(tmp_path: Path, suffix: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet") if suffix == "parquet" else None
    digits = cp.load_data("digits")
    model = learn(set_task(Settings(data="digits", layers=(3,), epochs=1), digits)).model
    Image.new("L", (8, 8)).save(tmp_path / os.fsdecode(b"p\xff.png"))
    with predict_files(model, [tmp_path]) as found:
        save_answers(tmp_path / f"p.{suffix}", found)
    path = tmp_path / f"p.{suffix}"
    if suffix == "parquet":
        (name,) = parquet.read_table(path).column("file").to_pylist()
    else:
        name = path.read_text(encoding="utf-8")
    assert "p\\udcff.png" in name


def test_numbers_that_are_not_finite_are_null_in_json(model: cp.Model, tmp_path: Path) -> None:
    net = model.network.copy()
    net.parameters.data[...] = np.nan
    (tmp_path / "new.csv").write_text("x,y\n1,2\n")
    with predict_files(replace(model, network=net), [tmp_path / "new.csv"]) as found:
        save_answers(tmp_path / "p.jsonl", found)
    assert json.loads((tmp_path / "p.jsonl").read_text())["probability low"] is None


def test_other_data_are_read_with_the_models_target(table: Path, model: cp.Model) -> None:
    dataset = load_for(model, str(table))
    assert dataset.target_name == "class"
    assert dataset.class_names == ("high", "low")
    assert load_for(model, "moons").name == "moons"


def test_a_model_without_its_recipe_can_not_read_files(table: Path) -> None:
    net = cp.Network([cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,))
    with (
        pytest.raises(UsageError, match="without preprocessing"),
        predict_files(cp.Model(net), [table]),
    ):
        pass
    assert load_for(cp.Model(net), "moons").name == "moons"


def test_a_column_that_the_model_takes_names_the_samples_too(
    model: cp.Model, tmp_path: Path
) -> None:
    path = tmp_path / "new.csv"
    path.write_text("y,x\n0.50,2\n-1,-1\n")
    with predict_files(model, [path], id="y") as found:
        answers = list(found.answers())
    with predict_files(model, [path]) as found:
        usual = list(found.answers())
    assert [answer.source for answer in answers] == ["0.50", "-1"]
    assert [one.probabilities for one in answers] == [one.probabilities for one in usual]
