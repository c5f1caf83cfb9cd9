"""Checkpoints: a run that was cut off goes on to the very same bits."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from checkpointed_training import BASE, BODIES, HELD_OUT, X, Y, content, train
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_training import Recorder, small_network, without_seconds

import clearprop as cp
from clearprop.errors import OutputError, UsageError

EPOCHS = 6


class PulledOutError(Exception):
    """Stands for whatever ends a process."""


class PullOut(cp.Callback):
    """Ends the process, so to say, once so many updates are done in all."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step_end(self, run: cp.Run) -> None:
        if run.step == self.step:
            raise PulledOutError

    def on_epoch_end(self, run: cp.Run) -> None:
        if run.step == -self.step:  # at the end of an epoch, before it is saved
            raise PulledOutError


def assert_same_run(
    first: tuple[cp.Network, cp.History], second: tuple[cp.Network, cp.History]
) -> None:
    (net, history), (twin, other) = first, second
    assert net.parameters.data.tobytes() == twin.parameters.data.tobytes()
    assert net.state.data.tobytes() == twin.state.data.tobytes()
    assert without_seconds(history) == without_seconds(other)
    assert (history.stopped, history.best_epoch) == (other.stopped, other.best_epoch)


def assert_same_checkpoint(first: Path, second: Path) -> None:
    arrays, description = content(first)
    others, other_description = content(second)
    for row in description["history"] + other_description["history"]:
        del row["seconds"]
    assert description == other_description
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        assert array.tobytes() == others[name].tobytes(), name


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    optimizer=st.sampled_from(
        [
            cp.SGD(0.1),
            cp.Nesterov(0.05, alpha=0.3),
            cp.Adam(0.05),
            cp.Adam(cp.OneCycleSchedule(0.1, 30)),
        ]
    ),
    body=st.sampled_from(sorted(BODIES)),
    dtype=st.sampled_from(["float32", "float64"]),
    batch_size=st.sampled_from([None, 5]),
    replacement=st.booleans(),
    stopping=st.sampled_from([None, cp.EarlyStopping(2), cp.EarlyStopping(1, "accuracy")]),
    max_steps=st.sampled_from([None, 10]),
    pulled_out=st.lists(st.integers(-24, 24), min_size=1, max_size=3),
)
def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(
    optimizer: cp.Optimizer,
    body: str,
    dtype: str,
    batch_size: int | None,
    replacement: bool,
    stopping: cp.EarlyStopping | None,
    max_steps: int | None,
    pulled_out: list[int],
) -> None:
    trainer = cp.Trainer(
        optimizer=optimizer,
        epochs=EPOCHS,
        batch_size=batch_size,
        replacement=replacement,
        early_stopping=stopping,
        max_steps=max_steps,
        class_weight="balanced",
        seed=9,
    )
    with TemporaryDirectory() as folder:
        whole, cut = Path(folder, "whole.safetensors"), Path(folder, "cut.safetensors")
        expected = train(trainer, whole, body=body, dtype=dtype)
        for step in pulled_out:
            try:
                train(trainer, cut, body=body, dtype=dtype, resume=True, callbacks=[PullOut(step)])
            except PulledOutError:
                continue
        resumed = train(trainer, cut, body=body, dtype=dtype, resume=True)
        assert_same_run(resumed, expected)
        assert_same_checkpoint(cut, whole)


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    class StopIn(cp.Callback):
        def __init__(self, step: int) -> None:
            self.step = step

        def on_step_end(self, run: cp.Run) -> None:
            if run.step == self.step:
                run.stop("interrupted")

    trainer = cp.Trainer(epochs=EPOCHS, batch_size=5, early_stopping=cp.EarlyStopping(3))
    expected = train(trainer, tmp_path / "whole", body="dropout")
    for step in (2, 8, 11):  # in the first epoch, at the end of the second, in the third
        _, history = train(
            trainer, tmp_path / "cut", body="dropout", resume=True, callbacks=[StopIn(step)]
        )
        assert history.stopped == "interrupted"
    assert_same_run(train(trainer, tmp_path / "cut", body="dropout", resume=True), expected)


