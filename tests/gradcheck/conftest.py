"""What checks of gradients begin with."""

import pytest
from own_network import OwnNetwork

from clearprop.gradcheck.seeing import derivatives as module
from clearprop.gradcheck.seeing.file import check_seen


@pytest.fixture
def net():
    return OwnNetwork()


@pytest.fixture
def check(tmp_path):
    """Check a text as a file; returns the report."""

    def checked(text):
        file = tmp_path / "hw.py"
        file.write_text(text, encoding="utf-8")
        return check_seen(file, 20.0)[0]

    return checked


@pytest.fixture
def without_differences(monkeypatch):
    def refuse(node, *_):
        raise AssertionError(f"{node} has no rule of its own")

    monkeypatch.setattr(module, "_by_differences", refuse)
