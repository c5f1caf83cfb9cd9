"""The script that lists the files in which a function runs."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("files_run.py")
SMALL = ["train", "iris", "--epochs", "2", "--layers", "4", "--folds", "0"]


def listed(*arguments):
    command = [sys.executable, SCRIPT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=SCRIPT.parent)
    *files, count = done.stdout.splitlines()
    assert count == f"{len(files)} files"
    return set(files)


@pytest.mark.slow  # every call of the program is traced
def test_an_update_runs_layers_and_no_command():
    everything, update = listed(*SMALL), listed("update", *SMALL)
    assert {"cli/train.py", "layers/dense.py"} <= everything
    assert "layers/dense.py" in update
    assert not any(name.startswith("cli/") for name in update)
    assert update < everything


def test_what_is_imported_alone_is_not_listed():
    assert "__init__.py" not in listed("fit")


def test_a_check_is_followed_into_its_child():
    files = listed("check", str(SCRIPT.with_name("learner.py")))
    assert any(name.startswith("gradcheck/") for name in files)
    assert not any(name.startswith("cli/") for name in files), "the command itself is elsewhere"