def test_early_stopping_that_a_callback_talked_over_still_ends_a_resumed_run(
    tmp_path: Path,
) -> None:
    class StopAlways(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            if run.stop_reason == "early":
                run.stop("asked")

    trainer = cp.Trainer(
        epochs=50, optimizer=cp.Adam(0.1), early_stopping=cp.EarlyStopping(1, "accuracy")
    )
    expected = train(trainer, tmp_path / "whole")
    assert expected[1].stopped == "early"
    train(trainer, tmp_path / "cut", callbacks=[StopAlways()])
    assert_same_run(train(trainer, tmp_path / "cut", resume=True), expected)


@pytest.mark.parametrize("body", BODIES)
def test_a_finished_run_goes_on_to_more_epochs(tmp_path: Path, body: str) -> None:
    trainer = cp.Trainer(epochs=EPOCHS, batch_size=5)
    expected = train(trainer, tmp_path / "whole", body=body)
    train(replace(trainer, epochs=2), tmp_path / "cut", body=body)
    assert_same_run(train(trainer, tmp_path / "cut", body=body, resume=True), expected)


def test_a_finished_run_that_is_resumed_is_as_it_was(tmp_path: Path) -> None:
    trainer = cp.Trainer(epochs=3, batch_size=5)
    expected, recorder = train(trainer, tmp_path / "run"), Recorder()
    bytes_before = (tmp_path / "run").read_bytes()
    assert_same_run(train(trainer, tmp_path / "run", resume=True, callbacks=[recorder]), expected)
    assert recorder.losses == []
    assert (tmp_path / "run").read_bytes() == bytes_before


def test_without_resume_or_without_a_checkpoint_training_starts_anew(tmp_path: Path) -> None:
    trainer = cp.Trainer(epochs=2)
    first = train(trainer, tmp_path / "run", resume=True)
    assert_same_run(train(trainer, tmp_path / "run"), first)


def test_seconds_count_on(tmp_path: Path) -> None:
    trainer = cp.Trainer(epochs=4)
    train(replace(trainer, epochs=2), tmp_path / "run")
    _, history = train(trainer, tmp_path / "run", resume=True)
    assert history["seconds"] == sorted(history["seconds"])


def test_a_checkpoint_is_written_when_its_time_has_come_and_at_the_end(tmp_path: Path) -> None:
    seen: list[bool] = []

    class Look(cp.Callback):
        def on_epoch_end(self, run: cp.Run) -> None:
            seen.append((tmp_path / "run").exists())

    train(cp.Trainer(epochs=3), tmp_path / "run", every=1e9, callbacks=[Look()])
    assert seen == [False, False, False]
    assert content(tmp_path / "run")[1]["epoch"] == 3
    (tmp_path / "run").unlink()
    seen.clear()
    train(cp.Trainer(epochs=3), tmp_path / "run", every=0, callbacks=[Look()])
    assert seen == [False, True, True]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]  # nothing half-written


DIFFERENT: dict[str, tuple[cp.Trainer, dict[str, object]]] = {
    "layers": (BASE, {"body": "dropout"}),
    "dtype": (BASE, {"dtype": "float32"}),
    "optimizer": (replace(BASE, optimizer=cp.Adam(0.2)), {}),
    "batch_size": (replace(BASE, batch_size=6), {}),
    "replacement": (replace(BASE, replacement=True), {}),
    "max_steps": (replace(BASE, max_steps=3), {}),
    "early_stopping": (replace(BASE, early_stopping=cp.EarlyStopping()), {}),
    "class_weight": (replace(BASE, class_weight={0: 2.0}), {}),
    "clip_norm": (replace(BASE, clip_norm=1.0), {}),
    "seed": (replace(BASE, seed=1), {}),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_other_settings_are_refused_by_name(tmp_path: Path, name: str) -> None:
    train(BASE, tmp_path / "run")
    before = (tmp_path / "run").read_bytes()
    trainer, options = DIFFERENT[name]
    with pytest.raises(UsageError, match=rf"run was made with {name} = .*, this run has "):
        train(trainer, tmp_path / "run", resume=True, **options)
    assert (tmp_path / "run").read_bytes() == before


def test_other_data_are_refused_by_their_number(tmp_path: Path) -> None:
    checkpoint = cp.Checkpoint(tmp_path / "run")
    BASE.fit(small_network(), X, Y, validation=HELD_OUT, checkpoint=checkpoint)
    with pytest.raises(UsageError, match="with samples = 17, this run has 16"):
        BASE.fit(small_network(), X[1:], Y[1:], checkpoint=checkpoint, resume=True)
    with pytest.raises(UsageError, match="with validation samples = 30, this run has 0"):
        BASE.fit(small_network(), X, Y, checkpoint=checkpoint, resume=True)


def test_mapped_class_weights_are_recognised(tmp_path: Path) -> None:
    trainer = replace(BASE, class_weight={0: 2.0, 1: 0.5})
    expected = train(trainer, tmp_path / "run")
    assert_same_run(train(trainer, tmp_path / "run", resume=True), expected)


def test_to_resume_needs_a_checkpoint_and_checkpoints_need_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the checkpoint"):
        BASE.fit(small_network(), X, Y, resume=True)
    with pytest.raises(OutputError, match="nowhere"):
        train(BASE, tmp_path / "nowhere" / "run")
    with pytest.raises(UsageError, match="found -1"):
        cp.Checkpoint("run", -1)
