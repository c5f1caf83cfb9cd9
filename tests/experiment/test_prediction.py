"""Files whose answers are not known, and other data read as a model's own were."""

from pathlib import Path

import numpy as np
import pytest

import clearprop as cp
from clearprop.errors import UsageError
from clearprop.experiment import Settings, learn, set_task
from clearprop.experiment.prediction import predict_files
from clearprop.experiment.learning import load_for


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
    found = predict_files(model, [str(path)])
    numbers = np.array([[2, 0.5], [-1, -1], [0, 0.1]])
    columns = cp.load_data(table, target="class").X.columns
    mean = np.array([column.mean() for column in columns.values()])
    std = np.array([column.std() for column in columns.values()])
    # The recipe was fitted to four fifths of the table: near, but not the same.
    np.testing.assert_allclose(found.prepared, (numbers - mean) / std, atol=0.3)
    probabilities = model.network.predict_proba(found.prepared)
    for answer, shares in zip(found.answers, probabilities, strict=True):
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
    found = predict_files(model, [str(path)])
    target = model.preprocessing.target
    expected = model.network.predict(found.prepared) * target.std[0] + target.mean[0]
    np.testing.assert_allclose([answer.prediction for answer in found.answers], expected)
    assert "probabilities" not in found.answers[0].to_json()


def test_other_data_are_read_with_the_models_target(table: Path, model: cp.Model) -> None:
    dataset = load_for(model, str(table))
    assert dataset.target_name == "class"
    assert dataset.class_names == ("high", "low")
    assert load_for(model, "moons").name == "moons"


def test_a_model_without_its_recipe_can_not_read_files(table: Path) -> None:
    net = cp.Network([cp.Dense(1)], loss=cp.BinaryCrossEntropy(), input_shape=(2,))
    with pytest.raises(UsageError, match="without preprocessing"):
        predict_files(cp.Model(net), [str(table)])
    assert load_for(cp.Model(net), "moons").name == "moons"
