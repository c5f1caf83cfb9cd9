"""Commands draw where a network looks, for pictures, and for nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

import clearprop as cp
from clearprop import plots

Clearprop = Callable[..., Result]


@pytest.fixture
def convolving(photos: Path, tmp_path: Path) -> Path:
    """A network with convolutions, as it begins, and the recipe of `photos` at 8 x 8."""
    data = cp.load_data(photos, size=(8, 8))
    network = cp.Network(
        [cp.Conv2D(4), cp.ReLU(), cp.MaxPool2D(), cp.Flatten(), cp.Dense(2)],
        loss=cp.SoftmaxCrossEntropy(),
        input_shape=(8, 8, 3),
        seed=0,
        dtype="float32",
    )
    cp.save(tmp_path / "convolving.safetensors", cp.Model(network, cp.fit_recipe(data)))
    return tmp_path / "convolving.safetensors"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments of every figure of where a network looks."""
    calls: list[dict[str, Any]] = []
    for name in ("what_it_sees", "attention"):
        own = getattr(plots, name)

        def recording(*args: Any, own: Any = own, **maps: Any) -> Any:
            calls.append(maps)
            return own(*args, **maps)

        monkeypatch.setattr(plots, name, recording)
    return calls


class TestPredict:
    def test_draws_where_a_network_looks_for_what_it_says(
        self, clearprop: Clearprop, convolving: Path, photos: Path, drawn: list[dict[str, Any]]
    ) -> None:
        picture = photos / "bright/0.png"
        result = clearprop("predict", convolving, picture, "--show", "--json")
        assert result.exit_code == 0
        found = json.loads(result.stdout)
        assert found["pictures"] == ["0-seen.png"]
        assert Path("0-seen.png").exists()
        model = cp.load(convolving)
        said = model.class_names.index(found["predictions"][0]["prediction"])
        (maps,) = drawn
        for name, ask in (("saliency", cp.saliency), ("activation", cp.class_activation)):
            np.testing.assert_allclose(maps[name], ask(model, [picture], said)[0])

    @pytest.mark.slow
    def test_of_a_dense_network_has_saliency_alone(
        self, clearprop: Clearprop, picture_model: Path, photos: Path, drawn: list[dict[str, Any]]
    ) -> None:
        assert clearprop("predict", picture_model, photos, "--show").exit_code == 0
        assert [set(maps) for maps in drawn] == [{"saliency"}] * 12

    def test_of_rows_of_numbers_has_none(
        self, clearprop: Clearprop, array_model: Path, drawn: list[dict[str, Any]]
    ) -> None:
        np.savez("new.npz", X=np.ones((2, 6)))
        assert clearprop("predict", array_model, "new.npz", "--show").exit_code == 0
        assert drawn == [{}, {}]


class TestEvaluate:
    @pytest.mark.slow
    def test_draws_some_pictures_of_each_class(
        self, clearprop: Clearprop, convolving: Path, photos: Path, drawn: list[dict[str, Any]]
    ) -> None:
        result = clearprop("evaluate", convolving, photos, "--show-in", "looks", "--json")
        assert result.exit_code == 0
        assert json.loads(result.stdout)["pictures"] == ["looks/photos-attention.png"]
        assert Path("looks/photos-attention.png").exists()
        assert {name: one.shape[1:] for name, one in drawn[0].items()} == {
            "saliency": (8, 8),
            "activation": (8, 8),
        }
        text = clearprop("evaluate", convolving, photos, "--show")
        assert text.stdout.splitlines()[-1] == "photos-attention.png"
        assert Path("photos-attention.png").exists()

    def test_without_show_draws_nothing(
        self, clearprop: Clearprop, convolving: Path, photos: Path, drawn: list[dict[str, Any]]
    ) -> None:
        result = clearprop("evaluate", convolving, photos, "--json")
        assert json.loads(result.stdout)["pictures"] == []
        assert drawn == []

    @pytest.mark.usefixtures("undrawable")
    def test_tells_results_though_nothing_can_be_drawn(
        self,
        clearprop: Clearprop,
        convolving: Path,
        photos: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError("a figure\nof nothing")

        monkeypatch.setattr(plots, "attention", fail)
        result = clearprop("evaluate", convolving, photos, "--show")
        assert result.exit_code == 0
        assert "12 samples: accuracy" in result.stdout
        assert "Not drawn: photos-attention.png can't be drawn (ZeroDivisionError: a figure)." in (
            result.stderr
        )

    def test_refuses_to_show_what_is_no_picture(
        self, clearprop: Clearprop, array_model: Path, table_model: Path, people: Path
    ) -> None:
        np.savez("new.npz", X=np.ones((2, 6)), y=[0, 1])
        for model, data in ((array_model, "new.npz"), (table_model, people)):
            result = clearprop("evaluate", model, data, "--show")
            assert result.exit_code == 2
            assert "looks in pictures that it tells apart; this model" in result.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("with_pictures")
def test_a_run_on_pictures_has_them_beside_its_mistakes(
    clearprop: Clearprop, photos: Path, drawn: list[dict[str, Any]]
) -> None:
    network = ("--size", 8, "--layers", "conv4,pool", "--epochs", 1, "--folds", 0)
    assert clearprop("train", photos, *network, "--out", "run").exit_code == 0
    pictures = {path.name for path in Path("run").glob("*.png")}
    assert {"weights.png", "attention.png", "features.png"} <= pictures
    assert set(drawn[0]) == {"saliency", "activation"}
    assert clearprop("runs", "--remove", "run", "--yes").exit_code == 0
    assert not Path("run").exists()
