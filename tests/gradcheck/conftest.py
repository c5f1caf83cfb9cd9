"""What checks of gradients begin with."""

import textwrap
from functools import partial

import pytest
import seen_checked
from own_network import OwnNetwork

from clearprop.gradcheck.seeing import derivatives as module
from clearprop.gradcheck.seeing.file import check_seen
from clearprop.gradcheck.seeing.running.run import run
from clearprop.gradcheck.seeing.tape import Tape


@pytest.fixture
def net():
    return OwnNetwork()


@pytest.fixture
def check(tmp_path):
    """Check a text as a file; returns the report."""

    def check_text(text):
        file = tmp_path / "hw.py"
        file.write_text(text, encoding="utf-8")
        return check_seen(file, 40.0)[0]

    return check_text


@pytest.fixture
def checked(tmp_path):
    """Check a text that imports NumPy, which something must be seen in; returns the report."""
    return partial(seen_checked.check, tmp_path)


@pytest.fixture
def without_differences(monkeypatch):
    def refuse(node, *_):
        raise AssertionError(f"{node} has no rule of its own")

    monkeypatch.setattr(module, "_by_differences", refuse)


@pytest.fixture
def runs(tmp_path):
    """Run a text as a file, in a folder with other files; returns what came of it."""

    def run_text(text, *, name="hw.py", seconds=20.0, **others):
        for other, content in others.items():
            place = tmp_path / other.replace("__SLASH__", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.with_suffix(".py").write_text(textwrap.dedent(content), encoding="utf-8")
        file = tmp_path / name
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        run_text.tape = Tape()
        return run(file, run_text.tape, seconds)

    return run_text
