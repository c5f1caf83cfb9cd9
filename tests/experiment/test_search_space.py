"""The settings that a search varies, for every kind of data."""

from itertools import islice
from typing import Any

import numpy as np
import pytest

from clearprop.data import Dataset, Table
from clearprop.errors import UsageError
from clearprop.experiment import Settings, set_task
from clearprop.experiment.search_space import Between, OneOf, Space, space_of


def table(rows: int = 200) -> Dataset:
    random = np.random.RandomState(0)
    columns = {"a": random.randn(rows), "b": random.randn(rows)}
    y = (columns["a"] > 0).astype(np.int64)
    return Dataset("made", "table", Table(columns), y, ("no", "yes"), target_name="y")


def array(rows: int = 200, features: int = 20) -> Dataset:
    random = np.random.RandomState(0)
    return Dataset(
        "made", "array", random.randn(rows, features), np.arange(rows) % 3, ("a", "b", "c")
    )


def pictures(rows: int = 40) -> Dataset:
    X = np.random.RandomState(0).randint(0, 255, (rows, 16, 16, 3), np.uint8)
    return Dataset("made", "pictures", X, np.arange(rows) % 2, ("cat", "dog"))


def space(dataset: Dataset, **given: Any) -> Space:
    return space_of(Settings(data="made", **given), dataset)


class TestWhatIsVaried:
    def test_of_the_network_of_tables_is_what_its_authors_search(self) -> None:
        found = space(table(), network="table").varied
        assert list(found) == ["learning_rate", "layers", "activation", "dropout"]
        assert found["learning_rate"] == Between(0.02, 0.3, 0.04)
        assert set(found["layers"].values) == {(256,) * 3, (64,) * 5, (512,)}
        assert found["dropout"].values == (0.0, 0.15, 0.3)

    def test_of_a_dense_network_lies_around_the_defaults(self) -> None:
        found = space(array()).varied
        assert list(found) == ["learning_rate", "layers", "dropout", "l2", "batch_size"]
        assert found["learning_rate"] == Between(0.0005, 0.008, 0.002)
        assert (64, 32) in found["layers"].values
        assert found["batch_size"].values == (16, 32)  # of 200 samples, at least 4 batches
        sizes = [(20, *one) for one in found["layers"].values]
        weights = [np.dot(one[:-1], one[1:]) for one in sizes]
        assert weights == sorted(weights)

    def test_of_a_dense_network_of_a_table_leaves_out_what_samples_choose(self) -> None:
        found = space(table(), network="dense").varied
        assert found["l2"].usual is None
        assert found["layers"].usual is None

    def test_of_convolutions(self) -> None:
        found = space(pictures()).varied
        assert list(found) == ["learning_rate", "layers", "dropout", "augment"]
        assert found["layers"].values == (
            ("conv8", "pool", "conv16", "pool", 32),
            ("conv16", "pool", "conv32", "pool", 64),
            ("conv32", "pool", "conv64", "pool", 128),
        )
        assert found["augment"].usual == ("strong",)

    def test_of_an_optimizer_of_all_samples(self) -> None:
        assert list(space(array(), optimizer="lbfgs").varied) == ["layers", "l2"]

    @pytest.mark.parametrize("name", ["learning_rate", "layers", "dropout", "l2", "batch_size"])
    def test_is_nothing_that_was_given(self, name: str) -> None:
        value = {"layers": (5,), "batch_size": 10}.get(name, 0.5)
        assert name not in space(array(), **{name: value}).varied

    def test_is_refused_where_all_is_given(self) -> None:
        given = {"learning_rate": 0.1, "layers": (5,), "dropout": 0.0, "l2": 0.0, "batch_size": 32}
        with pytest.raises(UsageError, match="Nothing is left to search, as learning_rate, layers"):
            space(array(), **given)

    def test_is_told_where_settings_cant_be(self) -> None:
        with pytest.raises(UsageError, match="leave dropout out"):
            space(array(), optimizer="lbfgs", dropout=0.1)


class TestCandidates:
    def test_each_is_drawn_once_and_alike_for_a_seed(self) -> None:
        found = space(array())
        first, again = (list(islice(found.drawn(3), 200)) for _ in range(2))
        assert first == again
        assert len({tuple(one.items()) for one in first}) == 200
        assert first != list(islice(found.drawn(4), 200))
        assert {} not in first

    def test_keep_about_half_of_the_defaults_and_change_the_others_within_their_range(self) -> None:
        found = space(array())
        drawn = list(islice(found.drawn(0), 400))
        for name, of in found.varied.items():
            values = [one[name] for one in drawn if name in one]
            assert 0.4 < len(values) / len(drawn) < 0.65
            if isinstance(of, Between):
                assert of.least <= min(values) <= 1.3 * of.least
                assert of.most / 1.3 <= max(values) <= of.most
                middle = np.sqrt(of.least * of.most)
                assert 0.4 < np.mean(np.array(values) < middle) < 0.6
                assert all(float(f"{one:.2g}") == one for one in values)
            else:
                assert set(values) == {*of.values} - {of.usual}

    def test_end_where_nothing_new_is_left(self) -> None:
        of = OneOf((0.0, 0.1, 0.2), 0.1)
        drawn = list(Space({"dropout": of}, "auto").drawn(0))
        assert sorted(one["dropout"] for one in drawn) == [0.0, 0.2]

    @pytest.mark.parametrize(
        ("dataset", "given"),
        [
            (table(), {"network": "table"}),
            (table(), {"network": "dense", "validation": "0.2", "epochs": 1}),
            (array(), {}),
            (array(), {"optimizer": "lbfgs"}),
            (pictures(), {}),
        ],
    )
    def test_can_all_be_trained(self, dataset: Dataset, given: dict[str, Any]) -> None:
        found, settings = space(dataset, **given), Settings(data="made", **given)
        for changes in islice(found.drawn(0), 12):
            own = set_task(found.settings(settings.changed({"l2": 0.1}), changes), dataset).settings
            for name, value in changes.items():
                if name != "augment":
                    assert getattr(own, name) == value

    def test_of_a_table_keep_its_network(self) -> None:
        """Layers that somebody names are those of a dense network, unless the network is named."""
        found = Space({}, "table")
        settings = Settings(data="made")
        assert found.settings(settings, {"layers": (512,)}).network == "table"
        assert found.settings(settings, {"dropout": 0.3}).network == "auto"
