"""Settings: what a run is asked to do, and its TOML file."""

from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.errors import DataError, OutputError, UnknownNameError, UsageError
from clearprop.experiment import Settings, read_settings
from clearprop.experiment.settings import (
    ACTIVATIONS,
    CLASS_WEIGHTS,
    DTYPES,
    INITS,
    NETWORKS,
    SCHEDULES,
    TASKS,
)
from clearprop.optimizers import OPTIMIZERS
from clearprop.preprocessing import TARGET_SCALES

_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
_rates = st.floats(0, allow_infinity=False) | st.integers(0, 9)
_units = st.lists(st.integers(1, 500))
_layers = st.tuples(
    st.lists(st.sampled_from(["conv16", "conv8x5s2", "pool", "avgpool"])), _units
).map(lambda found: (*found[0], *found[1]))
_settings = st.builds(
    Settings,
    data=_texts,
    target=st.none() | _texts,
    task=st.none() | st.sampled_from(TASKS),
    target_scale=st.sampled_from(TARGET_SCALES),
    size=st.none() | st.tuples(st.integers(1, 500), st.integers(1, 500)),
    network=st.sampled_from(NETWORKS),
    layers=st.none() | _layers,
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    init=st.none() | st.sampled_from(INITS),
    optimizer=st.sampled_from(list(OPTIMIZERS)),
    learning_rate=st.none() | _rates.filter(bool),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    epochs=st.none() | st.integers(1, 10**6),
    batch_size=st.none() | st.integers(0, 10**6),
    dropout=st.none() | st.floats(0, 1, exclude_max=True),
    batch_norm=st.none() | st.booleans(),
    l2=_rates,
    augment=st.none() | st.lists(st.sampled_from(["light", "flip", "shift:0.25"])).map(tuple),
    clip_norm=st.none() | _rates,
    class_weight=st.sampled_from(CLASS_WEIGHTS),
    folds=st.none() | st.integers(0, 100),
    test=st.none() | _texts | st.floats(0, 1).map(str),
    patience=st.none() | st.integers(0, 10**6),
    validation=st.none() | _texts | st.floats(0, 1).map(str),
    group=st.none() | _texts,
    time=st.none() | _texts,
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**32 - 1),
)


@given(_settings)
def test_a_toml_file_keeps_every_setting(settings: Settings) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "config.toml")
        settings.save(path)
        again = Settings(**read_settings(path))
    assert again == settings
    assert hash(again) == hash(settings)


def test_a_file_reads_as_one_would_write_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    given = {"layers": ("conv8", 7), "size": (64, 32), "learning_rate": 1e-5}
    Settings(data="photos/", activation="relu", **given).save(path)
    assert path.read_text().splitlines()[:8] == [
        'data = "photos/"',
        'target_scale = "auto"',
        "size = [64, 32]",
        'network = "auto"',
        'layers = ["conv8", 7]',
        'activation = "relu"',
        'optimizer = "adam"',
        "learning_rate = 1e-05",
    ]


def test_a_file_by_hand_may_leave_quotes_from_a_share(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('data = "iris"\nvalidation = 0.25\nepochs = 5\n')
    assert Settings(**read_settings(path)) == Settings(data="iris", validation="0.25", epochs=5)
    path.write_text('data = "iris"\nvalidation = 0\n')
    assert Settings(**read_settings(path)).validation == "0"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("epoch", "epochs"), ("learning-rate", "learning_rate"), ("l1", "l2"), ("LAYERS", "layers")],
)
def test_an_unknown_setting_is_refused_with_the_nearest(
    tmp_path: Path, name: str, nearest: str
) -> None:
    path = tmp_path / "run.toml"
    path.write_text(f'"{name}" = 1\n')
    with pytest.raises(UnknownNameError, match=f"no setting '{name}'. Did you mean '{nearest}'"):
        read_settings(path)
    with pytest.raises(UnknownNameError, match=f"Did you mean '{nearest}'"):
        Settings(data="iris").changed({name: 1})


@pytest.mark.parametrize(
    ("change", "kind", "nearest"),
    [
        ({"activation": "rleu"}, "activation", "relu"),
        ({"init": "hee"}, "init", "he"),
        ({"optimizer": "Adm"}, "optimizer", "adam"),
        ({"schedule": "onecycle"}, "schedule", "one-cycle"),
        ({"dtype": "float-32"}, "dtype", "float32"),
        ({"class_weight": "balance"}, "class weight", "balanced"),
    ],
)
def test_an_unknown_choice_is_refused_with_the_nearest(
    change: dict[str, str], kind: str, nearest: str
) -> None:
    with pytest.raises(UnknownNameError, match=rf"no {kind} .*Did you mean '{nearest}'"):
        Settings(data="iris", **change)


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"epochs": 2.0},
        {"epochs": True},
        {"epochs": "5"},
        {"batch_size": -1},
        {"patience": -1},
        {"folds": -1},
        {"folds": 101},
        {"seed": -1},
        {"seed": 2**32},
        {"learning_rate": -0.1},
        {"learning_rate": 0},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"learning_rate": "fast"},
        {"dropout": -0.1},
        {"l2": -1},
        {"clip_norm": -1},
        {"layers": "20,7"},
        {"layers": [20, 0]},
        {"layers": [2.5]},
        {"layers": [10**20]},
        {"layers": ["conv"]},
        {"layers": [8, "conv8"]},
        {"size": [64]},
        {"size": [64, 64, 3]},
        {"size": 64},
        {"data": 5},
        {"target": 3},
        {"validation": ["a.csv"]},
        {"test": ["a.csv"]},
        {"batch_norm": "yes"},
    ],
    ids=str,
)
def test_a_value_that_can_not_be_is_refused_by_name(change: dict[str, Any]) -> None:
    [name] = change
    with pytest.raises(UsageError, match=name):
        Settings(**({"data": "iris"} | change))


def test_none_changes_nothing() -> None:
    settings = Settings(data="iris", epochs=3)
    assert settings.changed({"epochs": None, "seed": 4}) == Settings(data="iris", epochs=3, seed=4)
    assert {field.name for field in fields(Settings)} >= settings.to_json().keys()


@pytest.mark.parametrize("content", [b"epochs 5", b"\xff\xfe", b'data = "a"\ndata = "b"'])
def test_what_is_no_toml_is_refused_by_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"run\.toml is no TOML file"):
        read_settings(path)


def test_a_missing_file_or_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.toml can't be read"):
        read_settings(tmp_path / "nowhere.toml")
    with pytest.raises(OutputError, match="nowhere"):
        Settings(data="iris").save(tmp_path / "nowhere" / "run.toml")
