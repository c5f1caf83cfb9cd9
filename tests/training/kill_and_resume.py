"""Kill a training process again and again, let it go on, and compare its model with a whole run's.

Run it to see more kills than the test suite makes::

    python tests/training/kill_and_resume.py 10
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

TRAIN = ("train", "digits", "--layers", "16", "--dropout", "0.2", "--batch-norm")
EPOCHS_A_KILL = 25
LATEST = 9  # checkpoints that a process may write before it is killed


def same_model_after_kills(
    kills: int, seed: int, folder: Path, *options: str, trains: tuple[str, ...] = TRAIN
) -> bool:
    """Tell whether a run that was killed so often ends with the bytes of one that was not.

    Parameters
    ----------
    kills : int
    seed : int
        Of the moments.
    folder : pathlib.Path
        Where both runs are kept.
    *options : str
        More of how it is trained.
    trains : tuple of str
        The command that trains, and its data.

    Raises
    ------
    RuntimeError
        If a process fails, or comes to its end before it is killed.
    """
    whole, cut = folder / "whole", folder / "cut"
    train = (*trains, *options, "--epochs", str(EPOCHS_A_KILL * kills), "--out")
    resume = ("train", "--resume", "--out", str(cut))
    _finish(*train, str(whole))
    moments = random.Random(seed)  # noqa: S311 - nothing secret
    for kill in range(kills):
        arguments = resume if kill else (*train, str(cut))
        checkpoints = moments.randint(0, LATEST)
        _kill_after(checkpoints, cut, *arguments, "--checkpoint-every", "0")
    _finish(*resume)
    same = (whole / "model.safetensors").read_bytes() == (cut / "model.safetensors").read_bytes()
    return same and _without_seconds(whole) == _without_seconds(cut)


def _kill_after(checkpoints: int, folder: Path, *arguments: str) -> None:
    process = _start(*arguments)
    assert process.stderr is not None
    while "samples to train on" not in process.stderr.readline():
        assert process.poll() is None  # training is the next thing it does
    path = folder / "checkpoint.safetensors"
    seen = _version(path)
    while checkpoints and process.poll() is None:
        checkpoints -= seen != (seen := _version(path))
        os.sched_yield()
    process.send_signal(signal.SIGKILL)
    _, said = process.communicate()
    if process.returncode != -signal.SIGKILL:
        raise RuntimeError(f"{arguments} came to its end, {process.returncode}: {said}")


def _version(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def _finish(*arguments: str) -> None:
    process = _start(*arguments)
    _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}: {said}")


def _start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "clearprop", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )


def _without_seconds(folder: Path) -> list[str]:
    rows = (folder / "history.csv").read_text().splitlines()
    return [row.rpartition(",")[0] for row in rows]


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        if not same_model_after_kills(int(sys.argv[1]), seed=0, folder=Path(place)):
            sys.exit("The killed run differs from the whole one.")
