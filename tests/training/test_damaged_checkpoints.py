"""Checkpoints that are damaged, or none: one kind of error."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from checkpointed_training import BASE, BODIES, content, train
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_training import small_network

import clearprop as cp
from clearprop.errors import DivergedError, ModelFileError, UsageError
from clearprop.files.tensors import save_tensors


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "run"
    train(replace(BASE, early_stopping=cp.EarlyStopping(3)), path, body="batch norm")
    return path


def resume_from(path: Path) -> None:
    trainer = replace(BASE, early_stopping=cp.EarlyStopping(3))
    train(trainer, path, body="batch norm", resume=True)


def test_what_is_saved_can_be_resumed(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(saved.read_bytes())
    resume_from(tmp_path / "run")


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(share=st.floats(0, 0.9999))
def test_a_truncated_checkpoint_is_refused(saved: Path, share: float) -> None:
    data = saved.read_bytes()
    with TemporaryDirectory() as folder:
        path = Path(folder, "cut")
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(ModelFileError, match="cut"):
            resume_from(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(st.tuples(st.floats(0, 0.99999), st.integers(0, 255)), min_size=1, max_size=3)
)
def test_changed_bytes_never_give_another_error(
    saved: Path, changes: list[tuple[float, int]]
) -> None:
    data = bytearray(saved.read_bytes())
    for share, byte in changes:
        data[int(share * len(data))] = byte
    with TemporaryDirectory() as folder:
        path = Path(folder, "changed")
        path.write_bytes(data)
        # Damaged, of other settings, or with weights that are not finite.
        with suppress(ModelFileError, UsageError, DivergedError):
            resume_from(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": None},
        {"epoch": "two"},
        {"epoch": float("inf")},
        {"epoch": -5},
        {"step": {}},
        {"history": 3},
        {"history": [1, 2]},
        {"history": [{"epoch": 1}, {"epoch": 2}]},
        {"history": [{"seconds": 1.0}]},
        {"history": [{"seconds": "a"}, {"seconds": "b"}]},
        {"random_state": None},
        {"random_state": [1, 2]},
        {"random_state": [10**6, 0, 0.0]},
        {"random_state": [-1, 0, 0.0]},
        {"random_state": [10**40, 0, 0.0]},
        {"random_state": [1, "x", 0.0]},
        {"best": {"epoch": 1}},
        {"best": 7},
        {"settings": "none"},
    ],
    ids=str,
)
def test_a_description_that_can_not_be_is_refused(
    saved: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    arrays, description = content(saved)
    save_tensors(tmp_path / "odd", arrays, description | changes)
    with pytest.raises(ModelFileError, match="odd"):
        resume_from(tmp_path / "odd")


@pytest.mark.parametrize("name", ["parameters", "optimizer.v", "best.state", "random_state"])
def test_arrays_of_another_shape_or_dtype_are_refused(
    saved: Path, tmp_path: Path, name: str
) -> None:
    arrays, description = content(saved)
    for odd in (arrays[name][:-1], arrays[name].astype(np.float32)):
        save_tensors(tmp_path / "odd", arrays | {name: odd}, description)
        with pytest.raises(ModelFileError, match=rf"odd: '{name}' is .*expected"):
            resume_from(tmp_path / "odd")
    del arrays[name]
    save_tensors(tmp_path / "odd", arrays, description)
    with pytest.raises(ModelFileError, match=rf"odd: '{name}' is None"):
        resume_from(tmp_path / "odd")


def test_a_model_is_no_checkpoint_and_a_checkpoint_no_model(saved: Path, tmp_path: Path) -> None:
    cp.save(tmp_path / "model", small_network(*BODIES["batch norm"]))
    with pytest.raises(ModelFileError, match=r"model is no clearprop checkpoint file.*'model'"):
        resume_from(tmp_path / "model")
    with pytest.raises(ModelFileError, match=r"run is no clearprop model file.*'checkpoint'"):
        cp.load(saved)
